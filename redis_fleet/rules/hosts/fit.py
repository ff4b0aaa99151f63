"""What keeps a described process off a machine: what runs there, and its version. A plan refuses it, too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from redis_fleet import kinds
from redis_fleet.agent.messages.observation import HostState
from redis_fleet.catalogue import check, table, values
from redis_fleet.catalogue.faults import halves
from redis_fleet.model import Fleet
from redis_fleet.platform import name_of, offered, unwanted_units
from redis_fleet.rulebook import Rule, decides, declare

_RUNS = ("active", "activating", "reloading")
PORT_TAKEN = declare(
    "E32",
    "a port that another program has",
    reason="the server cannot listen there and does not start",
    source="bind(2): EADDRINUSE; redis: 'Could not create server TCP listening socket'",
    remedy="end the other program, or give the process another port",
    directives=("port", "tls-port", "bind"),
    needs="machine",
    firm="the server refuses to start without its port",
)

OTHER_VERSION = declare(
    "E26",
    "a machine with another version than the described one",
    reason="every directive was held against the described version, and what runs takes others or takes them otherwise",
    source="a package has one version; redis-fleet does not change it",
    remedy="write the version that the machine has, or install the described one on it",
    needs="machine",
    firm="nothing that was checked would hold for what runs",
)


@dataclass(frozen=True)
class Unfit:
    """One thing that stands in the way: where it is, what it is about, what is wrong, and what to do, if known."""

    rule: Rule
    where: str
    subject: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.remedy}" if self.remedy else f"{self.where}: {self.what}"


def unfit(fleet: Fleet, machine: str, host: HostState) -> Iterator[Unfit]:
    """Yield what stands in the way on a machine whose distribution offers the engine."""
    yield from _default_units(fleet, machine, host)
    yield from _version(fleet, machine, host)
    yield from _settings(fleet, machine, host)


@decides(PORT_TAKEN)
def _default_units(fleet: Fleet, machine: str, host: HostState) -> Iterator[Unfit]:
    """Yield the units that came with a package, run, and would share the ports and files of what is described."""
    for unit in unwanted_units(fleet, machine, host.system):
        if host.default_units.get(unit, {}).get("ActiveState") in _RUNS:
            remedy = f"if nobody needs it, 'systemctl disable --now {unit}' and run again"
            yield Unfit(PORT_TAKEN, machine, "default unit", f"{unit} runs and is not part of this deployment", remedy)


@decides(OTHER_VERSION)
def _version(fleet: Fleet, machine: str, host: HostState) -> Iterator[Unfit]:
    """Yield a version that is not the described one: what is installed, or what would be."""
    version = _has(fleet, host)
    if not fleet.version or table.same_release(fleet.version, version):
        return
    has = "it has" if host.version else f"{name_of(host.system)} offers"
    what = f"{has} {fleet.engine} {version}, and the description says {fleet.version}"
    remedy = f"write 'version: \"{table.release(version)}\"', or install {fleet.engine} {fleet.version} there first"
    yield Unfit(OTHER_VERSION, machine, "version", what, remedy)


@decides(check.UNKNOWN)
def _settings(fleet: Fleet, machine: str, host: HostState) -> Iterator[Unfit]:
    """Hold the settings against the very version of a machine; the description was checked against them all."""
    version = _has(fleet, host)
    catalogue = table.catalogue(fleet.engine, version)
    for process in fleet.on(machine):
        for setting in process.settings if kinds.of(process).versioned else ():
            directive = catalogue.meant(setting.name)
            where = f"{setting.position or fleet.source}: {setting.name} for {process.id}"
            if directive is None:
                what, remedy = f"{fleet.engine} {version} has no such directive", f"take it out or upgrade {machine}"
                yield Unfit(check.UNKNOWN, where, "directive", what, remedy)
            elif wrong := values.problem(directive, setting.reveal()):
                what, remedy = halves(wrong)
                yield Unfit(check.UNKNOWN, where, "directive", f"{fleet.engine} {version} refuses it: {what}", remedy)


def _has(fleet: Fleet, host: HostState) -> str:
    """Return the version that is installed, or else the one that the distribution offers."""
    packages = offered(name_of(host.system), fleet.engine)
    return host.version or (packages.version if packages else "")
