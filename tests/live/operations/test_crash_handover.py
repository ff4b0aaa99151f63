"""A master that is killed, on real servers and Sentinels: what its unit calls then, and what that leaves in doubt."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from redis_fleet.agent.messages.unit_handover import END, START, STOP, WAIT, lock_of
from redis_fleet.agent.process import unit_handover
from redis_fleet.agent.protocol.resp import ReplyError
from redis_fleet.agent.replication.agreement import agreed_master, name_of
from redis_fleet.agent.replication.connections import Servers
from redis_fleet.agent.replication.crash_handover import replace_crashed
from redis_fleet.agent.replication.election import SHORT, Election
from redis_fleet.agent.replication.view import view
from redis_fleet.agent.replication.voter import TIMEOUT
from tests.harness.live.processes import FAILOVER_TIMEOUT_MS, MONITOR, PASSWORD, Group, eventually, running_group
from tests.harness.live.switching import (
    RED1,
    RED2,
    RED3,
    SENTINELS,
    USUAL,
    Load,
    agree_on,
    described,
    filed,
    healthy,
    live,
    named,
    sentinels_say,
)
from tests.harness.live.unit_calls import begin, called, code_of, forget, knows, stopping, unit_of

LEFT = "left to the Sentinels: "


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    """Give a healthy group of one master, two replicas and three Sentinels."""
    with running_group(tmp_path) as running:
        yield running
        forget(running)


def file_of(group: Group, name: str) -> str:
    """Return the configuration file of a member."""
    return (group.folder / name / "conf").read_text(encoding="utf-8")


def patient(group: Group) -> None:
    """Let the Sentinels wait so long that on no machine, however busy, they are first."""
    for name in SENTINELS:
        group.call(name, "SENTINEL", "SET", MONITOR, "down-after-milliseconds", 20000)


def failed_over(group: Group) -> None:
    """Wait until the Sentinels have replaced the first server themselves."""
    eventually(lambda: named(group) in (RED2, RED3), "a Sentinel failed over", 60)


def test_a_killed_master_is_replaced_at_once_and_comes_back_as_a_replica(
    group: Group, record_property: Callable[[str, object], None]
) -> None:
    patient(group)
    called(group, RED1, START)
    with Load(group, 1) as load:
        eventually(lambda: load.acknowledged > 200, "the load is on")
        group.call(RED1, "SET", "kept", "yes")
        assert group.call(RED1, "WAIT", 2, 5000) == 2
        mode = (group.folder / RED1 / "conf").stat().st_mode
        group.kill(RED1)
        killed = time.monotonic()

        said = called(group, RED1)

        new = named(group)
        assert new in (RED2, RED3), said
        before = load.acknowledged
        eventually(lambda: load.acknowledged > before, "clients write again")
        record_property("ms until clients wrote again, at most", round((time.monotonic() - killed) * 1e3))
    assert f"{new} is the master in the place of {RED1}" in said
    assert (group.folder / RED1 / "conf").stat().st_mode == mode
    group.start(RED1)
    eventually(lambda: healthy(group, new), "all agree")
    agree_on(group, new)
    assert group.call(new, "GET", "kept") == "yes"
    assert sentinels_say(group, TIMEOUT) == {str(FAILOVER_TIMEOUT_MS)}
    assert live(group) == filed(group) == USUAL
    assert PASSWORD not in said


@pytest.mark.long
def test_a_crash_soon_after_it_is_failed_over_as_fast_as_ever(group: Group) -> None:
    patient(group)
    group.kill(RED1)
    called(group, RED1)
    new = named(group)
    assert new != RED1
    group.start(RED1)
    eventually(lambda: healthy(group, new), "all agree")
    group.kill(new)
    eventually(lambda: named(group) not in (new, ""), "a Sentinel failed over", 60)


def test_whoever_waits_replaces_it_before_the_unit_calls(group: Group) -> None:
    patient(group)
    code = code_of(group, RED1)
    waiting, late = (begin(code, WAIT, str(group.processes[RED1].pid)) for _ in range(2))
    eventually(lambda: {waiting.poll(), late.poll()} == {None, 0}, "one of them waits")
    group.kill(RED1)
    said = "".join(process.communicate(timeout=60)[1] for process in (waiting, late))
    new = named(group)
    assert said.count(f"{new} is the master in the place of {RED1}") == 1
    assert called(group, RED1) == ""
    group.start(RED1)
    eventually(lambda: healthy(group, new), "all agree")


def test_what_is_stopped_on_purpose_is_left_alone(group: Group) -> None:
    waiting = begin(code_of(group, RED1), WAIT, str(group.processes[RED1].pid))
    eventually(lambda: locked(group), "it waits")
    with stopping(group):
        group.kill(RED1)
        assert waiting.communicate(timeout=60)[1] == ""
        assert called(group, RED1) == ""
    assert named(group) == RED1
    assert "replicaof" not in file_of(group, RED1)


def locked(group: Group) -> bool:
    """Whether somebody waits for the end of the server."""
    path = lock_of(unit_of(group))
    return subprocess.run(["flock", "--nonblock", path, "true"], check=False).returncode == 1


@pytest.mark.long
def test_whoever_waits_ends_with_its_code_and_runs_anew_when_that_changes(group: Group) -> None:
    code = code_of(group, RED1)
    waiting = begin(code, WAIT, str(group.processes[RED1].pid))
    eventually(lambda: locked(group), "it waits")
    code.write_text(code.read_text(encoding="utf-8").replace("has ended", "came to its end"), encoding="utf-8")
    words = Path(f"/proc/{waiting.pid}/cmdline")
    eventually(lambda: "-IS" in words.read_text("ascii").split("\0") and locked(group), "it runs the new code", 60)
    code.unlink()
    assert waiting.wait(timeout=60) == 0


@pytest.mark.long
def test_a_server_that_runs_is_not_replaced(group: Group) -> None:
    assert f"{LEFT}{RED1} answers" in called(group, RED1)
    assert named(group) == RED1
    assert "replicaof" not in file_of(group, RED1)


@pytest.mark.long
def test_the_end_of_a_replica_is_nobodys_business(group: Group) -> None:
    group.kill(RED2)
    assert called(group, RED2) == ""
    agree = view(group.target)
    assert name_of(group.target, agreed_master(agree)) == RED1


def test_without_a_majority_nothing_is_done(group: Group) -> None:
    for name in SENTINELS[1:]:
        group.kill(name)
    group.kill(RED1)
    assert f"{LEFT}no majority of the Sentinels answers" in called(group, RED1)
    assert {group.call(name, "ROLE")[0] for name in (RED2, RED3)} == {"slave"}
    assert "replicaof" not in file_of(group, RED1)


@pytest.mark.long
def test_a_sentinel_that_does_not_answer_leaves_a_majority(group: Group) -> None:
    patient(group)
    group.processes[SENTINELS[0]].send_signal(signal.SIGSTOP)
    group.kill(RED1)
    said = called(group, RED1)
    group.processes[SENTINELS[0]].send_signal(signal.SIGCONT)
    new = named(group)
    assert new in (RED2, RED3), said
    eventually(lambda: {one.master for one in view(group.target).sentinels} == {place(group, new)}, "all heard of it")


def place(group: Group, name: str) -> str:
    """Return where a member is, as the Sentinels say it."""
    return str(group.node(name).announced)


@pytest.mark.long
def test_a_failover_that_is_under_way_is_left_to_itself(group: Group) -> None:
    # It waits for a replica that does not answer: the failover goes on and does not end.
    for name in (RED2, RED3):
        group.call(name, "CONFIG", "SET", "replica-priority", "50" if name == RED2 else "0")
    eventually(
        lambda: all(one.priorities == {place(group, RED2): 50, place(group, RED3): 0} for one in seen(group)), ""
    )
    group.processes[RED2].send_signal(signal.SIGSTOP)
    group.call(SENTINELS[0], "SENTINEL", "FAILOVER", MONITOR)
    group.kill(RED1)

    said = called(group, RED1)

    group.processes[RED2].send_signal(signal.SIGCONT)
    assert f"{LEFT}a failover is under way" in said
    eventually(lambda: named(group) == RED2, "the Sentinel's own failover has ended", 60)
    assert "replicaof" not in file_of(group, RED1)


def seen(group: Group) -> list:  # type: ignore[type-arg]
    """Return what the Sentinels say."""
    return list(view(group.target).sentinels)


@pytest.mark.long
def test_a_replica_that_lags_is_not_promoted(group: Group) -> None:
    """Its link is cut and it does not come back: what it has is old."""
    for name in (RED2, RED3):
        group.call(name, "CONFIG", "SET", "masterauth", "wrong")
        group.call(RED1, "CLIENT", "KILL", "TYPE", "slave")
    eventually(lambda: all(not each.link_up for each in view(group.target).members if each.id != RED1), "cut off")
    eventually(lambda: all(each.unlinked > 3 for each in view(group.target).members if each.id != RED1), "for a while")
    group.kill(RED1)
    assert f"{LEFT}no replica may be promoted whose link was up until now" in called(group, RED1)
    assert {group.call(name, "ROLE")[0] for name in (RED2, RED3)} == {"slave"}


@pytest.mark.long
def test_the_replica_that_must_never_be_promoted_is_not(group: Group) -> None:
    patient(group)
    group.call(RED2, "CONFIG", "SET", "replica-priority", "0")
    group.kill(RED1)
    said = called(group, RED1)
    assert named(group) == RED3, said


@pytest.mark.long
@pytest.mark.parametrize("words", ["voted for epoch", f"{RED1} has ended"])
def test_a_helper_that_is_killed_in_the_middle_leaves_the_sentinels_as_fast_as_ever(group: Group, words: str) -> None:
    """After the votes, and at the beginning."""
    for name in SENTINELS:
        group.call(name, "SENTINEL", "SET", MONITOR, TIMEOUT, "60000")
    group.kill(RED1)
    process = begin(code_of(group, RED1), END)
    assert process.stderr
    for line in process.stderr:
        if words in line:
            process.kill()
            break
    process.wait(timeout=60)
    # Twice the failover-timeout, two minutes, if the votes kept them from it.
    failed_over(group)
    group.start(RED1)
    new = named(group)
    eventually(lambda: healthy(group, new), "one master, and all agree", 60)
    assert sentinels_say(group, TIMEOUT) & {str(SHORT), "60000"}


@pytest.mark.parametrize("stopped", [False, True])
def test_one_that_is_killed_after_the_promotion_leaves_word_of_it(
    group: Group, monkeypatch: pytest.MonkeyPatch, stopped: bool
) -> None:
    """No Sentinel was told: two servers would take writes if the old one came back as it was."""

    class KilledError(BaseException):
        pass

    def die(*_: object) -> list[str]:
        raise KilledError

    patient(group)
    monkeypatch.setattr(Election, "announce", die)
    monkeypatch.setattr("redis_fleet.agent.replication.crash_handover._CrashHandover._tell", die)
    if not stopped:
        group.kill(RED1)
    with pytest.raises(KilledError):
        (unit_handover.before_stop if stopped else unit_handover.after_end)(knows(group, RED1))
    if stopped:
        group.kill(RED1)
    new = next(name for name in (RED2, RED3) if group.call(name, "ROLE")[0] == "master")
    assert named(group) == RED1, "the Sentinels know nothing of it"

    said = called(group, RED1, START)

    assert f"{RED1} will start as a replica of {new}" in said
    group.start(RED1)
    assert group.call(RED1, "ROLE")[0] == "slave"
    for name in SENTINELS:
        group.call(name, "SENTINEL", "SET", MONITOR, "down-after-milliseconds", 1000)
    eventually(lambda: healthy(group, named(group)), "one master, and all agree", 120)


def test_a_replica_that_was_promoted_by_hand_is_nobody_to_follow(group: Group) -> None:
    patient(group)
    group.call(RED2, "REPLICAOF", "NO", "ONE")
    group.kill(RED1)
    assert called(group, RED1, START) == ""
    assert "replicaof" not in file_of(group, RED1)


def test_votes_that_came_to_nothing_leave_the_sentinels_as_fast_as_ever(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SENTINELS:
        group.call(name, "SENTINEL", "SET", MONITOR, TIMEOUT, "60000")
    monkeypatch.setattr(Servers, "repoint", _refused)
    said: list[str] = []
    group.kill(RED1)

    assert replace_crashed(group.target, RED1, described(USUAL), said.append) == ""

    assert "voted for epoch" in said[0]
    assert f"{LEFT}{RED2}: it answered: ERR not now; {RED3}: it answered: ERR not now" in said
    assert said[-1].startswith(f"{TIMEOUT} stays at {SHORT}, ")
    assert said[-1].endswith(" puts it back to 60000")
    assert {group.call(name, "ROLE")[0] for name in (RED2, RED3)} == {"slave"}
    failed_over(group)


def _refused(*_: object, **__: object) -> str:
    raise ReplyError("ERR not now")


def test_before_its_start_a_former_master_learns_of_the_new_one(group: Group) -> None:
    assert called(group, RED1, START) == ""
    group.kill(RED1)
    failed_over(group)
    new = named(group)
    said = called(group, RED1, START)
    assert f"{RED1} will start as a replica of {new}" in said
    group.start(RED1)
    assert group.call(RED1, "ROLE")[0] == "slave"
    assert called(group, new, START) == ""


@pytest.mark.long
def test_a_start_without_a_majority_changes_nothing(group: Group) -> None:
    group.kill(RED1)
    failed_over(group)
    for name in SENTINELS[1:]:
        group.kill(name)
    assert called(group, RED1, START) == ""
    assert "replicaof" not in file_of(group, RED1)


def test_a_master_that_is_stopped_hands_over_before(
    group: Group, record_property: Callable[[str, object], None]
) -> None:
    with Load(group, 1) as load:
        eventually(lambda: load.acknowledged > 200, "the load is on")
        began = time.monotonic()

        said = called(group, RED1, STOP)

        record_property("ms of the call", round((time.monotonic() - began) * 1e3))
        new = named(group)
        assert new in (RED2, RED3), said
        assert group.call(RED1, "ROLE")[0] == "slave", "it is a replica before it gets its SIGTERM"
        before = load.acknowledged
        eventually(lambda: load.acknowledged > before, "clients write again")
    assert load.lost() == 0
    agree_on(group, new)
    assert live(group) == filed(group) == USUAL
    assert sentinels_say(group, TIMEOUT) == {str(FAILOVER_TIMEOUT_MS)}


def test_a_replica_stops_and_a_master_without_fit_replicas_stops_without_any_ado(group: Group) -> None:
    assert f"the master is {RED1}" in called(group, RED2, STOP)
    for name in (RED2, RED3):
        group.kill(name)
    assert "no replica is fit to take over" in called(group, RED1, STOP)
    assert group.call(RED1, "SET", "taken", "yes") == "OK"
    assert live(group, RED1) == {RED1: USUAL[RED1]}


def test_what_it_cannot_read_keeps_nobody_from_anything(group: Group) -> None:
    for occasion in (START, STOP, END):
        process = begin(code_of(group, RED1, "{}"), occasion)
        said = process.communicate(timeout=60)[1]
        assert (process.returncode, said) == (
            0,
            "redis-fleet: nothing is done: not what a unit knows of its service: 'told'\n",
        )
