"""Another master for a service of a fleet: by a switchover while the old one runs, by a promotion where it is lost."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from redis_fleet.agent.messages.handover import AskManualMasters, ManualMasters
from redis_fleet.model import Fleet, Service
from redis_fleet.operations import promotion, switchover
from redis_fleet.operations.ansible_control import AnsibleRoleControl
from redis_fleet.operations.clients import client_of, from_here
from redis_fleet.operations.interruptible import InterruptibleClient, noting_interrupts
from redis_fleet.operations.manual_master import note
from redis_fleet.operations.master_change_commands import PromoteCommand, SwitchoverCommand
from redis_fleet.operations.ports import OperationRefusedError, Say
from redis_fleet.operations.procedure import Chosen, Done, Procedure, Situation
from redis_fleet.operations.remote_client import Ask
from redis_fleet.operations.switchover_report import SwitchoverReport, wrong_way
from redis_fleet.topology.service_access import described, target
from redis_fleet.topology.state_paths import masters_file


def switch_over(
    fleet: Fleet,
    service: Service,
    to: str | None,
    ask: Ask,
    say: Say,
    *,
    measure: bool = True,
    by: str = "",
    interrupted: threading.Event | None = None,
) -> SwitchoverReport:
    """Switch a service over to a machine or process (id; None: the fittest); whatever goes wrong is in the report.

    ``by`` is ELECTION or FAILOVER, empty: an election where one can be won.
    A refusal is a report with ``undone`` true. ``interrupted`` is set by whoever handles signals; without it Ctrl-C and
    SIGTERM are handled here, for the rest of this process.
    """
    aim = target(fleet, service)
    eyes = InterruptibleClient(client_of(aim, ask, here=from_here(aim)), interrupted or noting_interrupts())
    roles = AnsibleRoleControl(aim, described(fleet, service), ask)
    try:
        return switchover.run(aim, roles, eyes, say, to, measure=measure, by=by)
    except OperationRefusedError as error:
        return SwitchoverReport(service=service.name, problems=(error.problem,), undone=True)
    except RuntimeError as error:
        return SwitchoverReport(service=service.name, problems=(str(error),))
    except KeyboardInterrupt:
        return SwitchoverReport(service=service.name, problems=("interrupted; no step was left half done",))


def promote(fleet: Fleet, service: Service, to: str | None, ask: Ask, say: Say) -> SwitchoverReport:
    """Promote a replica of a service without Sentinels whose master is down; reports as ``switch_over``."""
    aim = target(fleet, service)
    try:
        return promotion.run(aim, AnsibleRoleControl(aim, {}, ask).promote, say, to)
    except RuntimeError as error:
        return SwitchoverReport(service=service.name, problems=(str(error),))


def master_place(service: Service, report: SwitchoverReport) -> str:
    """Return the ``address:port`` of the new master, empty where none was promoted."""
    return next((str(each.announced) for each in service.processes if each.id == report.new_master), "")


class MasterChangeProcedure(Procedure):
    """``service`` gets another master: the one on ``to``, or the fittest; ``promote`` where the old one is lost.

    With ``measure`` a client writes meanwhile.
    """

    name = "switchover"
    commands = (SwitchoverCommand(), PromoteCommand())

    def check(self, situation: Situation) -> None:
        """Refuse to try it, and services that there are not."""
        if situation.trying:
            raise OperationRefusedError("a switchover cannot be tried, only done")
        known = [each.name for each in situation.fleet.services]
        service = situation.given.text("service")
        if service not in known:
            raise OperationRefusedError(f"there is no service '{service}'; there are {', '.join(known)}")
        if wrong := wrong_way(situation.given.text("by")):
            raise OperationRefusedError(wrong)

    def ask(self, situation: Situation) -> Mapping[str, Any]:
        """Return the records of this machine; that it answers is worth knowing too."""
        path = masters_file(situation.fleet, situation.machine.name)
        return {"records": situation.machine.ask(AskManualMasters(path)).to_json()["records"]}

    def choose(self, situation: Situation) -> Chosen:
        """Work from the wanted machine, else from one of the service, that answers."""
        fleet, given, service = situation.fleet, situation.given, _service(situation)
        verb = "promote" if given.truth("promote") else "switchover"
        to, own = given.text("to"), [process.machine for process in service.processes]
        reachable = tuple(machine for machine in fleet.machines if "records" in situation.answers[machine])
        wanted = [each for each in dict.fromkeys([to.rpartition("@")[2], *own, *fleet.machines]) if each in reachable]
        if not wanted:
            raise OperationRefusedError("no machine can be reached")
        return Chosen(wanted[0], verb, "SWITCHOVER", " ".join(filter(None, (verb, service.name, to))), reachable)

    def do(self, situation: Situation, details: Mapping[str, str]) -> Done:  # noqa: ARG002
        """Change the master; what went wrong after that is a failure only when the records are written."""
        fleet, given, service = situation.fleet, situation.given, _service(situation)
        to, ask, say = given.text("to") or None, situation.machine.ask, situation.say
        if given.truth("promote"):
            report = promote(fleet, service, to, ask, say)
        else:
            measure = given.truth("measure", default=True)
            report = switch_over(fleet, service, to, ask, say, measure=measure, by=given.text("by"))
        told = {"master": master_place(service, report)}
        return Done(report, report.changed, told=told, at_once=not report.changed)

    def remember(self, situation: Situation, report: Mapping[str, Any]) -> bool:
        """Note here who is the master now, unless Sentinels remember it or nothing was changed."""
        fleet, service = situation.fleet, _service(situation)
        if service.watch or report["new_master"] in ("", report["old_master"]):
            return False
        master = next(str(each.announced) for each in service.processes if each.id == report["new_master"])
        answers = (each["records"] for each in situation.answers.values() if "records" in each)
        records = [ManualMasters.from_json({"records": each}).records for each in answers]
        known = [each[service.name] for each in records if service.name in each]
        situation.machine.ask(note(fleet, situation.machine.name, service.name, master, known))
        return True


PROCEDURE = MasterChangeProcedure()


def _service(situation: Situation) -> Service:
    return situation.fleet.service(situation.given.text("service"))
