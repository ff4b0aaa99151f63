"""Values on their way into the description: clear words with secrets among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from redis_fleet.agent.conf.text import quote
from redis_fleet.agent.secret import Secret
from redis_fleet.model import Words
from redis_fleet.problems import Position


@dataclass(frozen=True)
class Hidden:
    """A secret of a file: what it is (``password``, ``auth-pass``), where it stands, and of which user, if of one.

    ``made``: not what stands there, but its SHA-256.
    """

    purpose: str
    value: Secret
    position: Position | None = None
    user: str = ""
    made: bool = False

    @property
    def name(self) -> str:
        """What the variable is called by that holds it."""
        return f"user {self.user} {'hash' if self.made else self.purpose}" if self.user else self.purpose


@dataclass(frozen=True)
class Text:
    """One text of the description, in clear parts and secrets."""

    parts: tuple[str | Hidden, ...]

    @property
    def clear(self) -> str:
        """The whole text with every secret in it."""
        return "".join(each.value.reveal() if isinstance(each, Hidden) else each for each in self.parts)

    @property
    def hidden(self) -> tuple[Hidden, ...]:
        """The secrets in it."""
        return tuple(each for each in self.parts if isinstance(each, Hidden))


@dataclass(frozen=True)
class Value:
    """One directive of one process.

    ``name`` is how the description writes it, ``key`` what the newest version calls it: equal keys are one directive.
    ``texts`` go below ``config:``. ``form`` is what the value means: processes with equal forms agree.
    """

    name: str
    key: str
    texts: tuple[Text, ...]
    form: object = field(repr=False)
    position: Position | None = None


def word_of(values: Mapping[str, Value], name: str) -> str:
    """Return a directive's value when it is one clear word; else nothing."""
    value = values.get(name)
    return value.texts[0].clear if value and len(value.texts) == 1 else ""


def plain(*texts: str) -> tuple[Text, ...]:
    """Make texts without secrets."""
    return tuple(Text((text,)) for text in texts)


def of_words(words: Words) -> str:
    """Write several words as one text that the catalogue splits into them again."""
    return " ".join(map(quote, words))


def joined(parts: Iterable[Iterable[str | Hidden]]) -> Text:
    """Make one text of words, each of them parts, with blanks between."""
    made: list[str | Hidden] = []
    for word in parts:
        made += [" ", *word] if made else word
    return Text(tuple(made))
