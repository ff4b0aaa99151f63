"""Single faults of a deployment that runs: each is named by status and by verify within one run, and nothing else is.

The table is tests/harness/live/faults.py; codes are compared, as programs do that read --json.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness.live.faults import FAULTS, sound
from tests.harness.live.sandboxes import Box, box

# The rest takes minutes: make test-all.
QUICK = ("a replica was made a master", "another password")


@pytest.fixture(scope="module", params=sorted({each.sample for each in FAULTS.values()}))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with box(tmp_path_factory.mktemp("faults") / "box", request.param) as one:
        sound(one)
        yield one


def said(made: Box, command: str) -> tuple[int, set[str]]:
    """Return exit code and codes of one run."""
    done = made.on(command, "--json")
    answer: dict[str, Any] = done.json()
    assert answer["ok"] is (done.code == 0)
    for trouble in answer["troubles"]:
        assert trouble["subject"]
        # What was counted may have changed from one look to the next.
        assert _uncounted(trouble["what"]) in _uncounted(done.err), "it is in no words"
    return done.code, {each["code"] for each in answer["troubles"]}


def _uncounted(text: str) -> str:
    return re.sub(r"\d+", "N", text)


def named(made: Box, name: str) -> None:
    """Make a fault, see that both commands name it, and undo it."""
    with FAULTS[name].made(made):
        for command in ("status", "verify"):
            code, codes = said(made, command)
            assert code == 1, command
            assert codes >= FAULTS[name].codes, command
    sound(made)


@pytest.mark.long
def test_without_a_fault_nothing_is_said(made: Box) -> None:
    for command in ("status", "verify"):
        code, codes = said(made, command)
        assert (code, sorted(codes)) == (0, [])


@pytest.mark.parametrize("made", ["replication"], indirect=True)
@pytest.mark.parametrize("name", QUICK)
def test_a_fault_is_named(made: Box, name: str) -> None:
    named(made, name)


@pytest.mark.long
@pytest.mark.parametrize(
    ("made", "name"),
    sorted((each.sample, name) for name, each in FAULTS.items() if name not in QUICK),
    indirect=["made"],
)
def test_each_fault_is_named(made: Box, name: str) -> None:
    named(made, name)


def test_there_are_enough() -> None:
    assert len(FAULTS) >= 25
