"""Each directive with odd values on every engine: what ``check`` refuses the binary refuses, what it takes it means.

What is refused though the binary takes it says so (``DirectiveCheck.taken``): that, too, is held against the binary.
Everything else is in ``explained.py`` with its reason. By default a part of the matrix is tried, another one for each
engine; REDIS_FLEET_LONG=1 tries all of it, some minutes an engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

import pytest

from redis_fleet.catalogue import table, values
from redis_fleet.catalogue.table import Directive
from redis_fleet.engine_probe.scratch import StartError, scratch
from tests.fuzz import binaries, explained, matrix
from tests.fuzz.explained import Explained
from tests.fuzz.matrix import Cell
from tests.fuzz.running import LONG
from tests.harness.engines import Binary, available

pytestmark = pytest.mark.skipif(not available(), reason="no engines here; python -m tests.harness.engines builds them")
each_binary = pytest.mark.parametrize("binary", available(), ids=str)

_PART = 1 if LONG else 64  # of so many cells one is tried
_HEAD = f"sentinel monitor {matrix.MASTER} 127.0.0.1 1 2"


def part(binary: Binary, cells: Iterable[Cell]) -> list[Cell]:
    """Return the cells that are tried on an engine; together the engines try most of them."""
    return list(cells)[available().index(binary) :: _PART]


def unexplained(
    binary: Binary, wrong: Iterable[Cell], known: tuple[Explained, ...], *, sentinels: bool = False
) -> list[str]:
    """Return what nothing explains, and what explains nothing where the whole matrix was tried."""
    known = tuple(each for each in known if each.of_sentinels is sentinels)
    used, left = set(), []
    for cell in wrong:
        found = explained.about(binary, cell, known)
        used.add(found)
        if found is None:
            left.append(f"{' | '.join(cell.written)[:200]}: {cell.said.what or 'is taken'}")
    stale = [each for each in known if each.fits_engine(binary) and each not in used] if _PART == 1 else []
    return left + [f"explains nothing: {each}" for each in stale]


def present(binary: Binary) -> list[Directive]:
    """Return the directives that this build has, TLS is left out of some; less what names files or Sentinels."""
    with scratch(binary.server) as server:
        return [
            each
            for each in table.catalogue(binary.engine, binary.version)
            if each.name not in (*binaries.AT_ONCE, "include", "sentinel")
            and (each.file_only or each.set_only or server.settings(each.name))
        ]


@lru_cache(maxsize=1)
def server_cells(binary: Binary) -> tuple[Cell, ...]:
    """Return the cells of redis.conf that are tried on an engine."""
    return tuple(part(binary, matrix.server_cells(binary, present(binary))))


@each_binary
def test_servers_take_what_check_takes_and_refuse_what_it_refuses(binary: Binary) -> None:
    cells = server_cells(binary)
    refused = binaries.refused(binary, cells)
    taken = [cell for number, cell in enumerate(cells) if not cell.said.what and number in refused]
    wrong = [cell for number, cell in enumerate(cells) if cell.said.what and cell.said.taken is (number in refused)]

    assert not unexplained(binary, taken, explained.TAKEN)
    assert not unexplained(binary, wrong, explained.REFUSED)


@each_binary
def test_servers_start_with_what_check_takes_and_mean_it(binary: Binary) -> None:
    by_name: dict[str, list[Cell]] = {}
    for cell in filter(startable, server_cells(binary)):
        by_name.setdefault(cell.name, []).append(cell)
    wrong = []
    for turn in range(max(map(len, by_name.values()))):
        wrong += list(otherwise(binary, [each[turn] for each in by_name.values() if turn < len(each)]))

    assert not unexplained(binary, wrong, explained.MEANT)


def startable(cell: Cell) -> bool:
    """Say whether a start with a cell says something about it alone."""
    return not cell.said.what and cell.name not in binaries.NOT_HERE and not cell.directive.file_only


def otherwise(binary: Binary, cells: list[Cell]) -> Iterator[Cell]:
    """Yield the cells that one server with all of them does not start with, or answers otherwise."""
    password = next((cell.lines[0][0] for cell in cells if cell.name == "requirepass"), None)
    text = "\n".join(line for cell in cells for line in cell.written)
    try:
        with scratch(binary.server, text, password=password or None) as server:
            answers = server.settings()
            for cell in cells:
                answer = answers.get(cell.name) or "".join(server.settings(cell.name).values())
                if values.canonical(cell.directive, answer) != values.canonical(cell.directive, cell.lines):
                    yield cell
    except StartError:
        if len(cells) == 1:
            yield cells[0]
            return
        for half in (cells[: len(cells) // 2], cells[len(cells) // 2 :]):
            yield from otherwise(binary, half)


@each_binary
def test_sentinels_take_what_check_takes_and_refuse_what_it_refuses(binary: Binary) -> None:
    cells = part(binary, matrix.sentinel_cells(binary, matrix.sentinel_directives(binary)))
    refused = binaries.refused(binary, cells, head=_HEAD)
    taken = [cell for number, cell in enumerate(cells) if not cell.said.what and number in refused]
    wrong = [cell for number, cell in enumerate(cells) if cell.said.what and cell.said.taken is (number in refused)]

    assert not unexplained(binary, taken, explained.TAKEN, sentinels=True)
    assert not unexplained(binary, wrong, explained.REFUSED, sentinels=True)
