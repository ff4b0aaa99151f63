"""Compare the table of directives with a real binary: ``python -m redis_fleet.engine_probe.compare BINARY``.

It prints one line for each name that one of the two lacks and for each default, limit, choice or way of setting that
differs, and exits with 0 only when there is none. To add a version:

1. ``... survey BINARY --add`` makes a column for it in both JSON files, a copy of the nearest one with what differs put
   right; rows for new names are at the end of ``redis-directives.json``.
2. Give the new rows their section and, where the type is not what it looks like (an address, save points ...), their
   type.
3. Without ``--add`` it must now say that the table is the same. ``python -m tests.harness.engines`` has an origin to
   add for the tests, which then try every directive of the column on the binary.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis_fleet.catalogue import table, values
from redis_fleet.catalogue.table import Catalogue, Directive
from redis_fleet.engine_probe import add_version
from redis_fleet.engine_probe.probe import OF_THIS_START, Answer, Answers, ask
from redis_fleet.engine_probe.scratch import StartError

# Left out of a build, whatever the version.
_OPTIONAL_SECTIONS = ("TLS", "RDMA")
_OPTIONAL_NAMES = ("max-new-tls-connections-per-cycle",)
# Narrower in the table than in the server, on purpose.
# What a complaint does not tell apart.
_ALIKE = {"flags": "enum", "oom-values": "integer", "percentiles": "integer"}
_NARROWER = {
    "hz": "the server takes any number, and runs at 1 to 500",
    "io-threads": "valkey 8.0 takes 128, and runs with 16",
}


@dataclass(frozen=True)
class Difference:
    """One name about which binary and table disagree, in words, and what the table's row would have to say.

    ``row`` is empty for a name that the binary lacks; ``new`` marks one that the table lacks.
    """

    name: str
    text: str
    row: dict[str, Any] = field(default_factory=dict)
    new: bool = False


def survey(executable: str | Path) -> Answers:
    """Ask a binary about everything; raises StartError or OSError."""
    return ask(executable, sorted(add_version.ignored()))


def differences(answers: Answers) -> list[Difference]:
    """Return what the table's nearest column says otherwise, by name; pure."""
    nearest = table.catalogue(answers.engine, answers.version)
    found = [*_unknown(answers, nearest), *_missing(answers, nearest)]
    for directive in nearest:
        answer = answers.directives.get(directive.name)
        if answer and not directive.file_only:
            found += _disagreements(directive, answer, _hidden(directive, answers))
    ignored = {name for name in add_version.ignored() if nearest.ignored(name)}
    found += [Difference(name, "ignored by the binary, not in the table") for name in {*answers.ignored} - ignored]
    found += [Difference(name, "not ignored by the binary") for name in ignored - {*answers.ignored}]
    return sorted(found, key=lambda difference: difference.name)


def _unknown(answers: Answers, nearest: Catalogue) -> Iterator[Difference]:
    for name, answer in answers.directives.items():
        if name not in nearest:
            row = _row(answer)
            yield Difference(name, f"not in the table: {json.dumps(row)}", row, new=True)
        elif (found := nearest.find(name)) and found.file_only:
            yield Difference(name, "answered by CONFIG GET, which the table denies", {"file_only": False})


def _missing(answers: Answers, nearest: Catalogue) -> Iterator[Difference]:
    for directive in nearest:
        optional = directive.section in _OPTIONAL_SECTIONS or directive.name in _OPTIONAL_NAMES
        if directive.name not in answers.directives and not directive.file_only and not optional:
            yield Difference(directive.name, "not in the binary")
        if directive.alias and directive.name in answers.directives and directive.alias not in answers.directives:
            yield Difference(directive.name, f"the binary does not know the alias {directive.alias}")


def _hidden(directive: Directive, answers: Answers) -> bool:
    """Say whether CONFIG GET lists a directive neither by its name nor by its alias (6.x lists slaveof alone)."""
    alias = answers.directives.get(directive.alias or "")
    return answers.directives[directive.name].hidden and (alias is None or alias.hidden)


def _disagreements(directive: Directive, answer: Answer, hidden: bool) -> Iterator[Difference]:
    """Yield what is wrong with a row, a difference a property."""
    name, shape = directive.name, answer.shape
    if directive.default is not None and name not in OF_THIS_START:
        wanted = values.canonical(directive, answer.text)
        if wanted != values.canonical(directive, directive.default):
            text = f"default {directive.default!r}, the binary's is {answer.text!r}"
            yield Difference(name, text, {"default": _number(answer)})
    live = "restart" if directive.live == "runtime-command" else directive.live
    if answer.live and live != answer.live:
        yield Difference(name, f"live {directive.live}, the binary's is {answer.live}", {"live": answer.live})
    if hidden != directive.hidden:
        yield Difference(name, "hidden" if hidden else "not hidden", {"hidden": hidden})
    if shape and shape.type != _ALIKE.get(directive.type, directive.type):
        yield Difference(name, f"type {directive.type}, the binary's is {shape.type}", {"type": shape.type})
    elif shape and shape.choices and shape.choices != tuple(sorted(directive.choices)):
        text = f"choices {', '.join(directive.choices)}; the binary's are {', '.join(shape.choices)}"
        yield Difference(name, text, {"choices": list(shape.choices)})
    if shape and shape.limits and shape.limits != (directive.minimum, directive.maximum) and name not in _NARROWER:
        text = f"from {directive.minimum} to {directive.maximum}, the binary's are {shape.limits}"
        yield Difference(name, text, {"min": shape.limits[0], "max": shape.limits[1]})


def _row(answer: Answer) -> dict[str, Any]:
    """Return a row for a new name, as far as the binary tells."""
    shape = answer.shape
    row: dict[str, Any] = {"section": "General", "type": shape.type if shape else "string", "default": _number(answer)}
    if shape and shape.choices:
        row["choices"] = list(shape.choices)
    if shape and shape.limits:
        row |= {"min": shape.limits[0], "max": shape.limits[1]}
    flags = {"percent": bool(shape and shape.percent), "hidden": answer.hidden}
    return {**row, "live": answer.live or "restart", **{name: True for name, flag in flags.items() if flag}}


def _number(answer: Answer) -> str | int:
    """Return the default as the table writes it."""
    numeric = answer.shape and answer.shape.type in ("integer", "memory")
    return int(answer.text) if numeric and answer.text.lstrip("-").isdigit() else answer.text


def main(arguments: list[str] | None = None) -> int:
    """Print what differs; returns 0 when nothing does, 1 when something does, 2 when the binary does not run."""
    parser = argparse.ArgumentParser(
        prog="python -m redis_fleet.engine_probe.compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("binary", help="a redis-server or valkey-server")
    parser.add_argument("--json", action="store_true", help="print all that the binary says of itself, and compare not")
    parser.add_argument("--add", action="store_true", help="add a column for this version to the JSON files")
    options = parser.parse_args(arguments)
    try:
        answers = survey(options.binary)
    except (StartError, OSError) as error:
        sys.stderr.write(f"{options.binary}: {error}\n")
        return 2
    if options.json:
        sys.stdout.write(json.dumps(dataclasses.asdict(answers), indent=1) + "\n")
        return 0
    found = differences(answers)
    for difference in found:
        sys.stdout.write(f"{difference.name}: {difference.text}\n")
    nearest = table.nearest_version(answers.engine, answers.version)
    this, compared = f"{answers.engine} {answers.version}", f"{answers.engine} {nearest}"
    summary = f"{len(found)} differences" if found else "no difference"
    sys.stdout.write(f"{this}, {len(answers.directives)} names: {summary} from the table's {compared}\n")
    if options.add:
        rows = [(difference.name, difference.row, difference.new) for difference in found]
        add_version.add(answers.engine, answers.version, nearest, rows, answers.ignored)
        sys.stdout.write(f"added the column {answers.engine}-{answers.version}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
