"""The lock files: what pyproject.toml asks for, at versions it allows, with hashes, and nothing of one machine."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_ROOT = Path(__file__).resolve().parents[3]
_FILES = {
    "run.txt": ("sandbox", "drill"),
    "test.txt": ("sandbox", "drill", "test"),
}
_PROJECT = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))


def pinned(file: str) -> dict[str, str]:
    """Return the versions in a lock file by package."""
    text = (_ROOT / "requirements" / file).read_text("utf-8")
    return {canonicalize_name(name): found for name, found in re.findall(r"^([^\s=#]+)==([^\s;\\]+)", text, re.M)}


def asked(extras: tuple[str, ...]) -> list[Requirement]:
    """Return what the project asks for with these extras, and what builds it."""
    project, groups = _PROJECT["project"], _PROJECT["dependency-groups"]
    optional = [text for extra in extras for text in project["optional-dependencies"][extra]]
    return [Requirement(text) for text in [*project["dependencies"], *optional, *groups["build"]]]


@pytest.mark.parametrize("file", _FILES)
def test_all_that_is_asked_for_is_locked_at_an_allowed_version(file: str) -> None:
    versions = pinned(file)

    wrong = [
        str(each)
        for each in asked(_FILES[file])
        if versions.get(canonicalize_name(each.name), "") not in each.specifier
    ]

    assert wrong == []


def test_who_does_not_test_has_the_versions_that_are_tested() -> None:
    assert pinned("run.txt").items() <= pinned("test.txt").items()


@pytest.mark.parametrize("file", [*_FILES, "lock.txt", "engines.txt"])
def test_every_package_has_hashes_and_none_a_place(file: str) -> None:
    text = (_ROOT / "requirements" / file).read_text("utf-8")
    entries = re.split(r"^(?=[^\s#])", text, flags=re.M)[1:]

    assert entries
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry or "==" not in entry] == []
    assert re.findall(r"^.*(?:://|--index|--find-links|--extra|\s@\s).*$", text, re.M) == []
