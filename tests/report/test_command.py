"""``--report`` on real processes: the page is there, says what was seen, and holds no password."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.harness.live.sandboxes import COMMAND, Box, box


def secrets(made: Box) -> list[str]:
    """Return the passwords of a sandbox."""
    return [path.read_text(encoding="ascii").strip() for path in (made.folder / ".secrets").iterdir()]


@pytest.mark.long
def test_the_pages_of_a_verification_and_a_failover(tmp_path: Path) -> None:
    with box(tmp_path / "box", "sentinel") as made:
        old = made.master("orders")
        page = tmp_path / "verified.html"
        done = made.on("verify", "--json", "--report", page)
        assert done.code == 0, done.both
        text = page.read_text(encoding="utf-8")
        checks = done.json()["checks"]
        assert f"{len(checks)} checks, all ok" in text
        assert all(check["check"] in text and check["subject"] in text for check in checks)
        assert f"orders: master {old};" in text
        assert "As its processes said" in text

        page = tmp_path / "failover.html"
        done = made.on("verify", "--drill", "failover", "--yes", "--report", page)
        assert done.code == 0, done.both
        drilled = page.read_text(encoding="utf-8")
        new = made.master("orders")
        assert new != old
        assert f"orders: master {new};" in drilled
        assert re.search(r"the failover is as it should be: writes refused for [\d,]+ ms", drilled)
        assert "writes are accepted again after" in drilled
        points = re.search(r'"name": "acknowledged", "points": (\[\[.*?\]\])', drilled)
        assert points
        assert points[1].count("], [") > 5

        assert secrets(made)
        assert not [secret for secret in secrets(made) if secret in text + drilled]


@pytest.mark.parametrize("where", ["nowhere/report.html", "."])
def test_a_page_that_cannot_be_written_is_refused_before_anything_is_done(tmp_path: Path, where: str) -> None:
    made = Box(tmp_path / "box", "sentinel")

    done = made.run(COMMAND, "drill", "rdb", "--report", tmp_path / where)

    assert done.code == 2
    assert "--report" in done.err
    assert "SAVE" not in done.both


def test_drills_on_servers_of_their_own(tmp_path: Path) -> None:
    made = Box(tmp_path / "box", "sentinel")
    page = tmp_path / "report.html"

    done = made.run(COMMAND, "drill", "rewrite", "--report", page)

    assert done.code == 0, done.both
    text = page.read_text(encoding="utf-8")
    assert "1 of 1 drill as documented" in text
    assert "which were thrown away" in text
    assert text.count("<canvas ") == 2
