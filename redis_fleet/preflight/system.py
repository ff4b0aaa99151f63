"""What a machine is: root, Python, systemd, distribution, packages, clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from redis_fleet.agent.messages.observation import HostState
from redis_fleet.observe.facts import MachineFacts
from redis_fleet.plan.machines import refusals, wanted_packages
from redis_fleet.platform import default, known, name_of, offered, platform
from redis_fleet.platform.platform import Platform
from redis_fleet.preflight.rows import Answer, Row, Site

# Seconds that clocks may differ: INFO, logs and expiry times are compared to the second.
_SKEW = 1.0


def reached(site: Site) -> Iterator[Row]:
    """Everything is done by a user who may become root (E30)."""
    if site.answer["root"]:
        yield site.good("root", "reached, and root by sudo", "E30")
    else:
        fix = "let the login user sudo, and give its password with -K; 'ansible_become: false' is not enough"
        yield site.fail("root", "reached, but not root", fix, "E30")


def python(site: Site) -> Iterator[Row]:
    """What redis-fleet runs on a machine is written for Python 3.9 (E31)."""
    found = tuple(site.answer["python"])
    text = ".".join(map(str, found))
    oldest = _platform(site).python
    if found >= oldest:
        yield site.good("python", text, "E31")
    else:
        fix = "install a newer one and name it in 'ansible_python_interpreter:'"
        yield site.fail("python", f"{text}, older than {'.'.join(map(str, oldest))}", fix, "E31")


def systemd(site: Site) -> Iterator[Row]:
    """Units are what starts a process after a crash and after a reboot (E31)."""
    found = site.answer["systemd"]
    if found is None:
        fix = "use a machine, or a container, whose first process is systemd"
        yield site.fail("systemd", "does not run this machine", fix, "E31")
    elif found["failed"]:
        yield site.good("systemd", f"{found['state']}, failed: {', '.join(found['failed'])}", "E31")
    else:
        yield site.good("systemd", found["state"] or "runs", "E31")


def container(site: Site) -> Iterator[Row]:
    """In a container the kernel, its settings and its clock are the host's (W8)."""
    if site.container:
        name = site.answer["virtual"] or "a container"
        yield site.good("container", f"{name}: kernel and clock are the host's, deploy leaves them alone", "W8")


def packages(site: Site) -> Iterator[Row]:
    """The server must be installed already, or on offer (E31)."""
    name = name_of(site.answer["system"])
    offer = offered(name, site.fleet.engine)
    if offer is None:
        fix = f"use one of {', '.join(known())}"
        yield site.fail("packages", f"{name} offers no {site.fleet.engine} that is known here", fix, "E31")
        return
    for package in wanted_packages(site.fleet, site.machine, offer):
        yield _package(site, package, name)


def _package(site: Site, package: str, name: str) -> Row:
    installed = site.answer["packages"].get(package)
    candidate = site.answer["candidates"].get(package)
    if installed:
        return site.good(package, f"{installed} is installed ({name})", "E31")
    if candidate:
        return site.good(package, f"{candidate} is on offer ({name}); deploy installs it", "E31")
    if not site.answer["lists"]:
        return site.good(package, f"not installed; deploy reads the package lists and installs it ({name})", "W34")
    provider = _platform(site).provider
    fix = f"see {provider.sources_folder} and '{provider.refresh}' there; deploy reads the lists again"
    return site.warn(package, f"not installed, and {provider.title} has not heard of it ({name})", fix, "W34")


def _platform(site: Site) -> Platform:
    """Return the platform of a machine; where that is unknown, the default one."""
    return platform(name_of(site.answer["system"])) or default(site.fleet.engine)


def refused(site: Site) -> Iterator[Row]:
    """What a plan would refuse for this machine: a default unit that runs, settings that its version has not (E16)."""
    if offered(name_of(site.answer["system"]), site.fleet.engine) is None:
        return
    for text in refusals(site.fleet, site.machine, facts_of(site.answer)):
        seen, _, fix = text.partition("; ")
        subject = "default unit" if "is not part of this deployment" in seen else "directive"
        rule = "E32" if subject == "default unit" else "E16"
        yield site.fail(subject, seen.removeprefix(f"{site.machine}: "), fix or "correct the value", rule)


def facts_of(answer: Answer) -> MachineFacts:
    """Return what the planner knows a machine by."""
    names = {each.name for each in fields(HostState)}
    return MachineFacts.of(HostState.from_json({name: value for name, value in answer.items() if name in names}))


def time_service(site: Site) -> Iterator[Row]:
    """Without a time service clocks drift apart by seconds a week (W32)."""
    running = site.answer["time_services"]
    if running:
        yield site.good("time service", ", ".join(running), "W32")
    elif site.container:
        yield site.good("time service", "none: the clock of a container is the host's", "W32")
    else:
        fix = f"{_platform(site).provider.command('systemd-timesyncd')}, or chrony"
        yield site.warn("time service", "none runs", fix, "W32")


def clock(site: Site) -> Iterator[Row]:
    """Replicas expire keys by their own clock, and logs of several machines are read side by side (W31)."""
    low, high = offset(site.answer)
    agreed = _agreed(site)
    distance = low - agreed if agreed < low else high - agreed if agreed > high else 0.0
    if abs(distance) > _SKEW:
        word = "ahead" if distance > 0 else "behind"
        fix = "start a time service there; a jump makes Sentinels go into TILT for 30 s, so before the deployment"
        yield site.warn("clock", f"at least {abs(distance):.1f} s {word} of the others", fix, "W31")
    else:
        yield site.good("clock", f"within {(high - low) / 2:.1f} s of the others, as far as can be measured", "W31")


def offset(answer: Answer) -> tuple[float, float]:
    """Return between which two numbers of seconds a machine's clock is ahead of the controller's.

    It began after it was asked and ended before the answer was here; how long the way was each time is not known.
    """
    times = answer["clock"]
    return times["end"] - times["answered"], times["begin"] - times["asked"]


def _agreed(site: Site) -> float:
    """Return the time that most clocks may have, the controller's (0) among them."""
    spans = [offset(answer) for answer in site.answers.values() if "clock" in answer] + [(0.0, 0.0)]
    candidates = [0.0, *(edge for span in spans for edge in span)]
    return max(candidates, key=lambda time: sum(low <= time <= high for low, high in spans))


CHECKS = (reached, python, systemd, container, packages, refused, time_service, clock)
