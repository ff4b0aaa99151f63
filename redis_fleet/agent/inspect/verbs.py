"""What a machine can be asked for that only looks, by name; see ../verbs.py for all the rest.

Apart from it, because Ansible reads, packs and ships all that a module may ever import: who looks pays for no more.
"""

# ruff: noqa: PLC0415 (each verb imports what it needs itself: a machine compiles nothing else)

from __future__ import annotations

from ..performing import Asked, Done, Verbs


def _observe(asked: Asked) -> Done:
    from ..messages.observation import Observe
    from .observe import observe

    return Done(False, observe(Observe.from_json(asked.body, asked.secrets)))


def _discover(asked: Asked) -> Done:
    from ..messages.discovery import Discover
    from .discover import discover

    Discover.from_json(asked.body, asked.secrets)
    return Done(False, discover())


def _config_test(asked: Asked) -> Done:
    from ..messages.config_test import ConfigTest
    from .config_test import run_tests

    return Done(False, run_tests(ConfigTest.from_json(asked.body, asked.secrets)))


def _host_facts(asked: Asked) -> Done:
    from ..messages.host_facts import AskHostFacts
    from .host_facts import host_facts

    return Done(False, host_facts(AskHostFacts.from_json(asked.body, asked.secrets)))


def _reach(asked: Asked) -> Done:
    from ..host.reach import reach
    from ..messages.host_facts import Reach, Reaching

    given = Reach.from_json(asked.body, asked.secrets)
    return Done(False, Reaching(tuple(reach(given.targets, given.seconds))))


INSPECTIONS: Verbs = {
    "observe": _observe,
    "discover": _discover,
    "config-test": _config_test,
    "host-facts": _host_facts,
    "reach": _reach,
}
