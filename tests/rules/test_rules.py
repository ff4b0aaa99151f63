"""For each rule: ID-NAME.redis.yml breaks it, ID-NAME.expected is what is said, ID-NAME.good.redis.yml does not.

A new rule: one function in ``redis_fleet/rules``, the two files here, ``REGENERATE_EXPECTED=1 pytest tests/rules``, and
then every word of the new ``.expected`` as the operator reads it. All that a file breaks is in its ``.expected``.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest

from redis_fleet.loading import load_fleet
from redis_fleet.problems import InvalidDescriptionError, Problem
from redis_fleet.project import ROOT
from redis_fleet.rules import Rule, all_rules, find
from redis_fleet.rules.rule import finders

HERE = Path(__file__).parent
NAMES = sorted(
    file.name.removesuffix(".redis.yml")
    for file in HERE.glob("*.redis.yml")
    if not file.name.endswith(".good.redis.yml")
)
# Lines that may differ between a bad file and its neighbour, the comments at the top aside.
_SMALL_EDIT = 4
# What shows a rule at work that no file can break: a file of tests, and what must be in it; else the pre-flight's.
ELSEWHERE = {
    "E13": ("tests/live/cli/test_live_changes.py", "test_persistence_changes_to_snapshots_and_back_with_every_key"),
    "E14": ("tests/unit/cases/plan/trap-dbfilename.yml", "a server that starts with it finds no data"),
    "W15": ("tests/rules/test_others.py", "test_the_plan_says_what_the_restart_of_a_replica_with_an_aof_copies"),
}


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", "vault-password")


def said(file: str) -> list[Problem]:
    """Return everything that is said of a file: what is wrong, or else the warnings."""
    try:
        return list(load_fleet(file).warnings)
    except InvalidDescriptionError as error:
        return list(error.problems)


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_file_is_told_so_in_these_words(name: str) -> None:
    lines = "".join(f"{each}\n" for each in said(f"{name}.redis.yml"))

    expected = HERE / f"{name}.expected"
    if os.environ.get("REGENERATE_EXPECTED"):
        expected.write_text(lines, encoding="utf-8")
    assert lines == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_rule_of_its_name_that_says_it(name: str) -> None:
    rule = find(name.partition("-")[0])

    assert rule is not None
    for line in (HERE / f"{name}.expected").read_text(encoding="utf-8").splitlines():
        assert line.endswith(f"[{'warning ' if rule.severity == 'warning' else ''}{rule.id}]")
        assert int(line.split(":")[1]) >= 1


@pytest.mark.parametrize("name", NAMES)
def test_its_good_neighbour_is_told_nothing(name: str) -> None:
    assert [str(each) for each in said(f"{name}.good.redis.yml")] == []


@pytest.mark.parametrize("name", NAMES)
def test_its_good_neighbour_is_a_small_edit_away(name: str) -> None:
    texts = [(HERE / f"{name}{kind}.redis.yml").read_text(encoding="utf-8").splitlines() for kind in ("", ".good")]
    bad, good = ([line for line in text if not line.startswith("#")] for text in texts)

    assert len([line for line in difflib.ndiff(bad, good) if line.startswith(("+", "-"))]) <= _SMALL_EDIT


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)
def test_every_rule_has_its_files(rule: Rule) -> None:
    own = [name for name in NAMES if name.partition("-")[0] == rule.id]
    if rule in finders() or (rule.needs == "file" and not ELSEWHERE.get(rule.id)):
        assert own, f"write {rule.id}-NAME.redis.yml and {rule.id}-NAME.good.redis.yml"
        return
    assert not own
    file, words = ELSEWHERE.get(rule.id) or ("tests/unit/preflight/test_preflight.py", f'"{rule.id}"')
    assert words in (ROOT / file).read_text(encoding="utf-8")


def test_nothing_is_expected_of_a_file_that_is_gone() -> None:
    assert sorted(file.stem for file in HERE.glob("*.expected")) == NAMES
    assert sorted(file.name.removesuffix(".good.redis.yml") for file in HERE.glob("*.good.redis.yml")) == NAMES
    assert set(ELSEWHERE) <= {rule.id for rule in all_rules()}


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)
def test_a_rule_says_why_and_what_to_do(rule: Rule) -> None:
    assert all((rule.title, rule.reason, rule.source, rule.remedy))
    assert rule.can_be_silenced or rule.severity == "error" or rule.id == "W0"


@pytest.mark.parametrize("sample", sorted((ROOT / "inventory").glob("*.redis.yml")), ids=lambda file: file.name)
def test_samples_break_no_rule(sample: Path, tmp_path: Path) -> None:
    # A copy: the lookups of a sample make its passwords beside it.
    copy = tmp_path / sample.name
    copy.write_text(sample.read_text(encoding="utf-8"), encoding="utf-8")

    assert [str(each) for each in said(str(copy))] == []
