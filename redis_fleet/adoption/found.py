"""What an import starts from: the processes that were found, each with the statements of its file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from redis_fleet.agent.secret import Secret
from redis_fleet.model import Words
from redis_fleet.problems import Position, one_line


class RefusedError(Exception):
    """The server itself would not start with this file, or it cannot be read; says where and why.

    ``all`` are this one and those that were found in the same run; the message has a line for each.
    """

    def __init__(self, position: Position, what: str, others: Sequence[RefusedError] = ()) -> None:
        """Keep the place and the reason; the message is ``file:line: reason``."""
        self.position = position
        self.what = what
        self.all: tuple[RefusedError, ...] = (self, *others)
        super().__init__("\n".join(self.lines))

    @property
    def lines(self) -> tuple[str, ...]:
        """Return the messages, each once."""
        return tuple(dict.fromkeys(one_line(f"{each.position}: {each.what}") for each in self.all))


@dataclass
class Refusals:
    """Gathers refusals, so that all of them are told in one run."""

    found: list[RefusedError] = field(default_factory=list)

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Keep what is refused inside, and go on behind it."""
        try:
            yield
        except RefusedError as error:
            self.found += error.all

    def end(self) -> None:
        """Raise RefusedError with all that were gathered."""
        if self.found:
            first, *others = self.found
            raise RefusedError(first.position, first.what, others)


@dataclass(frozen=True)
class Statement:
    """One line of a file: the directive's name in lower case, the words behind it, and where it stands.

    ``text`` numbers the files in the order of their inclusion, the main one is 0; ``after_include``: an included file
    ended before it. Both matter to ``save`` lines (see ``saving``).
    """

    name: str
    words: Words = field(repr=False)
    position: Position
    after_include: bool = False
    text: int = 0


@dataclass(frozen=True)
class Found:
    """One process as it was set up: where it runs and what its file says.

    ``address`` is empty when only the files can tell it, ``version`` None and ``unit`` empty when nothing does.
    ``configuration`` is the file's path on its machine; ``assumed`` says which of ``configuration`` and ``unit`` are a
    guess. ``running`` is what CONFIG GET answered, ``variables`` are the machine's ``ansible_...`` ones. ``users`` are
    the lines of its ACL file, None where that is not at hand.
    """

    machine: str
    kind: str
    engine: str
    configuration: str
    statements: tuple[Statement, ...]
    address: str = ""
    version: str | None = None
    unit: str = ""
    assumed: tuple[str, ...] = ()
    running: Mapping[str, str] | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    users: tuple[Statement, ...] | None = None

    @property
    def file(self) -> str:
        """The file that was read, as messages name it."""
        return self.statements[0].position.file if self.statements else self.configuration


@dataclass(frozen=True)
class Adopted:
    """The description and what goes with it.

    ``text`` is YAML; ``secrets`` are what its references stand for, by environment variable; ``notes`` say what could
    not be carried over and what was assumed, each beginning with ``file:line:`` where there is one. ``wanted`` says
    what has to be written into it before it is of use; empty for nothing.
    """

    text: str
    secrets: Mapping[str, Secret]
    notes: tuple[str, ...]
    wanted: str = ""
