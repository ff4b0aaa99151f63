"""Run a playbook and follow what it tells; the same playbooks that ansible-playbook runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from redis_fleet.ansible import environment as ansible_environment
from redis_fleet.ansible.events import ANSWERS, PIPE
from redis_fleet.ansible.fleets import LOCAL, SANDBOX
from redis_fleet.project import CONFIGURATION, PLAYBOOKS, importing

Event = Mapping[str, Any]


@dataclass
class Run:
    """What a run has told so far: results of our own tasks by task action, failures, changes by host."""

    code: int = 0
    data: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    changed: dict[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether everything succeeded."""
        return self.code == 0 and not self.failures

    def take(self, event: Event) -> None:
        """Note what an event says."""
        if event["event"] == "stats":
            self.changed = {host: counts["changed"] for host, counts in event["hosts"].items()}
        if event["event"] != "result":
            return
        if event["data"]:
            self.data.setdefault(event["action"], {}).update(event["data"])
        if event["status"] not in ("ok", "ignored"):
            ours = event["action"] in ("redis_fleet_plan", "redis_fleet_trial") and event["data"]
            where = "" if ours else f"{event['host']}: {event['task']}: "
            self.failures.append(f"{where}{event['message']}")


@dataclass(frozen=True)
class Options:
    """How to reach the machines, beyond what the description says."""

    sandbox: Path | None = None
    vault_password_file: Path | None = None
    ask_pass: bool = False
    ask_become_pass: bool = False

    def words(self) -> list[str]:
        """Return them as ansible-playbook's options."""
        found = ["--vault-password-file", str(self.vault_password_file)] if self.vault_password_file else []
        found += ["--ask-pass"] if self.ask_pass else []
        return found + (["--ask-become-pass"] if self.ask_become_pass else [])


def play(
    name: str,
    file: Path,
    options: Options,
    follow: Callable[[Event], None],
    variables: Mapping[str, Any] | None = None,
    answer: Callable[[], bool] = lambda: False,
) -> Run:
    """Run playbooks/NAME.yml on a description; ``follow`` sees each event as it happens, ``answer`` is asked questions.

    Ctrl-C does not end the wait: the run has it too, and first puts back what it holds. Then KeyboardInterrupt is
    raised, as it is after a SIGTERM to this process alone, which is passed on.
    """
    command = [sys.executable, "-m", "ansible", "playbook", "-i", str(file), *options.words()]
    given = {**(variables or {}), **(LOCAL if options.sandbox else {})}
    if given:
        command += ["--extra-vars", json.dumps(given)]
    command.append(str(PLAYBOOKS / f"{name}.yml"))
    run = Run()
    with Interrupts() as interrupted, _started(command, options) as (process, pipe, answers):
        interrupted.pass_on_to(process)
        for line in pipe:
            event = json.loads(line)
            run.take(event)
            follow(event)
            if event["event"] == "question":
                os.write(answers, b"y" if answer() else b"n")
        run.code = process.wait()
    if interrupted.come:
        raise KeyboardInterrupt
    if run.code and not run.failures:
        run.failures.append(f"ansible-playbook ended with exit code {run.code}; see its words above")
    return run


class Interrupts:
    """Notes SIGINT and SIGTERM instead of being stopped by them anywhere in the middle of starting or reading.

    ``come``: one of them came.
    """

    def __init__(self) -> None:
        """Nothing has come yet."""
        self.come = False
        self._process: subprocess.Popen[bytes] | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def pass_on_to(self, process: subprocess.Popen[bytes]) -> None:
        """Take the process that is to be interrupted too; what came before it was there, it gets now."""
        self._process = process
        if self.come:
            process.send_signal(signal.SIGINT)

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        # A terminal sends SIGINT to the whole group; whoever sends SIGTERM names one process.
        if number == signal.SIGTERM and not self.come and self._process:
            self._process.send_signal(signal.SIGINT)
        self.come = True


@contextmanager
def _started(command: list[str], options: Options) -> Iterator[tuple[subprocess.Popen[bytes], TextIO, int]]:
    reader, writer = os.pipe()
    answered, answers = os.pipe()
    environment = {
        **importing(os.environ),
        **ansible_environment.paths(ansible_environment.of_shell(os.environ)),
        "ANSIBLE_CONFIG": str(CONFIGURATION),
        "ANSIBLE_STDOUT_CALLBACK": "redis_fleet_front",
        PIPE: str(writer),
        ANSWERS: str(answered),
    }
    environment.pop(SANDBOX, None)
    if options.sandbox:
        environment[SANDBOX] = str(options.sandbox)
    process = subprocess.Popen(command, env=environment, pass_fds=[writer, answered], stdout=sys.stderr)
    os.close(writer)
    os.close(answered)
    with os.fdopen(reader, "r", encoding="utf-8") as pipe:
        try:
            yield process, pipe, answers
        finally:
            os.close(answers)
