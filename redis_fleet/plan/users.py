"""ACL users of a process that runs, or of its file, held against the described ones; and how they are put right. Pure.

What is compared is what the rules come to, as each version writes them in words of its own. The default user's password
is another matter, see passwords.py. Users that nobody described are somebody's: they are told of and left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from redis_fleet import kinds
from redis_fleet.agent.conf.acl_words import GIVEN, TAKEN
from redis_fleet.agent.host.digest import matches
from redis_fleet.agent.messages.orders import (
    USER_RULE,
    DeleteUser,
    Disconnect,
    Flush,
    Order,
    Rewrite,
    SecretRef,
    SetUser,
    Value,
)
from redis_fleet.agent.secret import MASK
from redis_fleet.catalogue.acl_meaning import PAYLOAD, differences
from redis_fleet.model import Fleet, Process, Words
from redis_fleet.observe.facts import Observed, ProcessFacts
from redis_fleet.observe.logins import DEFAULT, meaning_of
from redis_fleet.plan.refusal import Refusal
from redis_fleet.plan.steps import Change, ChangeLive

_LABEL = "user "
_SIGNS = (">", "<", GIVEN, TAKEN)
_WHOLE = ("reset", "resetpass", "nopass")
_ABSENT = "is to be absent: who is logged in as it is disconnected"
_OUT = "who got in otherwise is disconnected"
_NEW = "it does not have that user yet"


def described(process: Process) -> dict[str, Words]:
    """Return the described rules by user, in clear; several lines of one user are one."""
    setting = process.setting("user")
    return _by_name(setting.reveal() if setting else ())


def _by_name(lines: Iterable[Words]) -> dict[str, Words]:
    found: dict[str, Words] = {}
    for name, *rules in filter(None, lines):
        found[name] = (*found.get(name, ()), *rules)
    return found


def refusals(process: Process, facts: ProcessFacts) -> Iterator[Refusal]:
    """Yield why a running process cannot be given its users."""
    wanted = ", ".join(described(process))
    what = ""
    if wanted and elsewhere(facts):
        what = "its users are in an ACL file now; take 'aclfile' out first, in a run of its own"
    elif wanted and facts.users is None:
        what = "it does not say which users it has (ACL LIST): it has none, or redis-fleet may not ask"
    elif facts.version.startswith("6.0.") and any(
        word[:1] == "&" for each in described(process).values() for word in each
    ):
        what = "redis 6.0 runs there, which has no channels; write 'version: 6.0', or install a newer one"
    if what:
        yield Refusal("directive-refused", process.id, f"user {wanted}: {what}")


def elsewhere(facts: ProcessFacts) -> bool:
    """Whether a running process has its users from an ACL file."""
    return bool(facts.config.get("aclfile")) or any(line[-1] for line in facts.lines_of("aclfile"))


def of_process(process: Process, facts: ProcessFacts) -> Iterator[ChangeLive]:
    """Yield the steps that give a running process its users: first what they need beside what they have, then the end.

    So a new password is taken beside the old one while it is exchanged; and who has nothing to lose is not waited for.
    """
    if elsewhere(facts) or facts.users is None:
        return
    found, wanted = _by_name(facts.users), described(process)
    first, last = list[Change](), list[Change]()
    for name, rules in wanted.items():
        if name == DEFAULT:
            continue
        if name not in found:
            first.append(Change(_LABEL + name, shown(rules), "", reason=_NEW))
        elif what := _differ(facts, rules, found[name]):
            change = Change(_LABEL + name, shown(rules), shown(found[name]), reason=f"another {', '.join(what)}")
            locked = {"password", "on or off"} & set(what)
            if not locked:
                # Nobody who is in, or could get in, would be kept out.
                first.append(change)
            elif _beside(facts, rules, found[name], what):
                first.append(replace(change, reason=f"{change.reason}: the new one beside the old one"))
            last += [replace(change, reason=f"{change.reason}: {_OUT}")] if locked else []
    gone = [name for name in process.users.absent if name in found]
    last += [Change(_LABEL + name, "", shown(found[name]), reason=_ABSENT) for name in gone]
    first += _default(process, facts, found)
    first += _in_file_alone(process, facts, {each.directive for each in (*first, *last)})
    if first:
        yield _step(process, first, list(_adding(process, facts, first, last)))
    if last:
        yield _step(process, last, list(_ending(wanted, last)), end=True)


def _beside(facts: ProcessFacts, wanted: Words, found: Words, what: Sequence[str]) -> bool:
    """Whether there is anything to give a user before what it had is taken away: not where that is all."""
    asked, has = meaning_of(facts, wanted), meaning_of(facts, found)
    lacks = [each for each in asked.hashes if not any(matches(one, each) for one in has.hashes)]
    return asked.on and (bool(lacks) or not has.on or set(what) != {"password"})


def _default(process: Process, facts: ProcessFacts, found: Mapping[str, Words]) -> Iterator[Change]:
    """The user that clients, and redis-fleet where it has none, log in as may do everything, whatever its password."""
    if DEFAULT not in found or process.users.default != "on":
        return
    wrong = _differ(facts, _whole(facts), found[DEFAULT])
    if wrong := tuple(each for each in wrong if each != "password"):
        reason = f"another {', '.join(wrong)}: redis-fleet, replicas and Sentinels log in as it"
        yield Change(_LABEL + DEFAULT, "may do everything (the default)", shown(found[DEFAULT]), reason=reason)


def _in_file_alone(process: Process, facts: ProcessFacts, known: set[str]) -> Iterator[Change]:
    if facts.file_error is None and facts.deployed:
        yield from (each for each in of_file(process, facts) if each.directive not in known)


def _whole(facts: ProcessFacts) -> Words:
    """Return what lets a user do everything in a version that runs."""
    sixth = facts.version.startswith("6.")
    rules: Words = ("on", "allkeys", "allcommands")
    if not facts.version.startswith("6.0."):
        rules = (*rules, "allchannels", "sanitize-payload")
    return rules if sixth else (*rules, "clearselectors")


def _differ(facts: ProcessFacts, wanted: Words, found: Words) -> tuple[str, ...]:
    what = differences(meaning_of(facts, wanted), meaning_of(facts, found))
    # Valkey 9 takes the word, and never says it.
    unsaid = {PAYLOAD} if facts.engine == "valkey" and int(facts.version.partition(".")[0]) >= 9 else set()
    return tuple(each for each in what if each not in unsaid)


def differs(facts: ProcessFacts, name: str, wanted: Words) -> bool:
    """Whether a running process has this user otherwise, or not at all."""
    found = _by_name(facts.users or ())
    return name not in found or bool(_differ(facts, wanted, found[name]))


def of_file(process: Process, facts: ProcessFacts) -> Iterator[Change]:
    """Yield what differs in a file; the line of the default user, which the server itself adds, is left out."""
    wanted = described(process)
    found = _by_name(line[1:] for line in facts.lines_of("user"))
    for name in dict.fromkeys((*wanted, *(each for each in process.users.absent if each in found))):
        if name == DEFAULT and facts.answers:
            continue
        if name not in found or name not in wanted or _differ(facts, wanted[name], found[name]):
            yield Change(_LABEL + name, shown(wanted.get(name, ())), shown(found.get(name, ())), where="file")


def notes(fleet: Fleet, seen: Observed) -> Iterator[str]:
    """Yield who has users that nobody described: they may be somebody's, so they stay."""
    found: dict[str, list[str]] = {}
    for process in (*fleet.sentinels, *(each for service in fleet.services for each in service.processes)):
        for name in undescribed(process, seen.of(process)):
            found.setdefault(name, []).append(process.id)
    for name, where in sorted(found.items()):
        remedy = f"'{name}: {{absent: yes}}' below 'users:' removes it"
        yield f"the user '{name}' of {', '.join(where)} is not described, and left alone; {remedy}"


def undescribed(process: Process, facts: ProcessFacts) -> list[str]:
    """Return the users that a running process has and its description does not; not those of an ACL file."""
    if elsewhere(facts):
        return []
    known = {DEFAULT, *described(process), *process.users.absent}
    return [name for name in _by_name(facts.users or ()) if name not in known]


def shown(rules: Iterable[str]) -> str:
    """Return rules for people, without a password or anything that is made of one."""
    return " ".join(MASK if word[:1] in _SIGNS or word.startswith("sealed:") else word for word in rules)


def shown_of(facts: ProcessFacts, name: str) -> str:
    """Return the rules that a running process has for a user, for people."""
    return shown(_by_name(facts.users or ()).get(name, ()))


def _step(process: Process, changes: list[Change], orders: list[Order], *, end: bool = False) -> ChangeLive:
    names = ", ".join(dict.fromkeys(change.directive.removeprefix(_LABEL) for change in changes))
    what = f"let nobody else into {process.name} as {names}" if end else f"give {process.name} its users {names}"
    return ChangeLive(
        process.machine,
        process.name,
        what,
        "; ".join(dict.fromkeys(change.reason for change in changes if change.reason)) or "its file alone differs",
        stage="user_end" if end else "password_add",
        changes=tuple(changes),
        orders=(*orders, written(process), *(_left(changes) if end else ())),
    )


def written(process: Process) -> Order:
    """Return what brings the file of a running process up to date."""
    return Flush() if kinds.of(process).watches else Rewrite()


def _left(changes: Iterable[Change]) -> tuple[Order, ...]:
    """Who was let in before stays in until the connection ends: so it ends."""
    names = tuple(each.directive.removeprefix(_LABEL) for each in changes if each.wanted)
    return (Disconnect(names),) if names else ()


def _adding(
    process: Process, facts: ProcessFacts, changes: Iterable[Change], later: Iterable[Change]
) -> Iterator[Order]:
    wanted, ended = described(process), {each.directive for each in later}
    for change in changes:
        name = change.directive.removeprefix(_LABEL)
        if change.where == "file":
            continue
        if name == DEFAULT:
            closed = ("resetpass",) if process.password and facts.passwords == 0 and not facts.open else ()
            yield SetUser(name, (*closed, *_whole(facts)))
        elif change.directive in ended:
            rules = _references(name, wanted[name])
            yield SetUser(name, (*_blank(facts), *(each for each in rules if each not in (*_WHOLE, "off"))))
        else:
            yield SetUser(name, ("reset", *_references(name, wanted[name])))


def _blank(facts: ProcessFacts) -> Words:
    """Return what takes all rules from a user, and no password."""
    rules: Words = ("resetkeys", "-@all")
    if not facts.version.startswith("6.0."):
        rules = (*rules, "resetchannels")
    return rules if facts.version.startswith("6.") else (*rules, "clearselectors")


def _ending(wanted: Mapping[str, Words], changes: Iterable[Change]) -> Iterator[Order]:
    for change in changes:
        name = change.directive.removeprefix(_LABEL)
        yield SetUser(name, ("reset", *_references(name, wanted[name]))) if change.wanted else DeleteUser(name)


def _references(name: str, rules: Words) -> Iterator[Value]:
    """A plan is shown and written down: where a password belongs it says which one."""
    for number, word in enumerate(rules):
        yield SecretRef(USER_RULE, name, number=number) if word[:1] in _SIGNS else word
