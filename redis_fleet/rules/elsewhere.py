"""Rules about variables that stand beside the file, in ``group_vars`` and ``host_vars``."""

from __future__ import annotations

from collections.abc import Iterator

from redis_fleet.description.nodes import Path
from redis_fleet.description.template_names import names_in
from redis_fleet.problems import UnreadableError
from redis_fleet.rules.rule import Finding, rule
from redis_fleet.rules.subject import Subject
from redis_fleet.settings.common import RESERVED


@rule(
    "W44",
    "a variable that means one thing here and another to Ansible",
    reason="redis-fleet takes what the file itself says, other playbooks what host_vars do: one name has two values, "
    "and whoever changes one of them changes half",
    source="docs.ansible.com: variable precedence; ansible-inventory --host",
    remedy="keep one of them, or give one another name",
)
def two_meanings(subject: Subject) -> Iterator[Finding]:
    """Each file beside the description is read once, also where no text needs it: Ansible will read it, too."""
    outside = subject.description.outside
    if not outside.is_there:
        return
    for name in subject.deployment.machines:
        try:
            yield from _said_twice(subject, name)
        except UnreadableError as error:
            yield Finding(("machines", name), error.what, error.remedy, error.position)
            return
    yield from _covered(subject)


def _said_twice(subject: Subject, machine: str) -> Iterator[Finding]:
    entry = subject.deployment.machines[machine]
    for name, position in subject.description.outside.contradictions(machine):
        what = f"is not what {position} says, which is what Ansible itself takes"
        if name in entry.vars:
            yield Finding(("machines", machine, "vars", name), what)
        elif name in entry.connection:
            yield Finding(("machines", machine, name), what)


def _covered(subject: Subject) -> Iterator[Finding]:
    machine = next(iter(subject.deployment.machines))
    for path, text in _texts(subject):
        for name in sorted(names_in(text) & set(RESERVED)):
            if position := subject.description.outside.place(machine, name):
                what = f"'{{{{ {name} }}}}' is redis-fleet's own here; the one of {position} is never seen"
                yield Finding(path, what, "give that one another name")


def _texts(subject: Subject) -> Iterator[tuple[Path, object]]:
    for service, described in subject.deployment.services.items():
        for name, texts in described.config.items():
            yield from ((("services", service, "config", name), text) for text in texts)
    if subject.deployment.sentinel:
        for name, texts in subject.deployment.sentinel.config.items():
            yield from ((("sentinel", "config", name), text) for text in texts)
