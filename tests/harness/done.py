"""What came of a command that ran to its end."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Done:
    """A command that ended: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def both(self) -> str:
        """Everything that it printed."""
        return self.out + self.err

    def json(self) -> Any:
        """Return the one JSON object that standard output must be."""
        return json.loads(self.out)
