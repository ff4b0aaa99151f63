"""Modules of this package in one file that runs by itself: the head of such a file, and what makes one of it.

Machines have it where something is to run that no controller has a hand in. What was compiled once is kept beside it,
for its owner alone, as Python does for files.
"""

from __future__ import annotations

import marshal
import os
import sys
from types import CodeType, ModuleType

ModuleSpec = type(sys.__spec__)
"""That of importlib.machinery, which takes longer to import than much of what is run from here."""
SOURCES: dict[str, str] = {}
"""The texts of modules by name; those of packages end in ``.__init__``."""


class _Modules:
    """Finds and loads the modules of SOURCES; they see each other as they do where they come from."""

    def __init__(self, codes: dict[str, CodeType]) -> None:
        self._codes = codes

    def find_spec(self, name: str, *_: object) -> object:
        """Return where a module is loaded from; None for one of somebody else."""
        package = f"{name}.__init__" in self._codes
        if not package and name not in self._codes:
            return None
        return ModuleSpec(name, self, origin=__file__, is_package=package)  # type: ignore[arg-type]

    def create_module(self, spec: object) -> None:
        """Let Python make the module."""

    def exec_module(self, module: ModuleType) -> None:
        """Fill the module."""
        name = module.__name__
        exec(self._codes.get(name) or self._codes[f"{name}.__init__"], module.__dict__)  # noqa: S102


def _codes() -> dict[str, CodeType]:
    found = os.stat(__file__)  # noqa: PTH116 (to import pathlib takes a tenth of the whole start)
    made_of = (found.st_mtime_ns, found.st_size, sys.version)
    kept = f"{__file__}.{sys.implementation.cache_tag}"
    try:
        with open(kept, "rb") as file:  # noqa: PTH123
            of, codes = marshal.load(file)  # noqa: S302
        if of == made_of:
            return dict(codes)
    except (OSError, ValueError, EOFError, TypeError):
        pass
    codes = {name: compile(text, f"{__file__}:{name}", "exec", dont_inherit=True) for name, text in SOURCES.items()}
    _keep(kept, marshal.dumps((made_of, codes)))
    return codes


def _keep(path: str, content: bytes) -> None:
    """Keep what was compiled; where that is not possible it is compiled anew the next time."""
    staged = f"{path}.{os.getpid()}"
    try:
        handle = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(staged, path)  # noqa: PTH105
    except OSError:
        pass


def install() -> None:
    """Let Python find the modules of SOURCES before any other of these names."""
    sys.meta_path.insert(0, _Modules(_codes()))  # type: ignore[arg-type]
