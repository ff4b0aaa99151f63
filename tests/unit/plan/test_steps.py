"""The kinds of step: each is told with the same keys, and takes part in the play of its stage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from redis_fleet.agent.messages.orders import Flush
from redis_fleet.ansible.plays import GROUPS, groups
from redis_fleet.loading import load_fleet
from redis_fleet.plan.plan import Plan
from redis_fleet.plan.planner import plan
from redis_fleet.plan.steps import (
    STAGES,
    Change,
    ChangeLive,
    Confirm,
    Decommission,
    FinishSwitchover,
    ForgetDeparted,
    Prepare,
    Restart,
    Start,
    Step,
    Switchover,
    WriteCertificate,
    WriteFiles,
    WriteUnit,
    step_to_dict,
)
from tests.unit.cases.builder import observed

_USUAL: dict[str, Any] = {
    "stage": "", "machine": "m", "process": "p", "what": "what", "reason": "why", "follow": "", "fresh": False,
    "joins": False, "how": "", "changes": [], "orders": [], "edit": [], "unit": False, "certificate": False,
    "expect": "",
    "interruption": "", "service": "", "to": "", "purge": False,
}  # fmt: skip
_WHERE = ("m", "p", "what", "why")
_CHANGE = Change("databases", "8", "16", "RESTART", "at the start")
_CHANGED = {
    "directive": "databases", "wanted": "8", "found": "16", "how": "RESTART", "reason": "at the start",
    "where": "running",
}  # fmt: skip
_FLUSH = {"do": "flush"}
SAMPLES: list[tuple[Step, dict[str, Any]]] = [
    (Prepare("m", "what", "why"), {"stage": "prepare", "how": "PREPARE", "process": ""}),
    (WriteFiles(*_WHERE, joins_running_sentinels=True), {"stage": "write", "how": "START", "joins": True}),
    (WriteUnit(*_WHERE), {"stage": "write", "how": "START", "unit": True}),
    (WriteUnit(*_WHERE, how="LIVE"), {"stage": "write", "how": "LIVE", "unit": True}),
    (WriteCertificate(*_WHERE), {"stage": "write", "how": "START", "certificate": True}),
    (
        Start(*_WHERE, stage="start_masters", follow="none", first_start=True, changes=(_CHANGE,), edit=("databases",)),
        {"stage": "start_masters", "how": "START", "follow": "none", "fresh": True, "changes": [_CHANGED]}
        | {"edit": ["databases"]},
    ),
    (
        ChangeLive(*_WHERE, stage="watch", changes=(_CHANGE,), orders=(Flush(),), expect="master"),
        {"stage": "watch", "how": "LIVE", "changes": [_CHANGED], "orders": [_FLUSH], "expect": "master"},
    ),
    (
        FinishSwitchover(*_WHERE, orders=(Flush(),), expect="master", interruption="lost"),
        {"stage": "live_replicas", "how": "LIVE", "orders": [_FLUSH], "expect": "master", "interruption": "lost"},
    ),
    (Confirm(*_WHERE), {"stage": "settle", "how": "LIVE"}),
    (
        Restart(*_WHERE, expect="replica", interruption="none", changes=(_CHANGE,), unit=True, service="s"),
        {"stage": "roll", "how": "RESTART", "expect": "replica", "interruption": "none", "changes": [_CHANGED]}
        | {"unit": True, "service": "s"},
    ),
    (
        Switchover(*_WHERE, service="s", to="p@m", interruption="1 s"),
        {"stage": "roll", "how": "SWITCHOVER", "service": "s", "to": "p@m", "interruption": "1 s"},
    ),
    (
        Decommission(*_WHERE, interruption="gone", purge=True),
        {"stage": "roll", "how": "STOP", "interruption": "gone", "purge": True},
    ),
    (
        ForgetDeparted(*_WHERE, orders=(Flush(),), service="s"),
        {"stage": "roll", "how": "FORGET", "orders": [_FLUSH], "service": "s"},
    ),
]


@pytest.mark.parametrize(("step", "differs"), SAMPLES, ids=lambda each: type(each).__name__)
def test_every_kind_is_told_with_the_same_keys(step: Step, differs: dict[str, Any]) -> None:
    told = json.loads(json.dumps(step_to_dict(step)))
    assert told == {**_USUAL, **differs}
    assert list(told) == list(_USUAL)


_TWO_SERVICES = """
plugin: redis_fleet
name: watched
machines: {red1: {address: 10.0.0.11}, red2: {address: 10.0.0.12}, red3: {address: 10.0.0.13}}
services:
  orders: {master: red1, replicas: [red2], password: a-password-of-orders, config: {maxmemory: 1gb}}
  sessions: {master: "red1:6380", replicas: ["red2:6380"], password: a-password-of-sessions, config: {maxmemory: 1gb}}
sentinel:
  machines: [red1, red2, red3]
  password: a-password-of-sentinels
  config: {notification-script: /usr/local/bin/tell, rename-command: CONFIG hidden}
"""


def test_there_is_a_sample_of_every_kind() -> None:
    assert {type(step) for step, _ in SAMPLES} == set(get_args(Step))


@pytest.mark.parametrize("step", [step for step, _ in SAMPLES], ids=lambda each: type(each).__name__)
def test_what_takes_down_or_moves_is_disruptive(step: Step) -> None:
    assert step.disruptive == (step.how in ("RESTART", "SWITCHOVER", "STOP"))
    made = Plan((step,))
    assert (made.disruptive, made.to_dict()["disturbs"]) == (step.disruptive, step.disruptive)


def test_every_stage_has_a_play() -> None:
    assert GROUPS.keys() == set(STAGES)


def test_a_machine_takes_part_in_a_play_once_and_all_confirm() -> None:
    write, start = WriteFiles(*_WHERE), Start(*_WHERE, stage="start_replicas")
    watch = ChangeLive("n", "q", "what", "why", stage="watch")
    made = Plan((write, start, watch, Confirm(*_WHERE)), machines=("m", "n"))

    assert groups(made) == [
        {"machine": "m", "group": "redis_fleet_start_servers"},
        {"machine": "n", "group": "redis_fleet_watch"},
        {"machine": "m", "group": "redis_fleet_confirm"},
        {"machine": "n", "group": "redis_fleet_confirm"},
    ]
    assert groups(Plan(machines=("m", "n"))) == []


def test_a_sentinel_of_several_services_has_the_lines_of_each(tmp_path: Path) -> None:
    file = tmp_path / "watched.redis.yml"
    file.write_text(_TWO_SERVICES, encoding="utf-8")
    fleet = load_fleet(str(file))
    assert plan(fleet, observed(fleet, {})).steps == ()
