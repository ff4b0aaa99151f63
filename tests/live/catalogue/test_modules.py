"""Directives of a module, with one that is built here: what a description says of them is what runs.

Without a C compiler these tests skip.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from redis_fleet.catalogue import check, table, values
from redis_fleet.engine_probe.scratch import StartError, scratch
from tests.harness.engines import Binary, available

pytestmark = [
    pytest.mark.skipif(not available(), reason="no engines here; python -m tests.harness.engines builds them"),
    pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler here"),
]
each_binary = pytest.mark.parametrize("binary", available(), ids=str)
# hello.count is a number; hello-size one of any name (redis 8.0).
_SOURCE = Path(__file__).with_name("hello.c")


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A module with two directives of its own."""
    made = tmp_path_factory.mktemp("module") / "hello.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(made), str(_SOURCE)], check=True)
    return made


def taken(binary: Binary, name: str, value: str) -> bool:
    """Say whether a description of that version lets a module's directive pass."""
    said = check.server(binary.engine, binary.version, name, (value,), modules=True)
    return not said.what


@each_binary
@pytest.mark.parametrize("name", ["hello.count", "hello-size"])
def test_a_server_starts_with_what_is_let_pass_and_with_nothing_else(binary: Binary, module: Path, name: str) -> None:
    text = f"loadmodule {module}\n{name} 7\n"
    if not taken(binary, name, "7"):
        with pytest.raises(StartError), scratch(binary.server, text):
            pass
        return
    directive = table.catalogue(binary.engine, binary.version).of_module(name)
    assert directive is not None
    with scratch(binary.server, text) as server:
        answer = server.settings()[name]
        server.call("CONFIG", "REWRITE")
        assert f"\n{name} 7\n" in server.configuration.read_text()
    assert values.canonical(directive, answer) == values.canonical(directive, (("7",),))


@each_binary
def test_without_its_module_a_server_does_not_start(binary: Binary) -> None:
    for name in ("hello.count", "hello-size"):
        said = check.server(binary.engine, binary.version, name, ("7",))
        assert said.rule is check.UNKNOWN
        with pytest.raises(StartError), scratch(binary.server, f"{name} 7\n"):
            pass
