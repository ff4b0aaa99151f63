"""What a unit hands over with: written when it differs, removed when nobody wants it; nothing is restarted for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from redis_fleet.agent.host.digest import secret_digest, sha256
from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet, Process
from redis_fleet.observe.facts import MachineFacts, Observed
from redis_fleet.observe.request import host_request
from redis_fleet.plan.change_method import unit_difference, writing_unit
from redis_fleet.project import ROOT
from redis_fleet.render import handover
from redis_fleet.render.files import unit_file

FLEET = load_fleet(str(ROOT / "tests/golden/descriptions/crash-handover.redis.yml"))
PROCESS = FLEET.service("orders").processes[0]
PROGRAM, KNOWLEDGE = handover.paths(PROCESS)
PLACE = f"/etc/systemd/system/{PROCESS.unit}"


def seen(fleet: Fleet, process: Process) -> MachineFacts:
    """Return a machine that has what a process wants."""
    unit = unit_file(fleet, process)
    found = {file.path: file for file in handover.files(fleet, process)}
    return MachineFacts(
        fingerprints={unit.path: sha256(unit.content), **{path: sha256(found[path].content) for path in found}},
        texts={unit.path: unit.content.decode()},
        sealed={path: secret_digest(found[path].content.decode()) for path in found if path == KNOWLEDGE},
    )


THERE = seen(FLEET, PROCESS)


def decided(process: Process, facts: MachineFacts) -> tuple[str, str]:
    """Return what it takes to have the unit as described, and in what words."""
    found = Observed({process.machine: facts})
    return unit_difference(FLEET, process, found), writing_unit(FLEET, process, found)


def test_what_is_there_is_left() -> None:
    assert decided(PROCESS, THERE) == ("", f"write {PLACE}")


@pytest.mark.parametrize(
    "other",
    [
        replace(THERE, sealed={}),
        replace(THERE, sealed={KNOWLEDGE: secret_digest("another password")}),
        replace(THERE, fingerprints={**THERE.fingerprints, PROGRAM: sha256(b"of an older release")}),
        replace(THERE, fingerprints={**THERE.fingerprints, PROGRAM: None}),
    ],
)
def test_what_differs_is_written_without_a_restart(other: MachineFacts) -> None:
    place = f"/etc/redis-fleet/{PROCESS.unit.removesuffix('.service')}"
    assert decided(PROCESS, other) == ("reload", f"write {PLACE} and what it hands over with, {place}")


def test_what_nobody_wants_any_more_is_removed() -> None:
    without = replace(PROCESS, hands_over=False)
    unit = unit_file(FLEET, without)
    left = replace(THERE, fingerprints={**THERE.fingerprints, unit.path: sha256(unit.content)})
    what = f"write {PLACE}, remove {handover.folder(PROCESS)}"
    assert decided(without, left) == ("reload", what)
    assert decided(without, THERE) == ("reload", what)
    assert decided(without, seen(FLEET, without)) == ("", f"write {PLACE}")


def test_its_secrets_are_asked_for_as_digests_alone() -> None:
    asked = host_request(FLEET, "red1")
    assert PROGRAM in asked.files
    assert KNOWLEDGE in asked.sealed
    assert KNOWLEDGE not in (*asked.files, *asked.texts)
