"""A new password for servers and Sentinels that run: first both are taken, then the new one is used, then the old goes.

Between any two of these phases every client, replica and Sentinel that knows either password is let in. Measured on
Redis 7.0 and 8.0 and Valkey 8.1: no link is lost and nothing is synchronised anew. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.host.digest import matches
from redis_fleet.agent.messages.orders import (
    DIRECTIVE,
    MONITORED,
    OWN_RULE,
    SENTINEL_PASS,
    Command,
    Flush,
    MasterAuth,
    Order,
    PasswordAdd,
    PasswordEnd,
    Rewrite,
    SecretRef,
    SetDirectives,
    Value,
)
from redis_fleet.agent.secret import MASK
from redis_fleet.model import Fleet, Process, Service
from redis_fleet.observe.facts import Observed, ProcessFacts
from redis_fleet.plan import users
from redis_fleet.plan.refusal import Refusal
from redis_fleet.plan.steps import Change, ChangeLive, Stage

_OVERLAP = "the old and the new one are taken while they are exchanged"
_NOBODY = "it logs in as the default user from now on"
_USER = "it logs in as that user from now on"
_LAST = "the old one is refused from now on"
_OWN_RULE = SecretRef(OWN_RULE)
_OPENED = "clients that give no password are refused from now on"


def of_service(fleet: Fleet, service: Service, seen: Observed) -> Iterator[ChangeLive]:
    """Yield the steps that bring servers, and what the Sentinels know of them, to the service's described password."""
    for process in service.processes:
        facts = seen.of(process)
        if facts.answers and facts.deployed:
            yield from _server(process, facts)
    if service.watch:
        for process in fleet.sentinels:
            yield from watching(service, process, seen.of(process))


def refusals(
    service: Service, members: Sequence[Process], seen: Observed, master: Endpoint, arriving: Collection[Process]
) -> Iterator[Refusal]:
    """Yield why a change of password has to wait for a run of its own.

    A replica that this run starts gives the new password at once, and a process that leaves never hears of it.
    """
    process = next((each for each in members if each.announced == master), None)
    facts = seen.of(process) if process else ProcessFacts()
    wanted = service.password.reveal() if service.password else ""
    found = facts.config.get("requirepass", "")
    done = (bool(found) and matches(found, wanted)) if wanted else not _has_password(facts)
    if not facts.answers or done or (process and process.users.default != "on"):
        return
    gone = sorted(each.id for each in members if each not in service.processes)
    if gone or (arriving and not (wanted and _has_password(facts))):
        coming = sorted(each.id for each in arriving)
        who = f"{', '.join(gone)} would leave" if gone else f"{', '.join(coming)} would be started"
        what = f"its master has another password than described, and {who}"
        yield Refusal("password-alone", service.name, what, "change the password in a run of its own")


def _server(process: Process, facts: ProcessFacts) -> Iterator[ChangeLive]:
    own, upstream, user = (_differs(process, facts, name) for name in ("requirepass", "masterauth", "masteruser"))
    named = process.setting("masteruser") is not None
    if process.users.default != "on":
        # It is closed, see closing.py.
        own = None
    if own and process.password and _has_password(facts) and facts.opened_by != "described":
        yield _step("password_add", process, [own], [PasswordAdd()], _OVERLAP)
    masterauth = MasterAuth(SecretRef(DIRECTIVE, "masterauth"))
    if user or (upstream and named):
        name = SetDirectives(tuple((each, _reference(process, each)) for each in ("masteruser", "masterauth")))
        yield _step(
            "password_use",
            process,
            [each for each in (user, upstream) if each],
            [name, Rewrite()],
            _USER if named else _NOBODY,
        )
        upstream = None
    if upstream and not (own and not _has_password(facts)):
        yield _step("password_use", process, [upstream], [masterauth, Rewrite()], _OVERLAP)
        upstream = None
    if own:
        # On an open server a replica that gives a password is turned away: both change in the same moment.
        together = [masterauth] if upstream else []
        changes = [own, upstream] if upstream else [own]
        reason = _LAST if _has_password(facts) else _OPENED
        yield _step("password_end", process, changes, [*together, PasswordEnd(), Rewrite()], reason)


def _word(process: Process, name: str) -> str:
    setting = process.setting(name)
    return setting.word if setting else ""


def _reference(process: Process, name: str) -> Value:
    return SecretRef(DIRECTIVE, name) if process.setting(name) else ""


def _others_get_in(facts: ProcessFacts) -> bool:
    """Whether it takes no password, another one, or one more than the described: a rotation that was taken back."""
    return bool(facts.open) or facts.opened_by != "described" or facts.passwords not in (None, 1)


def _has_password(facts: ProcessFacts) -> bool:
    return not facts.open


def _differs(process: Process, facts: ProcessFacts, name: str) -> Change | None:
    setting = process.setting(name)
    wanted = setting.reveal()[0][0] if setting else ""
    alias = {"masterauth": "primaryauth", "masteruser": "primaryuser"}.get(name, name)
    found = facts.config.get(name, facts.config.get(alias, ""))
    shadowed = name == "requirepass" and bool(wanted) and _others_get_in(facts)
    if shadowed or (not matches(found, wanted) if wanted and found else wanted != found):
        return Change(name, MASK if wanted else "", MASK if found else "")
    return None


def watching(service: Service, process: Process, facts: ProcessFacts) -> Iterator[ChangeLive]:
    """Yield the step that tells a Sentinel whom it logs in as to a service, and by what, where it is another."""
    name = service.watch.name if service.watch else ""
    if name not in facts.masters:
        return
    found = next((line[-1] for line in facts.lines_of("sentinel", "auth-pass", name)), "")
    wanted = of_monitor(process, "auth-pass", name)
    user, now = of_monitor(process, "auth-user", name), _line_word(facts, "auth-user", name)
    changes, words = list[Change](), list[Value]()
    if user != now:
        changes.append(Change(f"sentinel auth-user {name}", user, now))
        words += ["auth-user", user]
    if not matches(found, wanted) if wanted and found else wanted != found:
        changes.append(Change(f"sentinel auth-pass {name}", MASK if wanted else "", MASK if found else ""))
        words += ["auth-pass", SecretRef(MONITORED, "auth-pass", name) if wanted else ""]
    if changes:
        order = Command(("SENTINEL", "SET", name, *words))
        # To give a password to an open server does no harm; to give none to a closed one does.
        stage: Stage = "password_use" if wanted else "watch"
        yield _step(stage, process, changes, [order, Flush()], _OVERLAP if user == now else _USER if user else _NOBODY)


def of_monitor(process: Process, option: str, name: str) -> str:
    """Return what a Sentinel is to have of an option of one master, in clear; empty for nothing."""
    settings = (each for each in process.settings if each.name == f"sentinel {option}")
    return next((words[-1] for each in settings for words in each.reveal() if words[0] == name), "")


def _line_word(facts: ProcessFacts, *words: str) -> str:
    lines = facts.lines_of("sentinel", *words)
    return lines[-1][-1] if lines else ""


def of_sentinel(process: Process, facts: ProcessFacts) -> Iterator[ChangeLive]:
    """Yield the steps that bring a Sentinel to its own described password.

    It has no CONFIG command: its default user is changed, and the password that it gives to the other Sentinels is
    told apart from its own. Redis 6.0 can do neither while it runs, see ``needs_restart``.
    """
    if not password_differs(process, facts) or needs_restart(process, facts):
        return
    if _names_peer(process, facts):
        yield from _of_named(process, facts)
        return
    wanted = process.password is not None
    change = Change("requirepass", MASK if wanted else "", MASK if not facts.open else "")
    if wanted and not facts.open and facts.opened_by != "described":
        yield _step("password_add", process, [change], [_user(_OWN_RULE)], _OVERLAP)
    password = SecretRef(SENTINEL_PASS) if wanted else ""
    given = Command(("SENTINEL", "CONFIG", "SET", "sentinel-pass", password))
    used = Change("sentinel sentinel-pass", MASK if wanted else "", MASK if not facts.open else "")
    yield _step("password_use", process, [used], [given, Flush()], _OVERLAP)
    last = _user("resetpass", _OWN_RULE) if wanted else _user("resetpass", "nopass")
    yield _step("password_end", process, [change], [last, Flush()], _OPENED if facts.open else _LAST)


def _names_peer(process: Process, facts: ProcessFacts) -> bool:
    """Whether it logs in to the others as a user of its own, or did."""
    return bool(process.setting("sentinel sentinel-user") or _line_word(facts, "sentinel-user"))


def _of_named(process: Process, facts: ProcessFacts) -> Iterator[ChangeLive]:
    """What it takes and what it gives are two things then."""
    change = Change("requirepass", MASK if process.password else "", MASK if not facts.open else "")
    other = takes_another(process, facts)
    if other and process.password and not facts.open and facts.opened_by != "described":
        yield _step("password_add", process, [change], [_user(_OWN_RULE)], _OVERLAP)
    if gives_another(process, facts):
        user, found = _word(process, "sentinel sentinel-user"), _line_word(facts, "sentinel-user")
        used = [Change("sentinel sentinel-user", user, found)] if user != found else []
        used.append(Change("sentinel sentinel-pass", MASK, MASK))
        named = Command(("SENTINEL", "CONFIG", "SET", "sentinel-user", user))
        given = Command(("SENTINEL", "CONFIG", "SET", "sentinel-pass", SecretRef(SENTINEL_PASS)))
        yield _step("password_use", process, used, [named, given, Flush()], _USER if user else _NOBODY)
    if other:
        last = _user("resetpass", _OWN_RULE) if process.password else _user("resetpass", "nopass")
        yield _step("password_end", process, [change], [last, Flush()], _OPENED if facts.open else _LAST)


def _user(*rules: Value) -> Order:
    return Command(("ACL", "SETUSER", "default", *rules))


def password_differs(process: Process, facts: ProcessFacts) -> bool:
    """Whether a running Sentinel takes or gives another password than the described one.

    What it takes is tried when it is looked at. What it gives is ``sentinel-pass``, else its own requirepass.
    """
    return takes_another(process, facts) or gives_another(process, facts)


def takes_another(process: Process, facts: ProcessFacts) -> bool:
    """Whether the default user of a running Sentinel has another password than described; a closed one has none."""
    if process.users.default != "on":
        return False
    return not facts.open if process.password is None else _others_get_in(facts)


def gives_another(process: Process, facts: ProcessFacts) -> bool:
    """Whether a running Sentinel logs in to the others as somebody else, or with another password."""
    wanted = process.setting("sentinel sentinel-pass")
    password = wanted.reveal()[0][-1] if wanted else process.password.reveal() if process.password else ""
    if not _names_peer(process, facts) and not process.password:
        return False
    if _word(process, "sentinel sentinel-user") != _line_word(facts, "sentinel-user"):
        return True
    given = facts.lines_of("sentinel", "sentinel-pass") or facts.lines_of("requirepass")
    return not given or not matches(given[-1][-1], password)


def in_file(process: Process, facts: ProcessFacts) -> tuple[str, ...]:
    """Return the settings that bring the file of a Sentinel that is down to its described password."""
    if _names_peer(process, facts) or process.users.default != "on":
        same = not gives_another(process, facts) and not list(users.of_file(process, facts))
        return () if same else ("requirepass", "user", "sentinel sentinel-user", "sentinel sentinel-pass")
    own = [line[-1] for line in facts.lines_of("requirepass")]
    other = [line[-1] for line in facts.lines_of("sentinel", "sentinel-pass")]
    wanted = process.password.reveal() if process.password else ""
    found = [word for word in (*own[-1:], *other[-1:]) if word]
    fine = (bool(own) and all(matches(word, wanted) for word in found)) if wanted else not found
    # This line counts more than requirepass, and has nothing but hashes: with a new requirepass it is taken out.
    unknown = bool(facts.lines_of("user", "default"))
    return () if fine and not unknown else ("requirepass", "sentinel sentinel-pass")


def needs_restart(process: Process, facts: ProcessFacts) -> bool:
    """Whether its password can be changed only by a restart: Sentinel 6.0 has neither ACL nor CONFIG."""
    return facts.version.startswith("6.0.") and password_differs(process, facts)


def _step(stage: Stage, process: Process, changes: list[Change], orders: list[Order], reason: str) -> ChangeLive:
    titles = {
        "password_add": f"let {process.name} take the new password beside the old one",
        "password_use": f"make {process.name} use the new password"
        if reason != _USER
        else f"make {process.name} log in as its user",
        "password_end": f"let {process.name} take the new password alone",
        "watch": f"tell {process.name} that there is no password any more",
    }
    return ChangeLive(
        process.machine,
        process.name,
        titles[stage],
        reason,
        stage=stage,
        changes=tuple(changes),
        orders=tuple(orders),
    )
