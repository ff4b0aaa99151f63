"""ACL users of a process that runs, or of its file, held against the described ones; and how they are put right. Pure.

What is compared is what the rules come to, as each version writes them in words of its own. The default user's password
is another matter, see passwords.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from redis_fleet.agent.conf.acl_words import GIVEN, TAKEN
from redis_fleet.agent.messages.orders import USER_RULE, DeleteUser, Order, SecretRef, SetUser, Value
from redis_fleet.agent.secret import MASK
from redis_fleet.catalogue.acl_meaning import PAYLOAD, differences
from redis_fleet.model import Process, Words
from redis_fleet.observe.facts import ProcessFacts
from redis_fleet.observe.logins import DEFAULT, meaning_of
from redis_fleet.plan.steps import Change

_LABEL = "user "
_SIGNS = (">", "<", GIVEN, TAKEN)
_STAY = "who is logged in as it stays so until the connection ends"
_LEAVE = "is not in the description: who is logged in as it is disconnected"


def is_user(change: Change) -> bool:
    """Say whether a change is one of these."""
    return change.directive.startswith(_LABEL)


def described(process: Process) -> dict[str, Words]:
    """Return the described rules by user, in clear; several lines of one user are one."""
    setting = process.setting("user")
    return _by_name(setting.reveal() if setting else ())


def _by_name(lines: Iterable[Words]) -> dict[str, Words]:
    found: dict[str, Words] = {}
    for name, *rules in filter(None, lines):
        found[name] = (*found.get(name, ()), *rules)
    return found


def of_process(process: Process, facts: ProcessFacts) -> Iterator[Change]:
    """Yield what differs in a running process, then what differs in its file alone."""
    wanted = described(process)
    if elsewhere(facts):
        if wanted:
            what = "its users are in an ACL file now; take 'aclfile' out first, in a run of its own"
            yield Change(_LABEL + ", ".join(wanted), "", "", "REFUSED", what)
        return
    if facts.users is None:
        yield from _unseen(wanted)
        return
    running = list(_running(wanted, facts))
    yield from running
    if facts.file_error is None and facts.deployed:
        known = {change.directive for change in running}
        yield from (each for each in of_file(process, facts) if each.directive not in known)


def _unseen(wanted: Mapping[str, Words]) -> Iterator[Change]:
    if wanted:
        what = "it does not say which users it has (ACL LIST): it has none, or redis-fleet may not ask"
        yield Change(_LABEL + ", ".join(wanted), "", "", "REFUSED", what)


def elsewhere(facts: ProcessFacts) -> bool:
    """Whether a running process has its users from an ACL file."""
    return bool(facts.config.get("aclfile")) or any(line[-1] for line in facts.lines_of("aclfile"))


def _running(wanted: Mapping[str, Words], facts: ProcessFacts) -> Iterator[Change]:
    found = _by_name(facts.users or ())
    for name, rules in wanted.items():
        if name not in found:
            yield Change(_LABEL + name, shown(rules), "", reason="it does not have that user yet")
        elif what := _differ(facts, rules, found[name]):
            yield Change(_LABEL + name, shown(rules), shown(found[name]), reason=f"another {what}: {_STAY}")
    for name in found.keys() - wanted.keys() - {DEFAULT}:
        yield Change(_LABEL + name, "", shown(found[name]), reason=_LEAVE)
    if DEFAULT in found and DEFAULT not in wanted:
        yield from _default(facts, found[DEFAULT])


def _default(facts: ProcessFacts, rules: Words) -> Iterator[Change]:
    """The user that redis-fleet, replicas and Sentinels log in as may do everything, whatever its password."""
    found = meaning_of(facts, rules)
    whole = meaning_of(facts, _whole(facts))
    wrong = tuple(each for each in differences(whole, found) if each != "password")
    if wrong:
        reason = f"another {', '.join(wrong)}: redis-fleet, replicas and Sentinels log in as it"
        yield Change(_LABEL + DEFAULT, "may do everything (the default)", shown(rules), reason=reason)


def _whole(facts: ProcessFacts) -> Words:
    """Return what lets a user do everything in a version that runs."""
    sixth = facts.version.startswith("6.")
    rules: Words = ("on", "allkeys", "allcommands")
    if not facts.version.startswith("6.0."):
        rules = (*rules, "allchannels", "sanitize-payload")
    return rules if sixth else (*rules, "clearselectors")


def _differ(facts: ProcessFacts, wanted: Words, found: Words) -> str:
    what = differences(meaning_of(facts, wanted), meaning_of(facts, found))
    # Valkey 9 takes the word, and never says it.
    unsaid = {PAYLOAD} if facts.engine == "valkey" and int(facts.version.partition(".")[0]) >= 9 else set()
    return ", ".join(each for each in what if each not in unsaid)


def of_file(process: Process, facts: ProcessFacts) -> Iterator[Change]:
    """Yield what differs in a file; the line of the default user, which the server itself adds, is left out."""
    wanted = described(process)
    found = _by_name(line[1:] for line in facts.lines_of("user"))
    found.pop(DEFAULT, None)
    for name in dict.fromkeys((*wanted, *found)):
        if name not in found or name not in wanted or _differ(facts, wanted[name], found[name]):
            yield Change(_LABEL + name, shown(wanted.get(name, ())), shown(found.get(name, ())), where="file")


def shown(rules: Iterable[str]) -> str:
    """Return rules for people, without a password or anything that is made of one."""
    return " ".join(MASK if word[:1] in _SIGNS or word.startswith("sealed:") else word for word in rules)


def orders(process: Process, facts: ProcessFacts, changes: Iterable[Change]) -> Iterator[Order]:
    """Yield what gives a running process its described users."""
    wanted = described(process)
    for change in changes:
        name = change.directive.removeprefix(_LABEL)
        if name in wanted:
            yield SetUser(name, ("reset", *_references(name, wanted[name])))
        elif name == DEFAULT:
            yield SetUser(name, _whole(facts))
        else:
            yield DeleteUser(name)


def _references(name: str, rules: Words) -> Iterator[Value]:
    """A plan is shown and written down: where a password belongs it says which one."""
    for number, word in enumerate(rules):
        yield SecretRef(USER_RULE, name, number=number) if word[:1] in _SIGNS else word
