"""The settings of one process while they are gathered: expand texts, judge directives, report problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from redis_fleet.agent.secret import Secret
from redis_fleet.catalogue.check import UNKNOWN, DirectiveCheck, adds_up, newest_name
from redis_fleet.description.load import Description
from redis_fleet.description.nodes import Path, VaultText
from redis_fleet.description.secrets import expand, expand_secret
from redis_fleet.model import Setting
from redis_fleet.problems import UnreadableError

Config = Mapping[str, tuple[str | VaultText, ...]]
_LONGEST_PASSWORD = 512  # redis 6.0 does not start with a longer one (CONFIG_AUTHPASS_MAX_LEN)
_OF_MODULE = "what belongs to a module goes behind its path in 'loadmodule:', as an argument"
Judge = Callable[[str, str | None, str, tuple[str, ...]], DirectiveCheck]


@dataclass
class SettingsBuilder:
    """One process's settings, by name, in the order they were first set."""

    description: Description
    variables: Mapping[str, Any]
    settings: dict[str, Setting] = field(default_factory=dict)

    def set(self, name: str, *lines: tuple[object, ...], secret: bool = False) -> None:
        """Set a directive of redis-fleet's own choosing."""
        self.settings[name] = _secret_setting(name, lines) if secret else _setting(name, lines)

    def add_described(self, path: Path, config: Config, judge: Judge) -> None:
        """Take over the ``config`` mapping at ``path``, each directive expanded and judged.

        What names no variable is the same for all processes of the section: it is judged once.
        """
        judged = self.description.judged.get((path, *config))
        if judged is None:
            judged = self._judged(path, config, judge)
            if all(_is_fixed(text) for raw in config.values() for text in raw):
                self.description.judged[(path, *config)] = judged
        self.settings.update(judged)

    def _judged(self, path: Path, config: Config, judge: Judge) -> dict[str, Setting]:
        deployment = self.description.deployment
        written: dict[str, str] = {}
        found: dict[str, Setting] = {}
        for name, raw in config.items():
            place = (*path, name)
            texts = self.texts(place, raw)
            if texts and adds_up(deployment.engine, name):
                texts = _lines_here(raw, texts) or None
            if texts is None:
                continue
            checked = _judged_as_meant(partial(judge, deployment.engine, deployment.version, name.lower()), texts)
            if checked.ignored:
                continue
            if checked.rule is UNKNOWN and "loadmodule" in map(str.lower, config):
                remedy = f"{_OF_MODULE}; {checked.remedy}"
                self.description.report(place, f"{checked.what} itself", remedy, UNKNOWN.id)
                continue
            if checked.what:
                self.description.report(place, checked.what, checked.remedy, checked.rule.id if checked.rule else "")
                continue
            first = written.setdefault(newest_name(deployment.engine, deployment.version, checked.name), name)
            if first != name:
                self.description.report(place, f"is the same directive as '{first}' above", "keep one")
                continue
            position = self.description.document.position(place)
            found[checked.name] = Setting(checked.name, checked.lines, checked.sensitive, position)
        return found

    def texts(self, path: Path, raw: tuple[str | VaultText, ...]) -> tuple[str, ...] | None:
        """Expand texts for this machine; None (and a problem) when one of them cannot be."""
        try:
            return tuple(expand(text, self.variables) for text in raw)
        except UnreadableError as error:
            self.description.report(path, error.what, error.remedy)
            return None


def _lines_here(raw: tuple[str | VaultText, ...], texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the lines of a directive whose lines add up: one that is empty on this machine is none there.

    Only where that can be meant: by a condition, or by a variable; what a lookup does not find is missing.
    """
    return tuple(text for given, text in zip(raw, texts, strict=True) if text or not _may_be_empty(given))


def _may_be_empty(raw: str | VaultText) -> bool:
    return isinstance(raw, str) and ("{%" in raw or ("{{" in raw and "lookup" not in raw))


_MEANT = {"true": "yes", "on": "yes", "false": "no", "off": "no"}


def _judged_as_meant(judge: Callable[[tuple[str, ...]], DirectiveCheck], texts: tuple[str, ...]) -> DirectiveCheck:
    """Judge a value; where it is refused and YAML's other words for yes and no can mean only that, judge that."""
    checked = judge(texts)
    if checked.what and len(texts) == 1 and (word := _MEANT.get(texts[0].lower())):
        meant = judge((word,))
        return checked if meant.what else meant
    return checked


@lru_cache(maxsize=16384)
def _setting(name: str, lines: tuple[tuple[object, ...], ...]) -> Setting:
    """Make a setting of redis-fleet's own, once for all processes that have it."""
    return Setting(name, _words(lines))


def _secret_setting(name: str, lines: tuple[tuple[object, ...], ...]) -> Setting:
    return Setting(name, _words(lines), True)


def _words(lines: tuple[tuple[object, ...], ...]) -> tuple[tuple[str | Secret, ...], ...]:
    return tuple(tuple(each if isinstance(each, Secret) else str(each) for each in line) for line in lines)


def _is_fixed(text: str | VaultText) -> bool:
    return isinstance(text, str) and "{{" not in text and "{%" not in text


def secret(description: Description, path: Path, raw: str | VaultText | None) -> Secret | None:
    """Read a password of the file; None when there is none, or (with a problem) when it cannot be read."""
    if path not in description.secrets:
        description.secrets[path] = None if raw is None else _read(description, path, raw)
    return description.secrets[path]


def _read(description: Description, path: Path, raw: str | VaultText) -> Secret | None:
    try:
        value = expand_secret(raw, {"inventory_dir": description.folder})
        if "\0" in value or len(value.encode("utf-8", "surrogateescape")) > _LONGEST_PASSWORD:
            what = f"has a NUL character, or more than {_LONGEST_PASSWORD} bytes"
            raise UnreadableError(what, "use one that every version reads")
        return Secret(value)
    except UnreadableError as error:
        description.report(path, error.what, error.remedy)
        return None
