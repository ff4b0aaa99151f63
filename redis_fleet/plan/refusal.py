"""Why nothing may be done: a code for programs, and a text for people that is never taken apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Code = Literal[
    # A machine, and what is on it.
    "machine-unreachable",
    "system-unknown",
    "machine-unfit",
    "file-unreadable",
    "file-refused",
    "port-taken",
    "engine-differs",
    "memory-unknown",
    # A process that is up, or should be.
    "crashed",
    "file-damaged",
    "no-answer",
    "loading",
    "other-password",
    "another-authority",
    "tls-differs",
    "directive-refused",
    # Who the master is.
    "no-majority",
    "failover-under-way",
    "sentinels-disagree",
    "sentinels-apart",
    "two-masters",
    "master-unknown",
    "master-undescribed",
    "master-is-replica",
    "second-master",
    "other-master",
    "announced-otherwise",
    # What would lose data, or the service.
    "files-gone",
    "failover-due",
    "starts-empty",
    "data-elsewhere",
    "memory-only",
    "no-fit-replica",
    "watched-by-leaving",
    "too-few-sentinels",
    "password-alone",
    "unknown-peer",
    "socket-alone",
]


@dataclass(frozen=True)
class Refusal:
    """One thing that stands in the way; its text is ``subject: what; remedy [rule]``.

    ``subject`` is a machine, a service, a process's id or a place in a file; without a ``remedy`` nothing follows.
    ``rule`` is the identifier of the rule behind it, if there is one. ``transient``: it is likely to pass by itself.
    """

    code: Code
    subject: str
    what: str
    remedy: str = ""
    rule: str = ""
    transient: bool = False

    def __str__(self) -> str:
        text = f"{self.subject}: {self.what}"
        return f"{text}{f'; {self.remedy}' if self.remedy else ''}{f' [{self.rule}]' if self.rule else ''}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as the row of a JSON answer."""
        return asdict(self)


def distinct(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """Return each text once, where it came up first; it passes by itself if one of the same text does."""
    found: dict[str, Refusal] = {}
    for refusal in refusals:
        if str(refusal) not in found or refusal.transient:
            found[str(refusal)] = refusal
    return tuple(found.values())
