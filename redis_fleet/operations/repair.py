"""The repair of an append-only file: which process, as what it comes back, and the words for what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from redis_fleet.agent.messages.running import Repair, Repaired
from redis_fleet.model import Fleet, Process
from redis_fleet.observe.facts import Observed
from redis_fleet.observe.request import managed
from redis_fleet.operations.arguments import Arguments
from redis_fleet.operations.command import OperationCommand, Parameter, WrongArgumentError
from redis_fleet.operations.ports import OperationRefusedError
from redis_fleet.operations.procedure import Chosen, Done, Procedure, Situation
from redis_fleet.operations.report import OperationReport
from redis_fleet.plan.master import agree
from redis_fleet.platform import installation


@dataclass(frozen=True, kw_only=True)
class RepairReport(OperationReport):
    """How a repair went: ``repaired`` is what the machine did, or with ``dry`` would do; None where it failed.

    ``follow`` is whom the process follows (``none`` or ``ADDRESS PORT``).
    """

    process: str
    dry: bool = False
    follow: str = ""
    repaired: Repaired | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON-able values, flat; a failure has one ``problem``."""
        if self.repaired is None:
            return {"ok": self.ok, "process": self.process, "problem": self.failure}
        told = {"ok": self.ok, "process": self.process, "dry": self.dry, "follow": self.follow}
        return {**told, **asdict(self.repaired)}


class RepairCommand(OperationCommand):
    """A repair that says first what it would cut off."""

    name = "repair"
    help = """Start a process again that a power cut left with a damaged end of its append-only file.

    A copy is made first; then redis-check-aof cuts off what cannot be read, and the process is started, as a replica
    where another one has become the master. Nothing is touched when it runs, or when something else keeps it down. The
    same as: ansible-playbook -i FILE playbooks/repair.yml -e redis_fleet_process=PROCESS
    """
    parameters = (
        Parameter("process", "argument", "A server, NAME-PORT@MACHINE."),
        Parameter("discard", "flag", "Also where whole commands behind the damage are thrown away with it."),
    )
    tried = True

    def check(self, fleet: Fleet, given: Arguments) -> None:
        """Know the process."""
        servers, process = [each.id for service in fleet.services for each in service.processes], given.text("process")
        if process not in servers:
            raise WrongArgumentError(f"'{process}' is not a server of {fleet.source}; there are {', '.join(servers)}")

    def question(self, given: Arguments) -> str:  # noqa: ARG002
        """Ask about what was said."""
        return "do that?"

    def said(self, report: Mapping[str, Any]) -> str:
        """Say what was cut off."""
        return said(report)

    def failed(self, given: Arguments, failures: Sequence[str]) -> dict[str, Any]:
        """Return a failure as its report has it."""
        return {"ok": False, "process": given.text("process"), "problem": "; ".join(failures)}


class RepairProcedure(Procedure):
    """``process`` is an id (orders-6379@red2); ``discard`` allows whole commands behind the damage to be thrown away.

    With ``dry``, as in check mode, it only says what would be cut off. ``timeout`` is in seconds.
    """

    name = "repair"
    commands = (RepairCommand(),)

    def choose(self, situation: Situation) -> Chosen:
        """Choose from what was seen everywhere."""
        fleet, seen = situation.fleet, situation.observed()
        process, follow = chosen(fleet, seen, situation.given.text("process"))
        reachable = tuple(machine for machine in fleet.machines if seen.machines[machine].error is None)
        return Chosen(
            machine=process.machine,
            verb="repair",
            how="REPAIR",
            what=f"repair {process.id}",
            reachable=reachable,
            process=process.name,
            lock=not situation.given.truth("dry"),
            details={"follow": follow},
        )

    def do(self, situation: Situation, details: Mapping[str, str]) -> Done:
        """Keep a copy, cut the damaged end off, start the process; a failure is judged when the lock is given back."""
        fleet, given, follow = situation.fleet, situation.given, details["follow"]
        process = next(each for each in fleet.processes if each.id == given.text("process"))
        dry = given.truth("dry") or situation.trying
        timeout = given.number("timeout", 600)
        asked = repair_request(fleet, process, follow, discard=given.truth("discard"), timeout=timeout)
        try:
            answer = situation.machine.ask(asked, dry=dry)
        except OperationRefusedError as error:
            return Done(RepairReport(process=process.id, problems=(error.problem,)), changed=False)
        except RuntimeError as error:
            return Done(RepairReport(process=process.id, problems=(str(error),)), changed=False)
        report = RepairReport(process=process.id, dry=dry, follow=follow, repaired=answer)
        return Done(report, changed=True, summary=said(report.to_dict()))


PROCEDURE = RepairProcedure()


def chosen(fleet: Fleet, seen: Observed, name: str) -> tuple[Process, str]:
    """Return the process of an id and whom it has to follow (``none`` or ``ADDRESS PORT``).

    Raises OperationRefusedError. A master that was replaced while it was down must not come back as one: it would take
    writes until the Sentinels notice, and they would all be lost.
    """
    servers = {process.id: process for service in fleet.services for process in service.processes}
    process = servers.get(name)
    if process is None:
        raise OperationRefusedError(f"there is no server '{name}'; there are {', '.join(servers)}")
    machine = seen.machines[process.machine]
    if machine.error:
        raise OperationRefusedError(f"{process.machine} cannot be reached: {machine.error}")
    if seen.of(process).answers:
        raise OperationRefusedError(f"{name} runs and answers, so nothing keeps it from starting")
    if not seen.of(process).deployed:
        raise OperationRefusedError(f"{name} has no configuration file; redis-fleet deploy writes one")
    agreement = agree(fleet, fleet.service(process.service), seen)
    if agreement.master is None:
        raise OperationRefusedError(
            "; ".join(map(str, agreement.why)) or f"{process.service}: nobody says who the master is"
        )
    master = agreement.master
    return process, "none" if master == process.announced else f"{master.address} {master.port}"


def repair_request(fleet: Fleet, process: Process, follow: str, *, discard: bool, timeout: float) -> Repair:
    """Return what the machine of the process has to know; ``timeout`` is in seconds."""
    server = fleet.sandbox.server if fleet.sandbox else installation(fleet.engine).binaries["server"]
    return Repair(managed(process), server, follow, discard, timeout)


def said(report: Mapping[str, Any]) -> str:
    """Return what was done, or would be, as one sentence; ``report`` is a RepairReport as a dict."""
    would = "would be " if report["dry"] else ""
    cut = f"{report['cut']:,} of {report['size']:,} bytes {would}cut off the end of {report['file']}"
    cut += f", with {report['commands']:,} whole commands in them" if report["commands"] else ""
    copy = f"a copy {would or 'is '}{'kept as ' if would else ''}{report['backup']}"
    if report["dry"]:
        return f"{cut}; {copy}"
    as_what = "" if report["follow"] == "none" else f" as a replica of {report['follow'].replace(' ', ':')}"
    return f"{cut}; {report['process']} runs again{as_what} with {report['keys']:,} keys; {copy}"
