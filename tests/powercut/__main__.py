"""Cut the power of an emulated machine under each appendfsync, again and again, and count what is lost.

``python -m tests.powercut [--rounds 5] [--seconds 10]``; the first run builds the machine's disk (.cache/powercut).
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import subprocess
import sys
import tarfile
import threading
import time
from dataclasses import asdict
from pathlib import Path

from redis_fleet.agent.access import Access
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.kind import SERVER
from redis_fleet.agent.messages.process import ManagedProcess
from redis_fleet.agent.messages.running import Repair
from redis_fleet.agent.protocol.resp import ReplyError
from redis_fleet.drills.writers import Loss
from redis_fleet.project import ROOT
from tests.harness.prerequisites import provide
from tests.powercut.judge import POLICIES, Round, lines, problems
from tests.powercut.machine import Machine, PowerCutError

_FOLDER = ROOT / ".cache" / "powercut"
_CODE = "redis_fleet/__init__.py"
_TRIES = 3
_PROCESS = ManagedProcess(
    "redis-server",
    SERVER,
    Access(Endpoint("127.0.0.1", 6379)),
    "/etc/redis/redis.conf",
    "redis-server.service",
    "/var/lib/redis",
    "/var/log/redis/redis-server.log",
    "/run/redis/redis-server.pid",
)
_REQUEST = Repair(_PROCESS, "/usr/bin/redis-server", timeout=240.0)
_REPAIR = (
    "import json, sys; from redis_fleet.agent.process.repair import repair; "
    "from redis_fleet.agent.messages.running import Repair; "
    "print(json.dumps(repair(Repair.from_json(json.load(sys.stdin))).to_json()))"
)


def main() -> int:
    """Do it, print the table; 1 where something was lost that must not be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long to write before a cut, at most")
    given = parser.parse_args()
    lacking = provide({"emulator"}, _say)
    if lacking or os.geteuid():
        _say(lacking.get("emulator", "making the disk of the machine needs root"))
        return 1
    if not (_FOLDER / "root.img").exists():
        _say("making the disk of the machine: some minutes")
        _FOLDER.mkdir(parents=True, exist_ok=True)
        subprocess.run([str(Path(__file__).with_name("build.sh")), str(_FOLDER)], check=True)
    try:
        with Machine(_FOLDER) as machine:
            rounds = _rounds(machine, given.rounds, given.seconds)
    except PowerCutError as error:
        _say(str(error))
        return 1
    (_FOLDER / "result.json").write_text(json.dumps([asdict(each) for each in rounds], indent=2), encoding="utf-8")
    _say("\n".join(lines(rounds)))
    wrong = problems(rounds)
    _say("\n".join(wrong))
    return 1 if wrong else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n" if text else "")
    sys.stdout.flush()


def _rounds(machine: Machine, count: int, seconds: float) -> list[Round]:
    done = []
    machine.boot()
    _ship(machine)
    for number in range(count):
        for policy in POLICIES:
            key = f"count:{number}:{policy}"
            acknowledged = _write_and_cut(machine, policy, key, seconds * random.uniform(0.5, 1.0))
            crashed = time.monotonic()
            machine.boot()
            cut = _started_or_repaired(machine)
            with machine.client() as connection:
                kept = int(connection.call("GET", key) or 0)
            there = min(kept, len(acknowledged))
            oldest = crashed - acknowledged[there] if there < len(acknowledged) else 0.0
            loss = Loss(len(acknowledged), there, oldest)
            done.append(Round(policy, loss, acknowledged[-1] - acknowledged[0], cut))
            repaired = f"; {cut} bytes were cut off before it started" if cut else ""
            _say(f"round {number + 1}, {policy}: {loss.kept} of {loss.acknowledged} kept{repaired}")
    return done


def _ship(machine: Machine) -> None:
    """Bring the code of redis_fleet.agent there, and on its disk."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path in (_CODE, *sorted(str(each.relative_to(ROOT)) for each in ROOT.glob("redis_fleet/agent/**/*.py"))):
            archive.add(ROOT / path, path)
    done = machine.run("tar -xf - -C /root && sync", given=packed.getvalue())
    if done.returncode:
        raise PowerCutError(done.stderr.decode(errors="replace"))


def _write_and_cut(machine: Machine, policy: str, key: str, seconds: float) -> list[float]:
    """Count one key up and cut the power in the middle; returns when each INCR was acknowledged."""
    machine.wait(machine.answers, "its server answers")
    acknowledged: list[float] = []
    with machine.client() as connection:
        connection.call("CONFIG", "SET", "appendfsync", policy)
        cutting = threading.Timer(seconds, machine.cut)
        cutting.start()
        try:
            while True:
                connection.call("INCR", key)
                acknowledged.append(time.monotonic())
        except (OSError, ReplyError):
            cutting.join()
    if not acknowledged:
        raise PowerCutError(f"nothing was acknowledged within {seconds:.0f} s")
    return acknowledged


def _started_or_repaired(machine: Machine) -> int:
    """Wait until its server runs, repair its file where it does not start; returns how many bytes were cut off."""
    machine.wait(lambda: machine.answers() or _failed(machine), "its server runs or has failed")
    if machine.answers():
        return 0
    done = machine.run(f"cd /root && python3 -c '{_REPAIR}'", given=json.dumps(_REQUEST.to_json()).encode())
    if done.returncode:
        raise PowerCutError(f"the repair failed: {done.stderr.decode(errors='replace')[-500:]}")
    return int(json.loads(done.stdout)["cut"])


def _failed(machine: Machine) -> bool:
    """Say whether systemd has given its server up; a slow machine tries again so slowly that it goes on for ever."""
    shown = machine.run("systemctl show --property=ActiveState,NRestarts redis-server").stdout.decode().split()
    state = dict(line.split("=", 1) for line in shown)
    return state.get("ActiveState") == "failed" or int(state.get("NRestarts", 0)) >= _TRIES


if __name__ == "__main__":
    sys.exit(main())
