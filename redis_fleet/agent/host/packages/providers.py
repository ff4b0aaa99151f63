"""The package providers, by name, and the one that this machine has."""

from __future__ import annotations

from .apt import APT
from .interface import Provider

PROVIDERS = {each.name: each for each in (APT,)}


def provider(name: str) -> Provider:
    """Return a provider by name; raises KeyError."""
    return PROVIDERS[name]


def here() -> Provider:
    """Return the provider of this machine; where none is, the first one, which then finds nothing installed."""
    return next((each for each in PROVIDERS.values() if each.is_here()), next(iter(PROVIDERS.values())))
