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


def test_a_message_shows_letters_that_no_screen_does(tmp_path: Path) -> None:
    file = tmp_path / "redis.conf"
    file.write_text("maxmemory 100mb\u200b\n")

    done = CliRunner().invoke(app, ["import", str(file)])

    assert done.exit_code == 2
    assert "100mb\\u200b" in done.output
    assert "\u200b" not in done.output


@pytest.mark.parametrize(
    ("command", "name", "told"),
    [
        # One line a problem, and nothing else.
        ("check", "E2-quorum", False),
        ("plan", "E2-quorum", True),
        ("plan", "E12-name", False),
    ],
)
def test_what_a_reason_would_silence_is_told(command: str, name: str, told: bool) -> None:
    done = CliRunner().invoke(app, [command, f"tests/rules/{name}.redis.yml"])

    assert ("'silence: {E2: \"the reason\"}'" in done.output) == told
