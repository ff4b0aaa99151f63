"""How a request is taken in, done and answered, whatever the verb."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from subprocess import SubprocessError
from typing import Any, Callable, NamedTuple

from .codec import Message
from .errors import AgentError


class Done(NamedTuple):
    """What came of a request; ``changed`` is whether anything is different now, or would be."""

    changed: bool
    answer: Message


class Asked(NamedTuple):
    """A request on its way in: its JSON and its secrets, see codec.py; ``dry``: nothing may be touched."""

    body: dict[str, Any]
    secrets: Sequence[str]
    dry: bool


Verbs = Mapping[str, Callable[[Asked], Done]]


def options(verbs: Verbs) -> dict[str, dict[str, Any]]:
    """Return what an Ansible module with these verbs takes."""
    return {
        "verb": {"type": "str", "choices": sorted(verbs), "required": True},
        # A text: of anything else that is hidden Ansible takes each word ("set", "yes") for a secret of its own, and
        # blots it out wherever the answer has it.
        "request": {"type": "str", "default": "{}", "no_log": True},
        "secrets": {"type": "list", "elements": "str", "default": [], "no_log": True},
    }


def perform_among(verbs: Verbs, verb: str, request: str, secrets: Sequence[str], *, dry: bool) -> dict[str, Any]:
    """Do what a verb says and return the result as Ansible has it: ``changed`` and ``answer``, or ``failed``.

    ``request`` is JSON. A failure has ``msg``, for people, and ``code``, see errors.py.
    """
    try:
        done = verbs[verb](Asked(json.loads(request), secrets, dry))
    except AgentError as error:
        return {"failed": True, "msg": str(error), "code": error.code, **error.answer}
    except (RuntimeError, ValueError, OSError, SubprocessError) as error:
        return {"failed": True, "msg": str(error), "code": "failed"}
    return {"changed": done.changed, "answer": done.answer.to_json()}


def serve(module: Any, verbs: Verbs) -> None:
    """Do what the arguments of an AnsibleModule say, and end its process with the result."""
    given = module.params
    result = perform_among(verbs, given["verb"], given["request"], given["secrets"], dry=module.check_mode)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)
