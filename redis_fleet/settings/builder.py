"""The settings of one process while they are gathered: expand texts, judge directives, report problems."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial

from redis_fleet.agent.secret import Secret, masked
from redis_fleet.catalogue.check import DirectiveCheck, adds_up, newest_name
from redis_fleet.description.load import Description
from redis_fleet.description.nodes import Path, VaultText
from redis_fleet.description.secrets import Expanded, Variables, expand
from redis_fleet.description.template_names import is_template
from redis_fleet.model import Setting
from redis_fleet.problems import UnreadableError
from redis_fleet.rulebook import decides, declare
from redis_fleet.settings import shares

OF_VAULT = declare(
    "E52",
    "a value of a vault where everybody sees it",
    reason="plans, diffs, logs and 'status' show all that is no password, so what was encrypted would be readable",
    source="redis-fleet's own",
    remedy="write it where nothing is encrypted; or silence E52 there: it is then shown like any other value",
)

Config = Mapping[str, tuple[str | VaultText, ...]]
_TELLING = 4
Judge = Callable[[str, str | None, str, tuple[str, ...]], DirectiveCheck]


@dataclass
class SettingsBuilder:
    """One process's settings, by name, in the order they were first set."""

    description: Description
    variables: Variables
    settings: dict[str, Setting] = field(default_factory=dict)

    def set(self, name: str, *lines: tuple[object, ...], secret: bool = False) -> None:
        """Set a directive of redis-fleet's own choosing."""
        self.settings[name] = _secret_setting(name, lines) if secret else _setting(name, lines)

    def word(self, name: str) -> str:
        """Return the first word of a directive so far, empty when it has none."""
        return self.settings[name].word if name in self.settings else ""

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
            expanded = self._expanded(place, raw)
            if expanded and adds_up(deployment.engine, name):
                expanded = _lines_here(raw, expanded)
            if expanded is None or (raw and not expanded):
                continue
            texts = tuple(each.text for each in expanded)
            as_ = partial(judge, deployment.engine, deployment.version, name.lower())
            share = shares.is_share(name, texts)
            checked = _judged_as_share(as_, texts[0]) if share else _judged_as_meant(as_, texts)
            if checked.ignored:
                continue
            if checked.what:
                self._refuse(place, checked, expanded)
                continue
            if not checked.sensitive:
                _refuse_secrets(self.description, place, expanded)
            first = written.setdefault(newest_name(deployment.engine, deployment.version, checked.name), name)
            if first != name:
                self.description.report(place, f"is the same directive as '{first}' above", "keep one")
                continue
            position = self.description.document.position(place)
            part = shares.share_of(texts[0]) if share else None
            found[checked.name] = Setting(checked.name, checked.lines, checked.sensitive, position, part)
        return found

    def texts(self, path: Path, raw: tuple[str | VaultText, ...]) -> tuple[str, ...] | None:
        """Expand texts that are no secrets for this machine; None (and a problem) when one of them cannot be."""
        expanded = self._expanded(path, raw)
        if expanded is None:
            return None
        _refuse_secrets(self.description, path, expanded)
        return tuple(each.text for each in expanded)

    def _expanded(self, path: Path, raw: tuple[str | VaultText, ...]) -> tuple[Expanded, ...] | None:
        try:
            return tuple(expand(text, self.variables) for text in raw)
        except UnreadableError as error:
            self.description.report(path, error.what, error.remedy, position=error.position)
            return None

    def _refuse(self, path: Path, checked: DirectiveCheck, expanded: tuple[Expanded, ...]) -> None:
        """Report a value that cannot be, where it is written if that is one place outside the file."""
        what = masked(checked.what, (word for each in expanded if each.secret for word in _secret_words(each)))
        outer = {each.name: each.position for text in expanded for each in text.outer if each.position}
        position = None
        if outer:
            names = " and ".join(f"'{name}'" if len(outer) == 1 else f"'{name}' in {outer[name]}" for name in outer)
            what = f"{what}, by the value of {names}"
            position = next(iter(outer.values())) if len(outer) == 1 else None
        self.description.report(path, what, checked.remedy, checked.rule.id if checked.rule else "", position)


def _secret_words(expanded: Expanded) -> Iterator[str]:
    """Yield what no message may show of a text out of a vault: all that the vault gave, and the words of it."""
    given = [str(each.value) for each in expanded.outer if each.secret] or [expanded.text]
    for text in given:
        yield text
        # Shorter ones would be found in any message, and say nothing.
        yield from (word for word in text.split() if len(word) >= _TELLING)


@decides(OF_VAULT)
def _refuse_secrets(description: Description, path: Path, expanded: tuple[Expanded, ...]) -> None:
    """Report what comes out of a vault and goes where everybody sees it."""
    if any(each.secret for each in expanded):
        names = [f"'{outer.name}' in {outer.position}" for each in expanded for outer in each.outer if outer.secret]
        what = f"comes out of a vault{f' ({names[0]})' if names else ''}, and this directive is no secret"
        description.report(path, what, OF_VAULT.remedy, OF_VAULT.id)


def _lines_here(raw: tuple[str | VaultText, ...], lines: tuple[Expanded, ...]) -> tuple[Expanded, ...]:
    """Return the lines of a directive whose lines add up: one that is empty on this machine is none there.

    Only where that can be meant: by a condition, or by a variable; what a lookup does not find is missing.
    """
    return tuple(line for given, line in zip(raw, lines, strict=True) if line.text or not _may_be_empty(given))


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


def _judged_as_share(judge: Callable[[tuple[str, ...]], DirectiveCheck], text: str) -> DirectiveCheck:
    """Judge a directive by a size in place of its share of the machine's memory, then the share itself."""
    checked = judge((shares.STAND_IN,))
    if checked.what:
        return checked
    if shares.share_of(text) is None:
        what, remedy = f"'{text}' is no share of a machine's memory", "write 1% to 100%, or a size such as 6gb"
        return DirectiveCheck(what=what, remedy=remedy)
    return replace(checked, lines=((text,),))


@lru_cache(maxsize=16384)
def _setting(name: str, lines: tuple[tuple[object, ...], ...]) -> Setting:
    """Make a setting of redis-fleet's own, once for all processes that have it."""
    return Setting(name, _words(lines))


def _secret_setting(name: str, lines: tuple[tuple[object, ...], ...]) -> Setting:
    return Setting(name, _words(lines), True)


def _words(lines: tuple[tuple[object, ...], ...]) -> tuple[tuple[str | Secret, ...], ...]:
    return tuple(tuple(each if isinstance(each, Secret) else str(each) for each in line) for line in lines)


def _is_fixed(text: str | VaultText) -> bool:
    return isinstance(text, str) and not is_template(text)
