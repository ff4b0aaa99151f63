"""Silences, what they cover and what they cannot; ``--strict``; and what the plan says of a rule."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from redis_fleet.cli.main import app
from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet, Silence
from redis_fleet.plan.planner import plan
from redis_fleet.plan.steps import Restart
from redis_fleet.problems import InvalidDescriptionError, Problem
from redis_fleet.settings.layout import SandboxLayout
from tests.unit.cases.builder import fleet_of, observed

HERE = Path(__file__).parent
WRITABLE = (HERE / "W22-writable-replicas.redis.yml").read_text(encoding="utf-8")
REASON = "nobody writes there"
SECOND = """
  sessions:
    master: red2:6380
    replicas: ["red1:6380"]
    password: correct-horse-battery
    config: {maxmemory: 1gb, replica-read-only: no}
"""


def written(folder: Path, text: str) -> str:
    """Write a description and return its name."""
    file = folder / "shop.redis.yml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def warnings(folder: Path, text: str) -> list[str]:
    """Return the rules of the warnings about a description, with their paths."""
    return [f"{each.rule} {each.path}" for each in load_fleet(written(folder, text)).warnings]


def errors(folder: Path, text: str) -> list[Problem]:
    """Return what is wrong with a description."""
    with pytest.raises(InvalidDescriptionError) as caught:
        load_fleet(written(folder, text))
    return list(caught.value.problems)


def in_service(text: str, rule: str = "W22", reason: str = REASON) -> str:
    """Return a description whose service 'orders' silences a rule."""
    return text.replace("    master: red1\n", f"    master: red1\n    silence: {{{rule}: {reason}}}\n", 1)


def at_the_top(text: str, rule: str = "W22") -> str:
    """Return a description that silences a rule for all of it."""
    return text.replace("name: shop\n", f"name: shop\nsilence: {{{rule}: {REASON}}}\n", 1)


def test_a_silence_of_a_service_holds_for_that_service_alone(tmp_path: Path) -> None:
    both = WRITABLE.replace("\nsentinel:", SECOND + "\nsentinel:")

    assert warnings(tmp_path, both) == [
        "W22 services.orders.config.replica-read-only",
        "W22 services.sessions.config.replica-read-only",
    ]
    assert warnings(tmp_path, in_service(both)) == ["W22 services.sessions.config.replica-read-only"]


def test_a_service_whose_name_begins_like_another_is_not_silenced_with_it(tmp_path: Path) -> None:
    both = WRITABLE.replace("\nsentinel:", SECOND.replace("sessions", "orders-old") + "\nsentinel:")

    assert warnings(tmp_path, in_service(both)) == ["W22 services.orders-old.config.replica-read-only"]


def test_a_silence_at_the_top_holds_everywhere(tmp_path: Path) -> None:
    text = at_the_top(WRITABLE.replace("\nsentinel:", SECOND + "\nsentinel:"))

    assert warnings(tmp_path, text) == []
    assert load_fleet(written(tmp_path, text)).silences == (Silence("", "W22", REASON),)


def test_a_silence_of_the_sentinels_holds_for_them(tmp_path: Path) -> None:
    text = (HERE / "E2-two-sentinels.redis.yml").read_text(encoding="utf-8")

    assert warnings(tmp_path, text + "  silence: {E2: there are no more machines}\n") == []
    assert [each.rule for each in errors(tmp_path, in_service(text, "E2"))] == ["E2"]


def test_an_error_that_the_server_would_accept_can_be_silenced(tmp_path: Path) -> None:
    text = (HERE / "E9-never-promoted.redis.yml").read_text(encoding="utf-8")

    assert [each.rule for each in errors(tmp_path, text)] == ["E9"]
    assert warnings(tmp_path, in_service(text, "E9")) == []


@pytest.mark.parametrize("name", ["E16-newer-directive", "E17-folder", "E18-cluster", "E12-name", "E4-open-server"])
def test_an_error_that_nobody_can_want_is_not_silenced(tmp_path: Path, name: str) -> None:
    text = (HERE / f"{name}.redis.yml").read_text(encoding="utf-8")
    rule = name.partition("-")[0]

    found = errors(tmp_path, at_the_top(text, rule))

    assert [each.rule for each in found] == ["", rule]
    assert found[0].path == f"silence.{rule}"
    assert found[0].what.startswith("cannot be silenced: ")


@pytest.mark.parametrize(
    ("rule", "remedy"),
    [("W222", "did you mean 'W22'?"), ("w22", "did you mean 'W22'?"), ("maxmemory", "write the one that the message")],
)
def test_what_is_no_rule_cannot_be_silenced(tmp_path: Path, rule: str, remedy: str) -> None:
    found = errors(tmp_path, in_service(WRITABLE, rule))

    assert [(each.path, each.what) for each in found] == [
        (f"services.orders.silence.{rule}", "is not the identifier of a rule")
    ]
    assert found[0].remedy.startswith(remedy)
    assert found[0].position.line == 13


@pytest.mark.parametrize("reason", ["", "no", "yes", "''"])
def test_a_silence_wants_a_reason_in_words(tmp_path: Path, reason: str) -> None:
    found = errors(tmp_path, in_service(WRITABLE, reason=reason))

    assert [each.path for each in found] == ["services.orders.silence.W22"]


def test_a_silence_for_what_only_machines_show_is_not_called_useless(tmp_path: Path) -> None:
    good = (HERE / "W22-writable-replicas.good.redis.yml").read_text(encoding="utf-8")

    assert warnings(tmp_path, at_the_top(good, "W8")) == []
    assert warnings(tmp_path, at_the_top(good, "W3")) == []
    assert warnings(tmp_path, at_the_top(good, "W22")) == ["W0 silence.W22"]


def test_a_sandbox_warns_of_nothing(tmp_path: Path) -> None:
    file = written(tmp_path, WRITABLE)
    ports = {f"red{number}:{port}": 20000 + number * 10 + port % 7 for number in (1, 2, 3) for port in (6379, 26379)}

    assert load_fleet(file, SandboxLayout(str(tmp_path), ports), "redis-server").warnings == ()


def test_warnings_do_not_make_two_fleets_of_one(tmp_path: Path) -> None:
    loud = load_fleet(written(tmp_path, WRITABLE))
    quiet = load_fleet(written(tmp_path, at_the_top(WRITABLE)))

    assert loud.warnings
    assert not quiet.warnings
    assert loud == quiet
    assert "W22" not in repr(loud)


@pytest.mark.parametrize("command", ["plan", "deploy"])
def test_strict_stops_before_any_machine_is_looked_at(tmp_path: Path, command: str) -> None:
    done = CliRunner().invoke(app, [command, "--strict", "--json", written(tmp_path, WRITABLE)])

    assert done.exit_code == 2
    rows = json.loads(done.stdout)["problems"]
    assert [(row["rule"], row["severity"]) for row in rows] == [("W22", "warning")]


def test_check_warns_and_succeeds_unless_it_is_strict(tmp_path: Path) -> None:
    file = written(tmp_path, WRITABLE)
    line = f"{file}:17: services.orders.config.replica-read-only: lets replicas take writes that nobody else gets; "

    lax, strict = (CliRunner().invoke(app, ["check", *words, file]) for words in ((), ("--strict",)))

    assert (lax.exit_code, strict.exit_code) == (0, 2)
    assert f"{line}leave replica-read-only at yes [warning W22]\n" in lax.output
    assert f"{file}: ok, 1 warning\n" in lax.output
    assert f"{line}leave replica-read-only at yes [warning W22]\n" in strict.output
    assert "ok" not in strict.output


def test_the_rows_of_a_json_answer_name_rule_and_severity(tmp_path: Path) -> None:
    file = written(tmp_path, WRITABLE)

    lax, strict = (
        json.loads(CliRunner().invoke(app, ["check", "--json", *s, file]).stdout) for s in ((), ("--strict",))
    )

    assert (lax["ok"], strict["ok"]) == (True, False)
    assert lax["problems"] == strict["warnings"] == []
    assert lax["warnings"] == strict["problems"]
    assert lax["warnings"][0] | {"what": "", "remedy": ""} == {
        "position": f"{file}:17",
        "path": "services.orders.config.replica-read-only",
        "what": "",
        "remedy": "",
        "rule": "W22",
        "severity": "warning",
    }


_OTHER_DATABASES = {"config": {"databases": 4}, "file": {"databases": 4}}


def _interruptions(fleet: Fleet) -> list[str]:
    made = plan(fleet, observed(fleet, {"processes": {"orders-6379@red2": _OTHER_DATABASES}}))
    return [step.interruption for step in made.steps if isinstance(step, Restart)]


def test_the_plan_says_what_the_restart_of_a_replica_with_an_aof_copies() -> None:
    with_log, without = (_interruptions(fleet_of(name)) for name in ("sentinel", "replication"))

    assert [text.endswith("copies all data from its master: it has an AOF") for text in with_log] == [True]
    assert ["copies" in text for text in without] == [False]
