"""What a machine can be asked for, by name. Each verb imports what it needs itself: a machine compiles nothing else."""

# ruff: noqa: PLC0415 (see above)

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from subprocess import SubprocessError
from typing import Any, Callable

from .codec import Message
from .errors import AgentError


@dataclass(frozen=True)
class Done:
    """What came of a request; ``changed`` is whether anything is different now, or would be."""

    changed: bool
    answer: Message


@dataclass(frozen=True)
class Asked:
    """A request on its way in: its JSON and its secrets, see codec.py; ``dry``: nothing may be touched."""

    body: dict[str, Any]
    secrets: Sequence[str]
    dry: bool


def _observe(asked: Asked) -> Done:
    from .inspect.observe import observe
    from .messages.observation import Observe

    return Done(False, observe(Observe.from_json(asked.body, asked.secrets)))


def _discover(asked: Asked) -> Done:
    from .inspect.discover import discover
    from .messages.discovery import Discover

    Discover.from_json(asked.body, asked.secrets)
    return Done(False, discover())


def _config_test(asked: Asked) -> Done:
    from .inspect.config_test import run_tests
    from .messages.config_test import ConfigTest

    return Done(False, run_tests(ConfigTest.from_json(asked.body, asked.secrets)))


def _host_facts(asked: Asked) -> Done:
    from .inspect.host_facts import host_facts
    from .messages.host_facts import AskHostFacts

    return Done(False, host_facts(AskHostFacts.from_json(asked.body, asked.secrets)))


def _prepare(asked: Asked) -> Done:
    from .host.packages.install import install
    from .messages.files import Prepare

    answer = install(Prepare.from_json(asked.body, asked.secrets), asked.dry)
    return Done(bool(answer.written or answer.installed), answer)


def _start(asked: Asked) -> Done:
    from .messages.running import Start
    from .process.start import start

    answer = start(Start.from_json(asked.body, asked.secrets), asked.dry)
    return Done(bool(answer.written or answer.started), answer)


def _restart(asked: Asked) -> Done:
    from .messages.running import Restart
    from .process.restart import restart

    return Done(True, restart(Restart.from_json(asked.body, asked.secrets), asked.dry))


def _change(asked: Asked) -> Done:
    from .messages.orders import Change
    from .process.change import change

    answer = change(Change.from_json(asked.body, asked.secrets), asked.dry)
    return Done(bool(answer.changed), answer)


def _wait_in_sync(asked: Asked) -> Done:
    from .messages.running import WaitInSync
    from .process.wait_in_sync import wait_in_sync

    answer = wait_in_sync(WaitInSync.from_json(asked.body, asked.secrets))
    return Done(bool(answer.restored), answer)


def _decommission(asked: Asked) -> Done:
    from .messages.running import Decommission
    from .process.decommission import decommission

    answer = decommission(Decommission.from_json(asked.body, asked.secrets), asked.dry)
    return Done(bool(answer.done), answer)


def _repair(asked: Asked) -> Done:
    from .messages.running import Repair
    from .process.repair import repair

    return Done(True, repair(Repair.from_json(asked.body, asked.secrets), asked.dry))


def _begin(asked: Asked) -> Done:
    from .messages.runs import Begin
    from .runs.lock import begin

    return _unchanged(begin(Begin.from_json(asked.body, asked.secrets)))


def _end(asked: Asked) -> Done:
    from .messages.runs import End
    from .runs.lock import end

    return _unchanged(end(End.from_json(asked.body, asked.secrets)))


def _show_lock(asked: Asked) -> Done:
    from .messages.runs import Held, ShowLock
    from .runs.lock import holder

    return _unchanged(Held(holder(ShowLock.from_json(asked.body, asked.secrets).lock)))


def _unchanged(answer: Message) -> Done:
    """Return a result that is no change: it is no part of what the description asks for."""
    return Done(False, answer)


VERBS: dict[str, Callable[[Asked], Done]] = {
    "observe": _observe,
    "discover": _discover,
    "config-test": _config_test,
    "host-facts": _host_facts,
    "prepare": _prepare,
    "start": _start,
    "restart": _restart,
    "change": _change,
    "wait-in-sync": _wait_in_sync,
    "decommission": _decommission,
    "repair": _repair,
    "begin": _begin,
    "end": _end,
    "show-lock": _show_lock,
}


def perform(verb: str, request: str, secrets: Sequence[str], *, dry: bool) -> dict[str, Any]:
    """Do what a verb says and return the result as Ansible has it: ``changed`` and ``answer``, or ``failed``.

    ``request`` is JSON. A failure has ``msg``, for people, and ``code``, see errors.py.
    """
    try:
        done = VERBS[verb](Asked(json.loads(request), secrets, dry))
    except AgentError as error:
        return {"failed": True, "msg": str(error), "code": error.code, **error.answer}
    except (RuntimeError, ValueError, OSError, SubprocessError) as error:
        return {"failed": True, "msg": str(error), "code": "failed"}
    return {"changed": done.changed, "answer": done.answer.to_json()}
