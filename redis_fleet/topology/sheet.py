"""The settings of one process while they are gathered: expand texts, judge directives, report problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from redis_fleet.description.load import Description
from redis_fleet.description.nodes import Path, VaultText
from redis_fleet.description.secrets import expand, expand_secret
from redis_fleet.model import Secret, Setting
from redis_fleet.problems import UnreadableError
from redis_fleet.topology.judge import Verdict

Judge = Callable[[str, str | None, str, tuple[str, ...]], Verdict]


@dataclass
class Sheet:
    """One process's settings, by name, in the order they were first set."""

    description: Description
    variables: Mapping[str, Any]
    settings: dict[str, Setting] = field(default_factory=dict)

    def put(self, name: str, *lines: tuple[object, ...], secret: bool = False) -> None:
        """Set a directive of redis-fleet's own choosing."""
        words = tuple(tuple(map(str, line)) for line in lines)
        self.settings[name] = Setting(name, words, secret)

    def take(self, path: Path, config: Mapping[str, tuple[str | VaultText, ...]], judge: Judge) -> None:
        """Take over the ``config`` mapping at ``path``, each directive expanded and judged."""
        deployment = self.description.deployment
        written: dict[str, str] = {}
        for name, raw in config.items():
            place = (*path, name)
            texts = self.texts(place, raw)
            if texts is None:
                continue
            verdict = judge(deployment.engine, deployment.version, name.lower(), texts)
            if verdict.what:
                self.description.report(place, verdict.what, verdict.remedy)
                continue
            first = written.setdefault(verdict.name, name)
            if first != name:
                self.description.report(place, f"is the same directive as '{first}' above", "keep one")
                continue
            position = self.description.document.position(place)
            self.settings[verdict.name] = Setting(verdict.name, verdict.lines, verdict.sensitive, position)

    def texts(self, path: Path, raw: tuple[str | VaultText, ...]) -> tuple[str, ...] | None:
        """Expand texts for this machine; None (and a problem) when one of them cannot be."""
        try:
            return tuple(expand(text, self.variables) for text in raw)
        except UnreadableError as error:
            self.description.report(path, error.what, error.remedy)
            return None


def secret(description: Description, path: Path, raw: str | VaultText | None) -> Secret | None:
    """Read a password of the file; None when there is none, or (with a problem) when it cannot be read."""
    if path not in description.secrets:
        description.secrets[path] = None if raw is None else _read(description, path, raw)
    return description.secrets[path]


def _read(description: Description, path: Path, raw: str | VaultText) -> Secret | None:
    try:
        return Secret(expand_secret(raw, {"inventory_dir": description.folder}))
    except UnreadableError as error:
        description.report(path, error.what, error.remedy)
        return None
