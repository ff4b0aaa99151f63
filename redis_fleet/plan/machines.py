"""What a machine needs before a process can be put on it: packages, masked default units, kernel settings."""

from __future__ import annotations

from collections.abc import Iterator

from redis_fleet import kinds
from redis_fleet.agent.host.digest import sha256
from redis_fleet.catalogue import table
from redis_fleet.catalogue.one_word import about, size
from redis_fleet.kinds import wanted_packages
from redis_fleet.model import Fleet
from redis_fleet.observe.facts import MachineFacts, Observed
from redis_fleet.plan.refusal import Refusal
from redis_fleet.plan.steps import Prepare
from redis_fleet.platform import known, masks, name_of, offered, unwanted_units
from redis_fleet.render.files import kernel_files, kernel_settings
from redis_fleet.rulebook import decides
from redis_fleet.rules.hosts import fit
from redis_fleet.rules.memory import OVERSHARED
from redis_fleet.settings.shares import in_words, unknown


def refusals(fleet: Fleet, machine: str, facts: MachineFacts) -> Iterator[Refusal]:
    """Yield why nothing can be put on a machine."""
    if fleet.sandbox:
        return
    name = name_of(facts.system)
    packages = offered(name, fleet.engine)
    if packages is None:
        what = f"{name} offers no {fleet.engine} that is known here (known: {', '.join(known())})"
        yield Refusal("system-unknown", machine, what)
        return
    for each in fit.unfit(fleet, machine, facts):
        yield Refusal("machine-unfit", each.where, each.what, each.remedy, each.rule.id)


@decides(OVERSHARED)
def memory_refusals(fleet: Fleet, seen: Observed) -> Iterator[Refusal]:
    """Yield shares of a machine's memory that nobody can work out, or that are more than it has."""
    for process, setting in unknown(fleet.processes):
        what = f"{setting.name} is {in_words(setting)}, which could not be read"
        remedy = f"write 'memory: 16gb', or what it has, below machines.{process.machine}"
        yield Refusal("memory-unknown", process.id, what, remedy)
    for name in fleet.machines:
        whole = seen.machines[name].memory
        settings = [setting for process in fleet.on(name) for setting in process.settings]
        together = sum(size(each.word) for each in settings if each.share and each.share.of)
        if whole and together > whole:
            what = f"its shares of memory come to {about(together)}, and it has {about(whole)}"
            yield Refusal("memory-unknown", name, what, f"correct 'memory:' below machines.{name}", OVERSHARED.id)


def shares(fleet: Fleet, seen: Observed) -> Iterator[str]:
    """Yield what the share of its machine's memory comes to for each process that is not there yet."""
    for process in fleet.processes:
        facts = seen.of(process)
        for setting in process.settings:
            if setting.share and not (facts.answers and facts.deployed):
                yield f"{process.id}: {setting.name} {in_words(setting)} on {process.machine}"


def steps(fleet: Fleet, machine: str, facts: MachineFacts) -> Iterator[Prepare]:
    """Yield the one step that prepares a machine, if it needs any."""
    if fleet.sandbox:
        return
    packages = offered(name_of(facts.system), fleet.engine)
    if packages is None:
        return
    missing = [name for name in wanted_packages(fleet, machine, packages) if name not in facts.packages]
    reasons = [f"{', '.join(missing)} not installed"] if missing else []
    reasons += [f"{unit} is not masked" for unit in _unmasked(fleet, machine, facts)]
    if not facts.container:
        reasons += _kernel(fleet, machine, facts)
    if reasons:
        what = f"prepare the machine: {'install packages, ' if missing else ''}keep default units off, kernel settings"
        yield Prepare(machine, what, "; ".join(reasons))


def _unmasked(fleet: Fleet, machine: str, facts: MachineFacts) -> list[str]:
    units = unwanted_units(fleet, machine, facts.system)
    pairs = zip(units, masks(units), strict=True)
    return [unit for unit, mask in pairs if mask not in facts.masked]


def _kernel(fleet: Fleet, machine: str, facts: MachineFacts) -> list[str]:
    reasons = [f"{name} is {facts.kernel.get(name)}" for name, value in _kernel_wants(fleet, machine, facts)]
    for file in kernel_files(fleet, machine):
        if facts.fingerprints.get(file.path) != sha256(file.content):
            reasons.append(f"{file.path} is missing or differs")
    return reasons


def _kernel_wants(fleet: Fleet, machine: str, facts: MachineFacts) -> Iterator[tuple[str, str]]:
    """Yield the kernel settings that are not as Redis wants them, with the wanted value."""
    for name, value in kernel_settings(fleet, machine):
        found = facts.kernel.get(name)
        enough = found == value or (name.endswith("somaxconn") and int(found or 0) >= int(value))
        if not enough:
            yield name, value
    if facts.kernel.get("transparent_hugepage") == "always" and not fleet.keeps_setup(machine):
        yield "transparent_hugepage", "madvise"


def notes(fleet: Fleet, machine: str, facts: MachineFacts) -> Iterator[str]:
    """Yield what is left as it is: in a container the kernel belongs to the host."""
    if fleet.sandbox or not facts.container:
        return
    left = [f"{name} is {facts.kernel.get(name)}, not {value}" for name, value in _kernel_wants(fleet, machine, facts)]
    if left:
        yield f"{machine} is a container: its kernel is the host's and is left alone ({'; '.join(left)})"


def running(fleet: Fleet, seen: Observed) -> Iterator[str]:
    """Yield, by what they run, the processes that run something else than what is described."""
    described = f"{fleet.engine} {fleet.version}".rstrip()
    found: dict[str, list[str]] = {}
    for process in fleet.processes:
        facts = seen.of(process)
        other = facts.engine != fleet.engine or not table.same_release(fleet.version, facts.version)
        if facts.answers and facts.deployed and kinds.of(process).versioned and other:
            found.setdefault(f"{facts.engine} {facts.version}", []).append(process.id)
    for runs, names in found.items():
        yield f"{', '.join(names)}: {runs} runs, and the description says {described}: what was checked may not hold"
