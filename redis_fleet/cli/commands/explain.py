"""explain: what a directive or a rule is about; contacts nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Annotated, Any

import typer

from redis_fleet import rules
from redis_fleet.cli.common import INVALID, Json
from redis_fleet.cli.screen import Screen
from redis_fleet.explain import pages, version_ranges
from redis_fleet.explain.explain import Explanation, UnknownNameError, every_name
from redis_fleet.explain.explain import explain as explain_directive
from redis_fleet.rules import Rule

_STYLES = {"title": "bold", "plain": None}
_RULE = ("E", "W")


def explain(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Directives and rules: maxmemory, sentinel auth-pass, E8, W3."),
    ] = None,
    engine: Annotated[str | None, typer.Option("--engine", help="redis or valkey; both, if not given.")] = None,
    version: Annotated[
        str | None, typer.Option("--version", help="One version, such as 7.0 (of redis unless --engine is given).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Explain directives and rules: what one does, what it costs, where it stands; without a name, list them all.

    Exit code 2 for a name that nobody knows, with the one that may have been meant.
    """
    screen = Screen(as_json=as_json)
    try:
        version_ranges.columns(engine, version)
        found = [_explain(name, engine, version) for name in _names(names or [])]
    except (UnknownNameError, ValueError) as error:
        screen.fail(str(error))
        screen.json({"ok": False, "problems": [str(error)]})
        raise typer.Exit(INVALID) from None
    if not names:
        _list(screen)
        return
    for place, each in enumerate(found):
        _show(screen, [*([("plain", "")] if place else []), *_page(each)])
    screen.json({"ok": True, "explanations": [row for each in found for row in _rows(each)]})


def _names(words: list[str]) -> Iterator[str]:
    """Put 'sentinel' and the word behind it together; every other word is a name."""
    rest = iter(words)
    for word in rest:
        behind = next(rest, None) if word.lower() == "sentinel" else None
        yield f"{word} {behind}" if behind else word


def _explain(name: str, engine: str | None, version: str | None) -> tuple[Explanation, ...] | Rule:
    if name[:1].upper() in _RULE and name[1:].isdecimal():
        rule = rules.find(name)
        if rule is None:
            last = {letter: [each.id for each in rules.all_rules() if each.id[0] == letter][-1] for letter in _RULE}
            raise UnknownNameError(f"'{name}' is not a rule; there are E1 to {last['E']} and W1 to {last['W']}")
        return rule
    return explain_directive(name, engine, version)


def _list(screen: Screen) -> None:
    names = every_name()
    _show(screen, pages.outline(names.items()))
    _show(screen, [("title", "Rules"), *(("plain", f"  {each.id:<4} {each.title}") for each in rules.all_rules())])
    screen.json({"ok": True, "sections": names, "rules": {each.id: each.title for each in rules.all_rules()}})


def _page(found: tuple[Explanation, ...] | Rule) -> Iterator[pages.Line]:
    return pages.rule_page(found) if isinstance(found, Rule) else pages.page(found)


def _show(screen: Screen, lines: Iterable[pages.Line]) -> None:
    # A page beside the object would only be noise.
    for style, text in () if screen.as_json else lines:
        screen.say(text, _STYLES[style])


def _rows(found: tuple[Explanation, ...] | Rule) -> list[dict[str, Any]]:
    if isinstance(found, Rule):
        return [asdict(found) | {"severity": found.severity}]
    return [asdict(each) | {"rules": [rule.id for rule in each.rules]} for each in found]
