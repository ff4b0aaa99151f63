"""What ``redis-fleet render`` writes, byte by byte, for every sample and for the descriptions beside this file.

After a change on purpose: ``REGENERATE_GOLDEN=1 pytest tests/golden``, then read ``git diff tests/golden``.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from redis_fleet.loading import load_fleet
from redis_fleet.project import ROOT
from redis_fleet.render.files import write

HERE = Path(__file__).parent
SOURCES = {
    file.name.removesuffix(".redis.yml"): file
    for folder in (ROOT / "inventory", HERE / "descriptions")
    for file in sorted(folder.glob("*.redis.yml"))
}
# What the samples look up beside themselves; a lookup leaves a file that exists as it is.
SECRETS = ("orders", "sentinel", "payments", "sessions", "cache")


@pytest.fixture(params=SOURCES)
def sample(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a copy of a description with secrets that are the same on every machine."""
    (tmp_path / ".secrets").mkdir()
    for name in SECRETS:
        (tmp_path / ".secrets" / name).write_text(f"golden-{name}-password\n", encoding="utf-8")
    return Path(shutil.copy(SOURCES[request.param], tmp_path))


def test_rendered_files_are_the_golden_ones(sample: Path, tmp_path: Path) -> None:
    golden, rendered = HERE / sample.name.removesuffix(".redis.yml"), tmp_path / "rendered"

    write(load_fleet(str(sample)), rendered)

    for file in rendered.rglob("handover.py"):
        # Code of this package, which is tested as such.
        file.unlink()
    if os.environ.get("REGENERATE_GOLDEN"):
        shutil.rmtree(golden, ignore_errors=True)
        shutil.copytree(rendered, golden)
        for file in (*golden.rglob("*.conf"), *golden.rglob("*.json")):
            file.chmod(0o644)
    assert sorted(tree(rendered)) == sorted(tree(golden))
    for path, content in tree(rendered).items():
        assert content == tree(golden)[path], path


def test_files_with_secrets_are_readable_by_their_owner_alone(sample: Path, tmp_path: Path) -> None:
    written = write(load_fleet(str(sample)), tmp_path / "rendered")

    secret = [file for file in written if b"golden-" in file.read_bytes()]
    assert secret or sample.name.startswith(("open", "two"))
    assert {file.stat().st_mode & 0o777 for file in secret} <= {0o600}


def test_no_golden_folder_is_left_of_a_description_that_is_gone() -> None:
    assert sorted(path.name for path in HERE.iterdir() if path.is_dir() and path.name[0] not in "._") == sorted(
        [*SOURCES, "descriptions"]
    )


def tree(folder: Path) -> dict[str, str]:
    """Return the texts below a folder by relative path."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes().decode("utf-8", "surrogateescape") for path in files}
