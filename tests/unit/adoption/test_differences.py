"""Import of processes that differ: lists of which some have more, ports inside names, units and files of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from redis_fleet.adoption.lists import aligned
from redis_fleet.adoption.texts import plain
from tests.unit.adoption.adopting import Import, of_texts


def service(folder: Path, *more: str) -> Import:
    """A master and its replicas, each with lines of its own."""
    texts = {}
    for number, text in enumerate(more, start=1):
        following = "replicaof 10.0.0.1 6379\n" if number > 1 else ""
        texts[f"red{number}/redis.conf"] = f"bind 10.0.0.{number}\nrequirepass W-1\nmasterauth W-1\n{following}{text}"
    return of_texts(folder, texts, *(f"red{number}" for number in range(1, len(more) + 1)))


def of_each(got: Import, name: str) -> dict[str, list[tuple[str, ...]]]:
    return {each.machine: got.lines(each).get(name, []) for each in got.fleet.services[0].processes}


def test_what_lists_have_in_common_is_kept_and_the_rest_is_that_machines(tmp_path: Path) -> None:
    got = service(
        tmp_path,
        'rename-command FLUSHALL ""\nuser app on >App-1 ~* +@read\nuser ops on >Ops-1 ~* +@all\n',
        'rename-command FLUSHALL ""\nrename-command FLUSHDB ""\nuser app on >App-1 ~* +@read\n',
        "user app on >App-3 ~* +@read\n",
    )
    assert got.problems == ()
    assert of_each(got, "rename-command") == {
        "red1": [("FLUSHALL", "")],
        "red2": [("FLUSHALL", ""), ("FLUSHDB", "")],
        "red3": [],
    }
    app = {1: ">App-1", 2: ">App-1", 3: ">App-3"}
    users = {f"red{n}": [("app", "on", word, "~*", "+@read")] for n, word in app.items()}
    users["red1"].append(("ops", "on", ">Ops-1", "~*", "+@all"))
    assert of_each(got, "user") == users
    assert not [each for each in got.notes if "left out" in each]
    assert "Ops-1" not in got.text


def test_lists_of_two_processes_on_one_machine_are_told_apart(tmp_path: Path) -> None:
    texts = {
        "box/redis-7001.conf": "port 7001\nbind 127.0.0.1\nloadmodule /opt/a.so\n",
        "box/redis-7002.conf": "port 7002\nbind 127.0.0.1\nloadmodule /opt/a.so\nloadmodule /opt/b.so {x}\n"
        "replicaof 127.0.0.1 7001\n",
    }
    got = of_texts(tmp_path, texts, "box")
    assert got.problems == ()
    found = {each.endpoint.port: got.lines(each)["loadmodule"] for each in got.fleet.services[0].processes}
    assert found == {7001: [("/opt/a.so",)], 7002: [("/opt/a.so",), ("/opt/b.so", "{x}")]}


def test_a_value_that_only_some_have_and_no_line_can_say_is_named_with_each_line(tmp_path: Path) -> None:
    more = "loadmodule /opt/a.so\n"
    got = service(tmp_path, more, f"{more}a.size 3\n", f"{more}a.size 4\n")
    dropped = [each for each in got.notes if "a.size is not in every file of redis-6379" in each]
    assert [each.partition(":")[0].split("/")[-2] for each in dropped] == ["red2", "red3"]


def test_lines_about_the_same_stand_side_by_side() -> None:
    rows = [plain("a 1", "b 1", "d 1"), plain("b 2", "c 2", "a 2"), plain("x 3", "a 3", "a 4")]
    found = [[each.clear if each else None for each in column] for column in aligned(rows)]
    assert found == [
        [None, None, "x 3"],
        ["a 1", "a 2", "a 3"],
        [None, None, "a 4"],
        ["b 1", "b 2", None],
        [None, "c 2", None],
        ["d 1", None, None],
    ]


@pytest.mark.parametrize(
    ("directive", "text", "written"),
    [
        ("pidfile", "/var/run/redis_{}.pid", "/var/run/redis_{{ port }}.pid"),
        ("dbfilename", "dump{}.rdb", "dump{{ port }}.rdb"),
        ("logfile", "/srv/{0}/redis-{0}.log", "/srv/{{ port }}/redis-{{ port }}.log"),
        ("dir", "/data/{}", "/data/{{ port }}"),
    ],
)
def test_a_port_is_found_inside_names(tmp_path: Path, directive: str, text: str, written: str) -> None:
    texts = {
        f"box/redis-{port}.conf": f"port {port}\nbind 127.0.0.1\n{directive} {text.format(port)}\n"
        + ("replicaof 127.0.0.1 7001\n" if port > 7001 else "")
        for port in (7001, 7002, 17001)
    }
    got = of_texts(tmp_path, texts, "box")
    assert got.problems == ()
    assert f"{directive}: {written}\n" in got.text
    assert "configuration: /etc/redis/redis-{{ port }}.conf" in got.text or "redis-{{ port }}.conf" in got.text
    for each in got.fleet.services[0].processes:
        assert got.lines(each)[directive] == [(text.format(each.endpoint.port),)]


def test_a_longer_number_is_no_port(tmp_path: Path) -> None:
    texts = {
        "box/redis-7001.conf": "port 7001\nbind 127.0.0.1\ndbfilename a170011-7001.rdb\n",
        "box/redis-7002.conf": "port 7002\nbind 127.0.0.1\ndbfilename a170011-7002.rdb\nreplicaof 127.0.0.1 7001\n",
    }
    assert "dbfilename: a170011-{{ port }}.rdb" in of_texts(tmp_path, texts, "box").text


def test_an_address_and_a_port_in_one_name(tmp_path: Path) -> None:
    texts = {}
    for n in (1, 2):
        more = "" if n == 1 else "replicaof 10.0.0.1 7001\n"
        texts[f"red{n}/redis.conf"] = f"port 700{n}\nbind 10.0.0.{n}\ndbfilename r_10.0.0.{n}_700{n}.rdb\n{more}"
    got = of_texts(tmp_path, texts, "red1", "red2")
    assert "dbfilename: r_{{ address }}_{{ port }}.rdb" in got.text


def test_instances_whose_unit_nothing_tells_have_one_each(tmp_path: Path) -> None:
    texts = {f"etc/{port}.conf": f"port {port}\nbind 127.0.0.1\n" for port in (6379, 6380)}
    texts["etc/redis.conf"] = "port 6500\nbind 127.0.0.1\n"
    texts["etc/redis-queue.conf"] = "port 6501\nbind 127.0.0.1\n"
    got = of_texts(tmp_path, texts, "etc")
    assert got.problems == ()
    units = {each.endpoint.port: each.unit for each in got.fleet.processes}
    assert units == {
        6379: "redis-server@6379.service",
        6380: "redis-server@6380.service",
        6500: "redis-server.service",
        6501: "redis-server@queue.service",
    }
    assert len([each for each in got.notes if "assumed: its unit" in each]) == 4


def test_sentinels_of_one_machine_of_which_one_file_is_at_hand_have_files_of_their_own(tmp_path: Path) -> None:
    lines = ["bind 127.0.0.1", "sentinel monitor m 127.0.0.1 6379 2"]
    lines += [
        f"sentinel known-sentinel m 127.0.0.1 {port} {letter * 40}" for port, letter in ((26380, "b"), (26381, "c"))
    ]
    got = of_texts(tmp_path, {"sentinel.conf": "\n".join([*lines, ""])})
    assert got.problems == ()
    paths = {each.endpoint.port: (each.paths.configuration, each.unit) for each in got.fleet.sentinels}
    assert paths == {
        26379: ("/etc/redis/sentinel.conf", "redis-sentinel.service"),
        26380: ("/etc/redis/sentinel-26380.conf", "redis-sentinel@26380.service"),
        26381: ("/etc/redis/sentinel-26381.conf", "redis-sentinel@26381.service"),
    }
    got.note("no file of localhost:26380 was given: .*sentinel-26380.conf")


def test_a_replica_beside_one_whose_file_is_at_hand_has_a_file_of_its_own(tmp_path: Path) -> None:
    texts = {
        "redis.conf": "bind 127.0.0.1\n",
        "sentinel.conf": "bind 127.0.0.1\nsentinel monitor m 127.0.0.1 6379 1\n"
        "sentinel known-replica m 127.0.0.1 6380\n",
    }
    got = of_texts(tmp_path, texts)
    assert got.problems == ()
    assert [each.paths.configuration for each in got.fleet.services[0].processes] == [
        "/etc/redis/redis.conf",
        "/etc/redis/redis-6380.conf",
    ]


def test_what_a_sentinel_has_for_each_master_is_carried_for_each(tmp_path: Path) -> None:
    lines = [
        "bind 10.0.0.1",
        *(f"sentinel monitor {name} 10.0.0.{n} 6379 1" for n, name in enumerate("abc", start=1)),
        "sentinel auth-user a watcher",
        "sentinel auth-pass a Watcher-1",
        *(f"sentinel notification-script {name} /opt/tell.sh" for name in "abc"),
        "sentinel client-reconfig-script a /opt/move.sh",
        "sentinel rename-command b CONFIG guessed",
        "sentinel rename-command b SLAVEOF follow",
        "sentinel failover-timeout b 9000",
    ]
    got = of_texts(tmp_path, {"sentinel.conf": "\n".join([*lines, ""])})
    assert got.problems == ()
    rendered = got.lines(got.fleet.sentinels[0])["sentinel"]
    for line in lines[1:]:
        assert tuple(line.split()[1:]) in rendered
    assert len([each for each in rendered if each[0] in ("auth-user", "client-reconfig-script")]) == 2
    assert len([each for each in rendered if each[0] == "rename-command"]) == 2
    assert len([each for each in rendered if each[0] == "notification-script"]) == 3
    assert "  config:\n    notification-script: /opt/tell.sh\n" in got.text
    assert not [each for each in got.notes if "left out" in each]
