"""Run a playbook and follow what it tells; the same playbooks that ansible-playbook runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from redis_fleet.ansible import environment as ansible_environment
from redis_fleet.ansible.events import ANSWERS, PIPE
from redis_fleet.ansible.fleets import SANDBOX
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
    if variables:
        command += ["--extra-vars", json.dumps(variables)]
    command.append(str(PLAYBOOKS / f"{name}.yml"))
    run = Run()
    with _started(command, options) as (process, pipe, answers), _noting_interrupts(process) as interrupted:
        for line in pipe:
            event = json.loads(line)
            run.take(event)
            follow(event)
            if event["event"] == "question":
                os.write(answers, b"y" if answer() else b"n")
        run.code = process.wait()
    if interrupted.is_set():
        raise KeyboardInterrupt
    if run.code and not run.failures:
        run.failures.append(f"ansible-playbook ended with exit code {run.code}; see its words above")
    return run


@contextmanager
def _noting_interrupts(process: subprocess.Popen[bytes]) -> Iterator[threading.Event]:
    """Note SIGINT and SIGTERM instead of being stopped by them anywhere in the middle of reading."""
    interrupted = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        # A terminal sends SIGINT to the whole group; whoever sends SIGTERM names one process.
        if number == signal.SIGTERM and not interrupted.is_set():
            process.send_signal(signal.SIGINT)
        interrupted.set()

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
