"""Images of the test hosts: ``localhost/redis-fleet-host:{11,12,13,testing}``, built once for each content."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, run

from tests.harness import releases
from tests.harness.hosts.engine import CACHE, HERE, Engine, EngineError

SUITES = {each.name: each.suite for each in releases.RELEASES}
_LABEL = "redis-fleet.content"
_CONTENT = ("Containerfile", "container-init", "test-host-keys.service")


def ensure(engine: Engine, release: str) -> str:
    """Return the name of a release's image, building it first unless one with this very content exists.

    Raises EngineError for an unknown release or a failed build.
    """
    if release not in SUITES:
        raise EngineError(f"no image {release!r}; there are {', '.join(SUITES)}")
    name = f"localhost/redis-fleet-host:{release}"
    content = _fingerprint(release)
    with alone(f"image-{release}"):
        if _label(engine, name) != content:
            _build(engine, release, name, content)
    return name


def _fingerprint(release: str) -> str:
    """Hash everything that an image is made from."""
    digest = hashlib.sha256(SUITES[release].encode())
    for file in _CONTENT:
        digest.update((HERE / file).read_bytes())
    return digest.hexdigest()[:16]


def _label(engine: Engine, name: str) -> str:
    """Return the content label of an existing image, or nothing."""
    try:
        return engine.run("image", "inspect", "--format", f'{{{{index .Config.Labels "{_LABEL}"}}}}', name)
    except EngineError:
        return ""


def _build(engine: Engine, release: str, name: str, content: str) -> None:
    """Build one image on the base that can be had here, from a folder that holds only what it needs."""
    base = _base(engine, release)
    with tempfile.TemporaryDirectory(prefix="redis-fleet-image-") as folder:
        for file in _CONTENT:
            shutil.copy(HERE / file, folder)
        recipe = str(Path(folder) / "Containerfile")
        options = ["--build-arg", f"BASE={base}", "--label", f"{_LABEL}={content}", "--tag", name, "--file", recipe]
        engine.run("build", *options, folder, timeout=900)


def _base(engine: Engine, release: str) -> str:
    """Return a base image: the distribution's own where a container registry answers, else one made with mmdebstrap."""
    local = f"localhost/redis-fleet-base:{release}"
    if engine.succeeds("image", "inspect", local):
        return local
    official = releases.BY_NAME[release].image
    if engine.succeeds("image", "inspect", official) or engine.succeeds("pull", "--quiet", official, timeout=180):
        return official
    _debootstrap(engine, release, local)
    return local


def _debootstrap(engine: Engine, release: str, name: str) -> None:
    """Make a minimal base image from packages alone; raises EngineError when mmdebstrap is missing or fails."""
    if not shutil.which("mmdebstrap"):
        raise EngineError(
            f"cannot pull {releases.BY_NAME[release].image}, and mmdebstrap is not installed to build it from packages"
        )
    with tempfile.TemporaryDirectory(prefix="redis-fleet-base-") as folder:
        archive = str(Path(folder) / "root.tar")
        options = ["--variant=minbase", '--aptopt=Acquire::Check-Valid-Until "false"']
        command = ["mmdebstrap", *options, SUITES[release], archive]
        done = run(command, stdin=DEVNULL, capture_output=True, text=True, check=False, timeout=900)
        if done.returncode:
            raise EngineError(f"mmdebstrap {SUITES[release]}: {done.stderr.strip()}")
        engine.run("import", archive, name, timeout=300)


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Hold a lock of this checkout, so that parallel tests build an image once."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
