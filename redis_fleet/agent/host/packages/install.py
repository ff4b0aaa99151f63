"""Prepare a machine: mask the distribution's own units, install packages, keep kernel settings over a reboot."""

from __future__ import annotations

from typing import Any

from ..files import put
from .providers import here

Answer = dict[str, Any]


def install(request: Answer, dry: bool = False) -> Answer:
    """Put ``links`` and ``files`` (see files.py), then install what is missing of ``packages``; says what was done.

    The links come first: they keep the packages' own units from ever starting. Raises RuntimeError with the provider's
    words.
    """
    answer = put(request, dry)
    provider = here()
    found = provider.installed(request["packages"])
    missing = [name for name in request["packages"] if name not in found]
    if missing and not dry:
        provider.install(missing)
    return {"written": answer["changed"], "installed": missing}
