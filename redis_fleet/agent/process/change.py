"""Change running processes by commands, as told, one order after the other; nothing here restarts anything.

Each order can be given again after a run that was killed: what is in force already is left as it is, and the answer
names only what is different now.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Callable

from .. import engine_words
from ..endpoint import Endpoint
from ..errors import ChangeError, NotReadyError
from ..host.digest import secret_digest
from ..inspect.observe import without_secrets
from ..login import (
    SENSITIVE,
    at,
    connect,
    directives,
    masked,
    secrets_of,
)
from ..messages.orders import (
    AppendOnly,
    Change,
    Changed,
    Changing,
    CloseDefault,
    Command,
    DeleteUser,
    Demote,
    Disconnect,
    Flush,
    Forget,
    InForce,
    MasterAuth,
    Order,
    PasswordAdd,
    PasswordEnd,
    PutCertificate,
    Rewrite,
    SetDirectives,
    SetUser,
    clear,
)
from ..messages.process import ManagedProcess
from ..protocol.resp import Connection, ReplyError, info, pairs
from ..replication.fence import MIN_REPLICAS
from . import sentinel_commands, users
from .certificates import put_certificate
from .order_words import secrets_in, told, touched
from .passwords import Outcome, add_password, end_password
from .persistence import append_only

# A rewrite of a file or the start of a copy may take a while on a busy machine.
_TIMEOUT = 10.0


def change(request: Change, dry: bool = False) -> Changed:
    """Give each process its orders; what is not needed is left, and what is in force afterwards is answered.

    The role that a process must have is checked everywhere before the first order. With ``dry`` nobody is asked, and
    the answer says what would be told. Raises NotReadyError with nothing touched, ChangeError, OSError.
    """
    if dry:
        would = (f"{each.process.name}: {told(order)}" for each in request.processes for order in each.orders)
        return Changed(tuple(would))
    for each in request.processes:
        _expect(each)
    sensitive, changed = SENSITIVE.union(request.sensitive), list[str]()
    in_force = {each.process.name: _process(each, sensitive, changed) for each in request.processes}
    return Changed(tuple(changed), in_force)


def _expect(changing: Changing) -> None:
    if not changing.expect:
        return
    name = changing.process.name
    try:
        connection, _ = connect(changing.process)
        with connection:
            word = str(connection.call("ROLE")[0])
    except (OSError, ReplyError) as error:
        raise NotReadyError(f"{name} cannot be asked for its role: {error}") from None
    role = engine_words.role(word, word)
    if role != changing.expect:
        raise NotReadyError(f"{name} is a {role} by now, not a {changing.expect}; run again")


def _process(changing: Changing, sensitive: frozenset[str], changed: list[str]) -> InForce:
    process, notes = changing.process, list[str]()
    # Before the first order: CONFIG REWRITE takes the old ones out of the file.
    secrets = secrets_of(process).union(*(secrets_in(order, sensitive) for order in changing.orders))
    doing = ""
    try:
        connection, way = connect(process, _TIMEOUT)
        with connection:
            for order in changing.orders:
                doing = told(order) + ": "
                outcome = _Doing(process, connection, way).do(order)
                changed += [f"{process.name}: {what}" for what in outcome.changed]
                notes += [f"{order.do}: {outcome.note}"] if outcome.note else []
            doing = ""
            return _in_force(changing, connection, sensitive, notes)
    except NotReadyError:
        raise
    except (OSError, ReplyError, RuntimeError) as error:
        raise ChangeError(masked(f"{process.name}: {doing}{error}", secrets), changed) from None


def _in_force(changing: Changing, connection: Connection, sensitive: frozenset[str], notes: Iterable[str]) -> InForce:
    """Return what is in force of everything that the orders touch."""
    found = directives(changing.process.configuration)
    # The whole file: a rewritten one may have another name for a directive than the order had.
    lines = tuple((line.name, *without_secrets(line.name, line.words, sensitive)) for line in found)
    if changing.process.kind.monitors:
        masters = [pairs(each) for each in connection.call("SENTINEL", "MASTERS")]
        return InForce(lines=lines, masters={each["name"]: each for each in masters}, notes=tuple(notes))
    config = {name: _get(connection, name) for name in sorted(set(touched(changing.orders)))}
    return InForce(
        config={name: secret_digest(value) if name in sensitive else value for name, value in config.items()},
        lines=lines,
        role=connection.call("ROLE"),
        notes=tuple(notes),
    )


def _get(connection: Connection, name: str) -> str:
    """Return a directive's value, empty when the version does not know it."""
    return pairs(connection.call("CONFIG", "GET", name)).get(name, "")


def _set(connection: Connection, wanted: list[tuple[str, str]]) -> Outcome:
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


class _Doing:
    """One order being done to one process; ``way`` says which password opened the connection."""

    def __init__(self, process: ManagedProcess, connection: Connection, way: str) -> None:
        self._process = process
        self._connection = connection
        self._way = way

    def do(self, order: Order) -> Outcome:
        return _DOING[type(order)](self, order)

    def set(self, order: SetDirectives) -> Outcome:
        return _set(self._connection, [(name.lower(), clear(value)) for name, value in order.pairs])

    def append_only(self, order: AppendOnly) -> Outcome:
        return append_only(self._connection, order.value, order.seconds)

    def add_password(self, _: PasswordAdd) -> Outcome:
        return add_password(self._process, self._connection, self._way)

    def end_password(self, _: PasswordEnd) -> Outcome:
        return end_password(self._process, self._connection)

    def masterauth(self, order: MasterAuth) -> Outcome:
        return _set(self._connection, [("masterauth", clear(order.value))])

    def set_user(self, order: SetUser) -> Outcome:
        return users.set_user(self._connection, order)

    def delete_user(self, order: DeleteUser) -> Outcome:
        return users.delete_user(self._connection, order)

    def close_default(self, order: CloseDefault) -> Outcome:
        return users.close_default(self._process, self._connection, self._way, order)

    def disconnect(self, order: Disconnect) -> Outcome:
        return users.disconnect(self._connection, order)

    def command(self, order: Command) -> Outcome:
        return sentinel_commands.command(self._connection, order.words)

    def forget(self, order: Forget) -> Outcome:
        return sentinel_commands.forget(self._connection, order)

    def flush(self, _: Flush) -> Outcome:
        try:
            return self._write("SENTINEL", "FLUSHCONFIG")
        except ReplyError as error:
            if not _unknown(error):
                raise
            return Outcome(note="it does not know SENTINEL FLUSHCONFIG, it writes its file at once")

    def rewrite(self, _: Rewrite) -> Outcome:
        return self._write("CONFIG", "REWRITE")

    def _write(self, *command: str) -> Outcome:
        """Have the file written; it has changed when its directives have, whatever became of blank lines."""
        before = self._meaning()
        self._connection.call(*command)
        return Outcome(("file",)) if self._meaning() != before else Outcome()

    def _meaning(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(line.name, line.words) for line in directives(self._process.configuration)]

    def demote(self, order: Demote) -> Outcome:
        """Make an old master follow the new one, then lift its fence: until then it would take writes that are lost."""
        address, port = order.master.split()
        connection, done = self._connection, list[str]()
        role = connection.call("ROLE")
        if engine_words.role(role[0]) != engine_words.REPLICA or role[1:3] != [address, int(port)]:
            _must_be_master(self._process, Endpoint(address, int(port)))
            connection.call("MULTI")
            connection.call("REPLICAOF", address, port)
            connection.call("CONFIG", "REWRITE")
            connection.call("CLIENT", "KILL", "TYPE", "normal")
            failed = [reply for reply in connection.call("EXEC") if isinstance(reply, ReplyError)]
            if failed:
                raise failed[0]
            done.append(f"replica of {address} {port}")
        if order.value is not None:
            done += _set(connection, [(MIN_REPLICAS, order.value)]).changed
            connection.call("CONFIG", "REWRITE")
        return Outcome(tuple(done))

    def put_certificate(self, order: PutCertificate) -> Outcome:
        return put_certificate(self._process, self._connection, order)


def _must_be_master(process: ManagedProcess, endpoint: Endpoint) -> None:
    where = f"{endpoint.address}:{endpoint.port}"
    try:
        connection, _ = connect(at(process, endpoint))
        with connection:
            role = engine_words.role(connection.call("ROLE")[0])
    except (OSError, ReplyError) as error:
        raise NotReadyError(f"{where}, which {process.name} is to follow, cannot be asked: {error}") from None
    if role != engine_words.MASTER:
        raise NotReadyError(f"{where}, which {process.name} is to follow, is no master; run again")


def _unknown(error: ReplyError) -> bool:
    return "unknown" in str(error).lower()


_DOING: dict[type, Callable[[_Doing, Any], Outcome]] = {
    SetDirectives: _Doing.set,
    AppendOnly: _Doing.append_only,
    PasswordAdd: _Doing.add_password,
    MasterAuth: _Doing.masterauth,
    PasswordEnd: _Doing.end_password,
    Command: _Doing.command,
    SetUser: _Doing.set_user,
    DeleteUser: _Doing.delete_user,
    CloseDefault: _Doing.close_default,
    Disconnect: _Doing.disconnect,
    Rewrite: _Doing.rewrite,
    Flush: _Doing.flush,
    Forget: _Doing.forget,
    Demote: _Doing.demote,
    PutCertificate: _Doing.put_certificate,
}
