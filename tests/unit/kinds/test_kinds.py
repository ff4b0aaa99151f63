"""All that differs between kinds of process is in their registry: nobody else compares with a kind's name.

What this sees is syntax: a kind's name as a text that is compared with something called a kind or looked for among
kinds, a match on a kind, and a table with all kinds' names as keys. A comparison with a variable of another name it
does not see.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import ClassVar, cast

import pytest

from redis_fleet.agent.messages.kind import Kind as MachineKind
from redis_fleet.description.load import Description
from redis_fleet.description.schema import Deployment
from redis_fleet.kinds import KINDS
from redis_fleet.kinds.kind import Kind, Start
from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet, Process, Setting
from redis_fleet.observe.facts import MachineFacts, Observed
from redis_fleet.observe.status import rows
from redis_fleet.plan.planner import plan
from redis_fleet.plan.steps import STAGES
from redis_fleet.platform import installation
from redis_fleet.project import ROOT, TEMPLATES
from redis_fleet.render.files import machine_files
from redis_fleet.settings.layout import Layout, SystemLayout

PACKAGE = ROOT / "redis_fleet"
REGISTRY = PACKAGE / "kinds"
FILES = sorted(file for file in PACKAGE.rglob("*.py") if not file.is_relative_to(REGISTRY))


def comparisons(tree: ast.AST) -> Iterator[int]:
    """Yield the lines on which a kind's name is compared with a kind, or is a key of a table of all kinds."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            found = _compares(node)
        elif isinstance(node, ast.Dict):
            found = {_text(key) for key in node.keys} >= set(KINDS)
        else:
            found = isinstance(node, ast.Match) and _is_kind(node.subject)
        if found and isinstance(node, (ast.expr, ast.stmt)):
            yield node.lineno


def _compares(node: ast.Compare) -> bool:
    parts = [node.left, *node.comparators]
    among_kinds = _names(node.left) and any(_called(part).endswith("kinds") for part in node.comparators)
    return among_kinds or (any(map(_is_kind, parts)) and any(map(_names, parts)))


def _is_kind(node: ast.AST) -> bool:
    return _called(node) == "kind"


def _called(node: ast.AST) -> str:
    """Return the last name of ``x.kind``, ``kind``, ``x["kind"]`` and ``x.get("kind")``."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Subscript):
        return _text(node.slice)
    if isinstance(node, ast.Call) and node.args:
        return _text(node.args[0])
    return ""


def _text(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _names(node: ast.AST) -> bool:
    """Say whether a kind's name is in an expression as a text: alone, or among others in brackets."""
    inside = node.elts if isinstance(node, (ast.Tuple, ast.List, ast.Set)) else [node]
    return any(_text(each) in KINDS for each in inside)


def test_nobody_compares_with_the_name_of_a_kind() -> None:
    assert FILES
    trees = {file.relative_to(PACKAGE): ast.parse(file.read_text(encoding="utf-8")) for file in FILES}
    assert not [f"{name}:{line}" for name, tree in trees.items() for line in comparisons(tree)]


@pytest.mark.parametrize(
    "text",
    [
        'process.kind == "sentinel"',
        'kind != "server"',
        '"sentinel" == found["kind"]',
        'answer.get("kind") == "server"',
        'process.kind in ("server", "sentinel")',
        '"sentinel" in kinds',
        '{"server": 6379, "sentinel": 26379}[process.kind]',
        'match process.kind:\n    case "sentinel":\n        pass',
    ],
)
def test_such_a_comparison_is_seen(text: str) -> None:
    assert list(comparisons(ast.parse(text)))


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_kind_is_whole(kind: Kind) -> None:
    assert (TEMPLATES / kind.template).is_file()
    assert (TEMPLATES / kind.unit_template).is_file()
    assert kind.binary in kind.slots
    assert set(kind.starts) <= set(STAGES)


class Exporter(Kind):
    """A made-up kind: it holds no data and watches nothing, and says nothing to systemd."""

    name = "exporter"
    machine = MachineKind("exporter", ("exporter.conf",), 9121, "")
    slots = ("server",)
    binary = "server"
    configuration_file = "exporter.conf"
    template = "sentinel.conf.j2"
    unit_type = "exec"
    starts: ClassVar[Mapping[str, Start]] = {"start_sentinels": Start("exporter", "beside the others")}

    def places(self, deployment: Deployment) -> Iterator[str]:
        """Yield one place on each machine."""
        yield from (f"{machine}:9121" for machine in deployment.machines)

    def place(self, description: Description, layout: Layout, fleet: Fleet) -> Fleet:  # noqa: ARG002
        """Return the fleet with an exporter on each machine."""
        return replace(fleet, auxiliary=tuple(self._process(layout, fleet, name) for name in fleet.machines))

    def _process(self, layout: Layout, fleet: Fleet, machine: str) -> Process:
        endpoint = layout.endpoint(machine, fleet.machines[machine].address, 9121)
        paths = layout.paths(installation(fleet.engine), self, machine, "exporter-9121")
        return Process("exporter-9121", self.name, machine, "", endpoint, (Setting("listen", (("9121",),)),), paths)


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """A fleet with a kind that nobody but this test knows."""
    monkeypatch.setitem(cast(dict[str, Kind], KINDS), Exporter.name, Exporter())
    return load_fleet(str(ROOT / "inventory" / "sentinel.redis.yml"), SystemLayout())


def test_a_new_kind_is_placed_and_written_by_what_it_says_itself(fleet: Fleet) -> None:
    process = fleet.auxiliary[0]
    files = {file.path: file.content.decode() for file in machine_files(fleet, process.machine)}
    assert process in fleet.processes
    assert "\nlisten 9121\n" in files["/etc/redis/exporter-9121/exporter.conf"]
    assert "\nType=exec\n" in files["/etc/systemd/system/redis-exporter-9121.service"]
    assert "\nType=notify\n" in files["/etc/systemd/system/redis-sentinel-26379.service"]


def test_a_new_kind_is_planned(fleet: Fleet) -> None:
    bare = {name: MachineFacts(system={"id": "debian", "version": "12"}) for name in fleet.machines}
    made = plan(fleet, Observed(bare))
    mine = [(step.stage, step.machine) for step in made.steps if step.process == "exporter-9121"]
    machines = list(fleet.machines)
    assert not made.refusals
    assert mine == [("write", each) for each in machines] + [("start_sentinels", each) for each in machines]
    assert [row["process"] for row in rows(fleet, Observed(bare))][-1] == fleet.auxiliary[-1].id
