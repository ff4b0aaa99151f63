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


_NO_ACTING = "{subject} does not act as the master (%s); run again when one does"
_NO_REPLICA = "{subject} is no replica of {other}, it %s; make it one (REPLICAOF) and let it synchronise"
_SENTENCES = {
    Code.NO_MEMBER: "{subject} is no process of {other}; name one that is",
    Code.SILENT: "{subject} does not answer: {said}; start it or repair the way to it",
    Code.A_MASTER_ITSELF: _NO_REPLICA % "is a master itself",
    Code.FOLLOWS_ANOTHER: _NO_REPLICA % "follows {said}",
    Code.LOADING: "{subject} is still loading its data; wait until it has",
    Code.NOT_LINKED: "{subject} has no link to {other} or is still synchronising; wait until it is in step",
    Code.BEHIND: "{subject} is {number:,} bytes behind {other}, more than {limit:,}; wait until it has caught up",
    Code.NOT_HEARD: "{other} has not heard of {subject} for {number} s; repair the way between them",
    Code.NEVER_PROMOTED: (
        "{subject} must never be promoted (replica-priority 0); choose another or change its priority"
    ),
    Code.CANNOT_BE_PROMOTED: "{subject} cannot be promoted ({said}); choose another or repair it",
    Code.NONE_TO_PROMOTE: "no replica of {subject} answers that may be promoted; start one",
    Code.NO_SUCCESSOR: "no replica that may be promoted has its link to {subject} up",
    Code.MASTER_UNKNOWN: _NO_ACTING % "it is not of {other}",
    Code.MASTER_SILENT: _NO_ACTING % "{said}",
    Code.MASTER_IS_NONE: _NO_ACTING % "it is a {said}",
    Code.MASTER_OUTSIDE: "{subject} follows a master outside this deployment: there is no master here to kill",
    Code.MASTER_ELSEWHERE: (
        "{subject} follows a master outside this deployment; take that out of the description first"
    ),
    Code.NAMED_IS_NONE: "{subject} is named as the master but is none: {said}",
    Code.NOT_A_MEMBER_NAMED: "the Sentinels name {said} as the master, which is no process of {subject}",
    Code.STILL_A_MASTER: "{said} answers as a master; use switchover, which loses nothing",
    Code.STILL_LINKED: "the master is not down: {said}; repair the way from here to it, then use switchover",
    Code.UNWATCHED: "no Sentinel watches {subject}: nothing would replace its master",
    Code.WATCHED: ("Sentinels watch {subject} and promote a replica themselves; use switchover where the master runs"),
    Code.TOO_FEW_SENTINELS: "only {number} of {limit} Sentinels answer, that is no majority",
    Code.NO_MAJORITY: "no majority of the {limit} Sentinels answers; these do not: {said}",
    Code.NOT_AGREED: "the Sentinels do not agree on the master: {said}",
    Code.NAMES_ANOTHER: "{subject} names {said} as the master, not {other}",
    Code.HOLDS_FOR: "{subject} holds {other} for {said}",
    Code.FAILING_OVER: "{subject} says that a failover is in progress",
    Code.HOLDS_FOR_DOWN: "{subject} holds the master for down already",
    Code.NO_QUORUM: "{subject} could not authorise a failover: {said}",
    Code.NOT_PREFERRED: "{subject} does not prefer {other} yet (priority {said})",
}


def sentence(finding: Finding) -> str:
    """Return a finding for people; where something can be done about it, it says what."""
    return _SENTENCES[finding.code].format(
        subject=finding.subject,
        other=finding.other,
        said=finding.said,
        number=finding.number,
        limit=finding.limit,
    )


def sentences(found: Iterable[Finding]) -> list[str]:
    """Return findings for people, in their order."""
    return [sentence(finding) for finding in found]
