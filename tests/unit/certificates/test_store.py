"""The folder of an authority: made once, replaced in three steps, each of which leaves nobody out."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from redis_fleet.certificates.authority import issue
from redis_fleet.certificates.leaf import UnreadableError, signed, split
from redis_fleet.certificates.store import ALONE, BELIEVED, SIGNING, Authority, ensure, read, rotate


def believes(one: Authority, other: Authority) -> bool:
    """Whether what one signs is believed where the other is in force."""
    made = issue(one.signing, "a process", ("127.0.0.1",))
    return signed(made.certificate, other.believed, datetime.now(UTC))


def test_runs_at_once_get_the_same_one(tmp_path: Path) -> None:
    folder = str(tmp_path / "shop.authority")
    assert read(folder) is None
    with ThreadPoolExecutor(8) as pool:
        made = {each.believed for each in pool.map(lambda _: ensure(folder, "shop"), range(8))}
    assert len(made) == 1
    assert (tmp_path / "shop.authority" / ".gitignore").read_text() == "*\n"
    for file in (tmp_path / "shop.authority").glob("*.pem"):
        assert file.stat().st_mode & 0o777 == 0o600


def test_three_steps(tmp_path: Path) -> None:
    folder = str(tmp_path)
    steps = [ensure(folder, "shop"), *(rotate(folder, "shop") for _ in range(3))]
    assert [each.phase for each in steps] == [ALONE, BELIEVED, SIGNING, ALONE]
    assert [len(split(each.believed)) for each in steps] == [1, 2, 2, 1]
    for before, after in itertools.pairwise(steps):
        assert believes(before, after)
        assert believes(after, before)
        mine = issue(after.trusted, "redis-fleet", ())
        assert signed(mine.certificate, before.believed, datetime.now(UTC))
    assert not believes(steps[0], steps[3])
    assert not believes(steps[3], steps[0])


def test_one_that_is_damaged_is_named(tmp_path: Path) -> None:
    ensure(str(tmp_path), "shop")
    file = tmp_path / "authority.pem"
    file.write_text(file.read_text().partition("-----BEGIN PRIVATE")[0])
    with pytest.raises(UnreadableError, match=r"authority.pem has no key"):
        read(str(tmp_path))
    with pytest.raises(LookupError):
        rotate(str(tmp_path / "nowhere"), "shop")
