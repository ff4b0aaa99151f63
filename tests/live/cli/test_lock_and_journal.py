"""One run at a time, and what is remembered of it: the real plugins and commands on the machines of a sandbox."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from redis_fleet.ansible.runs import new_run, started
from redis_fleet.cli.locked import play_locked
from redis_fleet.cli.playbook_runner import Event, Options
from redis_fleet.project import PLAYBOOKS
from tests.harness.done import Done
from tests.harness.live.sandboxes import PLAYBOOK, Box, box

MACHINES = ("red1", "red2", "red3")
PLAY = """
- hosts: redis_fleet
  any_errors_fatal: true
  tasks:
    - ansible.builtin.set_fact: {redis_fleet_planned: "{{ planned }}", redis_fleet_observed: "{{ observed }}"}
    - redis_fleet_begin:
      register: redis_fleet_begun
      ignore_unreachable: true
    - redis_fleet_begin: {taken: redis_fleet_begun}
    - ansible.builtin.fail: {msg: "it broke"}
      when: breaking | default(false)
    - redis_fleet_end: {result: ok}
      when: ending
"""
wired = pytest.mark.skipif(
    "redis_fleet_begin" not in (PLAYBOOKS / "deploy.yml").read_text(encoding="utf-8"),
    reason="deploy.yml does not take the lock yet",
)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Box]:
    """Give a sandbox in which nothing runs."""
    with box(tmp_path / "box", "sentinel", up=False) as prepared:
        prepared.prepare("/nonexistent")
        (prepared.folder / "play.yml").write_text(PLAY, encoding="utf-8")
        yield prepared


def begin(made: Box, run: dict[str, Any], *words: str, seen: str = "", ending: bool = False, **more: Any) -> Done:
    """Let a run take the lock on every machine, with one step on each."""
    return beginning(
        made,
        {"planned": planned(made, run), "observed": {"answer": {"last_run": seen}, **more}, "ending": ending},
        words,
    )()


def planned(made: Box, run: dict[str, Any]) -> dict[str, Any]:
    """Return a plan with a step on each machine; it has a password in it, as no plan should."""
    password = made.process("orders-6379@red1").password
    assert password
    reason = f"the password is {password.reveal()}"
    steps = [{"machine": machine, "process": "", "what": "do it", "reason": reason} for machine in MACHINES]
    return {"run": run, "steps": steps, "notes": [], "masters": {}}


def beginning(made: Box, given: dict[str, Any], words: Sequence[str] = ()) -> Callable[[], Done]:
    """Return what lets a run begin; nothing else is done then, so that several can at once."""
    environment = {"REDIS_FLEET_SANDBOX": str(made.root)}
    command = [PLAYBOOK, "-i", made.file, made.folder / "play.yml", "-e", json.dumps(given), *words]
    return lambda: made.run(*command, environment=environment)


def held(made: Box) -> dict[str, str]:
    """Return which run has the lock on which machine."""
    files = {machine: made.root / machine / ".redis-fleet" / "lock" for machine in MACHINES}
    return {machine: json.loads(file.read_text())["id"] for machine, file in files.items() if file.exists()}


def noted(made: Box, machine: str) -> list[dict[str, Any]]:
    """Return the journal of a machine."""
    file = made.root / machine / ".redis-fleet" / "journal.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def told(made: Box) -> list[dict[str, Any]]:
    """Return the controller's journal."""
    done = made.on("journal", "--json")
    assert done.code == 0, done.both
    return list(done.json()["runs"])


def killed() -> dict[str, Any]:
    """Return a run of this controller that is gone."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    run = {**new_run("deploy"), "pid": process.pid, "started": started(process.pid)}
    process.kill()
    process.wait()
    return run


def test_a_run_begins_and_ends_everywhere_and_says_no_password(made: Box) -> None:
    run = new_run("deploy")

    done = begin(made, run, ending=True)

    assert done.code == 0, done.both
    assert "changed=0" in done.both
    assert held(made) == {}
    for machine in MACHINES:
        began, ended = noted(made, machine)
        assert (began["run"], ended["run"], ended["result"]) == (run["id"], run["id"], "ok")
        assert [step["reason"] for step in began["steps"]] == ["the password is ********"]
    (remembered,) = told(made)
    assert (remembered["run"], remembered["owner"], remembered["result"]) == (run["id"], run["owner"], "ok")
    assert [step["machine"] for step in remembered["plan"]["steps"]] == list(MACHINES)
    password = made.process("orders-6379@red1").password
    assert password
    assert password.reveal() not in (made.root / "journal.jsonl").read_text()
    shown = made.on("journal").out
    assert run["owner"] in shown
    assert "ok after" in shown


def test_check_mode_locks_nothing(made: Box) -> None:
    assert begin(made, new_run("deploy"), "--check").code == 0

    assert held(made) == {}
    assert not (made.root / "journal.jsonl").exists()


def test_some_of_the_machines_alone_are_not_enough(made: Box) -> None:
    done = begin(made, new_run("deploy"), "--limit", "red1,red2")

    assert done.code != 0
    assert "left out: red3" in done.both
    assert held(made) == {}


def test_a_second_run_is_refused_and_gives_back_what_it_got(made: Box) -> None:
    first, second = new_run("deploy"), new_run("deploy")
    assert begin(made, first).code == 0
    for machine in ("red1", "red3"):
        (made.root / machine / ".redis-fleet" / "lock").unlink()

    done = begin(made, second, seen=f"{first['id']} begin")

    assert done.code != 0
    assert f"held by {first['owner']}, run {first['id']}" in done.both
    assert f"redis-fleet unlock {made.file}" in done.both
    assert held(made) == {"red2": first["id"]}
    assert noted(made, "red1")[-1]["result"] == "withdrawn"
    assert [run["run"] for run in told(made)] == [first["id"]]


def test_the_lock_of_a_killed_run_is_taken_over(made: Box) -> None:
    first, second = killed(), new_run("deploy")
    assert begin(made, first).code == 0
    assert [run["state"] for run in told(made)] == ["killed"]

    done = begin(made, second, seen=f"{first['id']} begin")

    assert done.code == 0, done.both
    assert held(made) == dict.fromkeys(MACHINES, second["id"])
    assert noted(made, "red1")[-1]["took_over"] == first["id"]


@pytest.mark.long
def test_what_a_run_did_after_the_look_and_before_it_was_killed_is_not_passed_over(made: Box) -> None:
    first = killed()
    assert begin(made, first).code == 0

    done = begin(made, new_run("deploy"), seen=f"{first['id']} begin", at_work=[first["id"]])

    assert "another run changed this deployment meanwhile" in done.both
    assert held(made) == dict.fromkeys(MACHINES, first["id"])


@pytest.mark.long
def test_a_plan_that_is_out_of_date_is_not_carried_out(made: Box) -> None:
    first = new_run("deploy")
    assert begin(made, first, ending=True).code == 0

    done = begin(made, new_run("deploy"), seen="")

    assert done.code != 0
    assert "another run changed this deployment meanwhile; run again" in done.both
    assert held(made) == {}


@pytest.mark.long
def test_of_two_runs_at_once_at_most_one_works(made: Box) -> None:
    runs = [new_run("deploy") for _ in range(2)]
    given = {"observed": {"answer": {"last_run": ""}}, "ending": False}
    begins = [beginning(made, {"planned": planned(made, run), **given}) for run in runs]

    with ThreadPoolExecutor() as pool:
        done = [each.result() for each in [pool.submit(one) for one in begins]]

    winners = [run["id"] for run, each in zip(runs, done, strict=True) if each.code == 0]
    assert len(winners) < 2
    assert held(made) == dict.fromkeys(MACHINES, *winners) if winners else held(made) == {}


@pytest.mark.long
def test_unlock_shows_who_has_it_and_gives_it_back(made: Box) -> None:
    run = new_run("deploy")
    begin(made, run)

    asked = made.on("unlock")
    assert asked.code == 2
    assert f"red1, red2, red3: held by {run['owner']} since {run['time']}" in asked.both
    assert "AT WORK" in asked.both
    assert held(made) == dict.fromkeys(MACHINES, run["id"])

    done = made.on("unlock", "--yes")
    assert done.code == 0, done.both
    assert held(made) == {}
    assert noted(made, "red3")[-1]["result"] == "failed"
    assert [(each["result"], each["message"]) for each in told(made)] == [("failed", "unlocked by hand")]

    again = made.on("unlock", "--json")
    assert (again.code, again.json()) == (0, {"ok": True, "unlocked": [], "failures": []})


@pytest.mark.long
@pytest.mark.parametrize("breaking", [True, pytest.param(False, marks=pytest.mark.long)])
def test_the_command_line_gives_back_what_a_run_still_has(
    made: Box, monkeypatch: pytest.MonkeyPatch, breaking: bool
) -> None:
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    events: list[Event] = []
    given = {"planned": planned(made, new_run("deploy")), "observed": {}, "breaking": breaking, "ending": True}

    run = play_locked(str(made.folder / "play"), made.file, Options(made.root), events.append, given)

    assert run.ok is not breaking
    assert held(made) == {}
    assert ("See to the lock" in [event.get("name") for event in events]) is breaking
    (remembered,) = told(made)
    assert remembered["result"] == ("failed" if breaking else "ok")
    assert ("it broke" in (remembered["message"] or "")) is breaking


@pytest.mark.long
def test_a_failed_run_is_ended_by_its_id(made: Box) -> None:
    run = new_run("deploy")
    begin(made, run)
    words = json.dumps({"redis_fleet_run": run["id"], "redis_fleet_message": "it broke"})

    assert made.play("unlock", "-e", json.dumps({"redis_fleet_run": "another"})).code == 0
    assert len(held(made)) == 3
    assert made.play("unlock", "-e", words).code == 0

    assert held(made) == {}
    assert noted(made, "red1")[-1]["message"] == "it broke"


@pytest.mark.long
def test_the_playbook_without_an_id_ends_whatever_run_has_the_lock(made: Box) -> None:
    run = new_run("deploy")
    begin(made, run)

    assert made.play("unlock").code == 0

    assert held(made) == {}
    assert [(each["run"], each["result"]) for each in told(made)] == [(run["id"], "failed")]


def test_the_controller_without_a_journal_says_so_once_and_goes_on(made: Box) -> None:
    (made.root / "journal.jsonl").mkdir()

    done = begin(made, new_run("deploy"))

    assert done.code == 0, done.both
    assert " ".join(done.both.split()).count("cannot be written") == 1


@wired
def test_a_deployment_is_remembered_and_leaves_no_lock(tmp_path: Path) -> None:
    with box(tmp_path / "box", "sentinel") as deployed:
        (first,) = told(deployed)
        assert (first["verb"], first["result"]) == ("deploy", "ok")
        assert held(deployed) == {}

        assert deployed.on("deploy").code == 0
        assert told(deployed) == [first], "nothing to do is nothing to remember"

        deployed.kill("sentinel-26379@red3")
        lock = deployed.root / "red2" / ".redis-fleet" / "lock"
        lock.write_text(json.dumps(new_run("deploy")), encoding="utf-8")
        refused = deployed.on("deploy", "--yes")
        assert refused.code == 1
        assert "the lock is held by" in refused.both
        assert "sentinel-26379@red3" not in deployed.pids()

        lock.unlink()
        done = deployed.on("deploy", "--yes")
        assert done.code == 0, done.both
        assert [run["result"] for run in told(deployed)] == ["ok", "ok"]
        assert held(deployed) == {}
