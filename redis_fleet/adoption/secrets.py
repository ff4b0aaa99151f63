"""How the description speaks of secrets: by the environment variable that holds one, or encrypted in place."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from redis_fleet.adoption.notes import Notes
from redis_fleet.adoption.texts import Hidden, Text
from redis_fleet.agent.secret import Secret

Encrypt = Callable[[str], str]


@dataclass
class Book:
    """Gives each secret a name, the same one where the same secret serves the same purpose.

    ``encrypt`` turns a clear text into the lines of a ``!vault`` scalar; without it secrets are environment variables.
    """

    engine: str
    encrypt: Encrypt | None = None
    secrets: dict[str, Secret] = field(default_factory=dict)
    _wanted: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def vault(self, text: Text) -> str:
        """Return the ``!vault`` lines of a text with secrets; empty when it has to be a reference."""
        clear = text.clear
        # What decrypts is UTF-8; of some passwords only the hash is known.
        known = all(each.value.reveal() for each in text.hidden)
        fits = known and not any("\ud800" <= letter <= "\udfff" for letter in clear)
        return self.encrypt(clear) if self.encrypt and text.hidden and fits else ""

    def name(self, section: str, hidden: Hidden) -> str:
        """Return the environment variable of a secret."""
        words = re.sub(r"[^A-Za-z0-9]+", "_", f"{section} {hidden.name}").strip("_")
        base = words.upper() if words.upper().startswith(self.engine.upper()) else f"{self.engine}_{words}".upper()
        name, count = base, 1
        while name in self.secrets and self.secrets[name].reveal() != hidden.value.reveal():
            count += 1
            name = f"{base}_{count}"
        self.secrets.setdefault(name, hidden.value)
        places = self._wanted.setdefault(name, {}).setdefault(_what(hidden), [])
        place = f"{hidden.position}{f' (user {hidden.user})' if hidden.user else ''}"
        if place not in places:
            places.append(place)
        return name

    def references(self, section: str, texts: Sequence[Text]) -> dict[str, str]:
        """Return the expression that stands for each secret of some texts, by clear text."""
        return {
            each.value.reveal(): f"lookup('env', '{self.name(section, each)}')"
            for text in texts
            for each in text.hidden
        }

    def say(self, notes: Notes) -> None:
        """Add what each environment variable has to hold, and where that stands."""
        for name, wanted in self._wanted.items():
            told = (f"{what} {', '.join(places)}" for what, places in wanted.items())
            notes.add(None, f"export {name}: {', '.join(told)}")


def _what(hidden: Hidden) -> str:
    """Say what is wanted, in words that lead to its place."""
    if not hidden.value.reveal():
        return f"the {hidden.purpose} whose SHA-256 stands at"
    if hidden.made:
        return f"the SHA-256 of the {hidden.purpose} at"
    return f"the {hidden.purpose} at"
