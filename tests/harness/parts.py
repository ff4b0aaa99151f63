"""The parts of the tests: what each runs, what it needs of this machine, and how its checks are counted."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from redis_fleet.loopback import PORTS
from tests.harness import counts
from tests.harness.counts import Counts

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / ".cache" / "test-logs"
_BIN = Path(sys.executable).parent
_PATH = f"{_BIN}:{ROOT / '.cache' / 'bin'}:{os.environ['PATH']}"
_SUITES = ("live", "lives", "package", "fuzz", "unit", "golden", "invalid", "rules", "harness")
_DRILLS = ("drills", "report")
# Tests that run side by side take different ports: one that is down for a moment has its port still.
_PORTS = {"pytest": "10000-21383", "drills": "21384-32767"}
_LONG = {
    "REDIS_FLEET_BOUNDARIES": "all",
    "REDIS_FLEET_LIVES": "1800",
    "REDIS_FLEET_LONG": "1",
    "REDIS_FLEET_SWITCHOVERS": "20",
    "PLAN_LIVES": "300",
}
SCENARIOS = ("sentinel", "shared_machines")
LONG_SCENARIO = "changes"


@dataclass(frozen=True)
class Part:
    """Commands run one after the other, all of them even when one fails; ``finally_`` runs whatever happened.

    ``seconds`` bounds the whole part: for what hangs, so it is long enough beside busy neighbours. ``reports`` matches
    JUnit files among the logs: their checks are counted beside the commands; without it each command is one check.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    needs: frozenset[str] = frozenset()
    finally_: tuple[tuple[str, ...], ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 600
    reports: str = ""

    @property
    def log(self) -> Path:
        """Where everything that the part prints goes."""
        return LOGS / f"{self.name}.log"

    def forget(self) -> None:
        """Remove the reports of an earlier run."""
        for report in LOGS.glob(self.reports) if self.reports else []:
            report.unlink()

    def count(self, succeeded: list[bool]) -> Counts:
        """Count the part's checks; a command that failed without a failed check of its own counts as one."""
        if not self.reports:
            return counts.of_commands(succeeded)
        found = sum((counts.of_junit(report) for report in LOGS.glob(self.reports)), Counts())
        return found if all(succeeded) or found.failed else found + Counts(failed=1)

    def skips(self) -> Counter[str]:
        """Return how many of the part's checks were skipped for each reason."""
        reports = LOGS.glob(self.reports) if self.reports else ()
        return sum(map(counts.skips, reports), Counter())


def choose(only: list[str], images: list[str], *, every_part: bool = False) -> list[Part]:
    """Return the wanted parts, longest first; when none is named the usual ones, with ``every_part`` all of them."""
    scenarios = [part for image in images for part in (molecule(each, image) for each in SCENARIOS)]
    long = [*(molecule(LONG_SCENARIO, image) for image in images), faults("12"), wheel("12"), *map(takeover, images)]
    long += [*map(systemd, images), host_lives("12")]
    usual = [pytest("pytest", _SUITES, long=every_part), *scenarios, pytest("drills", _DRILLS, long=every_part), lint()]
    every = [*long, *usual] if every_part or only else usual
    return [part for part in every if not only or _named(part, only)]


def _named(part: Part, only: list[str]) -> bool:
    return part.name in only or part.name.rsplit("-", 1)[0] in only


def lint() -> Part:
    """Style, types, YAML and playbooks."""
    commands = (
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy", "-p", "redis_fleet", "-p", "tests"),
        ("yamllint", "--strict", "--config-file", ".config/yamllint.yml", "."),
        ("ansible-lint", "--offline", "--nocolor", "--config-file", ".config/ansible-lint.yml"),
    )
    return Part("lint", commands, environment={"PATH": _PATH})


def pytest(name: str, suites: tuple[str, ...], *, long: bool = False) -> Part:
    """Folders of tests that need no test host: units, golden files, bad descriptions, live processes on loopback.

    When it may be ``long`` a killed deployment is tried at every boundary and a switchover twenty times.
    """
    folders = [f"tests/{suite}" for suite in suites if any((ROOT / "tests" / suite).rglob("test_*.py"))]
    # A file's tests share what runs, and may build on one another; what takes longest comes first.
    side_by_side = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
    command = ("pytest", *side_by_side, "--junitxml", str(LOGS / f"{name}.xml"), *folders)
    needs = frozenset({"redis", "engines", "mariadb", "browser"})
    environment = {"PATH": _PATH, PORTS: _PORTS[name], **(_LONG if long else {})}
    seconds = 9000 if long else 6000
    return Part(name, (command,), needs, environment=environment, seconds=seconds, reports=f"{name}.xml")


def faults(image: str) -> Part:
    """Deployments and switchovers while packets between the hosts are dropped."""
    return _on_hosts("faults", image, frozenset({"packets"}), seconds=5400)


def host_lives(image: str) -> Part:
    """Half an hour of random lives of a deployment, on hosts between which packets are dropped."""
    more = {"REDIS_FLEET_HOST_LIVES": "1800"}
    return _on_hosts("host_lives", image, frozenset({"packets"}), seconds=5400, environment=more)


def takeover(image: str) -> Part:
    """A deployment that was made by hand, imported and changed."""
    return _on_hosts("takeover", image, seconds=2700)


def wheel(image: str) -> Part:
    """The wheel alone, from an empty folder: every drill, a deployment over ssh, plain Ansible."""
    return _on_hosts("wheel", image, frozenset({"redis", "mariadb"}), seconds=3600)


def systemd(image: str) -> Part:
    """Directives that need something of their unit."""
    return _on_hosts("systemd", image, frozenset({"compiler"}), seconds=2700)


def _on_hosts(
    suite: str,
    image: str,
    needs: frozenset[str] = frozenset(),
    *,
    seconds: float,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Part:
    """The tests of one folder that bring up hosts themselves; the hosts go away even when it is stopped half way."""
    name = f"{suite}-{image}"
    return Part(
        name,
        (("pytest", "--junitxml", str(LOGS / f"{name}.xml"), f"tests/{suite}"),),
        frozenset({"ssh", "hosts", "direct"}) | needs,
        ((sys.executable, "-m", "tests.harness.hosts", "down", name),),
        {"PATH": _PATH, "REDIS_FLEET_IMAGE": image, "REDIS_FLEET_HOSTS": name, **environment},
        seconds=seconds,
        reports=f"{name}.xml",
    )


def molecule(scenario: str, image: str) -> Part:
    """One molecule scenario on one release; its hosts go away even when it is stopped half way."""
    name = f"{scenario}-{image}"
    environment = {
        "PATH": _PATH,
        "MOLECULE_GLOB": "tests/molecule/*/molecule.yml",
        # Only what runs after create gets the description as its inventory: before, there is none.
        "MOLECULE_ANSIBLE_ARGS_STRICT_MODE": "1",
        "MOLECULE_EPHEMERAL_DIRECTORY": str(ROOT / ".cache" / "molecule" / name),
        "REDIS_FLEET_IMAGE": image,
        "REDIS_FLEET_REPORTS": str(LOGS / name),
        "ANSIBLE_FORCE_COLOR": "0",
        "NO_COLOR": "1",
    }
    return Part(
        name,
        (("molecule", "--base-config", ".config/molecule/config.yml", "test", "--scenario-name", scenario),),
        # The tests of "changes" write to the servers from this machine.
        frozenset({"ssh", "hosts", *(("direct",) if scenario == "changes" else ())}),
        ((sys.executable, "-m", "tests.harness.hosts", "down", name),),
        environment,
        seconds=2700,
        reports=f"{name}*.xml",
    )
