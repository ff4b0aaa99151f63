"""The same for sentinel.conf: what ``check`` takes, a Sentinel starts with and means; what it refuses, it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redis_fleet.agent.protocol.resp import ReplyError, pairs
from redis_fleet.catalogue import sentinel as sentinel_table
from redis_fleet.catalogue.sentinel import SentinelDirective
from redis_fleet.engine_probe.scratch import Scratch, StartError, scratch
from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet, Process, Setting, Words
from redis_fleet.problems import InvalidDescriptionError, Problem
from redis_fleet.render.files import configuration
from tests.fuzz import binaries, explained, intended, odd
from tests.fuzz.running import tried
from tests.fuzz.yaml_text import written
from tests.harness.engines import Binary, available

pytestmark = pytest.mark.skipif(not available(), reason="no engines here; python -m tests.harness.engines builds them")

PASSWORD = "a-password"
Config = Mapping[str, odd.Texts]
# Not read as written, or not at all: with the reason.
NOT_HERE: Mapping[str, str] = {
    **binaries.NOT_HERE,
    "sentinel known-replica": "is Sentinel's own from its first start on",
    "sentinel known-sentinel": "is Sentinel's own from its first start on",
    "sentinel notification-script": "the file must be there and be a program",
    "sentinel client-reconfig-script": "the file must be there and be a program",
    "requirepass": "this process is asked without a password",
}


def described(binary: Binary, config: Config, name: str) -> str:
    """Return a description of three Sentinels with that configuration, and a service that they watch."""
    machines = [f"red{number}" for number in (1, 2, 3)]
    service = {"master": "red1", "replicas": machines[1:], "password": PASSWORD, "sentinel": {"name": name}}
    own = {each: texts[0] if len(texts) == 1 else list(texts) for each, texts in config.items()}
    description = {
        "plugin": "redis_fleet",
        "name": "fuzz",
        "engine": binary.engine,
        "version": binary.version,
        "machines": {each: {"address": f"10.0.0.1{each[-1]}"} for each in machines},
        "services": {"orders": service},
        "sentinel": {"machines": machines, "password": PASSWORD, "config": own},
    }
    return written(description) + "\n"


def sifted(file: Path, binary: Binary, config: Config, name: str) -> tuple[Fleet, dict[str, list[Problem]]]:
    """Load a description, again and again without what was refused: what is left, and why the others were refused."""
    refused: dict[str, list[Problem]] = {}
    while True:
        left = {each: config[each] for each in config if each not in refused}
        file.write_text(described(binary, left, name), encoding="utf-8")
        try:
            return load_fleet(str(file)), refused
        except InvalidDescriptionError as error:
            before = len(refused)
            for problem in error.problems:
                refused.setdefault(problem.path.removeprefix("sentinel.config."), []).append(problem)
            assert len(refused) > before and set(refused) <= set(config), str(error)


def here(process: Process) -> Process:
    """Return a Sentinel that can be started here: its master is nowhere, and the others are left out."""
    settings = tuple(_nowhere(each) for each in process.settings if each.name not in NOT_HERE)
    return replace(process, settings=settings)


def _nowhere(setting: Setting) -> Setting:
    if setting.name != "sentinel monitor":
        return setting
    return replace(setting, held=tuple((words[0], "127.0.0.1", "1", words[3]) for words in setting.reveal()))


def wrongly_taken(binary: Binary, fleet: Fleet, name: str) -> list[str]:
    """Return what a Sentinel says against a file that ``check`` takes, or answers otherwise than was written."""
    process = here(fleet.sentinels[0])
    text = configuration(fleet, process)
    try:
        with scratch(binary.sentinel, text, sentinel=True) as server:
            return [wrong for setting in process.settings if (wrong := _otherwise(server, setting, name))]
    except StartError as error:
        lines = text.splitlines()
        said = binaries.complaints(binary, lines, "sentinel")
        return [f"{lines[number]}: {why}" for number, why in said.items()] or [f"{text}\n{error}"]


def _otherwise(server: Scratch, setting: Setting, name: str) -> str:
    """Return how a Sentinel's answer differs from what was written, or nothing."""
    key = setting.name.removeprefix("sentinel ")
    meant = setting.reveal()[0][-1]
    answers = {**pairs(server.call("SENTINEL", "MASTER", name)), **_global(server)}
    if key == "monitor":
        return "" if answers["quorum"] == meant else f"{key} {meant!r}: SENTINEL MASTER answers {answers['quorum']!r}"
    if setting.name == key or key not in answers:
        return ""
    return "" if answers[key].lower() == meant.lower() else f"{key} {meant!r}: Sentinel answers {answers[key]!r}"


def _global(server: Scratch) -> dict[str, str]:
    try:
        return pairs(server.call("SENTINEL", "CONFIG", "GET", "*"))
    except ReplyError:  # 6.0 does not tell
        return {}


def wrongly_refused(binary: Binary, config: Config, refused: Mapping[str, list[Problem]]) -> list[str]:
    """Return the values that were refused without a reason though a Sentinel takes them as they are written."""
    wrong = []
    for name, problems in refused.items():
        directive = sentinel_table.find(binary.engine, binary.version, name)
        assert directive
        texts = config[name]
        on_purpose = explained.is_refused_on_purpose(binary, f"sentinel {name}", texts)
        if on_purpose or all(intended.sentinel_reason(directive, problem) for problem in problems):
            continue
        words = tuple(word for text in texts for word in text.split())
        if _taken_as_written(binary, directive, words):
            wrong.append(f"{name} {texts!r}: {problems[0]}")
    return wrong


def _taken_as_written(binary: Binary, directive: SentinelDirective, words: Words) -> bool:
    scope = ("orders",) if directive.scope == "master" else ()
    own = binaries.line("sentinel", (directive.name, *scope, *words))
    text = f"sentinel monitor orders 127.0.0.1 1 2\n{own}\n"
    if binaries.complaints(binary, text.splitlines(), "sentinel"):
        return False
    setting = Setting(f"sentinel {directive.name}", ((*scope, *words),))
    try:
        with scratch(binary.sentinel, text, sentinel=True) as server:
            return not _otherwise(server, setting, "orders")
    except StartError:
        return False


def directives(binary: Binary) -> list[SentinelDirective]:
    """Return what a description's Sentinels may be told."""
    names = sentinel_table.names(binary.engine, binary.version, state=False)
    found = [sentinel_table.find(binary.engine, binary.version, name) for name in names]
    return [each for each in found if each and each.name not in ("monitor", "auth-pass")]


def _texts(directive: SentinelDirective) -> st.SearchStrategy[odd.Texts]:
    if directive.words == 1:
        return odd.texts(directive.value)
    commands = st.sampled_from(["CONFIG", "SLAVEOF", "config", "x", "", "a b", "größe"])
    return st.builds(lambda one, two: (f"{one} {two}",), commands, commands)


@pytest.mark.parametrize("binary", available(), ids=str)
def test_check_takes_and_refuses_what_a_sentinel_does(binary: Binary, tmp_path: Path) -> None:
    each = {directive.name: _texts(directive) for directive in directives(binary)}
    wrong: dict[str, None] = {}

    @tried(3, 30, shrink=False)
    @given(
        config=st.fixed_dictionaries(each),
        name=st.sampled_from(["orders", "a.b", "A_1", "1", "x" * 100, "no", "0", "default", "config-epoch"]),
    )
    def hold(config: Config, name: str) -> None:
        fleet, refused = sifted(tmp_path / "a.redis.yml", binary, config, name)
        wrong.update(dict.fromkeys(wrongly_taken(binary, fleet, name) + wrongly_refused(binary, config, refused)))

    hold()
    assert not wrong, "\n".join(wrong)
