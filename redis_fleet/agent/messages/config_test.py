"""Configurations that are held against the very binary that will run them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

from ..codec import Message, Request
from .kind import Kind


@dataclass(frozen=True)
class ConfigText(Message):
    """One text, without passwords, and who runs it: ``binary`` as ``user`` where this is root (empty: whoever it is).

    Without a ``text`` only the version is asked for. ``unstarted`` are the numbers of lines that are read and not
    started. ``files`` stand for files that are not there yet: their texts, by the paths that the text has.
    """

    name: str
    binary: str
    kind: Kind
    user: str = ""
    text: Optional[str] = field(default=None, repr=False)
    unstarted: tuple[int, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict, repr=False)


REFUSES, SAYS_NOTHING = "refuses", "says-nothing"


@dataclass(frozen=True)
class Complaint(Message):
    """What a program ``said`` against a line, from 1; 0 where it names none.

    ``code``: it ``refuses`` the text, or ``says-nothing`` and ended, or hangs: then it is ``said`` how.
    """

    line: int
    said: str
    code: str = REFUSES


@dataclass(frozen=True)
class ConfigTested(Message):
    """What came of one text, by name; ``version`` is that of the binary (``redis 7.0.15``).

    ``untried`` says why it was not tried.
    """

    name: str
    version: str = ""
    complaints: tuple[Complaint, ...] = ()
    untried: str = ""


@dataclass(frozen=True)
class ConfigsTested(Message):
    """What came of all texts, in their order."""

    results: tuple[ConfigTested, ...] = ()


@dataclass(frozen=True)
class ConfigTest(Request[ConfigsTested]):
    """Try every text; ``seconds`` bounds each look. Changes nothing."""

    verb = "config-test"

    texts: tuple[ConfigText, ...] = ()
    seconds: float = 10.0
