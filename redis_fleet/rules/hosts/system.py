"""What a machine is: root, Python, systemd, distribution, packages, clock."""

from __future__ import annotations

from collections.abc import Iterator

from redis_fleet.catalogue import check
from redis_fleet.kinds import wanted_packages
from redis_fleet.model import Process
from redis_fleet.platform import default, installation, known, name_of, offered, platform
from redis_fleet.platform.platform import Platform
from redis_fleet.render.files import has_unit_file
from redis_fleet.render.unit_needs import unit_needs
from redis_fleet.rulebook import declare
from redis_fleet.rules.hosts import fit
from redis_fleet.rules.hosts.host import Answered, HostReport, Row, on_hosts
from redis_fleet.rules.hosts.kernel import KERNEL_SETTINGS

# Rules are worded for the platform that is most often there; the pre-flight itself names what a machine has.
_PROVIDER = default("redis").provider
# Seconds that clocks may differ: INFO, logs and expiry times are compared to the second.
_SKEW = 1.0


NOT_REACHED = declare(
    "E30",
    "a machine that cannot be reached as root",
    reason="a deployment works on all machines or none: it stops before the first change when one does not answer",
    source="redis-fleet's own",
    remedy="see its address, ssh (ansible_user, key, -k) and sudo (-K)",
    needs="machine",
    firm="nothing can be deployed to it",
)

UNFIT_MACHINE = declare(
    "E31",
    "a machine without what a deployment stands on",
    reason="units need systemd and the namespaces that they are made of, what runs on a machine needs Python 3.9, "
    "servers are the distribution's packages",
    source="redis-fleet's own; systemd.exec(5): PrivateUsers ('Failed to set up user namespacing', 217/USER)",
    remedy="use a machine with systemd and one of the distributions that redis-fleet knows",
    needs="machine",
    firm="nothing can be deployed to it",
)

CLOCKS_DIFFER = declare(
    "W31",
    "clocks that differ",
    reason="keys expire by the clock of the machine that holds them, since 7.0 at a time that the master said;"
    " a clock that is put right by a jump makes a Sentinel do nothing for 30 s (TILT)",
    source="redis.io, replication and Sentinel: TILT mode",
    remedy="keep the time of all machines by NTP",
    needs="machine",
)

NO_TIME_SERVICE = declare(
    "W32",
    "no time service",
    reason="without one clocks drift apart by seconds a week",
    source="redis-fleet's own",
    remedy=f"{_PROVIDER.command('systemd-timesyncd')}, or chrony",
    needs="machine",
)

UNKNOWN_PACKAGE = declare(
    "W34",
    f"a package that {_PROVIDER.title} has not heard of",
    reason="a deployment reads the package lists and installs it, if the machine's sources have it",
    source="redis-fleet's own",
    remedy=f"see {_PROVIDER.sources}, and that the machine reaches its mirror",
    needs="machine",
)


@on_hosts(NOT_REACHED)
def reached(host: HostReport) -> Iterator[Row]:
    """Everything is done by a user who may become root."""
    if host.facts.root:
        yield host.holds("root", "reached, and root by sudo", NOT_REACHED)
    else:
        fix = "let the login user sudo, and give its password with -K; 'ansible_become: false' is not enough"
        yield host.breaks("root", "reached, but not root", fix, NOT_REACHED)


@on_hosts(UNFIT_MACHINE)
def python(host: HostReport) -> Iterator[Row]:
    """What redis-fleet runs on a machine is written for Python 3.9."""
    found = tuple(host.facts.python)
    text = ".".join(map(str, found))
    oldest = _platform(host).python
    if found >= oldest:
        yield host.holds("python", text, UNFIT_MACHINE)
    else:
        fix = "install a newer one and name it in 'ansible_python_interpreter:'"
        yield host.breaks("python", f"{text}, older than {'.'.join(map(str, oldest))}", fix, UNFIT_MACHINE)


@on_hosts(UNFIT_MACHINE)
def systemd(host: HostReport) -> Iterator[Row]:
    """Units are what starts a process after a crash and after a reboot."""
    found = host.facts.systemd
    if found is None:
        fix = "use a machine, or a container, whose first process is systemd"
        yield host.breaks("systemd", "does not run this machine", fix, UNFIT_MACHINE)
    elif found.failed:
        yield host.holds("systemd", f"{found.state}, failed: {', '.join(found.failed)}", UNFIT_MACHINE)
    else:
        yield host.holds("systemd", found.state or "runs", UNFIT_MACHINE)


@on_hosts(UNFIT_MACHINE)
def namespaces(host: HostReport) -> Iterator[Row]:
    """What a unit hides and protects is done by namespaces, which an unprivileged container may not be given."""
    units = [unit_needs(each, default(host.fleet.engine), installation(host.fleet.engine)) for each in _ours(host)]
    asked = {"user": any(each.private_users for each in units), "mount": bool(units)}
    lacking = [name for name in host.facts.withheld if asked.get(name)]
    if lacking:
        seen = f"no {' and no '.join(lacking)} namespace is given to units here: none of them would start"
        fix = "let the container nest (LXC, Proxmox: 'features: nesting=1'), or see sysctl user.max_user_namespaces"
        yield host.breaks("namespaces", seen, fix, UNFIT_MACHINE)
    elif units:
        yield host.holds("namespaces", "given to units", UNFIT_MACHINE)


def _ours(host: HostReport) -> list[Process]:
    return [process for process in host.processes if has_unit_file(process)]


@on_hosts(KERNEL_SETTINGS)
def container(host: HostReport) -> Iterator[Row]:
    """In a container the kernel, its settings and its clock are the host's."""
    if host.container:
        name = host.facts.virtual or "a container"
        yield host.holds(
            "container", f"{name}: kernel and clock are the host's, deploy leaves them alone", KERNEL_SETTINGS
        )


@on_hosts(UNFIT_MACHINE, UNKNOWN_PACKAGE)
def packages(host: HostReport) -> Iterator[Row]:
    """The server must be installed already, or on offer."""
    name = name_of(host.facts.system)
    offer = offered(name, host.fleet.engine)
    if offer is None:
        fix = f"use one of {', '.join(known())}"
        yield host.breaks("packages", f"{name} offers no {host.fleet.engine} that is known here", fix, UNFIT_MACHINE)
        return
    for package in wanted_packages(host.fleet, host.machine, offer):
        yield _package(host, package, name)


def _package(host: HostReport, package: str, name: str) -> Row:
    installed = host.facts.packages.get(package)
    candidate = host.facts.candidates.get(package)
    if installed:
        return host.holds(package, f"{installed} is installed ({name})", UNFIT_MACHINE)
    if candidate:
        return host.holds(package, f"{candidate} is on offer ({name}); deploy installs it", UNFIT_MACHINE)
    if not host.facts.lists:
        return host.holds(
            package, f"not installed; deploy reads the package lists and installs it ({name})", UNKNOWN_PACKAGE
        )
    provider = _platform(host).provider
    fix = f"see {provider.sources_folder} and '{provider.refresh}' there; deploy reads the lists again"
    return host.breaks(
        package, f"not installed, and {provider.title} has not heard of it ({name})", fix, UNKNOWN_PACKAGE
    )


def _platform(host: HostReport) -> Platform:
    """Return the platform of a machine; where that is unknown, the default one."""
    return platform(name_of(host.facts.system)) or default(host.fleet.engine)


@on_hosts(fit.PORT_TAKEN, fit.OTHER_VERSION, check.UNKNOWN)
def refused(host: HostReport) -> Iterator[Row]:
    """What a plan would refuse here: a default unit that runs, another version, settings that this version has not."""
    if offered(name_of(host.facts.system), host.fleet.engine) is None:
        return
    for unfit in fit.unfit(host.fleet, host.machine, host.facts):
        seen = unfit.what if unfit.where == host.machine else f"{unfit.where}: {unfit.what}"
        yield host.breaks(unfit.subject, seen, unfit.remedy or "correct the value", unfit.rule)


@on_hosts(NO_TIME_SERVICE)
def time_service(host: HostReport) -> Iterator[Row]:
    """Without a time service clocks drift apart by seconds a week."""
    running = host.facts.time_services
    if running:
        yield host.holds("time service", ", ".join(running), NO_TIME_SERVICE)
    elif host.container:
        yield host.holds("time service", "none: the clock of a container is the host's", NO_TIME_SERVICE)
    else:
        fix = f"{_platform(host).provider.command('systemd-timesyncd')}, or chrony"
        yield host.breaks("time service", "none runs", fix, NO_TIME_SERVICE)


@on_hosts(CLOCKS_DIFFER)
def clock(host: HostReport) -> Iterator[Row]:
    """Replicas expire keys by their own clock, and logs of several machines are read side by side."""
    low, high = offset(host.answer)
    agreed = _agreed(host)
    distance = low - agreed if agreed < low else high - agreed if agreed > high else 0.0
    if abs(distance) > _SKEW:
        word = "ahead" if distance > 0 else "behind"
        fix = "start a time service there; a jump makes Sentinels go into TILT for 30 s, so before the deployment"
        yield host.breaks("clock", f"at least {abs(distance):.1f} s {word} of the others", fix, CLOCKS_DIFFER)
    else:
        yield host.holds(
            "clock", f"within {(high - low) / 2:.1f} s of the others, as far as can be measured", CLOCKS_DIFFER
        )


def offset(answer: Answered) -> tuple[float, float]:
    """Return between which two numbers of seconds a machine's clock is ahead of the controller's.

    It began after it was asked and ended before the answer was here; how long the way was each time is not known.
    """
    times = answer.facts.clock
    return times.end - answer.answered, times.begin - answer.asked


def _agreed(host: HostReport) -> float:
    """Return the time that most clocks may have, the controller's (0) among them."""
    spans = [offset(answer) for answer in host.answers.values() if isinstance(answer, Answered)] + [(0.0, 0.0)]
    candidates = [0.0, *(edge for span in spans for edge in span)]
    return max(candidates, key=lambda time: sum(low <= time <= high for low, high in spans))
