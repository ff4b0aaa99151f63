"""Lives for a while, and whether they find what is broken on purpose; ``make lives`` lives longer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.live.sandboxes import ROOT
from tests.lives.history import (
    BOTH,
    PLAIN,
    Double,
    Promotion,
    Told,
    Written,
    disputed,
    enthroned,
    promotions,
    replacements,
    required,
    told,
    unelected,
)

SECONDS = os.environ.get("REDIS_FLEET_LIVES", "35")
PATIENCE = "20"
"""Seconds in which lives are begun, and for which the last ones are waited for: a share of the quick tests."""
OURS, THEIRS = "a" * 40, "b" * 40


def live(*words: str) -> subprocess.CompletedProcess[str]:
    """Live."""
    command = [sys.executable, "-m", "tests.lives", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_no_life_goes_wrong() -> None:
    done = live("--seconds", SECONDS, "--patience", PATIENCE, "--seed", "12")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 violations" in done.stdout


# What is lost is what was written in some milliseconds.
HAND_OVERS = "; ".join(6 * ["state.hand_over(to='')"]).removeprefix("state.")
# Whoever is promoted by hand may be the very one that has the newest data.
CRASHES = "; state.settle(); state.".join(
    4 * ["crash(part='master', fate=(3, 'another is promoted'), late=0.0, again=True)"]
)
SHORTEST = {
    "no-fence": HAND_OVERS,
    "announced-before-promoted": "hand_over(to='')",
    "no-majority": "hand_over_by_a_minority(at=2, strike='cut off from two Sentinels')",
    "wrong-epoch": "hand_over(to='')",
    "old-epoch": "hand_over(to='')",
    "no-demotion": "hand_over(to='')",
    "fence-left": "hand_over(to='')",
    "short-timeout-left": "hand_over(to='')",
    "others-not-repointed": "hand_over(to='')",
    "not-undone": "hand_over_by_a_minority(at=4, strike='two Sentinels die')",
    "votes-without-bound": "election_abandoned_and_crash(at=5)",
    "crashed-comes-back-writable": "crash(part='master', fate=None, late=0.0, again=True)",
    "crash-without-votes": "crash(part='master', fate=None, late=None, again=True)",
    "crash-not-told": "crash(part='master', fate=None, late=0.0, again=True)",
    "crash-blind-to-a-master": CRASHES,
    "stopped-without-handing-over": "stop(part='master', machine=False, fate=None)",
}
"""The shortest life in which each is found."""
BY_CHANCE = (
    "no-fence",
    "old-epoch",
    "no-demotion",
    "fence-left",
    "crash-without-votes",
    "stopped-without-handing-over",
)
"""Found in a minute by lives that nobody chose, as most hand-overs show it. The others take one of a few moments, which
may not come in ten minutes: for these there is the chosen life above."""


@pytest.mark.long
@pytest.mark.parametrize(("name", "step"), SHORTEST.items(), ids=SHORTEST)
def test_the_shortest_life_finds_it(tmp_path: Path, name: str, step: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(f"state = Lives()\nstate.build()\nstate.{step}\nstate.teardown()\n")
    broken = live("--replay", str(script), "--mutant", name)
    assert broken.returncode == 1, broken.stdout + broken.stderr
    whole = live("--replay", str(script))
    assert whole.returncode == 0, whole.stdout + whole.stderr


@pytest.mark.long
@pytest.mark.parametrize("name", BY_CHANCE)
def test_what_is_broken_is_found_by_chance(name: str) -> None:
    """Only what any life with a hand-over shows, see BY_CHANCE."""
    done = live("--seconds", "600", "--mutant", name)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "state = Lives()" in done.stdout, "the script that does it again"


def test_logs_are_read() -> None:
    text = (
        "7:X 28 Nov 2026 14:48:33.123 # +vote-for-leader " + OURS + " 3\n"
        "7:X 28 Nov 2026 14:48:33.200 * Sentinel new configuration saved on disk\n"
        "7:X 28 Nov 2026 14:48:34.000 * +failover-state-send-slaveof-noone slave 127.0.0.1:6380 127.0.0.1 6380"
        " @ orders 127.0.0.1 6379\n"
    )
    vote, promoted = told({"sentinel1": text})
    assert (vote.event, vote.words) == ("+vote-for-leader", (OURS, "3"))
    assert promotions([vote, promoted]) == [Promotion(promoted.at, "127.0.0.1:6380", "127.0.0.1:6379")]


def test_an_epoch_needs_a_majority_or_a_sentinel_that_elected_itself() -> None:
    def votes(leader: str, *voters: str) -> list[Told]:
        return [Told(each, 1.0, "+vote-for-leader", (leader, "3")) for each in voters]

    assert unelected(votes(OURS, "one", "two"), [3], [THEIRS], 3) == []
    assert unelected(votes(THEIRS, "one"), [3], [THEIRS], 3) == []
    assert len(unelected(votes(OURS, "one"), [3], [THEIRS], 3)) == 1
    assert len(unelected(votes(OURS, "one", "two"), [4], [THEIRS], 3)) == 1


def test_what_must_be_there() -> None:
    early, plain, both = Written(0, 1.0, PLAIN, "a"), Written(1, 3.0, PLAIN, "a"), Written(2, 3.0, BOTH, "a")
    failover = Promotion(4.0, "b")

    def wanted(*, safe: list[float], killed: list[tuple[float, str]] | None = None) -> list[Written]:
        return required([early, plain, both], [failover], safe, killed or [])

    assert required([early, plain, both], [], [0.0], []) == [early, plain, both]
    assert wanted(safe=[0.0]) == [both]
    assert wanted(safe=[0.0, 2.0]) == [early, both]
    assert wanted(safe=[0.0, 2.0, 3.5]) == [early, plain, both], "all had everything before the failover"
    assert wanted(safe=[0.0], killed=[(3.5, "b")]) == [], "whoever was promoted had been killed"
    assert wanted(safe=[0.0], killed=[(3.5, "a")]) == [both]


def test_two_masters_are_somebodys_fault() -> None:
    double = Double(4.5, frozenset({"a", "b"}))

    def found(*promoted: Promotion, safe: float = 0.0, excused: float = 9.0) -> bool:
        return disputed([double], promoted, [0.0, safe], [excused]) == [double]

    assert found()
    assert found(Promotion(4.0, "b", old="c")), "a Sentinel promoted one, and we another"
    assert not found(Promotion(4.0, "b", old="a")), "a Sentinel replaced one that went on"
    assert not found(Promotion(4.0, "b", old="c"), Promotion(4.2, "a", old="c")), "two Sentinels, one of which ended"
    assert found(Promotion(4.0, "b", old="a"), safe=4.2), "that was over"
    assert not found(excused=4.0)


def test_journals_tell_when_a_unit_replaced_a_master() -> None:
    text = (
        "1795901502.07 red1 sh[174]: redis-fleet: nothing is handed over: the master is orders-6379@red2\n"
        "1795901523.25 red1 python3[212]: redis-fleet: orders-6379@red1 has ended\n"
        "1795901523.27 red1 systemd[1]: redis-orders-6379.service: Main process exited, code=killed\n"
        "1795901523.28 red1 sh[212]: redis-fleet: orders-6379@red2 is the master in the place of orders-6379@red1\n"
        "1795901533.25 red1 python3[233]: redis-fleet: orders-6379@red1 has ended\n"
        "1795901533.35 red1 python3[233]: redis-fleet: left to the Sentinels: no majority of the Sentinels answers\n"
        "1795901543.25 red1 python3[244]: redis-fleet: orders-6379@red1 has ended\n"
    )
    assert replacements([text, ""]) == [
        (1795901523.25, 1795901523.28),
        (1795901533.25, 1795901533.35),
        (1795901543.25, 1795901555.25),
    ]


@pytest.mark.parametrize("words", [("--mutant", "no-fence"), ("--jobs", "2")])
def test_what_makes_no_sense_on_hosts_is_refused(words: tuple[str, ...]) -> None:
    done = live("--hosts", "12", *words)
    assert (done.returncode, words[0] in done.stderr) == (2, True)


def test_logs_of_servers_are_read() -> None:
    text = "9:S 28 Nov 2026 14:48:34.000 * MASTER MODE enabled (user request from 'id=7 addr=::1')\n9:M 28 Nov\n"
    (one,) = enthroned({"127.0.0.1:6380": text})
    assert one.place == "127.0.0.1:6380"
