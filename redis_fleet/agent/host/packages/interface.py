"""What a package provider can do; there is a module for each."""

from __future__ import annotations

from typing import Optional, Protocol


class Provider(Protocol):
    """How a family of distributions installs packages, and how it is spoken of.

    ``title`` is the program's name in messages, ``refresh`` the command that reads the lists of packages again,
    ``sources`` where its lists of package sources are, ``sources_folder`` where a new one belongs.
    """

    name: str
    title: str
    refresh: str
    sources: str
    sources_folder: str

    def is_here(self) -> bool:
        """Say whether this machine has it."""

    def installed(self, names: list[str]) -> dict[str, str]:
        """Return the installed versions; a package that is not installed is left out."""

    def install(self, names: list[str]) -> None:
        """Read the lists of packages and install some; raises RuntimeError with the provider's words."""

    def candidates(self, names: list[str]) -> dict[str, Optional[str]]:
        """Return the version that would be installed, by package; None where it knows of none."""

    def has_lists(self) -> bool:
        """Say whether lists of packages were ever read on this machine."""

    def command(self, *names: str) -> str:
        """Return the command by which a person installs packages."""
