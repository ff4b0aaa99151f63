"""What several processes of one section have in common, and how the description says where they differ."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from redis_fleet.adoption import yaml_text
from redis_fleet.adoption.knowledge import Knowledge
from redis_fleet.adoption.notes import Notes
from redis_fleet.adoption.secrets import Book
from redis_fleet.adoption.texts import Text, Value, plain
from redis_fleet.catalogue import values

Place = tuple[str, int]


@dataclass(frozen=True)
class Written:
    """One text of the description as it is written: a template, or the lines of a ``!vault`` scalar."""

    text: str
    vault: bool = False


@dataclass(frozen=True)
class Piece:
    """A part of a text as an expression of a template; ``text`` is what it says when it is no secret."""

    expression: str
    text: str = ""
    is_secret: bool = False

    @property
    def clear(self) -> str:
        """The text where it may stand in a template as it is, else nothing."""
        return "" if "{" in self.text or not self.text.isprintable() else self.text


@dataclass
class MergedSection:
    """A service or the Sentinels: its name, where its processes are, and the machine variables it comes to need."""

    name: str
    places: Sequence[Place]
    knowledge: Knowledge
    book: Book
    notes: Notes
    addresses: Mapping[str, str]
    variables: dict[str, dict[str, str]] = field(default_factory=dict)

    def config(self, own: Sequence[Mapping[str, Value]]) -> dict[str, tuple[Written, ...]]:
        """Return the ``config:`` of all processes together; ``own`` has each one's values, in the order of places."""
        keys = list(dict.fromkeys(key for each in own for key in each))
        made = {}
        for key in keys:
            given = [each.get(key) for each in own]
            value = self._widest([each for each in given if each])
            texts = self._common(key, value, given)
            if texts is not None:
                made[value.name] = texts
        return made

    def _widest(self, given: Sequence[Value]) -> Value:
        """Return the value under the name that most versions know."""
        return max(given, key=lambda each: len(self.knowledge.knowing(each.name)))

    def _common(self, key: str, value: Value, given: Sequence[Value | None]) -> tuple[Written, ...] | None:
        if all(each is not None and each.form == value.form for each in given):
            return tuple(self.written(text) for text in value.texts)
        filled = [each.texts if each else self._default(key) for each in given]
        if None in filled:
            self._cannot(key, value, "it has no value that means the same as no line")
            return None
        rows = [self._lines(key, texts) for texts in filled if texts is not None]
        if len({len(row) for row in rows}) > 1:
            self._cannot(key, value, "it has not the same number of lines everywhere")
            return None
        columns = list(zip(*rows, strict=True))
        label = key if len(columns) == 1 else f"{key} {{}}"
        return tuple(self.differing(label.format(count), column) for count, column in enumerate(columns, start=1))

    def _lines(self, key: str, texts: tuple[Text, ...]) -> tuple[Text, ...]:
        """Bring values of several lines into a form that can be held side by side."""
        knowing = self.knowledge.knowing(key)
        type_ = self.knowledge.directive(key).type if knowing else ""
        if type_ == "save":
            return plain(" ".join(each.clear for each in texts))
        if type_ == "client-buffers":
            directive = self.knowledge.directive(key)
            form = values.canonical(directive, values.lines(directive, [each.clear for each in texts]))
            return plain(*form)
        return texts

    def _default(self, key: str) -> tuple[Text, ...] | None:
        """Return what a process without a line has, None where versions disagree or there is no such value."""
        found = [each.find(key) for each in self.knowledge.knowing(key)]
        defaults = {each.default for each in found if each}
        if key == "dir":
            return plain(".")  # where the process was started, as without the line
        if len(defaults) != 1 or None in defaults:
            newest = found[0].default if found and found[0] else None
            if newest is None:
                return None
            self.notes.add(None, f"{self.name}: {key} is not in every file; there it is described as '{newest}'")
            return plain(newest)
        return plain(str(defaults.pop()))

    def _cannot(self, key: str, value: Value, why: str) -> None:
        self.notes.add(value.position, f"{key} differs between the processes of {self.name} and {why}; left out")

    def written(self, text: Text) -> Written:
        """Return one text that is the same for all processes."""
        vault = self.book.vault(text)
        if vault:
            return Written(vault, vault=True)
        return Written(yaml_text.template(text, self.book.references(self.name, [text])))

    def differing(self, label: str, texts: Sequence[Text]) -> Written:
        """Return one text that each process reads as its own."""
        clear = [each.clear for each in texts]
        if len(set(clear)) == 1:
            return self.written(texts[0])
        machines = [machine for machine, _ in self.places]
        if not any(each.hidden for each in texts):
            for pattern in (self._by_address(clear), self._by_port(clear)):
                if pattern:
                    return Written(pattern)
            if len(set(machines)) == len(machines) and not any(
                "\ud800" <= c <= "\udfff" for each in clear for c in each
            ):
                return Written(f"{{{{ {self._variable(label, machines, clear)} }}}}")
        return Written(self._choice(label, texts))

    def _variable(self, label: str, machines: Sequence[str], clear: Sequence[str]) -> str:
        name = re.sub(r"\W+", "_", f"{self.name}_{label}", flags=re.ASCII)
        name = f"v_{name}" if name[0].isdigit() else name
        for machine, text in zip(machines, clear, strict=True):
            self.variables.setdefault(machine, {})[name] = text
        return name

    def _choice(self, label: str, texts: Sequence[Text]) -> str:
        """Choose by the place: for secrets, and where two processes of one section share a machine."""
        if any(each.hidden for each in texts) and self.book.encrypt:
            text = f"{self.name}: {label} differs between machines, so its secrets are references, not vaults"
            self.notes.add(None, text)
        alone = len({machine for machine, _ in self.places}) == len(self.places)
        keys = [yaml_text.literal(machine if alone else f"{machine}:{port}") for machine, port in self.places]
        by = "machine" if alone else "machine ~ ':' ~ port"
        rows = [self._pieces(machine, text) for (machine, _), text in zip(self.places, texts, strict=True)]
        if len({tuple(not piece.is_secret for piece in row) for row in rows}) > 1:
            rows = [[Piece(" ~ ".join(piece.expression for piece in row) or "''")] for row in rows]
        made = ""
        for column in zip(*rows, strict=True):
            same = len({piece.expression for piece in column}) == 1
            choice = ", ".join(f"{key}: {piece.expression}" for key, piece in zip(keys, column, strict=True))
            shown = column[0].expression if same else f"{{{choice}}}[{by}]"
            made += column[0].clear if same and column[0].clear else f"{{{{ {shown} }}}}"
        return made

    def _pieces(self, machine: str, text: Text) -> list[Piece]:
        references = self.book.references(f"{self.name} {machine}", [text])
        made: list[Piece] = []
        for each in text.parts:
            if not isinstance(each, str):
                made.append(Piece(references[each.value.reveal()], is_secret=True))
            elif made and not made[-1].is_secret:
                whole = made.pop().text + each
                made.append(Piece(yaml_text.literal(whole), whole))
            else:
                made.append(Piece(yaml_text.literal(each), each))
        return made

    def _by_address(self, clear: Sequence[str]) -> str:
        made = {
            self._replaced(text, self.addresses[machine], "{{ address }}")
            for (machine, _), text in zip(self.places, clear, strict=True)
        }
        return made.pop() if len(made) == 1 else ""

    def _by_port(self, clear: Sequence[str]) -> str:
        made = {
            self._replaced(text, str(port), "{{ port }}") for (_, port), text in zip(self.places, clear, strict=True)
        }
        return made.pop() if len(made) == 1 else ""

    def _replaced(self, text: str, word: str, by: str) -> str:
        if "{" in text:
            return text + "{"  # equal to no other: braces of its own are not mixed with ours
        return re.sub(rf"(?<![0-9A-Za-z.:]){re.escape(word)}(?![\w.:]*\w)", by, text)
