"""Help on a narrow terminal."""

from __future__ import annotations

import pytest
from typer.main import get_group
from typer.testing import CliRunner

from redis_fleet.cli.main import app


@pytest.mark.parametrize("group", [(), ("sandbox",)], ids=["redis-fleet", "sandbox"])
def test_what_a_command_is_for_is_never_cut_off(group: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, [*group, "--help"], env={"COLUMNS": "80"})
    found = get_group(app)
    for name in group:
        found = found.commands[name]  # type: ignore[assignment]
    told = " ".join(done.output.split())
    for name, command in found.commands.items():
        first = " ".join((command.help or "").split()).split(". ")[0].rstrip(".")
        assert f" {name} " in told
        assert first in told
    assert "..." not in told.partition("[ARGS]...")[2]
