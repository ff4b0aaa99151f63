"""The lock of a deployment, and the journals: one run at a time, nothing cut off, nothing secret, bounded."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from redis_fleet import runlog as controller
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.runs import Begin, Begun, End, Ended, LoggedStep, Run
from redis_fleet.agent.runs import lock, runlog
from redis_fleet.agent.secret import Secret
from redis_fleet.agent.verbs import perform
from redis_fleet.ansible.runs import at_work, masked, new_run, refusal, started, state, workers
from redis_fleet.model import Fleet, Machine, Paths, Process, Service

FORK = multiprocessing.get_context("fork")
RACES, RACERS = 30, 8


def run(name: str) -> Run:
    """Return the identity of a run of another controller."""
    return Run(name, f"{name}@there", "2026-01-02T03:04:05Z", "deploy")


def request(tmp_path: Path, name: str, **more: Any) -> Begin:
    """Return what a machine is asked for when a run begins."""
    return replace(Begin(*_paths(tmp_path), run(name), seen=""), **more)


def _paths(tmp_path: Path) -> tuple[str, str]:
    return str(tmp_path / "run" / "lock"), str(tmp_path / "log" / "journal.jsonl")


def finish(tmp_path: Path, name: str, result: str = "ok", message: str = "") -> Ended:
    """End a run."""
    return lock.end(End(*_paths(tmp_path), name, result, message))


def entries(tmp_path: Path) -> list[dict[str, Any]]:
    """Return the machine's journal, oldest first."""
    return [json.loads(line) for line in (tmp_path / "log" / "journal.jsonl").read_text().splitlines()]


def test_a_lock_is_taken_once_and_says_who_has_it(tmp_path: Path) -> None:
    path = tmp_path / "made" / "lock"

    assert lock.take(str(path), run("first")) is None
    assert lock.take(str(path), run("second")) == run("first")

    assert json.loads(path.read_text()) == run("first").to_json()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_taking_it_again_is_fine_for_the_same_run(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    lock.take(path, run("first"))

    assert lock.take(path, run("first")) is None


def test_only_its_own_run_gives_it_back_unless_none_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    lock.take(path, run("first"))

    assert lock.give(path, "second") is None
    assert lock.holder(path) == run("first")
    assert lock.give(path) == run("first")
    assert lock.holder(path) is None
    assert lock.give(path) is None


def test_a_take_over_is_only_from_the_run_that_was_named(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    lock.take(path, run("killed"))

    assert lock.take(path, run("late"), "another") == run("killed")
    assert lock.take(path, run("first"), "killed") is None
    # Both have seen the killed run; the second comes too late.
    assert lock.take(path, run("second"), "killed") == run("first")


def _race(path: str, number: int, barrier: Any, take_over: str, won: Any) -> None:
    barrier.wait(30)
    if lock.take(path, run(f"run{number}"), take_over) is None:
        won.put(number)


@pytest.mark.parametrize("take_over", ["", "killed"], ids=["free", "stale"])
def test_of_many_at_once_exactly_one_wins(tmp_path: Path, take_over: str) -> None:
    for race in range(RACES):
        path, barrier, won = str(tmp_path / f"lock{race}"), FORK.Barrier(RACERS), FORK.SimpleQueue()
        if take_over:
            lock.take(path, run(take_over))
        racers = [FORK.Process(target=_race, args=(path, n, barrier, take_over, won)) for n in range(RACERS)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join(60)
        winners = []
        while not won.empty():
            winners.append(won.get())
        assert len(winners) == 1
        assert (lock.holder(path) or run("")).id == f"run{winners[0]}"


@pytest.mark.parametrize("content", ["", '{"id": "cut', "[]", "{}"])
def test_a_file_that_is_no_lock_is_held_until_somebody_says_otherwise(tmp_path: Path, content: str) -> None:
    path = tmp_path / "lock"
    path.write_text(content)

    found = lock.take(str(path), run("first"))

    assert found
    assert found.id == ""
    assert "redis-fleet unlock orders.redis.yml" in refusal(found.to_json(), "orders.redis.yml")
    assert lock.give(str(path)) == found
    assert lock.take(str(path), run("first")) is None


def test_what_a_crash_left_beside_the_lock_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "lock.redis-fleet").write_text('{"id": "half')

    assert lock.take(str(tmp_path / "lock"), run("first")) is None
    assert lock.holder(str(tmp_path / "lock")) == run("first")


def _hold_guard(path: str, ready: Any) -> None:
    with runlog.guarded(path):
        ready.put(True)
        signal.pause()


def test_whoever_dies_in_the_middle_keeps_nobody_out(tmp_path: Path) -> None:
    path, ready = str(tmp_path / "lock"), FORK.SimpleQueue()
    holder = FORK.Process(target=_hold_guard, args=(path, ready))
    holder.start()
    ready.get()
    assert holder.pid
    os.kill(holder.pid, signal.SIGKILL)
    holder.join(30)

    assert lock.take(path, run("first")) is None


def test_whoever_is_stuck_in_the_middle_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runlog, "_PATIENCE", 0.1)
    path = str(tmp_path / "lock")

    with runlog.guarded(path), pytest.raises(TimeoutError):
        lock.take(path, run("first"))


def test_a_run_begins_and_ends_in_the_journal(tmp_path: Path) -> None:
    step: dict[str, Any] = {"number": 2, "process": "orders-6379", "how": "LIVE", "what": "w", "reason": "r"}

    assert lock.begin(request(tmp_path, "first", steps=(LoggedStep(**step),))).taken
    finish(tmp_path, "first", "failed", "it broke")

    began, ended = entries(tmp_path)
    assert began["steps"] == [step]
    assert (began["run"], began["owner"], began["verb"]) == ("first", "first@there", "deploy")
    assert (ended["run"], ended["result"], ended["message"]) == ("first", "failed", "it broke")
    assert began["time"].endswith("Z")
    assert stat.S_IMODE((tmp_path / "log" / "journal.jsonl").stat().st_mode) & 0o137 == 0
    assert lock.holder(str(tmp_path / "run" / "lock")) is None


def test_beginning_and_ending_again_writes_nothing_again(tmp_path: Path) -> None:
    for _ in range(2):
        assert lock.begin(request(tmp_path, "first")).taken
    for _ in range(2):
        finish(tmp_path, "first")

    assert [entry["event"] for entry in entries(tmp_path)] == ["begin", "end"]


def test_a_plan_made_before_another_run_is_not_carried_out(tmp_path: Path) -> None:
    lock.begin(request(tmp_path, "first"))
    finish(tmp_path, "first")

    answer = lock.begin(request(tmp_path, "second", seen=""))

    assert answer == Begun(taken=False, holder=None, moved=True)
    assert lock.holder(str(tmp_path / "run" / "lock")) is None
    seen = runlog.last_run(str(tmp_path / "log" / "journal.jsonl"))
    assert lock.begin(request(tmp_path, "third", seen=None)).taken, "nothing was planned before"
    finish(tmp_path, "third", runlog.WITHDRAWN)
    assert lock.begin(request(tmp_path, "second", seen=seen)).taken


def test_a_plan_made_before_a_killed_run_is_not_carried_out(tmp_path: Path) -> None:
    lock.begin(request(tmp_path, "killed"))

    assert lock.begin(request(tmp_path, "second", take_over="killed", seen="")).moved
    assert lock.begin(request(tmp_path, "third", take_over="killed", seen="killed begin")).taken
    assert entries(tmp_path)[-1]["took_over"] == "killed"


def test_a_run_that_withdrew_changed_nothing(tmp_path: Path) -> None:
    lock.begin(request(tmp_path, "loser"))
    finish(tmp_path, "loser", runlog.WITHDRAWN)

    assert runlog.last_run(str(tmp_path / "log" / "journal.jsonl")) == ""
    assert lock.begin(request(tmp_path, "winner", seen="")).taken


def test_the_end_of_one_run_leaves_another_ones_lock(tmp_path: Path) -> None:
    lock.begin(request(tmp_path, "first"))
    lock.give(str(tmp_path / "run" / "lock"))
    lock.begin(request(tmp_path, "second", seen="first begin"))

    answer = finish(tmp_path, "first", "failed")

    assert answer == Ended(given=None, holder=run("second"))
    assert entries(tmp_path)[-1]["run"] == "first"


def test_the_end_is_noted_for_whatever_run_holds_the_lock(tmp_path: Path) -> None:
    lock.begin(request(tmp_path, "first"))

    assert finish(tmp_path, "", "failed").given == run("first")
    assert (entries(tmp_path)[-1]["run"], entries(tmp_path)[-1]["event"]) == ("first", "end")


def test_a_lock_lost_by_a_reboot_does_not_hide_the_end(tmp_path: Path) -> None:
    lock.begin(request(tmp_path, "first"))
    (tmp_path / "run" / "lock").unlink()

    finish(tmp_path, "first")

    assert entries(tmp_path)[-1]["event"] == "end"


def test_no_journal_no_lock(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file where the folder should be")

    with pytest.raises(OSError, match="log"):
        lock.begin(request(tmp_path, "first"))
    answer = perform("begin", json.dumps(request(tmp_path, "first").to_json([])), [], dry=False)

    assert lock.holder(str(tmp_path / "run" / "lock")) is None
    assert (answer["failed"], answer["code"]) == (True, "journal")
    assert answer["msg"].startswith("the lock or the journal of the deployment: ")


def test_a_journal_that_cannot_be_written_does_not_keep_the_lock(tmp_path: Path) -> None:
    lock.begin(request(tmp_path, "first"))
    journal = tmp_path / "log" / "journal.jsonl"
    journal.rename(tmp_path / "kept")
    asked = End(*_paths(tmp_path), "first", "ok")
    (tmp_path / "log" / "journal.jsonl.1").write_text((tmp_path / "kept").read_text())
    journal.mkdir()

    with pytest.raises(OSError, match="journal"):
        lock.end(asked)

    assert lock.holder(asked.lock) is None


def test_a_long_journal_is_turned_over_and_remembers(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    for number in range(50):
        runlog.note(str(path), {"event": "begin", "run": f"run{number}"}, limit=300)
        assert runlog.unfinished(str(path), f"run{number - 1}") == (number > 0)

    assert sum(each.stat().st_size for each in tmp_path.iterdir()) < 2 * 400
    assert sorted(each.name for each in tmp_path.iterdir()) == ["journal", "journal.1"]
    assert [each["run"] for each in runlog.backwards(str(path))][:2] == ["run49", "run48"]


def test_a_line_that_was_cut_off_swallows_no_other(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    runlog.note(str(path), {"event": "begin", "run": "first"})
    with path.open("a") as file:
        file.write('{"event": "end", "run": "fir')

    runlog.note(str(path), {"event": "begin", "run": "second"})

    assert [each["run"] for each in runlog.backwards(str(path))] == ["second", "first"]
    assert runlog.last_run(str(path)) == "second begin"


def _append(path: str, number: int) -> None:
    for count in range(50):
        runlog.note(path, {"event": "begin", "run": f"{number}.{count}", "text": "x" * 5000}, limit=2**30)


def test_lines_of_many_at_once_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    writers = [FORK.Process(target=_append, args=(str(path), number)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)

    lines = [line for line in path.read_text().splitlines() if line]
    assert len({json.loads(line)["run"] for line in lines}) == len(lines) == 200


def child(name: str = "ansible", **more: Any) -> subprocess.Popen[bytes]:
    """Start a process that waits for its end; it looks like one of Ansible's, and has what it was given open."""
    command = [sys.executable, "-c", "import sys; sys.stdin.read()", name]
    return subprocess.Popen(command, stdin=subprocess.PIPE, **more)


def run_of(pid: int, **more: Any) -> dict[str, Any]:
    """Return the identity of a run of this controller whose main process is another one."""
    return {**new_run("deploy"), "pid": pid, "started": started(pid), **more}


def test_a_run_is_at_work_until_its_process_is_gone() -> None:
    process = child()
    made = run_of(process.pid)
    assert state(made) == "alive"
    assert "redis-fleet unlock FILE" in refusal(made, "FILE")

    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert state(made) == "dead", "a zombie does not work"
    process.wait()

    assert state(made) == "dead"


def test_another_process_with_the_pid_of_a_run_is_not_that_run() -> None:
    mine = new_run("deploy")
    assert state(mine) == "alive"

    assert state({**mine, "started": mine["started"] - 1}) == "dead"


def test_the_pid_of_another_controller_means_nothing_here() -> None:
    mine = new_run("deploy")
    same_kernel_other_container = mine["boot"].replace("pid:[", "pid:[1")

    for boot in (same_kernel_other_container, "another", ""):
        assert state({**mine, "pid": 2**22 + 1, "boot": boot}) == "elsewhere"


def end_of(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and wait for its end."""
    process.kill()
    process.wait()


def test_a_worker_that_outlived_its_run_is_waited_for(tmp_path: Path) -> None:
    with (tmp_path / "shared").open("w") as shared:
        main, worker = child(), child(pass_fds=[shared.fileno()])
        stranger = child("another", pass_fds=[shared.fileno()])
        told = os.fstat(shared.fileno())
        made = run_of(main.pid, shared=f"{told.st_dev}:{told.st_ino}:{told.st_ctime_ns}")
        main.kill()
        main.wait()
        # The stranger has the file open, too, but is none of Ansible's.
        assert list(workers(made)) == [worker.pid]
        assert list(workers({**made, "started": started(worker.pid) + 1})) == [], "older than the run"
        assert state(made) == "ending"
        assert str(worker.pid) in refusal(made, "FILE")

        worker.kill()
        worker.wait()

        assert state(made) == "dead"
        stranger.kill()
        stranger.wait()


def test_a_later_run_whose_file_has_the_same_number_is_no_worker_of_it(tmp_path: Path) -> None:
    with (tmp_path / "shared").open("w") as shared:
        told = os.fstat(shared.fileno())
        main = child()
        made = run_of(main.pid, shared=f"{told.st_dev}:{told.st_ino}:{told.st_ctime_ns}")
        main.kill()
        main.wait()
        # As a file system gives an inode's number to the next file: everything is new but the number.
        deadline = time.monotonic() + 5
        while not changed_since(shared.fileno(), told.st_ctime_ns):
            assert time.monotonic() < deadline
        later = child(pass_fds=[shared.fileno()])

        assert list(workers(made)) == []
        assert state(made) == "dead"

        later.kill()
        later.wait()


def changed_since(number: int, at: int) -> bool:
    """Change the mode of an open file; whether its time shows that."""
    os.fchmod(number, 0o600)
    return os.fstat(number).st_ctime_ns > at


def test_what_may_still_change_something_is_known_and_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = tmp_path / "journal"
    with (tmp_path / "shared").open("w") as shared:
        main, worker = child(), child(pass_fds=[shared.fileno()])
        status = os.fstat(shared.fileno())
        made = run_of(main.pid, shared=f"{status.st_dev}:{status.st_ino}:{status.st_ctime_ns}")
        controller.begin(journal, made, PLAN)
        assert at_work(journal) == [made["id"]]

        main.kill()
        main.wait()
        assert at_work(journal, patience=0.0) == [made["id"]]
        with monkeypatch.context() as patched:
            # It ends while it is waited for.
            patched.setattr(time, "sleep", lambda _: end_of(worker))
            assert at_work(journal) == []
    ended = new_run("deploy")
    controller.begin(journal, ended, PLAN)
    controller.end(journal, ended["id"], "ok")
    assert at_work(journal) == []


def _identity(told: Any) -> None:
    told.put((new_run("deploy")["pid"], os.getppid()))


def test_a_worker_speaks_for_the_process_that_made_it() -> None:
    told: Any = FORK.SimpleQueue()
    process = FORK.Process(target=_identity, args=(told,))
    process.start()
    process.join(30)

    assert told.get() == (os.getpid(), os.getpid())


PLAN = {
    "steps": [{"number": 1, "machine": "red1", "what": "set maxmemory", "reason": "differs", "value": "word"}],
    "notes": ["a note"],
    "masters": {"orders": {"master": "10.0.0.1:6379", "source": "Sentinels"}},
    "packages": {},
}


def test_the_controller_remembers_runs_with_plan_and_result(tmp_path: Path) -> None:
    journal = tmp_path / "deep" / "journal"
    made = new_run("deploy")

    assert controller.begin(journal, made, PLAN) == ""
    assert [each["result"] for each in controller.read(journal)] == [None]
    assert controller.end(journal, made["id"], "failed", "it broke") == ""

    (found,) = controller.read(journal)
    assert (found["run"], found["owner"], found["result"], found["message"]) == (
        made["id"], made["owner"], "failed", "it broke",
    )  # fmt: skip
    assert found["plan"]["masters"] == {"orders": "10.0.0.1:6379"}
    assert 0 <= found["seconds"] < 60
    assert "word" not in journal.read_text()
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600


def test_the_first_end_counts_and_one_without_a_beginning_does_not(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    controller.begin(journal, run("first").to_json(), PLAN)

    for result in ("ok", "failed"):
        controller.end(journal, "first", result)
        controller.end(journal, "other", result)

    assert [(each["run"], each["result"]) for each in controller.read(journal)] == [("first", "ok")]
    assert len(journal.read_text().splitlines()) == 2


def test_the_last_runs_are_shown_the_latest_last(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    for number in range(5):
        controller.begin(journal, run(f"run{number}").to_json(), PLAN)
        controller.end(journal, f"run{number}", "ok")

    assert [each["run"] for each in controller.read(journal, 2)] == ["run3", "run4"]


def test_a_controller_that_cannot_write_says_so_and_goes_on(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("no folder")
    journal = tmp_path / "home" / "journal"

    assert str(journal) in controller.begin(journal, run("first").to_json(), PLAN)
    assert controller.end(journal, "first", "ok") == ""
    assert controller.read(journal) == []


def test_the_end_of_a_run_makes_no_folder_again(tmp_path: Path) -> None:
    journal = tmp_path / "sandbox" / "journal"

    controller.end(journal, "first", "ok")

    assert not journal.parent.exists()


def test_each_description_has_a_journal_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "link").symlink_to(tmp_path / "one.redis.yml")
    one = controller.place(str(tmp_path / "one.redis.yml"), "orders")

    assert one.parent == tmp_path / "state" / "redis-fleet"
    assert one == controller.place(str(tmp_path / "link"), "orders")
    assert one != controller.place(str(tmp_path / "two.redis.yml"), "orders")
    assert controller.place("any", "orders", "/sandbox") == Path("/sandbox/journal.jsonl")

    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert controller.place("any", "orders").is_relative_to("/home/somebody/.local/state/redis-fleet")


def fleet() -> Fleet:
    """Return a fleet of one process with two passwords, one the beginning of the other."""
    paths = Paths("/c", "/d", "/l", "/p")
    server = Process("a-1", "server", "m", "a", Endpoint("10.0.0.1", 1), (), paths, password=Secret("word"))
    service = Service("a", (server,), Secret("word-long"))
    return Fleet("f", "redis", "f.redis.yml", {"m": Machine("m", "10.0.0.1")}, (service,))


def test_what_the_planner_overlooked_is_masked() -> None:
    value = {"what": ["set to word-long", 3], "reason": "was word", "fresh": True}

    assert masked(fleet(), value) == {"what": ["set to ********", 3], "reason": "was ********", "fresh": True}
