"""The pages in docs/, made of the same table and rules: ``python -m redis_fleet.explain.document [FOLDER]``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from redis_fleet.catalogue import table
from redis_fleet.explain import pages, version_ranges
from redis_fleet.explain.explain import Explanation, every_name, of_sentinel, of_server
from redis_fleet.rules import Rule, all_rules

_SENTINEL = "sentinel.conf"
_MADE = "<!-- Made by 'make docs' from {source}; change that, not this. -->"


def documents() -> dict[str, str]:
    """Return the text of each page by its file name."""
    return {"directives.md": directives(), "rules.md": rules()}


def directives() -> str:
    """Return the page of all directives, by section."""
    names = every_name()
    parts = [
        "# Directives",
        _MADE.format(source="redis_fleet/catalogue/*.json"),
        f"Every directive of redis.conf and sentinel.conf in the versions that redis-fleet knows: {_versions()}. "
        "`redis-fleet explain NAME` prints the same, and the rules in full.",
        "\n".join(f"- [{title}](#{_anchor(title)})" for title in names),
    ]
    for title, own in names.items():
        parts.append(f"## {title}")
        parts += [_directive(each) for name in own for each in _rows(title, name)]
    return "\n\n".join(parts) + "\n"


def rules() -> str:
    """Return the page of all rules, errors first."""
    parts = [
        "# Rules",
        _MADE.format(source="redis_fleet/rules/"),
        "What `redis-fleet check`, `plan` and `deploy` hold a description against. An error stops a deployment, a "
        "warning only with `--strict`.",
        "| rule | |\n|---|---|\n"
        + "\n".join(f"| [{each.id}](#{each.id.lower()}) | {each.title} |" for each in all_rules()),
    ]
    parts += [_rule(each) for each in all_rules()]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Write the pages into a folder, docs/ where none is given."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (folder / name).write_text(text, encoding="utf-8")


def _versions() -> str:
    by_engine: dict[str, list[str]] = {}
    for column in version_ranges.columns():
        engine, version = version_ranges.split(column)
        by_engine.setdefault(engine, []).append(table.release(version))
    return "; ".join(f"{engine} {', '.join(own)}" for engine, own in by_engine.items())


def _rows(title: str, name: str) -> tuple[Explanation, ...]:
    """Return the row of that section; what a Sentinel shares with a server stands with the server's."""
    if title.startswith(_SENTINEL):
        return of_sentinel(name, version_ranges.columns())
    return of_server(name, version_ranges.columns())[:1]


def _directive(explanation: Explanation) -> str:
    facts = {
        "Value": (*pages.grouped(explanation.value), *explanation.notes),
        "Default": tuple(map(_default, explanation.default)),
        "Change": pages.grouped(explanation.change),
        "Known to": (pages.since(explanation),),
        "Names": explanation.names,
        "Unit": (f"allows {explanation.unit}",) if explanation.unit else (),
        "YAML": _yaml(explanation),
        "Rules": tuple(f"[{rule.id}](rules.md#{rule.id.lower()})" for rule in explanation.rules),
    }
    lines = [f"### {explanation.name}", "", f"{explanation.does}.", "", f"**Costs:** {explanation.costs}.", ""]
    return "\n".join([*lines, *_facts(facts)])


def _default(group: version_ranges.VersionGroup) -> str:
    text = group.text if group.text in ("none", "empty") else f"`{group.text}`"
    return f"{text} ({group.where})" if group.where else text


def _yaml(explanation: Explanation) -> tuple[str, ...]:
    example = (f"`{explanation.example}`",) if explanation.example else ()
    return (explanation.place, *example) if explanation.place else example


def _rule(rule: Rule) -> str:
    facts = {
        "What": (rule.title,),
        "Severity": (pages.severity(rule),),
        "Why": (rule.reason,),
        "Source": (rule.source,),
        "Fix": (rule.remedy,),
        "Judged by": (pages.judged_by(rule),),
        "Silence": (pages.silencing(rule),),
        "About": tuple(f"`{name}`" for name in rule.directives),
    }
    return "\n".join([f"## {rule.id}", "", *_facts(facts)])


def _facts(facts: dict[str, tuple[str, ...]]) -> Iterator[str]:
    separators = {"Rules": ", ", "About": ", "}
    for label, values in facts.items():
        if any(values):
            yield f"- {label}: {separators.get(label, '; ').join(values)}"


def _anchor(title: str) -> str:
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")


if __name__ == "__main__":
    main()
