"""What a machine can be asked to do in a switchover, by name; for the module that is shipped there."""

from __future__ import annotations

from typing import Any, Callable

from .replication import handover, promotion, promotion_priority
from .replication.view import Target
from .runs import manual_masters

Given = dict[str, Any]


def _prefer(target: Target, given: Given) -> Any:
    return promotion_priority.prefer(target, given["new"], given["described"])


def _hand_over(target: Target, given: Given) -> Any:
    return handover.hand_over(target, given["old"], given["new"], given["described"])


def _restore(target: Target, given: Given) -> Any:
    return promotion_priority.restore(target, {name: int(priority) for name, priority in given["priorities"].items()})


def _promote(target: Target, given: Given) -> Any:
    return promotion.promote(target, given["new"])


def _records(target: Target, given: Given) -> Any:  # noqa: ARG001
    return manual_masters.read(given["path"])


def _note(target: Target, given: Given) -> Any:  # noqa: ARG001
    return manual_masters.note(given["path"], given["service"], given["master"], given["number"])


VERBS: dict[str, Callable[[Target, Given], Any]] = {
    "prefer": _prefer,
    "hand_over": _hand_over,
    "restore": _restore,
    "promote": _promote,
    "records": _records,
    "note": _note,
}
