"""A first deployment against installing the packages, and a deployment with nothing to do against a ping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.bench import machines
from tests.bench.machines import Site
from tests.bench.report import Comparison, Trips

NOTHING_TO_DO = 3.0
FIRST = 1.6
_PACKAGES = "install the packages"
Say = Callable[[str], None]


@dataclass
class _Found:
    """Seconds of each round, and what the runs did."""

    first: list[Trips] = field(default_factory=list)
    install: list[float] = field(default_factory=list)
    ping: list[float] = field(default_factory=list)
    playbook: list[float] = field(default_factory=list)
    command: list[float] = field(default_factory=list)
    trips: list[Trips] = field(default_factory=list)


def measure(rounds: int, quick_rounds: int, release: str, say: Say) -> tuple[list[Comparison], list[Trips]]:
    """Compare first deployments in ``rounds`` rounds of fresh hosts, and deployments with nothing to do on the last.

    Raises BenchError when a run fails, EngineError when hosts cannot be had.
    """
    found = _Found()
    for number in range(rounds):
        last = number == rounds - 1
        # Who comes first changes from round to round; the last one to run is a deployment, which is then used.
        install_first = (rounds - 1 - number) % 2 == 0
        for what in ("install", "deploy") if install_first else ("deploy", "install"):
            with machines.fresh(release) as site:
                if what == "install":
                    found.install.append(site.install())
                    say(f"round {number + 1}: packages alone in {found.install[-1]:.1f} s")
                else:
                    found.first.append(site.journey("first deployment", "deploy"))
                    say(f"round {number + 1}: first deployment in {found.first[-1].seconds:.1f} s")
                    if last:
                        _again(site, found, quick_rounds)
    return _comparisons(found), [found.first[-1], *found.trips]


def _again(site: Site, found: _Found, rounds: int) -> None:
    """Measure on machines that have what they should; everything runs once before, so that connections are open."""
    runs: list[tuple[list[float], Callable[[], float]]] = [
        (found.ping, site.ping),
        (found.playbook, lambda: site.playbook("deploy")),
        (found.command, lambda: site.redis_fleet("deploy")),
    ]
    for number in range(-1, rounds):
        for samples, run in runs if number % 2 else reversed(runs):
            seconds = run()
            if number >= 0:
                samples.append(seconds)
    found.trips = [site.journey("nothing to do", "deploy"), site.journey("verify", "verify")]


def _comparisons(found: _Found) -> list[Comparison]:
    ping, apt = tuple(found.ping), tuple(found.install)
    whole = tuple(trips.seconds for trips in found.first)
    packages = tuple(trips.seconds_of(_PACKAGES) for trips in found.first)
    rest = tuple(all_ - some for all_, some in zip(whole, packages, strict=True))
    quick = "ansible -m ping"
    return [
        Comparison("nothing to do: ansible-playbook", quick, tuple(found.playbook), ping, target=NOTHING_TO_DO),
        Comparison("nothing to do: redis-fleet deploy", quick, tuple(found.command), ping, target=NOTHING_TO_DO),
        Comparison("first deployment", "apt-get alone", whole, apt, target=FIRST),
        Comparison("  of it, installing packages", "apt-get alone", packages, apt),
        Comparison("  of it, everything else", "apt-get alone", rest, apt),
    ]
