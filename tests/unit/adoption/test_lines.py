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


def test_a_line_of_many_save_points_is_none_for_6(tmp_path: Path) -> None:
    got = of_text(tmp_path, "save 3600 1 300 100\n", version="6.2.14")
    assert got.lines()["save"] == [("",)]
    got.note("redis.conf:1: redis 6.2.14 passes over a save line")
    got.note("redis.conf:1: so there is no save point at all")
    other = of_text(tmp_path, "save 3600 1 300 100\n")
    assert len([each for each in other.notes if "makes 'save \"\"' of these lines" in each]) == 2


def test_a_comment_behind_save_points_is_refused_by_its_true_name(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="redis 6 alone does, and passes over it"):
        of_text(tmp_path, "save 900 1 # often\n")
    with pytest.raises(RefusedError, match=r"the server does not start with it$"):
        of_text(tmp_path, "save 900 1 # often\n", version="7.0.15")


def test_a_pattern_behind_include_is_refused_where_it_is_a_name(tmp_path: Path) -> None:
    texts = {"box/redis.conf": "include more/*.conf\nport 6390\n", "box/more/one.conf": "timeout 9\n"}
    assert of_texts(tmp_path, texts, "box/redis.conf", version="7.0.15").lines()["timeout"] == [("9",)]
    for version in ("6.0.16", "6.2.14"):
        with pytest.raises(RefusedError, match=r"redis.conf:1: includes more/\*.conf, and before redis 7.0"):
            of_texts(tmp_path, texts, "box/redis.conf", version=version)


@pytest.mark.parametrize(
    ("line", "version", "hint"),
    [
        ("set-proc-title yes", "6.0.16", "redis has it since 6.2"),
        ("replica-full-sync-buffer-limit 1mb", "7.2.6", "redis has it since 8.0"),
        ("gopher-enabled yes", "8.0.6", "redis had it until 6.2"),
        ("primaryauth Some-Word-1", "7.0.15", "it is one of valkey: --engine valkey"),
        ("some.thing 3", "6.2.14", ""),
    ],
)
def test_a_directive_of_another_version_is_named_as_that(tmp_path: Path, line: str, version: str, hint: str) -> None:
    with pytest.raises(RefusedError, match=f"is not a directive of redis {version}.*{hint}$"):
        of_text(tmp_path, f"{line}\n", engine="redis", version=version)


def test_all_that_is_wrong_is_told_in_one_run(tmp_path: Path) -> None:
    texts = {
        "box/redis.conf": "timeout x\nhz 10\nnot-a-thing 3\nsave 900\nuser a on\nuser a off\nport 0\n",
        "box/sentinel.conf": "maxmemory 64mb # small\nsentinel monitor m 127.0.0.1\nsentinel auth-pass m Some-Word-1\n"
        "sentinel monitor n 127.0.0.1 7001 1\nsentinel quorum n 2\nsentinel auth-pass other Some-Word-1\n",
    }
    with pytest.raises(RefusedError) as refused:
        of_texts(tmp_path, texts, "box")
    places = [f"{Path(each.position.file).name}:{each.position.line}" for each in refused.value.all]
    wrong = ["redis.conf:3", "redis.conf:1", "redis.conf:4", "redis.conf:6", "redis.conf:7"]
    assert places == [*wrong, "sentinel.conf:1", "sentinel.conf:2", "sentinel.conf:5", "sentinel.conf:6"]
    assert len(refused.value.lines) == len(str(refused.value).splitlines()) == len(places)


def test_all_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    texts = {"a/redis.conf": "include none.conf\n", "b/redis.conf": 'requirepass "x\n'}
    with pytest.raises(RefusedError) as refused:
        of_texts(tmp_path, texts, "a", "b")
    assert [each.position.line for each in refused.value.all] == [1, 1]


def test_what_belongs_to_a_module_is_carried_beside_it_alone(tmp_path: Path) -> None:
    text = "search.timeout 100\n"
    with pytest.raises(RefusedError, match="there is no loadmodule line"):
        of_text(tmp_path, text)
    got = of_text(tmp_path, f"loadmodule /opt/mod/search.so\n{text}")
    assert "search.timeout: 100" in got.text
    got.note("redis.conf:2: search.timeout belongs to a module")


def test_the_hash_of_a_password_with_a_blank_is_wanted(tmp_path: Path) -> None:
    got = of_text(tmp_path, 'user app on ">pass word #1" ~app:* +get\nuser two on >One-Word +@all\n')
    got.note(r"export REDIS_6379_USER_APP_HASH: the SHA-256 of the password at .*redis.conf:1 \(user app\)$")
    got.note(r"export REDIS_6379_USER_TWO_PASSWORD: the password at .*redis.conf:2 \(user two\)$")
    assert got.problems == ()


def test_the_name_of_a_user_is_no_secret(tmp_path: Path) -> None:
    got = of_text(tmp_path, "masteruser app\nmasterauth App-Word-1\nreplicaof 10.0.0.9 6379\n")
    assert "masteruser: app" in got.text
    assert "App-Word-1" not in got.text


def test_a_default_user_that_is_off_shuts_redis_fleet_out(tmp_path: Path) -> None:
    got = of_text(tmp_path, "user default off\nuser app on >App-Word-1 ~* &* +@all\n")
    got.note(
        "redis.conf:1: the user 'default' is switched off, and redis-fleet logs in as that user: nothing but import"
    )


def test_the_users_of_an_acl_file_at_hand_are_looked_at(tmp_path: Path) -> None:
    texts = {
        "redis.conf": "aclfile /etc/redis/users.acl\nrequirepass Other-Word-9\n",
        "users.acl": "user app on >App-Word-1 ~* &* +@all\nuser default on >Main-Word-1 ~* &* +@all\n",
    }
    got = of_texts(tmp_path, texts, "redis.conf")
    got.note("redis.conf:1: the users in /etc/redis/users.acl stay there; the description knows nothing of them$")
    got.note(r"users.acl:2: the password in force is the one .* requirepass \(.*redis.conf:2\) is not it")
    texts["users.acl"] = "user default off\n"
    off = of_texts(tmp_path, texts, "redis.conf")
    off.note("users.acl:1: the user 'default' is switched off")


def test_users_in_a_file_of_their_own_are_told(tmp_path: Path) -> None:
    got = of_text(tmp_path, "aclfile /etc/redis/users.acl\n")
    got.note(
        "redis.conf:1: the users in /etc/redis/users.acl stay there.*if that file switches it off, nothing but import"
    )


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
