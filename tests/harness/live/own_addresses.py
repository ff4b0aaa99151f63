"""A description whose machines have their own addresses, all of them this machine's: for a namespace of its own.

``python -m tests.harness.live.own_addresses FILE FOLDER`` deploys it by plans as the playbooks do, switches over, loses
a master, and ends with 0 when every plan and every verification in between was as it should be.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from redis_fleet import kinds
from redis_fleet.agent.inspect.observe import observe
from redis_fleet.agent.process.start import start
from redis_fleet.agent.replication.handover import hand_over
from redis_fleet.agent.replication.verification import verify
from redis_fleet.agent.replication.view import view
from redis_fleet.ansible.requests import process_parts, start_request
from redis_fleet.description.members import is_address
from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet, Process, Sandbox, Setting
from redis_fleet.observe.facts import Observed, observed
from redis_fleet.observe.request import request
from redis_fleet.plan.planner import plan
from redis_fleet.plan.steps import STAGES
from redis_fleet.platform import installation
from redis_fleet.settings.layout import SandboxLayout
from redis_fleet.topology.service_access import described, target
from tests.harness.live.processes import eventually, server_binary

Steps = list[dict[str, Any]]
_SERVICE = "orders"
_PIECE = 65536


def placed(file: str, folder: Path) -> Fleet:
    """Return the fleet of a file at its own addresses, its files below a folder, under nobody's supervision."""
    fleet = load_fleet(file)
    services = tuple(replace(each, processes=_moved(fleet, each.processes, folder)) for each in fleet.services)
    sandbox = Sandbox(str(folder), server_binary())
    return replace(fleet, services=services, sentinels=_moved(fleet, fleet.sentinels, folder), sandbox=sandbox)


def _moved(fleet: Fleet, processes: tuple[Process, ...], folder: Path) -> tuple[Process, ...]:
    layout, found = SandboxLayout(str(folder)), []
    for process in processes:
        paths = layout.paths(installation(fleet.engine), kinds.of(process), process.machine, process.name)
        own = {"daemonize": "yes", "supervised": "no", "pidfile": paths.pid, "logfile": paths.log, "dir": paths.data}
        settings = tuple(
            Setting(each.name, ((own[each.name],),)) if each.name in own else each for each in process.settings
        )
        found.append(replace(process, paths=paths, settings=settings))
    return tuple(found)


class Deployment:
    """What is deployed, seen and done as the playbooks do it, one machine after the other."""

    def __init__(self, fleet: Fleet) -> None:
        """Nothing runs yet."""
        self.fleet = fleet
        self.service = fleet.service(_SERVICE)
        self.target = target(fleet, self.service)

    def seen(self) -> Observed:
        """Look at every machine."""
        return observed({name: observe(request(self.fleet, name)) for name in self.fleet.machines})

    def planned(self) -> Steps:
        """Return the steps of a plan; it must not be refused."""
        made = plan(self.fleet, self.seen()).to_dict()
        assert not made["refusals"], made["refusals"]
        return list(made["steps"])

    def deploy(self) -> Steps:
        """Do the steps of a plan that write and start; there must be no others."""
        steps = self.planned()
        assert {each["how"] for each in steps} <= {"START"}, steps
        for stage in STAGES:
            for machine in self.fleet.machines:
                mine = [each for each in steps if (each["stage"], each["machine"]) == (stage, machine)]
                if mine:
                    self._do(machine, mine, write=stage == "write")
        return steps

    def _do(self, machine: str, steps: Steps, *, write: bool) -> None:
        named = {each["process"] for each in steps}
        parts = process_parts(self.fleet, [each for each in self.fleet.on(machine) if write and each.name in named])
        asked = start_request(self.fleet, machine, [] if write else steps, parts, 60.0)
        start(asked)

    def settled(self) -> bool:
        """Whether each Sentinel lists each process once, up, where it announces to be, and there is nothing to do."""
        seen = view(self.target)
        masters = {each.id for each in seen.members if each.role == "master"}
        places = {each.id: str(each.announced) for each in self.fleet.processes}
        for sentinel in seen.sentinels:
            named = next((name for name in masters if places[name] == sentinel.master), "")
            replicas = sorted(places[each.id] for each in self.service.processes if each.id != named)
            others = sorted(places[each.id] for each in self.fleet.sentinels if each.id != sentinel.id)
            rows = [(each.place, each.flags) for each in (*sentinel.replicas, *sentinel.sentinels)]
            wanted = [(each, ("slave",)) for each in replicas] + [(each, ("sentinel",)) for each in others]
            if sorted(rows) != sorted(wanted) or sentinel.flags != ("master",):
                return False
        return len(masters) == 1

    def sound(self, what: str) -> None:
        """See that everybody knows everybody, that a plan has nothing to do, and that every check is ok."""
        eventually(self.settled, f"{what}: the Sentinels list each process once", 60)
        assert self.planned() == [], what
        wrong = [each for each in verify(self.target) if not each.ok]
        assert not wrong, (what, wrong)
        sys.stdout.write(f"{what}: {self.named()} is the master\n")

    def named(self) -> str:
        """Return the id of the one that says it is the master."""
        (master,) = (each.id for each in view(self.target).members if each.role == "master")
        return master

    def switch_over(self) -> None:
        """Move the master as a machine does it; no Sentinel and no server may be asked for."""
        old = self.named()
        others = [each.id for each in self.service.processes if each.id != old]
        done = hand_over(self.target, old, others[0], described(self.fleet, self.service))
        # Nobody told the Sentinels which one to prefer.
        assert done.master in others, done

    def lose_master(self) -> str:
        """Kill the master and wait for another one; returns the old one, which is down."""
        old = self.named()
        process = next(each for each in self.fleet.processes if each.id == old)
        os.kill(self.seen().of(process).pid, signal.SIGKILL)

        def replaced() -> bool:
            seen = view(self.target)
            masters = [each.id for each in seen.members if each.role == "master"]
            quiet = all("failover_in_progress" not in each.flags for each in seen.sentinels)
            linked = all(each.link_up for each in seen.members if each.role == "replica")
            return len(masters) == 1 and quiet and linked and not any("o_down" in each.flags for each in seen.sentinels)

        eventually(replaced, "the Sentinels promote a replica", 60)
        return old

    def end(self) -> None:
        """Kill what runs."""
        for name, machine in self.seen().machines.items():
            for process in self.fleet.on(name):
                if pid := machine.processes[process.name].pid:
                    with suppress(OSError):
                        os.kill(pid, signal.SIGKILL)


@contextmanager
def forwarded(fleet: Fleet) -> Iterator[None]:
    """Lead every announced address to the process that announces it, as a NAT does."""
    listeners = []
    for process in fleet.processes:
        # A name leads to the process itself.
        if process.announces and is_address(process.announces.address):
            listener = socket.create_server((process.announces.address, process.announces.port))
            listeners.append(listener)
            to = (process.endpoint.address, process.endpoint.port)
            threading.Thread(target=_accept, args=(listener, to), daemon=True).start()
    try:
        yield
    finally:
        for listener in listeners:
            listener.close()


def _accept(listener: socket.socket, to: tuple[str, int]) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return
        try:
            far = socket.create_connection(to)
        except OSError:
            near.close()
            continue
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=_carry, args=(source, sink), daemon=True).start()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            sink.sendall(piece)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def main(file: str, folder: str) -> None:
    """Deploy, switch over, lose a master, bring it back; a second run never finds anything to do."""
    fleet = placed(file, Path(folder))
    made = Deployment(fleet)
    with forwarded(fleet):
        try:
            made.deploy()
            made.sound("deployed")
            made.switch_over()
            made.sound("switched over")
            old = made.lose_master()
            (step,) = made.deploy()
            assert f"{step['process']}@{step['machine']}" == old, step
            made.sound("failed over")
        finally:
            made.end()


if __name__ == "__main__":
    main(*sys.argv[1:])
