"""Hold a document against the schema; every misfit becomes a problem, what fits goes on to the rules."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ValidationError

from redis_fleet.description import schema
from redis_fleet.description.nodes import Document, Path, dotted
from redis_fleet.problems import Problem

_ROUNDS = 5


def shape(document: Document) -> tuple[schema.Deployment | None, Document]:
    """Return the deployment without its misfits (None when nothing usable is left), and the document with them."""
    tree: dict[str, Any] = dict(document.tree)
    found: dict[Path, Problem] = {}
    deployment = None
    for _ in range(_ROUNDS):
        try:
            deployment = schema.Deployment.model_validate(tree)
            break
        except ValidationError as error:
            if not found:
                tree = copy.deepcopy(tree)  # what does not fit is taken out of it
            misfits = [(_file_path(item["loc"], tree), item) for item in error.errors(include_url=False)]
            for path, item in misfits:
                # One value, one problem: also when it fits none of several types, or what was taken out is now missing.
                if not any(known[: len(path)] == path for known in found):
                    found[path] = _problem(document, path, item)
                # A missing key cannot be taken out: its surroundings go, so that the rest is still looked at.
                _prune(tree, path[:-1] if item["type"] == "missing" else path)
    problems = (*document.problems, *found.values())
    return deployment, replace(document, problems=problems, faulty=frozenset(found))


def _file_path(location: Iterable[str | int], tree: Any) -> Path:
    """Turn pydantic's location into a path of the file; only its last part may be missing there."""
    path: list[str | int] = []
    for part in location:
        if part in ("[key]", "connection"):
            continue
        if isinstance(tree, dict):
            path.append(part)
            tree = tree.get(part)
        elif isinstance(tree, list) and isinstance(part, int):
            path.append(part)
            tree = tree[part] if part < len(tree) else None
        else:
            break
    return tuple(path)


def _prune(tree: Any, path: Path) -> None:
    for part in path[:-1]:
        if not isinstance(tree, dict | list):
            return
        try:
            tree = tree[part]  # type: ignore[index]
        except (KeyError, IndexError):
            return
    if path and isinstance(tree, dict):
        tree.pop(path[-1], None)
    elif path and isinstance(tree, list) and isinstance(path[-1], int) and path[-1] < len(tree):
        tree[path[-1]] = ""


def _problem(document: Document, path: Path, item: Any) -> Problem:
    what, remedy = _words(path, item)
    return Problem(document.position(path), dotted(path), what, remedy)


def _words(path: Path, item: Any) -> tuple[str, str]:
    kind = item["type"]
    if kind == "missing":
        return "is missing", f"add '{path[-1]}:' here"
    if kind == "extra_forbidden":
        return _unknown_key(path)
    return _wrong_value(path, kind, item.get("ctx", {}), _shown(item.get("input")))


def _wrong_value(path: Path, kind: str, context: Any, seen: str) -> tuple[str, str]:
    if kind == "value_error":
        error = context["error"]
        return (error.what, error.remedy) if isinstance(error, schema.WrongValueError) else (str(error), "correct it")
    if kind in ("greater_than_equal", "less_than_equal"):
        bound = {"greater_than_equal": f"below {context.get('ge')}", "less_than_equal": f"above {context.get('le')}"}
        return f"{seen} is {bound[kind]}", f"use a whole number {_range(path)}"
    if kind.startswith("int_"):
        return f"{seen} is not a whole number", f"use a whole number {_range(path)}"
    if kind == "string_pattern_mismatch":
        return _not_a_name(path, seen)
    if kind == "too_short":
        return "is empty", "name at least one"
    expected, remedy = _EXPECTED.get(kind, ("of the right type", "compare it with what 'redis-fleet init' writes"))
    if kind.startswith("model_"):
        remedy = f"write its keys below it; keys here are {', '.join(known_keys(path))}"
    return f"{seen} is not {expected}", remedy


_EXPECTED = {
    "string_type": ("a text", "write one plain text"),
    "mapping_type": ("a mapping", "write 'name: value' lines below it"),
    "dict_type": ("a mapping", "write 'name: value' lines below it"),
    "model_type": ("a mapping", ""),
    "model_attributes_type": ("a mapping", ""),
    "tuple_type": ("a list", "write [ONE, TWO] or a '- ' in front of each"),
    "is_instance_of": ("a text", "write one plain text"),
}


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return f"'{value}'" if isinstance(value, str) else "this value"


def _range(path: Path) -> str:
    return "from 1 to 65535" if path and path[-1] == "port" else "of 1 or more"


def _not_a_name(path: Path, seen: str) -> tuple[str, str]:
    if path == ("engine",):
        return f"{seen} is not an engine", "use redis or valkey"
    if path == ("tls", "clients"):
        return f"{seen} is not a rule for clients", "write required, optional or no"
    if path == ("version",):
        return f"{seen} is not a version", "write it as 7.0 or 7.0.15"
    return f"{seen} is not a usable name", "use letters, digits, '-', '_' and '.', beginning with a letter or digit"


def _unknown_key(path: Path) -> tuple[str, str]:
    known = known_keys(path[:-1])
    nearest = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.6)
    if nearest:
        return "is not a key of the description", f"did you mean '{nearest[0]}'?"
    return "is not a key of the description", _where_else(known)


def _where_else(known: list[str]) -> str:
    if "config" in known:
        return f"a directive belongs under 'config:'; keys here are {', '.join(known)}"
    return f"keys here are {', '.join(known)}"


def known_keys(path: Path) -> list[str]:
    """Return the keys that may stand in the mapping at this path."""
    model = _model_at(path)
    keys = [field.alias or name for name, field in model.model_fields.items() if name not in ("connection", "watched")]
    return sorted([*keys, "ansible_…"] if model is schema.MachineDescription else keys)


_SECTIONS: dict[str, type[BaseModel]] = {"sentinel": schema.SentinelDescription, "tls": schema.TlsDescription}


def _model_at(path: Path) -> type[BaseModel]:
    match path:
        case ("machines", _):
            return schema.MachineDescription
        case ("services", _):
            return schema.ServiceDescription
        case ("services", _, "adopted") | ("sentinel", "adopted"):
            return schema.AdoptedDescription
        case ("services", _, "sentinel"):
            return schema.WatchDescription
        case (str() as section,):
            return _SECTIONS.get(section, schema.Deployment)
    return schema.Deployment
