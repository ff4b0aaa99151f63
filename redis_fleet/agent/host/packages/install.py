"""Prepare a machine: mask the distribution's own units, install packages, keep kernel settings over a reboot."""

from __future__ import annotations

from ...messages.files import Prepare, Prepared
from ..put import put
from .providers import here


def install(request: Prepare, dry: bool = False) -> Prepared:
    """Put the files, then install what is missing of the packages; says what was done.

    The links come first: they keep the packages' own units from ever starting. Raises RuntimeError with the provider's
    words.
    """
    written = put(request.files, dry).changed
    provider = here()
    there = provider.installed(request.packages)
    missing = tuple(name for name in request.packages if name not in there)
    if missing and not dry:
        provider.install(missing)
    return Prepared(written, missing)
