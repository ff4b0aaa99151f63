"""``maxmemory: 60%``: bytes as soon as the machine's memory is known, refused where it has to be and is not."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from redis_fleet.agent.host import memory
from redis_fleet.cli.commands.files import check, render
from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet, Share
from redis_fleet.observe.facts import MachineFacts, Observed, ProcessFacts
from redis_fleet.problems import InvalidDescriptionError
from redis_fleet.render.files import configuration
from redis_fleet.settings.shares import in_words, unknown, with_memory

GIGABYTE = 1 << 30
TEXT = """plugin: redis_fleet
name: shop
machines:
  red1: {address: 10.0.0.11%s}
  red2: {address: 10.0.0.12}
services:
  orders:
    master: red1
    replicas: [red2]
    password: correct-horse-battery
    config:
      maxmemory: %s
"""


def written(folder: Path, size: str = "60%", described: str = "") -> Path:
    """Write a description."""
    file = folder / "shop.redis.yml"
    file.write_text(TEXT % (f", memory: {described}" if described else "", size), encoding="utf-8")
    return file


def sizes(fleet: Fleet) -> list[tuple[str, str]]:
    """Return word and words of each maxmemory."""
    found = [each.setting("maxmemory") for each in fleet.services[0].processes]
    return [(setting.word, in_words(setting)) for setting in found if setting]


def test_a_share_is_bytes_as_soon_as_the_memory_is_known(tmp_path: Path) -> None:
    fleet = load_fleet(str(written(tmp_path)))
    assert [each.setting("maxmemory").share for each in fleet.services[0].processes] == [Share(60), Share(60)]  # type: ignore[union-attr]
    assert len(unknown(fleet.processes)) == 2

    there = {"red1": 4 * GIGABYTE, "red2": None}
    known = with_memory(fleet, lambda process: there[process.machine])

    assert sizes(known) == [("2457mb", "60% of 4gb = 2.4gb"), ("60%", "60% of the machine's memory")]
    assert [process.machine for process, _ in unknown(known.processes)] == ["red2"]
    assert with_memory(known, lambda _: 8 * GIGABYTE).services[0].processes[0] == known.services[0].processes[0]


def test_a_unit_with_less_than_the_machine_counts(tmp_path: Path) -> None:
    fleet = load_fleet(str(written(tmp_path)))
    units = {"red1": {"MemoryMax": str(GIGABYTE)}, "red2": {"MemoryMax": "infinity"}}
    machines = {
        name: MachineFacts(memory=4 * GIGABYTE, processes={"orders-6379": ProcessFacts(unit=unit)})
        for name, unit in units.items()
    }

    assert [word for word, _ in sizes(with_memory(fleet, Observed(machines).memory))] == ["614mb", "2457mb"]


def test_what_the_file_says_of_a_machine_counts_before_anybody_looks(tmp_path: Path) -> None:
    fleet = load_fleet(str(written(tmp_path, described="16gb")))

    assert sizes(fleet)[0] == ("9830mb", "60% of 16gb = 9.6gb")
    assert "maxmemory 9830mb\n" in configuration(fleet, fleet.services[0].processes[0])
    with pytest.raises(ValueError, match="60% of the machine's memory, which nobody has asked"):
        configuration(fleet, fleet.services[0].processes[1])


def test_render_refuses_what_only_a_machine_knows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        render(written(tmp_path, described="16gb"), tmp_path / "out")

    assert ended.value.exit_code == 2
    said = capsys.readouterr()
    assert (said.out + said.err).splitlines() == [
        f"{tmp_path}/shop.redis.yml:12: maxmemory of orders-6379@red2 is 60% of the machine's memory, which is not "
        "asked here; write 'memory: 16gb', or what it has, below machines.red2"
    ]
    assert not (tmp_path / "out").exists()


def test_check_needs_no_memory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check([written(tmp_path)], no_binary=True)

    assert capsys.readouterr().out.endswith("shop.redis.yml: ok\n")


@pytest.mark.parametrize("size", ["0%", "101%", "62.5%", "1000%"])
def test_a_share_is_from_1_to_100(tmp_path: Path, size: str) -> None:
    with pytest.raises(
        InvalidDescriptionError, match=rf"maxmemory: '{size}' is no share of a machine's memory; write 1%"
    ):
        load_fleet(str(written(tmp_path, size)))


def test_this_machine_has_memory() -> None:
    found = memory.usable()
    total = memory.sizes()["MemTotal"]

    assert found
    assert found == min(total, memory.limit() or total)
