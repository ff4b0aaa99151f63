"""What is amiss where a master is to be changed: a code to decide by, and the one place where it becomes a sentence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Code(Enum):
    """What a finding is about."""

    # A member that is to take over.
    NO_MEMBER = "no-member"
    SILENT = "silent"
    A_MASTER_ITSELF = "a-master-itself"
    FOLLOWS_ANOTHER = "follows-another"
    LOADING = "loading"
    NOT_LINKED = "not-linked"
    BEHIND = "behind"
    NOT_HEARD = "not-heard"
    NEVER_PROMOTED = "never-promoted"
    CANNOT_BE_PROMOTED = "cannot-be-promoted"
    NONE_TO_PROMOTE = "none-to-promote"
    NO_SUCCESSOR = "no-successor"
    # The master of now.
    MASTER_UNKNOWN = "master-unknown"
    MASTER_SILENT = "master-silent"
    MASTER_IS_NONE = "master-is-none"
    MASTER_OUTSIDE = "master-outside"
    MASTER_ELSEWHERE = "master-elsewhere"
    NAMED_IS_NONE = "named-is-none"
    NOT_A_MEMBER_NAMED = "not-a-member-named"
    STILL_A_MASTER = "still-a-master"
    STILL_LINKED = "still-linked"
    # A process that is to restart, or has restarted, among its master and the other replicas.
    OTHER_ROLE = "other-role"
    REWRITING = "rewriting"
    FOLLOWS = "follows"
    LINK = "link"
    NO_ANSWER = "no-answer"
    MASTER_OF_IT_SILENT = "master-of-it-silent"
    MASTER_OF_IT_IS_NONE = "master-of-it-is-none"
    TOO_FEW_OTHERS = "too-few-others"
    TOO_FEW_REPLICAS = "too-few-replicas"
    NOT_CAUGHT_UP = "not-caught-up"
    # The Sentinels.
    UNWATCHED = "unwatched"
    WATCHED = "watched"
    TOO_FEW_SENTINELS = "too-few-sentinels"
    NO_MAJORITY = "no-majority"
    NOT_AGREED = "not-agreed"
    NAMES_ANOTHER = "names-another"
    HOLDS_FOR = "holds-for"
    FAILING_OVER = "failing-over"
    HOLDS_FOR_DOWN = "holds-for-down"
    NO_QUORUM = "no-quorum"
    NOT_PREFERRED = "not-preferred"


@dataclass(frozen=True)
class Finding:
    """Something that is amiss.

    ``subject`` is whom it is said of (an id, or the service's name), ``other`` whom else it is about, ``said`` what
    that process says, ``number`` what was counted and ``limit`` what was allowed, or how many there are.
    """

    code: Code
    subject: str
    other: str = ""
    said: str = ""
    number: int = 0
    limit: int = 0


_FACTS = {
    Code.NO_MEMBER: "{subject} is no process of {other}",
    Code.SILENT: "{subject} does not answer: {said}",
    Code.A_MASTER_ITSELF: "{subject} is no replica of {other}, it is a master itself",
    Code.FOLLOWS_ANOTHER: "{subject} is no replica of {other}, it follows {said}",
    Code.LOADING: "{subject} is still loading its data",
    Code.NOT_LINKED: "{subject} has no link to {other} or is still synchronising",
    Code.BEHIND: "{subject} is {number:,} bytes behind {other}, more than {limit:,}",
    Code.NOT_HEARD: "{other} has not heard of {subject} for {number} s",
    Code.NEVER_PROMOTED: "{subject} must never be promoted (replica-priority 0)",
    Code.CANNOT_BE_PROMOTED: "{subject} cannot be promoted ({said})",
    Code.NONE_TO_PROMOTE: "no replica of {subject} answers that may be promoted",
    Code.NO_SUCCESSOR: "no replica that may be promoted has its link to {subject} up",
    Code.MASTER_UNKNOWN: "{subject} does not act as the master (it is not of {other})",
    Code.MASTER_SILENT: "{subject} does not act as the master ({said})",
    Code.MASTER_IS_NONE: "{subject} does not act as the master (it is a {said})",
    Code.MASTER_OUTSIDE: "{subject} follows a master outside this deployment: there is no master here to kill",
    Code.MASTER_ELSEWHERE: "{subject} follows a master outside this deployment",
    Code.NAMED_IS_NONE: "{subject} is named as the master but is none: {said}",
    Code.NOT_A_MEMBER_NAMED: "the Sentinels name {said} as the master, which is no process of {subject}",
    Code.STILL_A_MASTER: "{said} answers as a master",
    Code.STILL_LINKED: "the master is not down: {said}",
    Code.UNWATCHED: "no Sentinel watches {subject}: nothing would replace its master",
    Code.WATCHED: "Sentinels watch {subject} and promote a replica themselves",
    Code.TOO_FEW_SENTINELS: "only {number} of {limit} Sentinels answer, that is no majority",
    Code.NO_MAJORITY: "no majority of the {limit} Sentinels answers; these do not: {said}",
    Code.NOT_AGREED: "the Sentinels do not agree on the master: {said}",
    Code.NAMES_ANOTHER: "{subject} names {said} as the master, not {other}",
    Code.HOLDS_FOR: "{subject} holds {other} for {said}",
    Code.FAILING_OVER: "{subject} says that a failover is in progress",
    Code.HOLDS_FOR_DOWN: "{subject} holds the master for down already",
    Code.NO_QUORUM: "{subject} could not authorise a failover: {said}",
    Code.NOT_PREFERRED: "{subject} does not prefer {other} yet (priority {said})",
    Code.OTHER_ROLE: "{subject} is a {said}, not a {other}",
    Code.REWRITING: "{subject} writes its append-only file anew",
    Code.FOLLOWS: "{subject} follows {said}",
    Code.LINK: "its link to {other} is {said}",
    Code.NO_ANSWER: "{subject} does not answer ({said})",
    Code.MASTER_OF_IT_SILENT: "its master {other} does not answer ({said})",
    Code.MASTER_OF_IT_IS_NONE: "its master {other} is a replica itself",
    Code.TOO_FEW_OTHERS: "{number} of {limit} other replicas are in step with {other}",
    Code.TOO_FEW_REPLICAS: "{number} of {limit} replicas are in step with {subject}",
    Code.NOT_CAUGHT_UP: "{subject} is {number} bytes behind its master",
}
_REMEDIES = {
    Code.NO_MEMBER: "name one that is",
    Code.SILENT: "start it or repair the way to it",
    Code.A_MASTER_ITSELF: "make it one (REPLICAOF) and let it synchronise",
    Code.FOLLOWS_ANOTHER: "make it one (REPLICAOF) and let it synchronise",
    Code.LOADING: "wait until it has",
    Code.NOT_LINKED: "wait until it is in step",
    Code.BEHIND: "wait until it has caught up",
    Code.NOT_HEARD: "repair the way between them",
    Code.NEVER_PROMOTED: "choose another or change its priority",
    Code.CANNOT_BE_PROMOTED: "choose another or repair it",
    Code.NONE_TO_PROMOTE: "start one",
    Code.MASTER_UNKNOWN: "run again when one does",
    Code.MASTER_SILENT: "run again when one does",
    Code.MASTER_IS_NONE: "run again when one does",
    Code.MASTER_ELSEWHERE: "take that out of the description first",
    Code.STILL_A_MASTER: "use switchover, which loses nothing",
    Code.STILL_LINKED: "repair the way from here to it, then use switchover",
    Code.WATCHED: "use switchover where the master runs",
}


def fact(finding: Finding) -> str:
    """Return what is amiss, without what to do about it."""
    return _FACTS[finding.code].format(
        subject=finding.subject,
        other=finding.other,
        said=finding.said,
        number=finding.number,
        limit=finding.limit,
    )


def sentence(finding: Finding) -> str:
    """Return a finding for people; where something can be done about it, it says what."""
    remedy = _REMEDIES.get(finding.code)
    return f"{fact(finding)}; {remedy}" if remedy else fact(finding)


def sentences(found: Iterable[Finding]) -> list[str]:
    """Return findings for people, in their order."""
    return [sentence(finding) for finding in found]
