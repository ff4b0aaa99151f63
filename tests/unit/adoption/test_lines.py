"""Import of one file: what its lines amount to, and what is said about those that do not count."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from redis_fleet.adoption.found import RefusedError
from redis_fleet.adoption.paths import conventional_unit
from tests.unit.adoption.adopting import of_text, of_texts

INCLUDING = {
    "redis.conf": "save 900 1\nsave 800 2\ninclude common.conf\nsave 300 10\nsave 60 10000\n",
    "common.conf": "save 700 3\nsave 600 4\n",
}


@pytest.mark.parametrize(
    ("version", "points"),
    [
        ("6.0.16", "900 1 800 2 700 3 600 4 300 10 60 10000"),
        ("6.2.14", "700 3 600 4 300 10 60 10000"),
        ("7.0.15", "60 10000"),
    ],
)
def test_save_lines_around_an_included_file(tmp_path: Path, version: str, points: str) -> None:
    got = of_texts(tmp_path, INCLUDING, "redis.conf", version=version)
    assert " ".join(word for words in got.lines()["save"] for word in words) == points
    assert f"version: {version}" in got.text


def test_without_a_version_the_others_are_told(tmp_path: Path) -> None:
    got = of_texts(tmp_path, INCLUDING, "redis.conf")
    assert got.lines()["save"] == [("60", "10000")]
    assert "redis 6.0 makes 'save 900 1 800 2" in got.note("redis 6.0 makes")
    assert "redis 6.2 makes 'save 700 3 600 4 300 10 60 10000'" in got.note("redis 6.2 makes")


def test_an_empty_save_starts_anew_and_an_omitted_one_does_not(tmp_path: Path) -> None:
    got = of_text(tmp_path, 'save 900 1\nsave ""\nsave 120 3\nsave\nsave 30 4\n')
    assert got.lines()["save"] == [("120", "3"), ("30", "4")]
    assert "redis.conf:1" in got.note("save 900 1 has no effect: line 2 empties the list")


def test_each_class_of_clients_has_its_last_limits(tmp_path: Path) -> None:
    text = "client-output-buffer-limit slave 1mb 0 0\nclient-output-buffer-limit normal 0 0 0\n"
    got = of_text(tmp_path, text + "client-output-buffer-limit replica 2mb 1mb 5\n")
    assert got.lines()["client-output-buffer-limit"] == [("normal", "0", "0", "0"), ("replica", "2mb", "1mb", "5")]
    assert "redis.conf:1" in got.note("slave 1mb 0 0 has no effect: line 3")


def test_both_names_of_a_directive_are_one(tmp_path: Path) -> None:
    got = of_text(tmp_path, "slave-priority 1\nreplica-priority 2\nslave-priority 2\n")
    assert got.lines()["replica-priority"] == [("2",)]
    got.note("redis.conf:1: this slave-priority has no effect")


def test_an_open_default_user_is_told_loudly(tmp_path: Path) -> None:
    got = of_text(tmp_path, "requirepass Some-Word-1\nuser default on nopass ~* &* +@all\n")
    assert "redis.conf:2: OPEN IN TRUTH" in got.note("OPEN IN TRUTH").replace(str(tmp_path / "in") + "/", "")
    assert "requirepass" not in got.lines()
    assert "open-to-network: imported as it was" in got.text


def test_a_password_of_which_only_the_hash_is_known_is_asked_for(tmp_path: Path) -> None:
    hash_ = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"
    got = of_text(tmp_path, f"requirepass Other-Word-1\nuser default on #{hash_} ~* &* +@all\n")
    got.note("requirepass .* is not it and has no effect")
    got.note("export REDIS_6379_PASSWORD: the password whose SHA-256 stands at .*redis.conf:2")
    assert hash_ not in got.text + "".join(got.notes)
    assert "user" not in got.lines()


def test_a_socket_alone_is_described(tmp_path: Path) -> None:
    got = of_text(tmp_path, "unixsocket /run/redis.sock\nport 0\ndir /var/lib/redis\n")
    assert got.problems == ()
    (process,) = got.fleet.processes
    assert (process.name, str(process.endpoint)) == ("redis-socket", "/run/redis.sock")
    assert got.lines() == {
        "port": [("0",)],
        "unixsocket": [("/run/redis.sock",)],
        "dir": [("/var/lib/redis",)],
    }
    assert "open-to-network" not in got.text


def test_sockets_alone_on_one_machine_are_services_of_their_own(tmp_path: Path) -> None:
    texts = {
        f"box/redis-{number}.conf": f"port 0\ndir /data/{number}\nunixsocket /run/{number}.sock\n"
        for number in range(1, 5)
    }
    got = of_texts(tmp_path, texts, "box")
    processes = got.fleet.processes
    assert sorted(str(each.endpoint) for each in processes) == [f"/run/{number}.sock" for number in range(1, 5)]
    assert [each.service for each in processes] == ["redis", "redis-box", "redis-box-2", "redis-box-3"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("port 0\n", "redis.conf:1: port 0 without unixsocket: it listens nowhere; the server does not start with it"),
        ('port 0\nunixsocket ""\n', "redis.conf:1: port 0 without unixsocket"),
        ("port 0\ntls-port 6379\n", "redis.conf:1: port 0 with tls-port: TLS alone cannot be described yet"),
        ("port 0\nunixsocket a.sock\n", "redis.conf:1: port 0 with unixsocket a.sock, below the folder"),
        ("unixsocket /a\nport 0\nreplicaof 10.0.0.9 6379\n", "redis.conf:2: port 0 beside replicaof"),
    ],
)
def test_what_has_no_port_and_cannot_be_described_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(RefusedError, match=re.escape(why)):
        of_text(tmp_path, text)


def test_a_sentinel_without_a_port_is_refused(tmp_path: Path) -> None:
    text = "port 0\nunixsocket /run/s.sock\nsentinel monitor orders 10.0.0.1 6379 2\n"
    with pytest.raises(RefusedError, match=r"sentinel\.conf:1: port 0 of a Sentinel cannot be described"):
        of_texts(tmp_path, {"sentinel.conf": text})


def test_users_in_a_file_of_their_own_are_told(tmp_path: Path) -> None:
    got = of_text(tmp_path, "aclfile /etc/redis/users.acl\n")
    got.note("redis.conf:1: the users in /etc/redis/users.acl stay there")


def test_a_node_of_a_cluster_is_told_what_it_cannot_do(tmp_path: Path) -> None:
    got = of_text(tmp_path, "cluster-enabled yes\n")
    got.note(r"redis.conf:1: is a node of a cluster: redis-fleet forms no cluster.*refuses every command.*CLUSTERDOWN")
    assert got.lines()["cluster-enabled"] == [("yes",)]
    assert not [each for each in of_text(tmp_path, "cluster-enabled no\n").notes if "is a node of a cluster" in each]


def test_what_a_rewrite_commented_out_is_told(tmp_path: Path) -> None:
    got = of_text(tmp_path, "timeout 1\n# ??? gopher-enabled no\n")
    got.note("redis.conf:2: gopher-enabled is a comment since a CONFIG REWRITE")


def test_rules_that_are_broken_today_are_silenced_and_told(tmp_path: Path) -> None:
    got = of_text(tmp_path, 'rename-command CONFIG ""\n')
    assert got.problems == ()
    assert "silence: {E8: imported as it was}" in got.text
    got.note("E8 is silenced in services.redis-6379")


def test_included_files_are_no_processes_of_their_own(tmp_path: Path) -> None:
    got = of_texts(tmp_path, {"box/redis.conf": "include common.conf\n", "box/common.conf": "timeout 9\n"}, "box")
    assert [each.name for each in got.fleet.processes] == ["redis-6379-6379"]
    assert got.lines()["timeout"] == [("9",)]


@pytest.mark.parametrize(
    ("path", "engine", "unit"),
    [
        ("/etc/redis/redis.conf", "redis", "redis-server.service"),
        ("/etc/redis/sentinel.conf", "redis", "redis-sentinel.service"),
        ("/etc/redis/redis-orders.conf", "redis", "redis-server@orders.service"),
        ("/etc/redis/sentinel-orders.conf", "redis", "redis-sentinel@orders.service"),
        ("/etc/valkey/valkey.conf", "valkey", "valkey-server.service"),
        ("/etc/valkey/valkey-7000.conf", "valkey", "valkey-server@7000.service"),
        ("/etc/redis/6379.conf", "redis", ""),
        ("/etc/redis.conf", "redis", ""),
    ],
)
def test_the_packages_units(path: str, engine: str, unit: str) -> None:
    assert conventional_unit(path, engine) == unit
