"""What is done to damaged append-only files, by every version's own redis-check-aof."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from redis_fleet.agent.conf import aof
from redis_fleet.agent.conf.aof_check import checker, cut, examine
from redis_fleet.agent.errors import RefusedError
from redis_fleet.agent.process.repair import copy
from redis_fleet.drills.lab import Lab, Server
from tests.harness.engines import available
from tests.harness.live.processes import server_binary

_SERVERS = [str(each.server) for each in available()] or [server_binary()]
# Before 7.0 an append-only file is a single one.
_WITH_MANIFEST = [str(each.server) for each in available() if int(each.version.split(".")[0]) >= 7] or [server_binary()]
_IDS = [str(each) for each in available()] or ["this machine's"]


@pytest.fixture(params=_SERVERS, ids=_IDS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Give a server that was killed after a rewrite and 200 more writes, each of them one command in its file."""
    with Lab(request.param) as lab:
        made = lab.server("written", 'save ""', "appendonly yes", "appendfsync no").start()
        made.call("SET", "kept", "x" * 100)
        for _ in range(200):
            made.call("INCR", "count")
        made.kill()
        yield made


def layout(server: Server) -> aof.Layout:
    """Return its files."""
    found = aof.layout(server.folder, "appendonly.aof", "appendonlydir")
    assert found
    return found


@pytest.mark.parametrize("ending", [b"", bytes(700), b"*3\r\n$3\r\nSET\r\n$1\r\n"], ids=["half", "zeros", "begun"])
def test_a_damaged_end_is_cut_off_and_nothing_else(server: Server, ending: bytes) -> None:
    file = layout(server).last
    whole = file.read_bytes()
    size = len(whole) - 4 if not ending else len(whole)
    file.write_bytes(whole[:size] + ending)
    backup = server.folder / "copy"
    copy(layout(server).whole, backup)
    with checker(server.binary) as tool:
        damage = examine(tool, layout(server))
        assert (damage.size, damage.commands) == (size + len(ending), 0)
        cut(tool, layout(server))
    assert file.read_bytes() == whole[: damage.size - damage.cut]
    kept = backup / file.name if backup.is_dir() else backup
    assert kept.read_bytes() == whole[:size] + ending
    server.start()
    assert int(server.call("GET", "count")) == (199 if not ending else 200)


def test_a_sound_file_and_one_damaged_elsewhere_are_left_alone(server: Server) -> None:
    with checker(server.binary) as tool:
        with pytest.raises(RefusedError, match="nothing is wrong"):
            examine(tool, layout(server))
        first = layout(server).files[0]
        if first == layout(server).last:
            return
        whole = first.read_bytes()
        first.write_bytes(whole[:20] + bytes(10) + whole[30:])
        with pytest.raises(RefusedError, match=r"is not the end of|nothing is wrong"):
            examine(tool, layout(server))


def test_commands_behind_the_damage_are_counted(server: Server) -> None:
    file = layout(server).last
    whole = file.read_bytes()
    middle = len(whole) // 2
    file.write_bytes(whole[:middle] + bytes(30) + whole[middle + 30 :])
    with checker(server.binary) as tool:
        assert 90 < examine(tool, layout(server)).commands < 110


@pytest.mark.parametrize("server", _WITH_MANIFEST, indirect=True, ids=str)
def test_a_missing_manifest_is_no_empty_server(server: Server) -> None:
    if layout(server).check == layout(server).last:
        pytest.skip("this version has none")
    layout(server).check.unlink()
    with pytest.raises(ValueError, match="the server would start empty"):
        layout(server)


def test_what_checks_belongs_to_the_server(tmp_path: Path) -> None:
    script = tmp_path / "redis-server"
    script.write_text("#!/bin/sh\n")
    with pytest.raises(RefusedError, match=r"there is no .*/redis-check-aof"), checker(str(script)):
        pass
    beside = tmp_path / "redis-check-aof"
    beside.write_text("#!/bin/sh\n")
    beside.chmod(0o755)
    with checker(str(script)) as tool:
        assert tool == str(beside)
