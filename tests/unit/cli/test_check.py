"""``check`` on several files."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from redis_fleet.cli.main import app


def test_a_vault_password_does_not_end_the_check_at_the_first_bad_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", "")
    password = tmp_path / "password"
    password.write_text("opens nothing here")
    files = [tmp_path / f"{name}.redis.yml" for name in ("one", "two")]
    for file in files:
        file.write_text("plugin: redis_fleet\n")

    done = CliRunner().invoke(app, ["check", "--vault-password-file", str(password), *map(str, files)])

    assert done.exit_code == 2
    assert all(f"{file}:" in done.output for file in files)
