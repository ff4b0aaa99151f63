"""Change running processes by commands, as told, one order after the other; nothing here restarts anything.

Each order can be given again after a run that was killed: what is in force already is left as it is, and the answer
names only what is different now.
"""

from __future__ import annotations

from typing import Any, Callable

from ..errors import NotReadyError
from ..host.digest import seal
from ..inspect.observe import _sealed as sealed
from ..login import (
    SENSITIVE,
    Outcome,
    add_password,
    connect,
    directives,
    end_password,
    masked,
    secret_words,
    secrets_of,
)
from ..options import managed
from ..protocol.resp import Connection, ReplyError, info, pairs
from . import sentinel_commands
from .persistence import append_only

Answer = dict[str, Any]
# A rewrite of a file or the start of a copy may take a while on a busy machine.
_TIMEOUT = 10.0
_ROLES = {"slave": "replica"}


class ChangeError(RuntimeError):
    """An order failed; the text says which, on which process, in the server's words. ``changed`` was done before."""

    def __init__(self, text: str, changed: list[str]) -> None:
        """Keep what had been done."""
        super().__init__(text)
        self.changed = changed


def change(request: Answer, dry: bool = False) -> Answer:
    """Give each of ``processes`` its ``orders``; returns ``changed`` (texts) and what is in force, by name.

    A process is a process request with ``orders`` and ``expect`` (``master`` or ``replica``: checked everywhere before
    the first order; empty: anything). In force are ``config`` (CONFIG GET of the directives that were touched), the
    ``lines`` of the file, both with ``sensitive`` ones sealed, ``role``, of a Sentinel ``masters``, and ``notes`` on
    orders that were not needed. Raises NotReadyError with nothing touched, ChangeError, OSError.
    """
    processes = request["processes"]
    unknown = {order["do"] for each in processes for order in each["orders"]} - set(_ORDERS)
    if unknown:
        raise ValueError(f"unknown orders: {', '.join(sorted(unknown))}")
    if dry:
        return {
            "changed": [f"{each['name']}: {told(order)}" for each in processes for order in each["orders"]],
            "processes": {},
        }
    for each in processes:
        _expect(each)
    answer: Answer = {"changed": [], "processes": {}}
    for each in processes:
        answer["processes"][each["name"]] = _process(each, set(request["sensitive"]) | SENSITIVE, answer["changed"])
    return answer


def _expect(process: Answer) -> None:
    if not process.get("expect"):
        return
    try:
        connection, _ = connect(managed(process))
        with connection:
            role = connection.call("ROLE")[0]
    except (OSError, ReplyError) as error:
        raise NotReadyError(f"{process['name']} cannot be asked for its role: {error}") from None
    if _ROLES.get(role, role) != process["expect"]:
        raise NotReadyError(
            f"{process['name']} is a {_ROLES.get(role, role)} by now, not a {process['expect']}; run again"
        )


def _process(process: Answer, sensitive: set[str], changed: list[str]) -> Answer:
    name, notes = process["name"], []
    # Before the first order: CONFIG REWRITE takes the old ones out of the file.
    secrets = secrets_of(managed(process)).union(*(_secrets_in(order, sensitive) for order in process["orders"]))
    doing = ""
    try:
        connection, way = connect(managed(process), _TIMEOUT)
        with connection:
            for order in process["orders"]:
                doing = told(order) + ": "
                outcome = _ORDERS[order["do"]]({**process, "way": way}, connection, order)
                changed += [f"{name}: {what}" for what in outcome.changed]
                notes += [f"{order['do']}: {outcome.note}"] if outcome.note else []
            doing = ""
            return {**_in_force(process, connection, sensitive), "notes": notes}
    except NotReadyError:
        raise
    except (OSError, ReplyError, RuntimeError) as error:
        raise ChangeError(masked(f"{name}: {doing}{error}", secrets), changed) from None


def _secrets_in(order: Answer, sensitive: set[str]) -> set[str]:
    """Return the secrets that an order carries."""
    if order["do"] == "masterauth":
        return {order["value"]}
    return {
        *secret_words(order.get("words", ()), sensitive),
        *(value for name, value in order.get("pairs", ()) if name.lower() in sensitive),
    }


def told(order: Answer) -> str:
    """Return an order in a few words, without any value that could be a secret."""
    if order["do"] == "set":
        return "CONFIG SET " + ", ".join(str(name) for name, _ in order["pairs"])
    if order["do"] == "command":
        return sentinel_commands.told(order["words"])
    words = [order["do"], *(str(order[key]) for key in ("master",) if key in order)]
    return " ".join([*words, order["value"]] if order["do"] == "append-only" else words)


def _in_force(process: Answer, connection: Connection, sensitive: set[str]) -> Answer:
    """Return what is in force of everything that the orders touch."""
    # The whole file: a rewritten one may have another name for a directive than the order had.
    lines = [[line.name, *sealed(line.name, line.words, sensitive)] for line in directives(process["configuration"])]
    if managed(process).kind.monitors:
        masters = [pairs(each) for each in connection.call("SENTINEL", "MASTERS")]
        return {"config": {}, "lines": lines, "masters": {each["name"]: each for each in masters}}
    config = {name: _get(connection, name) for name in sorted(_touched(process))}
    return {
        "config": {name: seal(value) if name in sensitive else value for name, value in config.items()},
        "lines": lines,
        "role": connection.call("ROLE"),
    }


def _touched(process: Answer) -> set[str]:
    """Return the directives that orders set."""
    own = {
        "append-only": "appendonly",
        "masterauth": "masterauth",
        "password-add": "requirepass",
        "password-end": "requirepass",
        "demote": _FENCE,
    }
    found = {own[order["do"]] for order in process["orders"] if order["do"] in own}
    return found | {name.lower() for order in process["orders"] for name, _ in order.get("pairs", ())}


_FENCE = "min-replicas-to-write"


def _get(connection: Connection, name: str) -> str:
    """Return a directive's value, empty when the version does not know it."""
    return pairs(connection.call("CONFIG", "GET", name)).get(name, "")


def _set(process: Answer, connection: Connection, order: Answer) -> Outcome:  # noqa: ARG001
    wanted = [(str(name).lower(), str(value)) for name, value in order["pairs"]]
    before = {name: _get(connection, name) for name, _ in wanted}
    version = info(connection.call("INFO", "server"))["redis_version"]
    if int(version.split(".")[0]) >= 7:
        connection.call("CONFIG", "SET", *(word for pair in wanted for word in pair))
    else:
        _one_by_one(connection, wanted, before)
    return Outcome(tuple(name for name in before if _get(connection, name) != before[name]))


def _one_by_one(connection: Connection, wanted: list[tuple[str, str]], before: dict[str, str]) -> None:
    """Set all or none, in a version that takes only one at a time."""
    for number, (name, value) in enumerate(wanted):
        try:
            connection.call("CONFIG", "SET", name, value)
        except ReplyError as error:
            for done, _ in reversed(wanted[:number]):
                connection.call("CONFIG", "SET", done, before[done])
            raise ReplyError(f"{error} ({name})") from None


def _append_only(process: Answer, connection: Connection, order: Answer) -> Outcome:  # noqa: ARG001
    return append_only(connection, order["value"], float(order["seconds"]))


def _add_password(process: Answer, connection: Connection, order: Answer) -> Outcome:  # noqa: ARG001
    return add_password(managed(process), connection, process["way"])


def _end_password(process: Answer, connection: Connection, order: Answer) -> Outcome:  # noqa: ARG001
    return end_password(managed(process), connection)


def _masterauth(process: Answer, connection: Connection, order: Answer) -> Outcome:
    return _set(process, connection, {"pairs": [["masterauth", order["value"]]]})


def _command(process: Answer, connection: Connection, order: Answer) -> Outcome:  # noqa: ARG001
    return sentinel_commands.command(connection, order["words"])


def _forget(process: Answer, connection: Connection, order: Answer) -> Outcome:  # noqa: ARG001
    return sentinel_commands.forget(connection, order)


def _flush(process: Answer, connection: Connection, order: Answer) -> Outcome:
    return _write(process, connection, order, ("SENTINEL", "FLUSHCONFIG"))


def _rewrite(process: Answer, connection: Connection, order: Answer) -> Outcome:
    return _write(process, connection, order, ("CONFIG", "REWRITE"))


def _write(process: Answer, connection: Connection, order: Answer, command: tuple[str, str]) -> Outcome:
    """Have the file written; it has changed when its directives have, whatever became of blank lines."""
    before = _meaning(process)
    try:
        connection.call(*command)
    except ReplyError as error:
        if order["do"] != "flush" or "unknown" not in str(error).lower():
            raise
        return Outcome(note=f"it does not know {' '.join(command)}, it writes its file at once")
    return Outcome(("file",)) if _meaning(process) != before else Outcome()


def _meaning(process: Answer) -> list[tuple[str, tuple[str, ...]]]:
    return [(line.name, line.words) for line in directives(process["configuration"])]


def _demote(process: Answer, connection: Connection, order: Answer) -> Outcome:
    """Make an old master follow the new one, then lift its fence: until then it would take writes that are lost."""
    address, port = order["master"].split()
    done = []
    if connection.call("ROLE")[:3] != ["slave", address, int(port)]:
        _must_be_master({**process, "address": address, "port": int(port)})
        connection.call("MULTI")
        connection.call("REPLICAOF", address, port)
        connection.call("CONFIG", "REWRITE")
        connection.call("CLIENT", "KILL", "TYPE", "normal")
        failed = [reply for reply in connection.call("EXEC") if isinstance(reply, ReplyError)]
        if failed:
            raise failed[0]
        done.append(f"replica of {address} {port}")
    if order.get("value") is not None:
        done += _set(process, connection, {"pairs": [[_FENCE, order["value"]]]}).changed
        connection.call("CONFIG", "REWRITE")
    return Outcome(tuple(done))


def _must_be_master(other: Answer) -> None:
    where = f"{other['address']}:{other['port']}"
    try:
        connection, _ = connect(managed(other))
        with connection:
            role = connection.call("ROLE")[0]
    except (OSError, ReplyError) as error:
        raise NotReadyError(f"{where}, which {other['name']} is to follow, cannot be asked: {error}") from None
    if role != "master":
        raise NotReadyError(f"{where}, which {other['name']} is to follow, is no master; run again")


_ORDERS: dict[str, Callable[[Answer, Connection, Answer], Outcome]] = {
    "set": _set,
    "append-only": _append_only,
    "password-add": _add_password,
    "masterauth": _masterauth,
    "password-end": _end_password,
    "command": _command,
    "rewrite": _rewrite,
    "flush": _flush,
    "forget": _forget,
    "demote": _demote,
}
