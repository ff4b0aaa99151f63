"""Append-only files as they are read, and what redis-check-aof says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from redis_fleet.agent.conf.aof import behind, layout, manifest_files, read
from redis_fleet.agent.conf.aof_check import _good, _whole
from redis_fleet.agent.protocol.resp import encode
from redis_fleet.drills.latency import Answer, _thinned
from redis_fleet.drills.writers import Loss

SET, INCR, MULTI = (encode(words) for words in (("SET", "a", "1\r\n*1\r\n"), ("INCR", "n"), ("MULTI",)))


def test_commands_are_read_up_to_the_damage() -> None:
    whole = SET + b"#TS:1700000000\r\n" + INCR
    assert read(whole).commands == [(b"SET", b"a", b"1\r\n*1\r\n"), (b"INCR", b"n")]
    assert read(whole).good == len(whole)
    assert read(SET + INCR[:-3]) == ([(b"SET", b"a", b"1\r\n*1\r\n")], len(SET))
    assert read(SET + bytes(100)).good == len(SET)
    assert read(b"") == ([], 0)
    assert read(b"*0\r\n").good == 0


@pytest.mark.parametrize(
    ("rest", "count"),
    [(bytes(500), 0), (INCR[:-3], 0), (bytes(9) + INCR + SET, 2), (INCR[5:] + bytes(3) + INCR + b"*2\r\n" + INCR, 2)],
)
def test_whole_commands_behind_damage_are_counted(rest: bytes, count: int) -> None:
    assert behind(rest) == count


def test_a_transaction_without_its_end_is_no_loss() -> None:
    assert _whole(MULTI + INCR + INCR) == 0
    assert _whole(MULTI + INCR + bytes(50)) == 0
    assert _whole(MULTI + INCR + bytes(50) + SET) == 1


def test_a_manifest_names_its_files_in_their_order() -> None:
    rows = ("b.2.incr.aof seq 2 type i", '"a b.rdb" seq 1 type b', "old.aof seq 1 type h", "c seq 1 type i")
    assert manifest_files("# notes\n" + "\n".join(f"file {row}" for row in rows)) == ["a b.rdb", "c", "b.2.incr.aof"]
    with pytest.raises(ValueError, match="seq"):
        manifest_files("file a type b")


def test_the_files_of_either_layout_are_found(tmp_path: Path) -> None:
    assert layout(tmp_path, "a.aof", "dir") is None
    (tmp_path / "a.aof").write_bytes(INCR)
    old = layout(tmp_path, "a.aof", "dir")
    assert old
    assert (old.check, old.last, old.whole, old.size) == (*[tmp_path / "a.aof"] * 3, len(INCR))
    folder = tmp_path / "dir"
    folder.mkdir()
    (folder / "a.aof.1.incr.aof").write_bytes(INCR)
    with pytest.raises(ValueError, match=r"manifest is missing"):
        layout(tmp_path, "a.aof", "dir")
    (folder / "a.aof.manifest").write_text("file a.aof.1.base.rdb seq 1 type b\nfile a.aof.1.incr.aof seq 1 type i\n")
    with pytest.raises(ValueError, match=r"names a\.aof\.1\.base\.rdb"):
        layout(tmp_path, "a.aof", "dir")
    (folder / "a.aof.1.base.rdb").write_bytes(b"REDIS")
    new = layout(tmp_path, "a.aof", "dir")
    assert new
    assert (new.check.name, new.last.name, new.whole) == ("a.aof.manifest", "a.aof.1.incr.aof", folder)


@pytest.mark.parametrize(
    ("said", "good"),
    [
        ("AOF analyzed: size=100, ok_up_to=60, diff=40\nAOF is not valid.", 60),
        ("AOF analyzed: filename=a.aof, size=100, ok_up_to=60, ok_up_to_line=3, diff=40", 60),
        ("AOF analyzed: filename=/d/a.aof, size=100, ok_up_to=60, ok_up_to_line=3, diff=40", 60),
        ("AOF analyzed: filename=base.rdb, size=100, ok_up_to=0, ok_up_to_line=1, diff=100", None),
        ("AOF analyzed: filename=a.aof, size=99, ok_up_to=60, ok_up_to_line=3, diff=39", None),
        ("RDB preamble of AOF file is not sane, aborting.", None),
        ("AOF analyzed: filename=a.aof, size=100, ok_up_to=100, ok_up_to_line=3, diff=0", None),
    ],
)
def test_only_the_end_of_the_last_file_is_to_be_cut(said: str, good: int | None) -> None:
    assert _good(said, Path("/d/a.aof"), 100) == good


def test_the_longest_waits_stay_on_the_chart() -> None:
    answers = [Answer(number / 1000, 0.5 if number == 1234 else 0.001) for number in range(5000)]
    points = _thinned(answers)
    assert len(points) <= 400
    assert max(points, key=lambda point: point[1]) == (1.234, 500.0)


def test_a_loss_is_counted() -> None:
    assert (Loss(200, 150, 0.5).lost, Loss(200, 150, 0.5).share, Loss(0, 0, 0).share) == (50, 75.0, 100.0)
