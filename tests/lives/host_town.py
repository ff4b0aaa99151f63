"""The three hosts of a life, each with systemd, a server and a Sentinel, and what happens to them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, tzinfo
from pathlib import Path

from redis_fleet.agent.replication.view import map_parallel
from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet
from tests.harness.hosts import hosts, packets
from tests.harness.hosts.deployment import Deployment, finish
from tests.harness.hosts.description import describe
from tests.harness.hosts.engine import ROOT, EngineError
from tests.harness.hosts.hosts import Host
from tests.harness.hosts.packets import BOTH_WAYS, rules_for
from tests.harness.hosts.waiting import eventually
from tests.lives.living import FailedError, Living

SAMPLE = ROOT / "tests" / "systemd" / "handover.redis.yml"
MACHINES = ["red1", "red2", "red3"]
_CHANGES = {
    # Short, as a life waits for both; less makes Sentinels fail over by themselves on a busy machine.
    "{down-after-milliseconds: 5000}": "{down-after-milliseconds: 2000, failover-timeout: 10000}",
    # So that what a server has acknowledged outlives its process, and no first synchronisation is waited for.
    'appendonly: "yes"': 'appendonly: "yes"\n      appendfsync: always\n      repl-diskless-sync-delay: 0',
}
_KILL = 'pid=$(systemctl show --property MainPID --value "$1"); [ "$pid" = 0 ] || kill -9 "$pid"'
_FIRST = 900.0
"""Seconds for the first deployment, which installs packages on a machine that may be busy."""
_STATUS_EVERY = 5
_OUR_DOING = {"started-again"}
"""What a life does to processes, which systemd then starts again."""


class HostTown(Living):
    """A description in a folder of its own, deployed to hosts by the playbook.

    ``gone`` are the machines that are off or frozen, ``cut`` those between which packets are dropped.
    """

    zone: tzinfo | None = UTC

    def __init__(self, name: str, release: str, folder: Path, *, quick: bool = True) -> None:
        """``name`` is of the set of hosts; nothing runs yet."""
        super().__init__(quick=quick)
        self.name, self._release, self._folder = name, release, folder
        self.gone: dict[str, str] = {}
        self.cut: set[str] = set()
        self._read: tuple[str, Fleet] | None = None
        self._idle = False

    @property
    def file(self) -> Path:
        """The description."""
        return self._folder / SAMPLE.name

    @property
    def fleet(self) -> Fleet:
        """The fleet as the description has it now."""
        text = self.file.read_text(encoding="utf-8")
        if self._read is None or self._read[0] != text:
            self._read = (text, load_fleet(str(self.file)))
        return self._read[1]

    @property
    def silent(self) -> bool:
        """Whether a machine is off or frozen."""
        return bool(self.gone)

    # Its beginning and its end.

    def build(self) -> None:
        """Start new hosts and deploy to them."""
        describe(SAMPLE, self.file, hosts.up(self.name, MACHINES, self._release))
        self.deployment = Deployment(self.name, self.file)
        for old, new in _CHANGES.items():
            self.deployment.edit(old, new)
        first = finish(self.deployment.start("deploy", "--yes"), _FIRST)
        assert first.code == 0, first.text
        self.built = True
        self.hasten()
        eventually(self.acquainted, "new hosts are settled")

    def raze(self) -> None:
        """Take the hosts and their network down."""
        hosts.down(self.name)
        shutil.rmtree(self._folder, ignore_errors=True)

    # What is asked.

    def deploy(self) -> int:
        """Deploy what is described; returns the number of steps. Raises FailedError."""
        done = self.deployment.run("deploy", "--yes")
        if done.code:
            raise FailedError(done.failures or done.text)
        self._idle = not done.json["steps"] and not done.changed
        return len(done.json["steps"])

    def amiss(self) -> list[str]:
        """Return what ``status`` finds, now and then: a deployment that has nothing to do has looked, too."""
        if len(self.past) % _STATUS_EVERY:
            return []
        done = self.deployment.run("status")
        troubles = done.json.get("troubles", [{"code": done.text}])
        return [str(each) for each in troubles if each["code"] not in _OUR_DOING]

    def left(self) -> list[str]:
        """Return what another deployment does; the one before did nothing where there was nothing to do."""
        if self._idle:
            return []
        done = self.deployment.run("deploy", "--yes")
        if done.code == 0 and not done.changed and not done.json["steps"]:
            return []
        return [f"{done.changed} changed by a further deployment: {done.json['steps']}: {done.failures}"]

    def logs_of(self, names: Iterable[str]) -> dict[str, str]:
        """Return the logs of processes, by id, of machines that are there."""
        reached = [name for name in names if self.machine(name) not in self.gone]
        texts = map_parallel(lambda name: self._run(self.machine(name), "cat", self.of(name).paths.log), reached)
        return dict(zip(reached, texts, strict=True))

    def journals(self, since: float) -> list[str]:
        """Return what all units of the servers said since a time (wall clock), by machine."""
        units = f"{Path(self.of(self.servers[0]).unit).stem}*"
        words = ("journalctl", "--unit", units, "--since", f"@{since:.0f}", "--output", "short-unix", "--no-pager")
        return map_parallel(lambda machine: self._run(machine, *words), MACHINES)

    def keep(self, folder: Path, since: float) -> None:
        """Write the logs and journals of a life that went wrong to a folder, of the machines that can be asked."""
        folder.mkdir(parents=True, exist_ok=True)
        for machine in list(self.gone):
            with suppress(EngineError):
                self.back(machine)
        texts = self.logs_of([*self.servers, *self.sentinels])
        texts |= {f"journal@{machine}": text for machine, text in zip(MACHINES, self.journals(since), strict=True)}
        for name, text in texts.items():
            (folder / f"{name}.log").write_text(text, encoding="utf-8")
        shutil.copy(self.file, folder)

    def machine(self, name: str) -> str:
        """Return the machine of a process."""
        return self.of(name).machine

    def answers(self, name: str) -> bool:
        """Whether a process does."""
        return bool(self.tell(name, "PING") == "PONG")

    # What happens to processes.

    def kill(self, name: str) -> None:
        """SIGKILL a process; systemd starts another one."""
        self._run(self.machine(name), "sh", "-c", _KILL, "sh", self.of(name).unit)

    def stop(self, name: str) -> None:
        """Stop the unit of a process."""
        self._run(self.machine(name), "systemctl", "stop", self.of(name).unit)

    def start(self, *names: str) -> None:
        """Start the units of processes, where they do not run."""
        map_parallel(lambda name: self._run(self.machine(name), "systemctl", "start", self.of(name).unit), names)
        self.hasten()

    # What happens to machines.

    def shut_down(self, machine: str) -> None:
        """Stop a machine in order."""
        hosts.shut_down(self._host(machine))
        self.gone[machine] = "off"

    def power_off(self, machine: str) -> None:
        """Stop a machine at once."""
        hosts.power_off(self._host(machine))
        self.gone[machine] = "off"

    def freeze(self, machine: str) -> None:
        """Let nothing run on a machine."""
        hosts.freeze(self._host(machine))
        self.gone[machine] = "frozen"

    def back(self, machine: str) -> None:
        """Let a machine go on, or start it."""
        ended = {"off": hosts.power_on, "frozen": hosts.thaw}[self.gone[machine]]
        ended(self._host(machine))
        del self.gone[machine]

    def cutting(
        self, machine: str, *others: str, ways: Sequence[str] = BOTH_WAYS, port: int | None = None
    ) -> Callable[[], None]:
        """Return what drops packets between machines, as fast as can be; ``ways`` are the machine's own."""
        namespace = hosts.pid(self._host(machine))
        rules = rules_for([self._host(each).address for each in others], ways=ways, port=port)

        def cut() -> None:
            packets.drop(namespace, rules)
            self.cut.add(machine)

        return cut

    def restore(self) -> None:
        """Heal what is cut, and start all that does not run."""
        for machine in list(self.gone):
            self.back(machine)
        for machine in list(self.cut):
            packets.heal(hosts.pid(self._host(machine)))
            self.cut.discard(machine)
        self.start(*self.servers, *self.sentinels)

    def _host(self, machine: str) -> Host:
        return self.deployment.hosts[machine]

    def _run(self, machine: str, *words: str) -> str:
        return self.deployment.exec(machine, *words)
