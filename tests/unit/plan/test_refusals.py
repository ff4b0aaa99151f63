"""Why a plan does nothing: in words for people, by code for programs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from redis_fleet.agent.login import OTHER_PASSWORD, code_of
from redis_fleet.agent.protocol.resp import ReplyError
from redis_fleet.plan.plan import Plan
from redis_fleet.plan.planner import plan
from redis_fleet.plan.refusal import Refusal, distinct
from redis_fleet.plan.starting import unfit_to_touch
from tests.unit.cases.builder import fleet_of, observed

NOW = Refusal("loading", "a@b", "loads", "see its log", transient=True)
LASTING = Refusal("port-taken", "a@b", "somebody else listens")


def test_its_text_is_what_people_read() -> None:
    assert (str(NOW), str(LASTING)) == ("a@b: loads; see its log", "a@b: somebody else listens")


@pytest.mark.parametrize(
    ("refusals", "transient"), [((), False), ((NOW,), True), ((LASTING,), False), ((NOW, LASTING), False)]
)
def test_a_plan_passes_by_itself_when_every_refusal_does(refusals: tuple[Refusal, ...], transient: bool) -> None:
    made = Plan(refusals=refusals)
    assert (made.transient, made.to_dict()["passing"]) == (transient, transient)


def test_the_same_text_is_said_once() -> None:
    lasting = Refusal("loading", "a@b", "loads", "see its log")
    assert distinct([lasting, LASTING, NOW, lasting]) == (NOW, LASTING)


def test_json_has_the_words_as_ever_and_the_codes_beside_them() -> None:
    told = Plan(refusals=(NOW,)).to_dict()
    assert told["refusals"] == ["a@b: loads; see its log"]
    row = {"code": "loading", "subject": "a@b", "what": "loads", "remedy": "see its log", "rule": "", "transient": True}
    assert told["refused"] == [row]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("WRONGPASS invalid username-password pair or user is disabled.", OTHER_PASSWORD),
        ("NOAUTH Authentication required.", OTHER_PASSWORD),
        ("ERR invalid password", OTHER_PASSWORD),
        ("ERR AUTH <password> called without any password configured for the default user.", OTHER_PASSWORD),
        ("ERR Client sent AUTH, but no password is set", OTHER_PASSWORD),
        ("LOADING Redis is loading the dataset in memory", "LOADING"),
        ("ERR unknown command 'CONFIG'", "ERR"),
    ],
)
def test_what_is_about_passwords_has_one_code(said: str, code: str) -> None:
    assert code_of(ReplyError(said)) == code


@pytest.mark.parametrize(
    ("said", "code", "transient"),
    [
        ("LOADING Redis is loading the dataset in memory", "loading", True),
        ("WRONGPASS invalid username-password pair", "other-password", False),
        ("MASTERDOWN Link with MASTER is down", "no-answer", False),
        ("timed out", "no-answer", False),
    ],
)
def test_why_a_process_that_runs_does_not_answer(said: str, code: str, transient: bool) -> None:
    fleet = fleet_of("sentinel")
    silent = {"is": "down", "pid": 4711, "open": False, "error": said}
    (refusal,) = plan(fleet, observed(fleet, {"processes": {"orders-6379@red2": silent}})).refusals
    assert (refusal.code, refusal.subject, refusal.transient) == (code, "orders-6379@red2", transient)
    assert f"({said})" in refusal.what


@pytest.mark.parametrize(("engine", "code"), [("valkey", "engine-differs"), ("redis", "port-taken")])
def test_an_engine_is_not_changed_in_place(engine: str, code: str) -> None:
    fleet = replace(fleet_of("standalone"), engine=engine)
    seen = observed(fleet_of("standalone"), {})
    (process,) = fleet.processes
    # Its files stand where the other engine has them.
    why = unfit_to_touch(fleet, process, replace(seen.of(process), lines=None))
    assert why is not None
    assert (why.code, why.subject) == (code, process.id)
