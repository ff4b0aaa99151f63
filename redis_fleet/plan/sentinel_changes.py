"""What differs in a running Sentinel, and the commands that put it right. Pure; a sentinel.conf is never rewritten.

A Sentinel says itself what it watches and how; the rest stands only in its file, where it writes every change of its
settings at once. A line that says the default is taken out of the file by Sentinel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from redis_fleet.agent import engine_words
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.host.digest import matches
from redis_fleet.agent.messages.orders import DIRECTIVE, MONITORED, Command, Flush, Order, SecretRef, Value
from redis_fleet.agent.secret import MASK
from redis_fleet.catalogue import sentinel as sentinel_table
from redis_fleet.catalogue import table, values
from redis_fleet.catalogue.sentinel import SentinelDirective
from redis_fleet.model import Fleet, Process, Service, Words
from redis_fleet.observe.facts import MasterView, Observed, ProcessFacts
from redis_fleet.plan.diff import NOT_IN_FILE, against_file, catalogue_of, kept_by_unit
from redis_fleet.plan.passwords import password_differs
from redis_fleet.plan.plan import Agreement
from redis_fleet.plan.refusal import Refusal
from redis_fleet.plan.steps import Change, ChangeLive

_TIMED = {
    "quorum": "quorum",
    "down-after-milliseconds": "down_after",
    "failover-timeout": "failover_timeout",
    "parallel-syncs": "parallel_syncs",
}
# Sentinel refuses to be told of another script unless its file allows that.
_SCRIPTS = {"notification-script", "client-reconfig-script"}
# Who logs in as whom, see passwords.py.
_PASSWORDS = {"auth-user", "auth-pass", "sentinel-user", "sentinel-pass"}
_TAKES = "Sentinel takes it while it runs"
_AT_START = "Sentinel reads it only when it starts"


@dataclass(frozen=True)
class Finding:
    """A difference, what puts it right while the Sentinel runs, and the setting to write when it has to restart."""

    change: Change
    orders: tuple[Order, ...] = ()
    setting: str = ""


def _command(*words: Value) -> Order:
    return Command(words)


def of_sentinel(
    fleet: Fleet, process: Process, facts: ProcessFacts, masters: Mapping[str, Agreement]
) -> Iterator[Finding]:
    """Yield what differs in a running Sentinel; who logs in as whom is left out."""
    watched = {service.watch.name: service for service in fleet.services if service.watch}
    for name in sorted(facts.masters.keys() - watched.keys()):
        endpoint = facts.masters[name].endpoint
        reason = "this file does not have that service, or nothing to fail over to"
        yield Finding(
            Change(f"sentinel monitor {name}", "", str(endpoint), reason=reason),
            (_command("SENTINEL", "REMOVE", name),),
        )
    for name in sorted(watched.keys()):
        service = watched[name]
        master = masters[service.name].master
        if name in facts.masters:
            yield from _timings(service, facts)
        elif master is not None:
            yield from _monitor(process, service, name, master)
    for finding in _by_file(fleet, process, facts):
        if not _new(finding, watched.keys() - facts.masters.keys()):
            yield finding


def coming_back(facts: ProcessFacts, engine: str, version: str = "") -> ProcessFacts:
    """Return what a Sentinel that is down will say when it is started, by its own file."""
    version = version or table.versions(engine)[-1]
    statements = [line[1:] for line in facts.lines or () if line[0] == "sentinel"]
    masters = {}
    for words in statements:
        if words[0] == "monitor":
            name, address, port, quorum = words[1:5]
            options = {option: _usual(engine, version, option) for option in _TIMED if option != "quorum"}
            options |= {
                each[0]: each[2] for each in statements if len(each) == 3 and each[0] in _TIMED and each[1] == name
            }
            row = {"name": name, "ip": address, "port": port, "quorum": quorum, "flags": "master", **options}
            replicas, sentinels = (
                tuple({"ip": each[2], "port": each[3], "flags": ""} for each in statements if each[:2] == (kind, name))
                for kind in ("known-replica", "known-sentinel")
            )
            masters[name] = MasterView(row, replicas, sentinels, "")
    return replace(facts, masters=masters, info={f"{engine}_version": version})


def _usual(engine: str, version: str, option: str) -> str:
    directive = sentinel_table.find(engine, version, option)
    return directive.value.default or "" if directive else ""


def _new(finding: Finding, names: set[str]) -> bool:
    """Whether it concerns a service that the Sentinel is about to learn, settings and all."""
    return finding.change.directive.rpartition(" ")[2] in names


def _monitor(process: Process, service: Service, name: str, master: Endpoint) -> Iterator[Finding]:
    assert service.watch is not None
    quorum = str(service.watch.quorum)
    shown = f"{master} quorum {quorum}"
    change = Change(f"sentinel monitor {name}", shown, "", reason="it does not watch that service yet")
    yield Finding(change, (_command("SENTINEL", "MONITOR", name, master.address, str(master.port), quorum),))
    for setting in process.settings:
        option = setting.name.removeprefix("sentinel ")
        if option in (setting.name, "monitor") or sentinel_table.is_state((option,)):
            continue
        for words in setting.held:
            if words[0] == name and len(words) > 1:
                told = tuple(map(str, words[1:]))
                value = (SecretRef(MONITORED, option, name),) if setting.secret else told
                shown = MASK if setting.secret else " ".join(told)
                made = Change(f"sentinel {option} {name}", shown, "", reason="as described")
                yield Finding(made, (_command("SENTINEL", "SET", name, option, *value),))


def _timings(service: Service, facts: ProcessFacts) -> Iterator[Finding]:
    assert service.watch is not None
    name = service.watch.name
    for option, attribute in _TIMED.items():
        wanted, found = str(getattr(service.watch, attribute)), facts.masters[name].master.get(option, "")
        if wanted != found:
            change = Change(f"sentinel {option} {name}", wanted, found, reason=_TAKES)
            yield Finding(change, (_command("SENTINEL", "SET", name, option, wanted),))


def _by_file(fleet: Fleet, process: Process, facts: ProcessFacts) -> Iterator[Finding]:
    found: dict[str, list[Words]] = {}
    for name, *words in facts.lines or ():
        found.setdefault(f"sentinel {words[0]}" if name == "sentinel" else name, []).append(tuple(words))
    yield from _ordinary(process, facts, found)
    scripts_fixed = (found.get("sentinel deny-scripts-reconfig") or [("", "yes")])[-1][1:] != ("no",)
    for name in sentinel_table.names(facts.engine, facts.version, state=False):
        directive = sentinel_table.find(facts.engine, facts.version, name)
        if directive is None or name in _TIMED or name in _PASSWORDS or name == "monitor":
            continue
        wanted = _by_subject(directive, _described(process, directive))
        lines = _by_subject(directive, [line[1:] for line in found.get(f"sentinel {name}", ())])
        for subject in dict.fromkeys((*wanted, *lines)):
            if subject and subject not in {service.watch.name for service in fleet.services if service.watch}:
                continue
            yield from _statement(
                directive, subject, wanted.get(subject), lines.get(subject), scripts_fixed=scripts_fixed
            )


def _ordinary(process: Process, facts: ProcessFacts, found: Mapping[str, list[Words]]) -> Iterator[Finding]:
    catalogue = catalogue_of(facts)
    for setting in process.settings:
        directive = None if setting.name.startswith("sentinel ") else catalogue.find(setting.name)
        left = NOT_IN_FILE | kept_by_unit(process) | {"requirepass"}
        if directive and setting.name not in left:
            for change in against_file(directive, setting, tuple(found.get(setting.name, ()))):
                decided = Change(change.directive, change.wanted, change.found, "RESTART", _AT_START)
                yield Finding(decided, setting=setting.name)


def _described(process: Process, directive: SentinelDirective) -> list[Words]:
    # What is about masters is a setting for each of them.
    named = (each for each in process.settings if each.name == f"sentinel {directive.name}")
    return [words for each in named for words in each.reveal()]


def _by_subject(directive: SentinelDirective, lines: Sequence[Words]) -> dict[str, tuple[Words, ...]]:
    """Group the lines of a statement by the master that they are about (``""`` for the Sentinel itself)."""
    grouped: dict[str, tuple[Words, ...]] = {}
    for words in lines:
        subject, rest = (words[0], words[1:]) if directive.scope == "master" else ("", words)
        grouped[subject] = (*grouped.get(subject, ()), rest) if directive.value.repeatable else (rest,)
    return grouped


def _statement(
    directive: SentinelDirective,
    subject: str,
    wanted: tuple[Words, ...] | None,
    found: tuple[Words, ...] | None,
    *,
    scripts_fixed: bool,
) -> Iterator[Finding]:
    default: tuple[Words, ...] = () if directive.value.repeatable else ((directive.value.default or "",),)
    asked, written = wanted or default, found or default
    if _equal(directive, asked, written):
        return
    label = " ".join(filter(None, ("sentinel", directive.name, subject)))
    secret = directive.value.sensitive
    shown = [
        MASK if secret and lines else " ".join(word for line in lines for word in line) for lines in (asked, written)
    ]
    live = directive.set_live != "restart" and not (directive.name in _SCRIPTS and scripts_fixed)
    change = Change(label, shown[0], shown[1], "LIVE" if live else "RESTART", _TAKES if live else _AT_START)
    orders = tuple(_orders(directive, subject, asked, written)) if live else ()
    yield Finding(change, orders, f"sentinel {directive.name}")


def _equal(directive: SentinelDirective, asked: tuple[Words, ...], written: tuple[Words, ...]) -> bool:
    if directive.value.sensitive:
        return len(asked) == len(written) and matches(written[-1][-1], asked[-1][-1])
    if directive.value.repeatable:
        return {tuple(word.lower() for word in line) for line in asked} == {
            tuple(word.lower() for word in line) for line in written
        }
    return values.canonical(directive.value, asked) == values.canonical(directive.value, written)


def _orders(
    directive: SentinelDirective, subject: str, asked: tuple[Words, ...], written: tuple[Words, ...]
) -> Iterator[Order]:
    if directive.value.repeatable:
        # Only renamed commands repeat; one that is no longer renamed gets its own name back.
        own = {line[0]: line for line in asked}
        gone = [(line[0], line[0]) for line in written if line[0] not in own]
        yield from (_command("SENTINEL", "SET", subject, directive.name, *line) for line in (*asked, *gone))
        return
    text, secret = " ".join(asked[-1]), directive.value.sensitive
    if directive.set_live == "set":
        value = SecretRef(MONITORED, directive.name, subject) if secret else text
        yield _command("SENTINEL", "SET", subject, directive.name, value)
    else:
        given = SecretRef(DIRECTIVE, f"sentinel {directive.name}") if secret else text
        yield _command("SENTINEL", "CONFIG", "SET", directive.name, given)


def watch_step(process: Process, findings: Sequence[Finding]) -> ChangeLive:
    """Return the step that gives a running Sentinel its commands."""
    changes = tuple(finding.change for finding in findings)
    orders = [order for finding in findings for order in finding.orders]
    what = f"tell {process.name} while it runs"
    reason = "; ".join(dict.fromkeys(change.reason for change in changes))
    orders.append(Flush())
    return ChangeLive(process.machine, process.name, what, reason, stage="watch", changes=changes, orders=tuple(orders))


def restart_settings(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Return the settings to bring into the file of a Sentinel that has to be restarted."""
    return tuple(dict.fromkeys(finding.setting for finding in findings if finding.change.how == "RESTART"))


def unheard(fleet: Fleet, service: Service, seen: Observed) -> Refusal | None:
    """Say which Sentinels of a service run and are not heard by which others; None when all hear each other.

    They are asked from the controller, by a way that clients do not take: two that run and do not hear each other are
    on two sides of a cut network. Whatever happens next, an election among them may come to nothing, or to another
    master than the one that they name now.
    Those that give each other a wrong password are none of it: the run that brings the right one must go on.
    """
    answering = [each for each in fleet.sentinels if seen.of(each).answers]
    if service.watch is None or any(password_differs(each, seen.of(each)) for each in answering):
        return None
    alive = {each.announced: each.id for each in answering}
    said = []
    for process in answering:
        view = seen.of(process).masters.get(service.watch.name)
        rows = view.sentinels if view else ()
        # Not those that are only disconnected: so is one that started a moment ago, or just changed its password.
        lost = {
            Endpoint(row["ip"], int(row["port"]))
            for row in rows
            if engine_words.any_of(engine_words.flags(row["flags"]), engine_words.DOWN)
        }
        named = [alive[where] for where in lost if where in alive]
        if named:
            said.append(f"{process.id} does not hear {', '.join(sorted(named))}")
    if not said:
        return None
    what, remedy = f"{'; '.join(said)}, though all of them run", "mend the network between them and run again"
    return Refusal("sentinels-apart", service.name, what, remedy, transient=True)
