"""Which texts are tried, and what a complaint about one of their lines means for the description."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from redis_fleet import kinds
from redis_fleet.agent.inspect.config_text import masked, readable, startable
from redis_fleet.agent.messages.config_test import Complaint, ConfigTested
from redis_fleet.config_test.complaints import CandidateTested, problems, setting_at
from redis_fleet.config_test.texts import blind, candidates, planned, request
from redis_fleet.description.load import load
from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet
from redis_fleet.problems import Problem
from redis_fleet.render.files import configuration

FILE = """\
plugin: redis_fleet
name: shop
machines:
  red1: {address: 10.0.0.11}
  red2: {address: 10.0.0.12}
  red3: {address: 10.0.0.13}
services:
  orders:
    master: red1
    replicas: [red2, red3]
    password: Blue-Moon_77-and-more
    config:
      appendfsync: always
      masteruser: Somebody
      user: [alice on >Red-Sun_88 ~* +get, bob on >Red-Sun_88 >Old-Star_99 +get]
      save: [900 1, 300 10]
      maxmemory: 1gb
  stock:
    master: red2
    replicas: [red1, red3]
    port: 6380
    password: Pink-Fog_66-and-less!
    config:
      appendfsync: always
sentinel:
  machines: [red1, red2, red3]
  password: Gray-Sky_55-all-day
  config:
    down-after-milliseconds: 5000
silence: {E44: somebody makes that user by hand}
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """Return the placed file."""
    (tmp_path / "shop.redis.yml").write_text(FILE)
    return load_fleet(str(tmp_path / "shop.redis.yml"))


def answer(*complaints: tuple[int, str], version: str = "redis 7.0.15") -> ConfigTested:
    """Return what the code on a machine answers."""
    return ConfigTested("", version, tuple(Complaint(line, said) for line, said in complaints))


def judged(fleet: Fleet, *findings: CandidateTested) -> list[Problem]:
    """Return the problems with the places of the file."""
    return problems(findings, load(fleet.source).document.position)


def number_of(text: str, beginning: str) -> int:
    """Return the number of the line that begins so."""
    return next(number for number, line in enumerate(text.split("\n"), 1) if line.startswith(beginning))


def test_a_text_is_tried_once_however_many_processes_it_stands_for(fleet: Fleet) -> None:
    found = candidates(fleet, fleet.processes)

    names = [[process.id for process in each.processes] for each in found]
    assert names == [
        ["orders-6379@red1"],
        ["orders-6379@red2", "orders-6379@red3"],
        ["stock-6380@red2"],
        ["stock-6380@red1", "stock-6380@red3"],
        ["sentinel-26379@red1", "sentinel-26379@red2", "sentinel-26379@red3"],
    ]


def test_a_value_of_one_machine_alone_is_a_text_of_its_own(tmp_path: Path) -> None:
    vars_ = FILE.replace("{address: 10.0.0.13}", "{address: 10.0.0.13, vars: {memory: 2gb}}")
    vars_ = vars_.replace("maxmemory: 1gb", "maxmemory: \"{{ memory | default('1gb') }}\"")
    (tmp_path / "shop.redis.yml").write_text(vars_)
    fleet = load_fleet(str(tmp_path / "shop.redis.yml"))

    found = [[each.machine for each in one.processes] for one in candidates(fleet, fleet.service("orders").processes)]

    assert found == [["red1"], ["red2"], ["red3"]]


def test_no_password_is_sent_and_dummies_are_as_long_and_as_equal(fleet: Fleet) -> None:
    found = candidates(fleet, fleet.processes)
    sent = json.dumps(request(fleet, found).to_json())
    real, text = configuration(fleet, found[1].process), found[1].text

    for secret in ("Blue-Moon", "Pink-Fog", "Gray-Sky", "Red-Sun", "Old-Star"):
        assert secret in "".join(configuration(fleet, process) for process in fleet.processes)
        assert secret not in sent
    assert [len(line) for line in real.split("\n")] == [len(line) for line in text.split("\n")]
    assert f"requirepass {'xxxx-xxxx_xx-xxx-xxxx'}" in text
    words = re.findall(r">(\S+)", text)
    assert words[0] == words[1] != words[2]
    # What is no secret is as it is.
    assert "user alice on >" in text
    assert "appendfsync always" in text


def test_every_line_of_a_text_leads_to_its_setting(fleet: Fleet) -> None:
    for process in fleet.processes:
        hidden = blind(process)
        text = configuration(fleet, hidden)
        found = [setting_at(hidden, text, number) for number in range(1, text.count("\n") + 1)]
        lines = [line for line in text.split("\n")[:-1] if line and not line.startswith("#")]

        assert sum(each is not None for each in found) == len(lines)
        assert {each.name for each in found if each} == {setting.name for setting in process.settings}
        assert setting_at(hidden, text, 0) is setting_at(hidden, text, 10**6) is None


def test_a_complaint_is_shown_once_against_the_line_of_the_description(fleet: Fleet) -> None:
    master, replica, *_ = candidates(fleet, fleet.processes)
    findings = [
        CandidateTested(each, machine, answer((number_of(each.text, "appendfsync"), "argument(s) must be one of")))
        for each, machine in ((master, "red1"), (replica, "red2"), (replica, "red3"))
    ]

    (found,) = judged(fleet, *findings)

    assert str(found) == (
        f"{fleet.source}:13: services.orders.config.appendfsync: redis 7.0.15 on red1, red2 and red3 refuses it: "
        "argument(s) must be one of; correct the value"
    )


def test_versions_that_say_something_else_are_told_apart(fleet: Fleet) -> None:
    master, *_ = candidates(fleet, fleet.processes)
    line = number_of(master.text, "appendfsync")

    found = judged(
        fleet,
        CandidateTested(master, "red1", answer((line, "one."))),
        CandidateTested(master, "red2", answer((line, "two."), version="redis 8.0.2")),
        CandidateTested(master, "", answer((line, "one."), version="redis 6.0.16")),
    )

    assert [each.what for each in found] == [
        "redis 6.0.16 refuses it: one",
        "redis 7.0.15 on red1 refuses it: one",
        "redis 8.0.2 on red2 refuses it: two",
    ]


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("Failed to load what '900' stands for", ":16: services.orders.config.save"),
        ("maxmemory is not what it was", ":17: services.orders.config.maxmemory"),
        ("Error loading ACL rule '+get' for the user named 'alice': oh", ":15: services.orders.config.user"),
        ("Critical error while loading ACLs", ":15: services.orders.config.user"),
        ("something else", ":8: services.orders"),
    ],
)
def test_a_complaint_without_a_line_is_shown_where_it_belongs(fleet: Fleet, said: str, place: str) -> None:
    master, *_ = candidates(fleet, fleet.processes)

    (found,) = judged(fleet, CandidateTested(master, "red1", answer((0, said))))

    assert str(found).startswith(f"{fleet.source}{place}: redis 7.0.15 on red1 refuses "), found
    assert said in str(found)


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("requirepass", ":11: services.orders.password"),
        ("replicaof", ":10: services.orders.replicas"),
        ("protected-mode", ":8: services.orders"),
    ],
)
def test_a_line_of_redis_fleets_own_is_shown_against_the_service(fleet: Fleet, line: str, place: str) -> None:
    replica = candidates(fleet, fleet.processes)[1]

    (found,) = judged(fleet, CandidateTested(replica, "red2", answer((number_of(replica.text, line), "no"))))

    assert str(found).startswith(
        f"{fleet.source}{place}: redis 7.0.15 on red2 refuses the line '{line}' of orders-6379"
    )


def test_a_sentinels_line_is_shown_against_its_section(fleet: Fleet) -> None:
    sentinel = candidates(fleet, fleet.processes)[-1]

    found = judged(
        fleet, CandidateTested(sentinel, "red1", answer((number_of(sentinel.text, "sentinel monitor"), "no")))
    )

    assert [str(each) for each in found] == [
        f"{fleet.source}:25: sentinel: redis 7.0.15 on red1 refuses the line 'sentinel monitor' of sentinel-26379: no; "
        "correct what it comes from"
    ]


def test_what_a_plan_starts_restarts_or_changes_is_tried(fleet: Fleet) -> None:
    hows = {"orders-6379": "LIVE", "stock-6380": "FORGET", "sentinel-26379": "RESTART", "": "PREPARE", "gone": "STOP"}
    steps = [{"machine": "red1", "process": name, "how": how} for name, how in hows.items()]

    assert [each.name for each in planned(fleet, "red1", steps)] == ["orders-6379", "sentinel-26379"]
    assert planned(fleet, "red2", steps) == []


def test_lines_keep_their_numbers_and_nobody_is_named(fleet: Fleet) -> None:
    for process in fleet.processes:
        text = configuration(fleet, blind(process))
        read, end = readable(text, kinds.of(process).machine, "/scratch folder")
        started = startable(text, "/scratch folder")

        assert read.split("\n")[end - 1].endswith("redis-fleet-ends-here")
        for number, line in enumerate(text.split("\n"), 1):
            if not line.startswith(("dir ", "logfile ")):
                assert read.split("\n")[number - 1] == line
            assert started.split("\n")[number - 1] in (line, "", 'dir "/scratch folder"', 'logfile ""')
        assert not re.search(r"^(replicaof|sentinel)", started, re.MULTILINE)
        assert started.count("\nport ") == 2
        assert started.rindex("\nport 0") > started.rindex("\nport 6" if process.kind == "server" else "\nport 2")


def test_certificates_are_looked_at_without_a_port() -> None:
    assert "tls-replication yes" in startable("port 0\ntls-port 6379", "/x")
    assert "tls-port 0" in startable("port 0\ntls-port 6379", "/x")
    assert "tls-replication" not in startable("port 6379\ntls-port 0", "/x")
    assert "tls" not in startable("port 6379\ntls-port 6380", "/x", unstarted=(2,)).replace("tls-port 0", "")
    assert "tls" not in startable("port 6379", "/x")


@pytest.mark.parametrize(
    ("line", "said", "shown"),
    [
        ("user alice on Red-Sun_88 +get", "'Red-Sun_88' of 'alice' is no rule", "'********' of 'alice' is no rule"),
        ("user alice on >Red-Sun_88 +nope", ">Red-Sun_88 and +nope", ">******** and +nope"),
        ("requirepass Red-Sun_88", "it was Red-Sun_88.", "it was ********."),
        ("sentinel auth-pass orders Red-Sun_88", "orders: Red-Sun_88", "orders: ********"),
        ("tls-key-file-pass Red-Sun_88", "Red-Sun_88", "********"),
        ("requirepass on", "one on", "one on"),
    ],
)
def test_what_is_said_holds_no_secret(line: str, said: str, shown: str) -> None:
    assert masked(said, line) == shown
