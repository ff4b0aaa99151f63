"""From a description to processes: who runs where, follows whom, and with what."""

from __future__ import annotations

from pathlib import Path

import pytest

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.catalogue.check import persists
from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet, Process
from redis_fleet.problems import InvalidDescriptionError
from redis_fleet.settings.layout import SandboxLayout
from tests.unit.cases.builder import fleet_of

HEAD = """plugin: redis_fleet
name: shop
machines:
  red1: {address: 10.0.0.11, vars: {rack: a}, ansible_user: admin}
  red2: {address: 10.0.0.12, vars: {rack: b}}
"""
SERVICE = HEAD + "services:\n  orders:\n    master: red1\n    replicas: [red2]\n    password: orders-word\n"
SENTINEL = "sentinel:\n  machines: [red1, red2]\n  password: sentinel-word\n  silence: {E2: two do}\n"


def fleet(folder: Path, text: str) -> Fleet:
    """Place a description."""
    file = folder / "shop.redis.yml"
    file.write_text(text, encoding="utf-8")
    return load_fleet(str(file))


def lines(process: Process, name: str) -> list[str]:
    """Return the lines of one of a process's settings, as text."""
    setting = process.setting(name)
    return [" ".join(words) for words in setting.reveal()] if setting else []


def test_every_process_is_on_its_machine_once() -> None:
    made = fleet_of("shared-machines")

    assert [process.id for process in made.on("red2")] == [
        "payments-6379@red2",
        "sessions-6380@red2",
        "cache-6381@red2",
        "sentinel-26379@red2",
    ]
    assert len({process.id for process in made.processes}) == len(made.processes) == 12
    assert made.service("cache").name == "cache"
    with pytest.raises(KeyError):
        made.service("billing")


def test_replicas_follow_the_described_master() -> None:
    service = fleet_of("sentinel").service("orders")

    assert service.first_master is service.processes[0]
    assert [process.follows for process in service.processes] == [None, *[Endpoint("10.0.0.11", 6379)] * 2]
    assert [lines(process, "replicaof") for process in service.processes] == [[], *[["10.0.0.11 6379"]] * 2]


def test_replicaof_a_machine_of_the_file_makes_it_the_master(tmp_path: Path) -> None:
    for spelling in ("replicaof: red2 6400", "slaveof: red2:6400"):
        service = fleet(tmp_path, SERVICE.replace("master: red1", spelling).replace("[red2]", "[red1]")).services[0]

        assert [process.id for process in service.processes] == ["orders-6400@red2", "orders-6379@red1"]
        assert service.first_master is service.processes[0]
        assert service.external is None


def test_a_master_outside_the_file() -> None:
    service = fleet_of("external").services[0]

    assert (service.external, service.first_master, service.watch) == (Endpoint("10.9.9.9", 6379), None, None)
    assert {process.follows for process in service.processes} == {Endpoint("10.9.9.9", 6379)}


def test_one_password_is_everywhere_where_it_must_be(tmp_path: Path) -> None:
    made = fleet(tmp_path, SERVICE + SENTINEL)

    for process in made.services[0].processes:
        assert lines(process, "requirepass") == lines(process, "masterauth") == ["orders-word"]
    for process in made.sentinels:
        assert lines(process, "sentinel auth-pass") == ["orders orders-word"]
        assert lines(process, "requirepass") == ["sentinel-word"]


def test_the_password_of_an_outside_master_is_its_own(tmp_path: Path) -> None:
    text = SERVICE.replace("master: red1", "replicaof: 10.9.9.9 6379") + "    master-password: upstream-word\n"
    process = fleet(tmp_path, text).processes[0]

    assert (lines(process, "requirepass"), lines(process, "masterauth")) == (["orders-word"], ["upstream-word"])


@pytest.mark.parametrize(
    ("more", "quorum", "down_after"),
    [
        ("", 2, 30000),
        ("  quorum: 1\n", 1, 30000),
        ("  config: {down-after-milliseconds: 4000}\n", 2, 4000),
        ("  config: {DOWN-AFTER-milliseconds: 4000}\n", 2, 4000),
        ("  config: {down-after-milliseconds: '{{ 2 * 1000 }}'}\n", 2, 2000),
    ],
)
def test_what_the_sentinels_go_by(tmp_path: Path, more: str, quorum: int, down_after: int) -> None:
    made = fleet(tmp_path, SERVICE + SENTINEL + more)
    watch = made.services[0].watch

    assert watch is not None
    assert (watch.name, watch.quorum, watch.down_after, watch.parallel_syncs) == ("orders", quorum, down_after, 1)
    assert lines(made.sentinels[0], "sentinel monitor") == [f"orders 10.0.0.11 6379 {quorum}"]
    assert lines(made.sentinels[0], "sentinel down-after-milliseconds") == [f"orders {down_after}"]


def test_who_is_not_watched(tmp_path: Path) -> None:
    text = SERVICE + "    sentinel: no\n  lone:\n    {master: red1, port: 6400, password: a}\n" + SENTINEL

    assert [service.watch for service in fleet(tmp_path, text).services] == [None, None]


def test_directives_of_the_sentinel_process_have_the_word_in_front(tmp_path: Path) -> None:
    """A bare ``announce-ip`` line is fatal: *Bad directive or wrong number of arguments* (redis 7.0.15)."""
    config = "  config: {announce-ip: '{{ address }}', loglevel: verbose, auth-user: default}\n"
    process = fleet(tmp_path, SERVICE + SENTINEL + config).sentinels[1]

    assert lines(process, "sentinel announce-ip") == ["10.0.0.12"]
    assert lines(process, "sentinel auth-user") == ["orders default"]
    assert lines(process, "loglevel") == ["verbose"]
    assert process.setting("announce-ip") is None


def test_texts_know_their_machine_and_process(tmp_path: Path) -> None:
    config = "    config: {dir: '/srv/{{ rack }}/{{ machine }}/{{ name }}', logfile: '/srv/{{ ansible_user }}.log'}\n"
    text = SERVICE.replace("replicas: [red2]", "replicas: ['red1:6400']") + config.replace("/srv/{{ ans", "/x/{{ ans")

    with pytest.raises(InvalidDescriptionError, match=r"'/x/admin.log' on red1 is used by both orders-6379 and"):
        fleet(tmp_path, text)
    made = fleet(tmp_path, text.replace("admin", "x").replace("{{ ansible_user }}", "{{ port }}"))
    assert [each.paths.data for each in made.processes] == [
        "/srv/a/red1/orders-6379",
        "/srv/a/red1/orders-6400",
    ]
    assert [each.paths.log for each in made.processes] == ["/x/6379.log", "/x/6400.log"]


def test_files_of_a_sentinel_move_too(tmp_path: Path) -> None:
    process = fleet(tmp_path, SERVICE + SENTINEL + "  config: {dir: /srv/watch, logfile: ''}\n").sentinels[0]

    assert (process.paths.data, process.paths.log) == ("/srv/watch", "")


def test_addresses_may_be_words_of_one_text(tmp_path: Path) -> None:
    process = fleet(tmp_path, SERVICE + "    bind: '{{ address }} -::1'\n").processes[1]

    assert process.setting("bind").lines == (("10.0.0.12", "-::1"),)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        (SERVICE, "yes"),
        (SERVICE.replace("password: orders-word", "open-to-network: a laboratory"), "no"),
        (SERVICE.replace("password: orders-word", "bind: 127.0.0.1").replace("10.0.0.11", "127.0.0.1"), None),
    ],
)
def test_protected_mode_is_off_only_where_that_was_said(tmp_path: Path, text: str, mode: str | None) -> None:
    if mode is None:
        with pytest.raises(InvalidDescriptionError, match="loopback only: nothing reaches orders-6379@red2 at"):
            fleet(tmp_path, text)
    else:
        assert {lines(process, "protected-mode")[0] for process in fleet(tmp_path, text).processes} == {mode}


@pytest.mark.parametrize(
    ("config", "sentinel", "delay"),
    [
        ("    config: {appendonly: yes, save: []}\n", SENTINEL, 1.0),
        ("    config: {save: []}\n", SENTINEL + "  config: {down-after-milliseconds: 7000}\n", 22.0),
        ("    config: {save: []}\n", "", None),
        ("", "", 1.0),
    ],
)
def test_a_master_that_would_come_back_empty_waits_or_stays_down(
    tmp_path: Path, config: str, sentinel: str, delay: float | None
) -> None:
    made = fleet(tmp_path, SERVICE + config + sentinel)

    assert {process.restart_delay for process in made.services[0].processes} == {delay}


def test_without_replicas_there_is_nothing_to_empty(tmp_path: Path) -> None:
    text = SERVICE.replace("    replicas: [red2]\n", "") + "    config: {save: []}\n"

    assert fleet(tmp_path, text).processes[0].restart_delay == 1.0


def test_what_persists() -> None:
    assert persists([("save", (("900", "1"),))])
    assert persists([("save", (("",),)), ("appendonly", (("yes",),))])
    assert not persists([("save", (("",),)), ("appendonly", (("no",),))])
    assert not persists([("save", ())])


def test_a_sandbox_is_all_below_its_folder_and_on_loopback(tmp_path: Path) -> None:
    file = tmp_path / "shop.redis.yml"
    file.write_text(SERVICE + "    config: {dir: /srv/x, logfile: /srv/y}\n    bind: 10.0.0.99\n" + SENTINEL)
    ports = {"red1:6379": 17001, "red2:6379": 17002, "red1:26379": 17003, "red2:26379": 17004}

    made = load_fleet(str(file), SandboxLayout("/run/sandbox", ports), "/usr/bin/redis-server")

    assert made.sandbox is not None
    assert {str(process.endpoint) for process in made.processes} == {f"127.0.0.1:{port}" for port in ports.values()}
    for process in made.processes:
        paths = process.paths
        assert all(path.startswith("/run/sandbox/") for path in (paths.configuration, paths.data, paths.log, paths.pid))
        assert (paths.unit, process.unit) == ("", "")
        assert lines(process, "dir") == [paths.data]
        assert lines(process, "bind") == ["127.0.0.1"]
        assert lines(process, "daemonize") == ["yes"]
    assert lines(made.processes[1], "replicaof") == ["127.0.0.1 17001"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("True", "yes"), ("on", "yes"), ("FALSE", "no"), ("Off", "no"), ("'true'", "yes"), ("YES", "YES")],
)
def test_words_of_yaml_for_yes_and_no_are_understood(tmp_path: Path, written: str, meant: str) -> None:
    process = fleet(tmp_path, f"{SERVICE}    config: {{appendonly: {written}}}\n").processes[0]
    assert lines(process, "appendonly") == [meant]


def test_they_stay_words_where_they_mean_something_else(tmp_path: Path) -> None:
    process = fleet(tmp_path, f"{SERVICE}    config: {{syslog-ident: on, appendonly: no}}\n").processes[0]
    assert lines(process, "syslog-ident") == ["on"]
