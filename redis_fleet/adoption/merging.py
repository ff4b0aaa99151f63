"""What several processes of one section have in common, and how the description says where they differ."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from redis_fleet.adoption import lists, yaml_text
from redis_fleet.adoption.knowledge import Knowledge
from redis_fleet.adoption.notes import Notes
from redis_fleet.adoption.secrets import Book
from redis_fleet.adoption.texts import Text, Value, plain
from redis_fleet.catalogue import values

Place = tuple[str, int]
# Where a process's own address or port stands in a text: in a name, too, but not in a longer number.
_ADDRESS, _PORT = r"(?<![0-9A-Fa-f.:]){}(?![0-9A-Fa-f:]|\.\d)", r"(?<!\d){}(?!\d)"
_NAMED = {_ADDRESS: "{{ address }}", _PORT: "{{ port }}"}


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
    """A service or the Sentinels: its name, where its processes are, and the machine variables it comes to need.

    ``places`` are those whose files are at hand, ``others`` those that only these speak of: described like the first.
    """

    name: str
    places: Sequence[Place]
    others: Sequence[Place]
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
        if self._adds_up(key):
            return self._listed(key, given)
        filled = [each.texts if each else self._default(key) for each in given]
        if None in filled:
            self._cannot(key, given)
            return None
        rows = [self._lines(key, texts) for texts in filled if texts is not None]
        columns = list(zip(*rows, strict=True))
        label = key if len(columns) == 1 else f"{key} {{}}"
        return tuple(self.differing(label.format(count), column) for count, column in enumerate(columns, start=1))

    def _adds_up(self, key: str) -> bool:
        """Say whether several lines of a directive add up, and no line is one less."""
        return bool(self.knowledge.knowing(key)) and self.knowledge.directive(key).adds_up

    def _listed(self, key: str, given: Sequence[Value | None]) -> tuple[Written, ...]:
        """Return the lines that all have, and those of single processes under the condition that it is they."""
        columns = lists.aligned([each.texts if each else () for each in given])
        label = key if len(columns) == 1 else f"{key} {{}}"
        return tuple(
            self._conditional(column)
            if None in column
            else self.differing(label.format(count), [each for each in column if each])
            for count, column in enumerate(columns, start=1)
        )

    def _conditional(self, column: Sequence[Text | None]) -> Written:
        """Return a line that only some processes have; where no condition holds it is empty, which is no line."""
        keys, by = self._keys()
        having: dict[Text, list[str]] = {}
        for place, text in zip(keys, column, strict=True):
            if text is not None:
                having.setdefault(text, []).append(place)
        made = ""
        for text, places in having.items():
            test = f"{by} == {places[0]}" if len(places) == 1 else f"{by} in [{', '.join(places)}]"
            shown = yaml_text.template(text, self.book.references(self.name, [text]))
            made += f"{{% {'elif' if made else 'if'} {test} %}}{shown}"
        return Written(f"{made}{{% endif %}}")

    def _keys(self) -> tuple[list[str], str]:
        """Return how a template names each place, and the expression that it is compared with."""
        machines = [machine for machine, _ in (*self.places, *self.others)]
        alone = len(set(machines)) == len(machines)
        keys = [yaml_text.literal(machine if alone else f"{machine}:{port}") for machine, port in self.places]
        return keys, "machine" if alone else "machine ~ ':' ~ port"

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

    def _cannot(self, key: str, given: Sequence[Value | None]) -> None:
        for each in given:
            if each:
                text = f"{key} is not in every file of {self.name}, and no value means the same as no line"
                self.notes.add(each.position, f"{text}; left out")

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
        if not any(each.hidden for each in texts):
            pattern = self._pattern(clear)
            if pattern:
                return Written(pattern)
            machines = [machine for machine, _ in self.places]
            alone = len(set(machines)) == len(machines)
            if alone and not any("\ud800" <= c <= "\udfff" for each in clear for c in each):
                return Written(f"{{{{ {self._variable(label, clear)} }}}}")
        return Written(self._choice(label, texts))

    def _variable(self, label: str, clear: Sequence[str]) -> str:
        name = re.sub(r"\W+", "_", f"{self.name}_{label}", flags=re.ASCII)
        name = f"v_{name}" if name[0].isdigit() else name
        for (machine, _), text in zip(self.places, clear, strict=True):
            self.variables.setdefault(machine, {})[name] = text
        for machine, _ in self.others:
            self._say_like_whom(machine, label)
            self.variables.setdefault(machine, {}).setdefault(name, clear[0])
        return name

    def _say_like_whom(self, machine: str, label: str) -> None:
        text = f"{self.name}: {label} differs between machines; that of {machine} is not known, it is described as on"
        self.notes.add(None, f"{text} {self.places[0][0]}")

    def _choice(self, label: str, texts: Sequence[Text]) -> str:
        """Choose by the place: for secrets, and where two processes of one section share a machine."""
        if any(each.hidden for each in texts) and self.book.encrypt:
            text = f"{self.name}: {label} differs between machines, so its secrets are references, not vaults"
            self.notes.add(None, text)
        keys, by = self._keys()
        rows = [self._pieces(machine, text) for (machine, _), text in zip(self.places, texts, strict=True)]
        if len({tuple(not piece.is_secret for piece in row) for row in rows}) > 1:
            rows = [[Piece(" ~ ".join(piece.expression for piece in row) or "''")] for row in rows]
        made = ""
        for column in zip(*rows, strict=True):
            same = len({piece.expression for piece in column}) == 1
            choice = ", ".join(f"{key}: {piece.expression}" for key, piece in zip(keys, column, strict=True))
            # Who is not among them is described like the first.
            chosen = f"{{{choice}}}[{by}]" if not self.others else f"{{{choice}}}.get({by}, {column[0].expression})"
            shown = column[0].expression if same else chosen
            made += column[0].clear if same and column[0].clear else f"{{{{ {shown} }}}}"
        for machine, _ in self.others:
            self._say_like_whom(machine, label)
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

    def _pattern(self, clear: Sequence[str]) -> str:
        """Return one text for all, where they differ in nothing but the address or port of each; empty for none."""
        for words in ((_ADDRESS,), (_PORT,), (_ADDRESS, _PORT)):
            made = {
                self._replaced(text, {_ADDRESS: self.addresses[machine], _PORT: str(port)}, words)
                for (machine, port), text in zip(self.places, clear, strict=True)
            }
            if len(made) == 1:
                return made.pop()
        return ""

    def _replaced(self, text: str, own: Mapping[str, str], words: Sequence[str]) -> str:
        if "{" in text:
            return text + "{"  # equal to no other: braces of its own are not mixed with ours
        for each in words:
            text = re.sub(each.format(re.escape(own[each])), _NAMED[each], text)
        return text
