"""For how long clients cannot write when a master fails, with crash-handover and without, on hosts with systemd."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.bench.machines import MACHINES, BenchError
from tests.bench.report import Gaps
from tests.harness.hosts import hosts
from tests.harness.hosts.clients import Client, calm, master
from tests.harness.hosts.deployment import Deployment, deployed
from tests.harness.hosts.engine import ROOT
from tests.harness.hosts.waiting import eventually

Say = Callable[[str], None]
SAMPLE = ROOT / "tests" / "systemd" / "handover.redis.yml"
CLIENTS = 3
_SET = "bench-failing"
_KEY = 'crash-handover: "yes"'
_UNIT = "redis-orders-6379"


def measure(rounds: int, release: str, wanted: Collection[str], say: Say) -> list[Gaps]:
    """Let a master fail in every ``wanted`` way, under three writers that never pause.

    ``rounds`` are for what takes no long time, some fewer for the rest. Raises BenchError where a write is lost.
    """
    few, ways = max(1, rounds // 5), [each for each in _WAYS if each.word in wanted]
    with (
        tempfile.TemporaryDirectory(prefix="rf-bench-") as folder,
        deployed(_SET, SAMPLE, Path(folder), MACHINES, release) as deployment,
    ):
        found = {each.name: _gaps(deployment, each, rounds if each.quick else few, say) for each in ways}
        deployment.edit(_KEY, 'crash-handover: "no"')
        deployment.deploy()
        say("without crash-handover")
        without = {each.name: _gaps(deployment, each, few, say, on=False) for each in ways}
    return [Gaps(name, tuple(gaps), tuple(without[name])) for name, gaps in found.items()]


def _gaps(deployment: Deployment, way: _Way, rounds: int, say: Say, *, on: bool = True) -> list[float]:
    """Return for how many seconds the unluckiest client could not write, each round; ``on``: with crash-handover.

    Raises BenchError where an acknowledged write is lost that did not have to be.
    """
    found = []
    for _ in range(rounds):
        old = calm(deployment)
        with ExitStack() as stack:
            clients = [stack.enter_context(Client(deployment, f"bench:{number}")) for number in range(CLIENTS)]
            way.do(deployment, old)
            if on or not way.restarted:
                eventually(lambda: master(deployment) not in ("", old), f"{way.name}: another one is the master")  # noqa: B023
            for each in clients:
                each.goes_on(100)
            found.append(max(each.gap for each in clients) / 1000)
        hosts.power_on(deployment.hosts[old])
        deployment.exec(old, "systemctl", "start", _UNIT)
        lost = sum(each.lost for each in clients)
        if lost and not (way.lossy if on else way.do != _switch_over):
            raise BenchError(f"{way.name}: {lost} acknowledged writes were lost")
        say(f"{way.name}: {found[-1] * 1000:.0f} ms, {lost} lost")
    return found


def _switch_over(deployment: Deployment, _: str) -> None:
    done = deployment.run("switchover", "orders", "--yes")
    if done.code:
        raise BenchError(f"switchover: {done.text}")


def _kill(deployment: Deployment, old: str) -> None:
    deployment.exec(old, "sh", "-c", f"kill -9 $(systemctl show -p MainPID --value {_UNIT})")


def _stop(deployment: Deployment, old: str) -> None:
    deployment.exec(old, "systemctl", "stop", _UNIT)


def _reboot(deployment: Deployment, old: str) -> None:
    hosts.shut_down(deployment.hosts[old])


def _lose_power(deployment: Deployment, old: str) -> None:
    hosts.power_off(deployment.hosts[old])


@dataclass(frozen=True)
class _Way:
    """One way in which a master ends.

    ``word`` asks for it. ``quick``: a round takes some seconds. ``lossy``: nobody could ask for what replicas lack, or
    nobody did.
    ``restarted``: systemd has it back before a Sentinel finds it down, and it goes on as the master.
    """

    word: str
    name: str
    do: Callable[[Deployment, str], None]
    quick: bool = False
    lossy: bool = False
    restarted: bool = False


_WAYS = (
    _Way("switchover", "switchover", _switch_over, quick=True),
    _Way("kill", "kill -9 of the process", _kill, quick=True, lossy=True, restarted=True),
    _Way("stop", "systemctl stop", _stop),
    _Way("reboot", "reboot of its machine", _reboot),
    _Way("power", "power loss of its machine", _lose_power, lossy=True),
)
WAYS = tuple(each.word for each in _WAYS)
