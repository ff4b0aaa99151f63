"""What every command that works on a deployment is given: its file, where it runs, a screen; and the options for it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, get_type_hints

from redis_fleet.cli.common import (
    AskBecome,
    AskPass,
    File,
    Follower,
    InSandbox,
    Json,
    Vault,
    interruptible,
    options,
    read,
)
from redis_fleet.cli.locked import play_locked
from redis_fleet.cli.playbook_runner import Event, Options, Run, play
from redis_fleet.cli.screen import Screen
from redis_fleet.model import Fleet


@dataclass(frozen=True)
class Call:
    """One call of a command: the description, placed for its machines, and how to reach them."""

    file: Path
    fleet: Fleet
    how: Options
    screen: Screen

    def play(
        self, name: str, variables: Mapping[str, Any] | None = None, follow: Callable[[Event], None] | None = None
    ) -> Run:
        """Run a playbook that changes nothing, or nothing that another run could undo."""
        return play(name, self.file, self.how, follow or Follower(self.screen), variables)

    def play_locked(
        self,
        name: str,
        variables: Mapping[str, Any] | None = None,
        follow: Callable[[Event], None] | None = None,
        answer: Callable[[], bool] = lambda: False,
    ) -> Run:
        """Run a playbook that takes the lock of the deployment."""
        return play_locked(name, self.file, self.how, follow or Follower(self.screen), variables, answer)


def _shared(
    file: File,
    sandbox: InSandbox = False,
    as_json: Json = False,
    vault: Vault = None,
    ask_pass: AskPass = False,
    ask_become: AskBecome = False,
) -> None:
    """Hold the parameters that all these commands have; the file comes first, the rest last."""


def on_machines(command: Callable[..., None]) -> Callable[..., None]:
    """Make a command of a function that takes a Call and its own parameters; Ctrl-C ends it with 130."""

    @wraps(command)
    def called(
        file: Path,
        sandbox: bool = False,
        as_json: bool = False,
        vault: Path | None = None,
        ask_pass: bool = False,
        ask_become: bool = False,
        **own: Any,
    ) -> None:
        screen = Screen(as_json=as_json)
        fleet = read(file, screen, vault)
        with interruptible(screen):
            how = options(file, screen, sandbox=sandbox, vault=vault, ask_pass=ask_pass, ask_become=ask_become)
            command(Call(file, fleet, how, screen), **own)

    first, *last = _parameters(_shared)
    called.__signature__ = inspect.Signature([first, *_parameters(command)[1:], *last])  # type: ignore[attr-defined]
    called.__annotations__ = {each.name: each.annotation for each in called.__signature__.parameters.values()}  # type: ignore[attr-defined]
    return called


def _parameters(function: Callable[..., None]) -> list[inspect.Parameter]:
    hints = get_type_hints(function, include_extras=True)
    found = inspect.signature(function).parameters.values()
    return [each.replace(annotation=hints[each.name]) for each in found]
