"""The JSON files of the table as a whole, and a new version's column in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from redis_fleet.catalogue import table

_TABLES = Path(table.__file__).parent
SERVER = _TABLES / "redis-directives.json"
SENTINEL = _TABLES / "sentinel-directives.json"
Change = tuple[str, Mapping[str, Any], bool]


def ignored() -> set[str]:
    """Return every name that some version accepts and ignores."""
    return {name for names in _read(SERVER)["accepted_but_ignored"].values() for name in names}


def add(engine: str, version: str, like: str, changes: Sequence[Change], ignored_names: Iterable[str]) -> None:
    """Write a column for a version: a copy of the version ``like`` with changes, each a name, its row and "is new".

    A change with an empty row takes the name out of the column.
    """
    column, model = f"{engine}-{version}", f"{engine}-{like}"
    for file in (SERVER, SENTINEL):
        data = _read(file)
        _copy(data, column, model)
        if file == SERVER:
            data["accepted_but_ignored"][column] = sorted(ignored_names)
            data["module_directives"][column] = data["module_directives"][model]
            for name, row, new in changes:
                _change(data, column, name, row, new)
        file.write_text(dump(data), encoding="utf-8")


def dump(data: Mapping[str, Any]) -> str:
    """Return a table's JSON text: one line a row."""
    parts = []
    for key, value in data.items():
        nested = key in ("accepted_but_ignored", "directives")
        parts.append(f' "{key}": {_rows(value) if nested else json.dumps(value, ensure_ascii=False)}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _rows(rows: Mapping[str, Any]) -> str:
    lines = [f'  "{name}": {json.dumps(row, ensure_ascii=False)}' for name, row in rows.items()]
    return "{\n" + ",\n".join(lines) + "\n }"


def _read(file: Path) -> Any:
    return json.loads(file.read_text("utf-8"))


def _copy(data: Any, column: str, model: str) -> None:
    """Put a column wherever its model stands."""
    data["versions"] = _ordered({*data["versions"], column})
    for row in data["directives"].values():
        lists = [row.get("only_in"), row.get("alias_in"), *(difference["in"] for difference in row.get("differs", ()))]
        for listed in lists:
            if listed and model in listed and column not in listed:
                listed[:] = _ordered({*listed, column})


def _change(data: Any, column: str, name: str, row: Mapping[str, Any], new: bool) -> None:
    rows = data["directives"]
    if new:
        known = rows.setdefault(name, {**row, "only_in": []})
        known["only_in"] = _ordered({*known["only_in"], column})
    elif name in rows and not row:
        rows[name]["only_in"] = [each for each in rows[name].get("only_in", data["versions"]) if each != column]
    elif name in rows:
        differences = rows[name].setdefault("differs", [])
        if not differences or differences[-1]["in"] != [column]:
            differences.append({"in": [column]})  # behind the others: of a column's differences the last one counts
        differences[-1].update(row)


def _ordered(columns: Iterable[str]) -> list[str]:
    """Sort columns as the table has them: redis before valkey, then by number."""
    return sorted(columns, key=lambda each: (each.split("-")[0], [int(part) for part in re.findall(r"\d+", each)]))
