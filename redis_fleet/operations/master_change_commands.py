"""switchover and promote: the commands that change the master of a service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from redis_fleet.model import Fleet, Service
from redis_fleet.operations.arguments import Arguments
from redis_fleet.operations.command import OperationCommand, Parameter, WrongArgumentError
from redis_fleet.operations.ports import OperationRefusedError
from redis_fleet.operations.report import unit
from redis_fleet.operations.switchover_report import wrong_way

_SERVICE = Parameter("service", "argument", "A service of the description.")
_TO = Parameter("to", "option", "The machine (or process, name-port@machine) that becomes the master.")
_BY = Parameter("by", "option", "election, or failover by a Sentinel; without it an election where one can be won.")


class SwitchoverCommand(OperationCommand):
    """A switchover, with the numbers of the client that wrote meanwhile."""

    name = "switchover"
    help = """Make another process the master, on purpose and without losing a write; the old one becomes a replica.

    A client writes meanwhile; the report says for how long writes were refused and how many are missing. Whatever goes
    wrong before the change is undone. Without --to the replica with the newest data is taken. The same as:
    ansible-playbook -i FILE playbooks/switchover.yml -e redis_fleet_service=SERVICE -e redis_fleet_to=MACHINE
    """
    parameters = (_SERVICE, _TO, _BY)

    def check(self, fleet: Fleet, given: Arguments) -> None:
        """Know the service, its process and the way."""
        known(fleet, given)
        if wrong := wrong_way(given.text("by")):
            raise WrongArgumentError(wrong)

    def question(self, given: Arguments) -> str:
        """Say what it costs."""
        goal = f" to {given.text('to')}" if given.text("to") else ""
        return f"switch '{given.text('service')}' over{goal}? Its writes are refused for up to about a second"

    def said(self, report: Mapping[str, Any]) -> str:
        """Say who the master is, also where it was the master already."""
        done = report["new_master"] != report["old_master"]
        return f"{report['new_master']} is the master" if done else f"{report['new_master']} is the master already"

    def numbers(self, report: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
        """Return what the client counted, where anything was changed."""
        if not report or not report["old_master"] or report["new_master"] == report["old_master"]:
            return ()
        return (
            ("writes refused for", unit(report["write_gap_ms"], "ms")),
            ("acknowledged writes", unit(report["acknowledged"])),
            ("of these lost", unit(report["acknowledged_lost"])),
            ("handed over by", report["by"] or "REPLICAOF"),
            ("master", f"{report['old_master']} → {report['new_master'] or 'as before'}"),
        )


class PromoteCommand(OperationCommand):
    """A promotion where the master is lost and nobody watches."""

    name = "promote"
    help = """Make a replica the master where no Sentinel watches and the master is lost; the others then follow it.

    Refused while a master answers: switchover is for that, and loses nothing. What the lost master had not yet sent to
    the replica is gone. When it comes back, the next deploy makes it a replica.
    """
    parameters = (_SERVICE, _TO)
    always: ClassVar[Mapping[str, Any]] = {"redis_fleet_promote": True}

    def check(self, fleet: Fleet, given: Arguments) -> None:
        """Refuse what Sentinels do themselves."""
        if known(fleet, given).watch:
            raise OperationRefusedError(
                f"the Sentinels promote a replica of '{given.text('service')}' themselves; "
                "use switchover while the master runs"
            )

    def question(self, given: Arguments) -> str:
        """Say who is going to be the master of what."""
        return (
            f"promote {given.text('to') or 'the replica with the newest data'} to the master of "
            f"'{given.text('service')}'?"
        )

    def said(self, report: Mapping[str, Any]) -> str:
        """Say who the master is."""
        return f"{report['new_master']} is the master"


def known(fleet: Fleet, given: Arguments) -> Service:
    """Return the service that is asked for; raises WrongArgumentError for one, or a place of it, that there is not."""
    service, to = given.text("service"), given.text("to")
    named = {each.name: each for each in fleet.services}
    if service not in named:
        raise WrongArgumentError(f"'{service}' is not a service of {fleet.source}; there are {', '.join(named)}")
    places = [name for process in named[service].processes for name in (process.machine, process.id)]
    if to and to not in places:
        raise WrongArgumentError(f"'{service}' has no process on '{to}'; it has {', '.join(dict.fromkeys(places))}")
    return named[service]
