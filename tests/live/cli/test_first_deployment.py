"""A deployment that stops half way: what is on disk then is what ``render`` gives, and the next run goes on from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from redis_fleet.loading import load_fleet
from redis_fleet.render.files import machine_files
from redis_fleet.sandbox import binary, state
from tests.harness.live.sandboxes import Box, box


@pytest.fixture
def unstarted(tmp_path: Path) -> Iterator[Box]:
    """Give a sandbox whose servers start when they are tried, and not in earnest: only ``sandbox.json`` is there."""
    with box(tmp_path / "box", "sentinel", up=False) as made:
        server = made.folder / "server"
        real = binary.find("redis").path
        server.write_text(f'#!/bin/sh\ncase "$1" in --version|*/redis-fleet-trial-*) exec {real} "$@";; esac\nexit 1\n')
        server.chmod(0o755)
        made.prepare(str(server))
        yield made


def test_the_written_files_are_the_rendered_ones_and_the_next_run_goes_on(unstarted: Box) -> None:
    fleet = unstarted.fleet
    rendered = {file.path: file.content for machine in fleet.machines for file in machine_files(fleet, machine)}

    stopped = unstarted.on("deploy")

    assert stopped.code == 1
    assert "does not start" in stopped.err
    written = {str(path): path.read_bytes() for path in unstarted.root.rglob("*") if path.is_file()}
    written = {path: content for path, content in written.items() if path.endswith(".conf")}
    assert written == rendered
    assert len(written) == len(fleet.processes)
    assert {Path(path).stat().st_mode & 0o777 for path in written} == {0o600}

    note = unstarted.root / "sandbox.json"
    note.write_text(json.dumps({**state.read(unstarted.root), "server": binary.find("redis").path}))
    done = unstarted.on("deploy")
    assert done.code == 0, done.both
    assert f"changed={2 * len(fleet.machines)};" in done.out
    assert unstarted.pids().keys() == {process.id for process in fleet.processes}


def test_rendered_for_machines_it_is_the_same_but_for_places(unstarted: Box) -> None:
    """``render`` writes the files of the machines; a sandbox has the same directives, some with other values."""
    output = unstarted.folder / "output"
    done = unstarted.fleet_command("render", "--output", output)

    assert done.code == 0, done.both
    for process in load_fleet(str(unstarted.file)).processes:
        text = (output / process.machine / process.paths.configuration.lstrip("/")).read_text(encoding="utf-8")
        names = {line.split()[0] for line in text.splitlines() if line and not line.startswith("#")}
        here = {setting.name.split()[0] for setting in unstarted.process(process.id).settings}
        assert here - names <= {"repl-diskless-sync-delay"}
        assert names - here == set()
