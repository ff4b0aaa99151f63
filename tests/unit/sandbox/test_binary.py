"""The server that a sandbox runs: whether it is the described one, and that it is said where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from redis_fleet.cli.commands import sandbox
from redis_fleet.cli.main import app
from redis_fleet.sandbox import binary
from redis_fleet.sandbox.binary import Binary

_DESCRIBED = """
plugin: redis_fleet
name: shop
{about}
machines: {{red1: {{address: 10.0.0.11}}}}
services: {{orders: {{master: red1, password: a-password-that-nobody-guesses}}}}
"""


@pytest.mark.parametrize(
    ("about", "described"),
    [
        ("", None),
        ('version: "7.0"', None),
        ('version: "7"', None),
        ('version: "7.2"', "redis 7.2"),
        ("engine: valkey", "valkey"),
    ],
)
def test_what_is_not_the_described_server_is_said(
    about: str, described: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "shop.redis.yml"
    file.write_text(_DESCRIBED.format(about=about), encoding="utf-8")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(binary, "find", lambda _: Binary("/usr/bin/redis-server", "redis 7.0.15", "from PATH"))
    monkeypatch.setattr(sandbox, "_deploy", lambda *_: None)
    done = CliRunner().invoke(app, ["sandbox", "up", str(file)])
    assert done.exit_code == 0, done.output
    told = f"the description says {described}: what differs between them is not tried here"
    assert (told in done.output) is bool(described)
    assert ("the description says" in done.output) is bool(described)
