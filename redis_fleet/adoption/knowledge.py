"""What the engine's versions make of a statement; all questions about directives go through the catalogue."""

from __future__ import annotations

from dataclasses import dataclass

from redis_fleet.adoption.found import RefusedError, Statement
from redis_fleet.agent.conf.text import split
from redis_fleet.catalogue import check, table, values
from redis_fleet.catalogue.faults import Taken
from redis_fleet.catalogue.multi_word import Lines
from redis_fleet.catalogue.table import Catalogue, Directive
from redis_fleet.model import Words


@dataclass(frozen=True)
class Knowledge:
    """An engine and the version that reads the files; without a version anything that one version takes is fine."""

    engine: str
    version: str | None = None

    @property
    def catalogues(self) -> tuple[Catalogue, ...]:
        """The versions that may read the files, the newest first."""
        if self.version:
            return (table.catalogue(self.engine, self.version),)
        return tuple(table.catalogue(self.engine, each) for each in reversed(table.versions(self.engine)))

    def knowing(self, name: str) -> tuple[Catalogue, ...]:
        """Return the versions that have a directive, the newest first."""
        return tuple(each for each in self.catalogues if name in each)

    def ignored(self, name: str) -> bool:
        """Say whether a version reads the line and does nothing with it, and no version does something."""
        return not self.knowing(name) and any(each.ignored(name) for each in self.catalogues)

    def of_a_module(self, statement: Statement) -> bool:
        """Say whether only a module can know a directive."""
        return check.of_module(self.engine, self.version, statement.name) is not None

    def key(self, name: str) -> str:
        """Return what the newest version that knows a name calls it."""
        return self.knowing(name)[0].canonical_name(name)

    def written(self, name: str) -> str:
        """Return the name that the description's own reader gives it."""
        return self.knowing(name)[-1].canonical_name(name)

    def directive(self, name: str) -> Directive:
        """Return the newest version's directive."""
        found = self.knowing(name)[0].find(name)
        assert found is not None
        return found

    def check_known(self, statement: Statement) -> None:
        """Raise RefusedError for a name that no version in question knows."""
        if self.knowing(statement.name):
            return
        which = f"{self.engine} {self.version}" if self.version else f"any version of {self.engine} that is known here"
        hint = self._hint(statement.name)
        raise RefusedError(statement.position, f"'{statement.name}' is not a directive of {which}{hint}")

    def _hint(self, name: str) -> str:
        if in_time := check.known_in_time(self.engine, self.version, name):
            return f"; {in_time}"
        if engines := sorted({each.partition("-")[0] for each in table.known_in(name)} - {self.engine}):
            return f"; it is one of {engines[0]}: --engine {engines[0]}"
        near = self.catalogues[0].nearest(name)
        return f"; did you mean '{near}'?" if near else ""

    def check(self, statement: Statement, lines: Lines) -> Directive:
        """Return the directive of a version that takes the lines, the newest if it does; raises RefusedError."""
        problem = None
        for each in self.knowing(statement.name):
            directive = each.find(statement.name)
            assert directive is not None
            wrong = values.problem(directive, lines)
            if wrong is None:
                return directive
            problem = problem or wrong
        starts = "the server starts with it" if isinstance(problem, Taken) else "the server does not start with it"
        raise RefusedError(statement.position, f"{statement.name}: {problem}; {starts}")

    def accepts(self, name: str, texts: tuple[str, ...], *, sentinel: bool = False) -> str:
        """Return what the description's own reader says against a directive; empty when it takes it."""
        judge_ = check.sentinel if sentinel else check.server
        return judge_(self.engine, self.version, name, texts, adopted=True).what


def taken_apart(directive: Directive, words: Words) -> Words:
    """Return the words as the server counts them: of several words, one that holds blanks is split (7.0, config.c)."""
    if directive.many_words and not directive.file_only and len(words) == 1 and words[0]:
        try:
            return split(words[0])
        except ValueError:
            return words
    return words
