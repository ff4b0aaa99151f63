"""The description as text, laid out like the samples: machines, services, Sentinels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from redis_fleet.adoption.machines import Machines
from redis_fleet.adoption.merging import Written
from redis_fleet.adoption.yaml_text import scalar
from redis_fleet.problems import Problem

# What stands behind a key: a text, several (a list), or keys below it.
Node = Written | str | Sequence[Written] | Mapping[str, "Node"]
# By section (``services.orders``, ``sentinel``, or nothing for the whole file) the rules that it breaks today.
Silences = Mapping[str, Mapping[str, Problem]]
AS_IT_WAS = "imported as it was"
_WIDTH = 100


@dataclass
class DescriptionWriter:
    """Everything that is written, in order."""

    name: str
    engine: str
    version: str | None
    machines: Machines
    services: dict[str, Mapping[str, Node]] = field(default_factory=dict)
    sentinel: Mapping[str, Node] = field(default_factory=dict)
    variables: dict[str, dict[str, str]] = field(default_factory=dict)
    connections: dict[str, dict[str, str]] = field(default_factory=dict)
    silences: Silences = field(default_factory=dict)

    def take_variables(self, variables: Mapping[str, Mapping[str, str]]) -> None:
        """Add variables to machines."""
        for machine, own in variables.items():
            self.variables.setdefault(machine, {}).update(own)

    def text(self) -> str:
        """Return the whole file."""
        head = [
            "# Made by 'redis-fleet import' from configuration files that were set up by hand.",
            "plugin: redis_fleet",
        ]
        head.append(f"name: {scalar(self.name)}")
        head += [f"engine: {self.engine}"] if self.engine != "redis" else []
        head += [f"version: {self.version}"] if self.version else []
        lines = [*head, *_mapping(self._silence(""), 0), "", "machines:"]
        if self.machines.wanted:
            lines.append(f"  # Nobody has {', '.join(self.machines.wanted.values())}: write the addresses here.")
        for machine, address in self.machines.addresses.items():
            lines += self._machine(machine, address)
        lines += ["", "services:"]
        for count, (service, own) in enumerate(self.services.items()):
            keys = {**own, **self._silence(f"services.{service}")}
            lines += [""] * bool(count) + [f"  {scalar(service)}:", *_mapping(keys, 4)]
        if self.sentinel:
            lines += ["", "sentinel:", *_mapping({**self.sentinel, **self._silence("sentinel")}, 2)]
        return "\n".join(lines) + "\n"

    def _silence(self, section: str) -> Mapping[str, Node]:
        own = self.silences.get(section)
        return {"silence": dict.fromkeys(own, AS_IT_WAS)} if own else {}

    def _machine(self, machine: str, address: str) -> list[str]:
        own, connection = self.variables.get(machine), self.connections.get(machine)
        if not own and not connection:
            return [f"  {scalar(machine)}: {{address: {scalar(address, flow=True)}}}"]
        keys: dict[str, Node] = {"address": address, **(connection or {})}
        lines = [f"  {scalar(machine)}:", *_mapping(keys, 4)]
        return lines + (["    vars:", *_mapping(own, 6)] if own else [])


def _mapping(keys: Mapping[str, Node], indent: int) -> list[str]:
    lines: list[str] = []
    blank = " " * indent
    for key, node in keys.items():
        label = f"{blank}{scalar(key)}:"
        if isinstance(node, str | Written):
            lines += _one(label, node, indent)
        elif isinstance(node, Mapping):
            lines += _below(label, node, indent)
        else:
            lines += _list(label, node, indent)
    return lines


def _one(label: str, node: str | Written, indent: int) -> list[str]:
    if isinstance(node, Written) and node.vault:
        return [f"{label} !vault |", *(f"{' ' * (indent + 2)}{line}" for line in node.text.splitlines())]
    return [f"{label} {scalar(node if isinstance(node, str) else node.text)}"]


def _below(label: str, node: Mapping[str, Node], indent: int) -> list[str]:
    short = all(isinstance(each, str) for each in node.values())
    line = f"{label} {{{', '.join(f'{scalar(key)}: {scalar(str(each), flow=True)}' for key, each in node.items())}}}"
    if short and len(line) <= _WIDTH and len(node) <= 2:
        return [line]
    return [label, *_mapping(node, indent + 2)]


def _list(label: str, node: Sequence[Written], indent: int) -> list[str]:
    if not any(each.vault for each in node):
        line = f"{label} [{', '.join(scalar(each.text, flow=True) for each in node)}]"
        if len(line) <= _WIDTH or not node:
            return [line]
    lines = [label]
    for each in node:
        if each.vault:
            lines += [f"{' ' * (indent + 2)}- !vault |", *(f"{' ' * (indent + 4)}{x}" for x in each.text.splitlines())]
        else:
            lines.append(f"{' ' * (indent + 2)}- {scalar(each.text)}")
    return lines
