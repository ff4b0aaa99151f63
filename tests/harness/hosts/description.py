"""A description for the test hosts: a sample's own text, with only the lines of its machines replaced."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.harness.hosts.hosts import Host


class UnexpectedShapeError(Exception):
    """A sample has no ``machines:`` mapping, or names machines that no host was started for."""


def describe(sample: Path, out: Path, hosts: Mapping[str, Host]) -> None:
    """Write a copy of a description whose machines are these hosts; every other byte stays as it is.

    A machine keeps its further variables. Raises UnexpectedShapeError when sample and hosts do not fit.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(replace_machines(sample.read_bytes().decode(), hosts).encode())


def replace_machines(text: str, hosts: Mapping[str, Host]) -> str:
    """Return the text with each machine's value replaced by one flow mapping that reaches its host."""
    values = {str(key.value): value for key, value in _machines(text).value}
    if missing := values.keys() - hosts.keys():
        raise UnexpectedShapeError(f"no test host for {', '.join(sorted(missing))}")
    for machine, node in reversed(values.items()):
        start, end = node.start_mark.index, _end(node)
        host = hosts[machine]
        fields = {**_variables(node), "address": host.address, **host.variables}
        written = "{" + ", ".join(f"{name}: {json.dumps(value)}" for name, value in fields.items()) + "}"
        text = text[:start] + written + text[end:]
    return text


def machine_names(text: str) -> list[str]:
    """Return the machines of a description in its order."""
    return [str(key.value) for key, _ in _machines(text).value]


def _machines(text: str) -> yaml.MappingNode:
    """Return the node of ``machines``; composing does not look into tags such as !vault."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    for key, value in root.value if isinstance(root, yaml.MappingNode) else []:
        if key.value == "machines" and isinstance(value, yaml.MappingNode):
            return value
    raise UnexpectedShapeError("the description has no `machines:` mapping")


def _end(node: yaml.Node) -> int:
    """Return where a node's own text ends; a block mapping's end mark lies behind the comments that follow it."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return _end(node.value[-1][1])
    end: int = node.end_mark.index
    return end


def _variables(node: yaml.Node) -> dict[str, object]:
    """Return what a sample says about a machine: a mapping, or nothing but its address."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    constructor = yaml.SafeLoader("")
    return {str(name): value for name, value in constructor.construct_mapping(node, deep=True).items()}
