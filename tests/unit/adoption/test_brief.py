"""A brief description: without what is the default, and with all else."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from redis_fleet.cli.main import app


def brief(folder: Path, text: str, *options: str, name: str = "redis.conf") -> tuple[str, str]:
    """Import a file with --brief; returns the description and what was said."""
    file = folder / name
    file.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(app, ["import", "--brief", *options, str(file)])
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


def test_what_is_the_default_is_left_out_and_told(tmp_path: Path) -> None:
    text, said = brief(tmp_path, "timeout 0\ndatabases 32\ntcp-keepalive 300\nappendonly no\nbind 127.0.0.1\n")
    assert "databases: 32" in text
    assert "timeout" not in text and "appendonly" not in text
    assert "redis.conf: timeout, tcp-keepalive, appendonly are what they are without a line; left out" in said


def test_a_default_of_some_versions_is_left_out_for_those_alone(tmp_path: Path) -> None:
    line = "repl-diskless-sync yes\n"
    assert "repl-diskless-sync: yes" in brief(tmp_path, line)[0]
    assert "repl-diskless-sync: yes" in brief(tmp_path, line, "--engine-version", "6.2.14")[0]
    assert "repl-diskless-sync" not in brief(tmp_path, line, "--engine-version", "7.0.15")[0]


def test_save_points_are_always_said(tmp_path: Path) -> None:
    text, _ = brief(tmp_path, "save 3600 1\nsave 300 100\nsave 60 10000\n", "--engine-version", "7.0.15")
    assert "save: [3600 1, 300 100, 60 10000]" in text


def test_sentinels_are_brief_too_and_their_protection_is_off_by_itself(tmp_path: Path) -> None:
    lines = ["protected-mode yes", "sentinel monitor m 127.0.0.1 7001 1", "sentinel parallel-syncs m 1"]
    lines += ["sentinel down-after-milliseconds m 30000", "sentinel failover-timeout m 9000", "loglevel notice"]
    text, _ = brief(tmp_path, "\n".join([*lines, ""]), name="sentinel.conf")
    assert "protected-mode: yes" in text
    assert "failover-timeout: 9000" in text
    assert not [each for each in ("parallel-syncs", "down-after", "loglevel") if each in text]
