"""A refusal is worded once, where it is told: a machine only says why, and by its code that it was one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from redis_fleet.agent.messages.handover import AskManualMasters, NoteManualMaster
from redis_fleet.agent.verbs import perform
from redis_fleet.ansible.agent import AgentFailedError, ask
from redis_fleet.ansible.operating import OperatedMachine
from redis_fleet.operations.ports import OperationRefusedError

REQUEST = NoteManualMaster("/nowhere/masters.json", "orders", "10.0.0.11:6379", 1)
WHY = "this cannot be tried, only done"


def executing(*, module_args: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Do it here, as a machine in check mode does it."""
    return perform(module_args["verb"], module_args["request"], module_args["secrets"], dry=True)


ACTION = SimpleNamespace(_execute_module=executing, _task=SimpleNamespace(check_mode=True))


def test_what_a_machine_refuses_is_told_as_such() -> None:
    with pytest.raises(AgentFailedError) as raised:
        ask(ACTION, REQUEST, {})
    assert (str(raised.value), raised.value.why) == (f"nothing was touched: {WHY}", WHY)


def test_an_operation_that_a_machine_refuses_is_refused_in_the_same_words() -> None:
    with pytest.raises(OperationRefusedError) as raised:
        OperatedMachine(ACTION, {"inventory_hostname": "red1"}, alone=False).ask(REQUEST)
    assert (str(raised.value), raised.value.problem) == (WHY, f"nothing was touched: {WHY}")


def test_another_failure_is_told_in_the_words_of_the_machine() -> None:
    with pytest.raises(AgentFailedError) as raised:
        ask(ACTION, AskManualMasters("/proc/self/mem"), {})
    assert raised.value.code != "refused"
    assert str(raised.value) == raised.value.why
