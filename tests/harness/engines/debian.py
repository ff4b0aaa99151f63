"""The engines of Debian's releases: packages unpacked, never installed, run on the libraries they were built with."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.harness import releases
from tests.harness.engines.origin import OriginError, command, keep

# Loaded by name while the program runs, so that no list of what it needs has them.
_LOADED_LATER = ("libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2", "libgcc_s.so.1")


@dataclass(frozen=True)
class Origin:
    """One release and the engines that its packages offer; ``sources`` as in tests/harness/releases.py."""

    name: str
    engines: tuple[str, ...]
    suite: str
    sources: str = ""

    def build(self, target: Path, scratch: Path) -> None:
        """Put each engine into ``target``; raises OriginError."""
        root = scratch / "root"
        packages = [f"{engine}-{part}" for engine in self.engines for part in ("server", "sentinel")]
        hooks = [f"--setup-hook=sed -i '{self.sources}' \"$1/etc/apt/sources.list\""] if self.sources else []
        # "extract" resolves the packages' dependencies and unpacks them: no maintainer script runs.
        options = ["--quiet", "--variant=extract", f"--include={','.join(packages)}"]
        valid = '--aptopt=Acquire::Check-Valid-Until "false"'
        command("mmdebstrap", *options, valid, *hooks, self.suite, str(root))
        for engine in self.engines:
            home = _unpack(root, engine, target)
            shutil.copytree(root / "etc" / engine, home / "etc" / engine)


RELEASES = tuple(Origin(each.suite, each.engines, each.suite, each.sources) for each in releases.RELEASES)


def _unpack(root: Path, engine: str, target: Path) -> Path:
    """Take one engine with its libraries out of an unpacked release."""
    program = (root / "usr" / "bin" / f"{engine}-server").resolve()
    loader = _loader(root)
    folders = [folder for top in ("usr/lib", "lib") for folder in _library_folders(root / top)]
    path = ":".join(map(str, folders))
    listed = command(str(loader), "--library-path", path, "--list", str(program))
    needed = [Path(line.split()[2]) for line in listed.splitlines() if " => /" in line]
    missing = [line.split()[0] for line in listed.splitlines() if "not found" in line]
    outside = [str(file) for file in needed if root not in file.parents and not file.name.startswith("ld-")]
    if missing or outside:
        raise OriginError(f"{program.name} does not find {', '.join(missing + outside)} in {root.name}")
    later = [folder / name for folder in folders for name in _LOADED_LATER if (folder / name).exists()]
    libraries = {file.name: file for file in (*needed, *later) if file.name != loader.name}
    return keep(engine, program, target, loader=loader, libraries=tuple(libraries.values()))


def _loader(root: Path) -> Path:
    """Return a release's dynamic loader, on whichever processor and with /lib moved to /usr/lib or not."""
    found = [file for top in (root, root / "usr") for file in sorted(top.glob("lib*/ld-linux*.so.*"))]
    if not found:
        raise OriginError(f"no dynamic loader in {root.name}")
    # In Debian 11 it is a link with an absolute target, which is not this machine's.
    link = found[0].readlink() if found[0].is_symlink() else found[0]
    return root / link.relative_to("/") if link.is_absolute() and root not in link.parents else found[0]


def _library_folders(top: Path) -> list[Path]:
    return sorted(folder for folder in top.glob("*-linux-gnu*") if folder.is_dir())
