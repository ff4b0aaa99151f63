"""Import of several processes: who belongs together, where they are, and how their differences are said."""

from __future__ import annotations

from pathlib import Path

import pytest

from redis_fleet.adoption.found import RefusedError
from redis_fleet.adoption.paths import look
from tests.unit.adoption.adopting import Import, of_texts

RED1, RED2, RED3 = ADDRESSES = ("10.0.0.11", "10.0.0.12", "10.0.0.13")
IDS = [letter * 40 for letter in "abc"]


def server(address: str, more: str = "", port: int = 6379) -> str:
    passwords = "requirepass Orders-Word-1\nmasterauth Orders-Word-1\n"
    return f"bind {address} 127.0.0.1\nport {port}\n{passwords}save 900 1\n{more}"


def sentinel(number: int, more: str = "", bind: bool = True, master: str = RED1) -> str:
    lines = [f"bind {ADDRESSES[number]}"] if bind else []
    lines += ["port 26379", "requirepass Watch-Word-2", f"sentinel myid {IDS[number]}"]
    lines += [f"sentinel monitor orders {master} 6379 2", "sentinel auth-pass orders Orders-Word-1"]
    lines += ["sentinel down-after-milliseconds orders 5000"]
    for other in {0, 1, 2} - {number}:
        lines.append(f"sentinel known-sentinel orders {ADDRESSES[other]} 26379 {IDS[other]}")
    lines += [f"sentinel known-replica orders {each} 6379" for each in ADDRESSES if each != master]
    return "\n".join(lines) + "\n" + more


def whole(bind: bool = True, sentinels: bool = True) -> dict[str, str]:
    """Three machines, red2 the master; each says its own addresses, or nobody does."""
    texts = {}
    for number, address in enumerate(ADDRESSES):
        text = server(address) if bind else server("x").replace("bind x 127.0.0.1\n", "bind 0.0.0.0\n")
        text += "" if address == RED2 else f"replicaof {RED2} 6379\n"
        texts[f"red{number + 1}/redis.conf"] = text
        if sentinels:
            texts[f"red{number + 1}/sentinel.conf"] = sentinel(number, bind=bind, master=RED2)
    return texts


@pytest.mark.parametrize("bind", [True, False], ids=["bound", "known-by-others"])
def test_three_machines_become_one_service_with_its_sentinels(tmp_path: Path, bind: bool) -> None:
    got = of_texts(tmp_path, whole(bind), "red1", "red2", "red3")
    assert got.problems == ()
    fleet = got.fleet
    assert {name: each.address for name, each in fleet.machines.items()} == dict(
        zip(["red1", "red2", "red3"], ADDRESSES, strict=True)
    )
    (service,) = fleet.services
    assert service.name == "orders"
    assert service.first_master is not None and service.first_master.machine == "red2"
    assert [each.machine for each in service.processes if each.follows] == ["red1", "red3"]
    assert service.watch is not None
    assert (service.watch.quorum, service.watch.down_after) == (2, 5000)
    assert [each.endpoint.address for each in fleet.sentinels] == list(ADDRESSES)
    assert {each.paths.configuration for each in fleet.sentinels} == {"/etc/redis/sentinel.conf"}
    assert {each.unit for each in service.processes} == {"redis-server.service"}
    if bind:
        assert 'bind: ["{{ address }} 127.0.0.1"]' in got.text or '"{{ address }} 127.0.0.1"' in got.text


def test_what_differs_goes_into_the_machines_variables(tmp_path: Path) -> None:
    texts = whole()
    for number, priority in enumerate((100, 50, 0), start=1):
        texts[f"red{number}/redis.conf"] += f"replica-priority {priority}\ndir /var/lib/red{number}\n"
    got = of_texts(tmp_path, texts, "red1", "red2", "red3")
    assert 'replica-priority: "{{ orders_replica_priority }}"' in got.text
    found = {each.machine: got.lines(each) for each in got.fleet.services[0].processes}
    assert {name: lines["replica-priority"] for name, lines in found.items()} == {
        "red1": [("100",)],
        "red2": [("50",)],
        "red3": [("0",)],
    }
    assert {name: lines["dir"] for name, lines in found.items()} == {
        f"red{number}": [(f"/var/lib/red{number}",)] for number in (1, 2, 3)
    }


def test_a_line_that_only_one_has_is_the_default_for_the_others(tmp_path: Path) -> None:
    texts = whole()
    texts["red1/redis.conf"] += "timeout 7\nclient-output-buffer-limit pubsub 1mb 1mb 1\n"
    got = of_texts(tmp_path, texts, "red1", "red2", "red3")
    lines = {each.machine: got.lines(each) for each in got.fleet.services[0].processes}
    assert {name: each["timeout"] for name, each in lines.items()} == {
        "red1": [("7",)],
        "red2": [("0",)],
        "red3": [("0",)],
    }
    assert ("pubsub", "1048576", "1048576", "1") in lines["red1"]["client-output-buffer-limit"]
    assert ("pubsub", "33554432", "8388608", "60") in lines["red2"]["client-output-buffer-limit"]


def test_a_default_that_versions_differ_in_is_told(tmp_path: Path) -> None:
    texts = whole()
    texts["red1/redis.conf"] += "timeout 7\ndir /var/lib/one\nlazyfree-lazy-eviction no\nrepl-diskless-sync no\n"
    got = of_texts(tmp_path, texts, "red1", "red2", "red3")
    got.note("orders: repl-diskless-sync is not in every file; there it is described as 'yes'")
    assert not [each for each in got.notes if "timeout" in each or "dir is" in each]
    # Without a line a server stays where it was started.
    assert [got.lines(each)["dir"] for each in got.fleet.services[0].processes] == [
        [(".",)],
        [("/var/lib/one",)],
        [(".",)],
    ]


def test_secrets_that_differ_are_chosen_by_place(tmp_path: Path) -> None:
    texts = whole(sentinels=False)
    for number in (1, 2, 3):
        texts[f"red{number}/redis.conf"] += f"user app on >App-Word-{number} ~* +@all\n"
    got = of_texts(tmp_path, texts, "red1", "red2", "red3")
    assert got.problems == ()
    for each in got.fleet.services[0].processes:
        assert got.lines(each)["user"] == [("app", "on", f">App-Word-{each.machine[-1]}", "~*", "+@all")]


def test_a_password_of_its_own_is_told(tmp_path: Path) -> None:
    texts = whole()
    texts["red3/redis.conf"] = texts["red3/redis.conf"].replace("requirepass Orders-Word-1", "requirepass Other-Word-3")
    texts["red1/sentinel.conf"] = texts["red1/sentinel.conf"].replace(
        "auth-pass orders Orders", "auth-pass orders Older"
    )
    got = of_texts(tmp_path, texts, "red1", "red2", "red3")
    assert "red3/redis.conf:3: requirepass differs" in got.note("requirepass differs").replace(
        str(tmp_path / "in") + "/", ""
    )
    assert "auth-pass orders is not the password" in got.note("auth-pass")


def test_ten_instances_on_a_machine(tmp_path: Path) -> None:
    texts = {
        f"box/redis-{port}.conf": f"port {port}\nbind 10.0.0.5\nprotected-mode no\ndir /var/lib/redis/{port}\n"
        for port in range(7000, 7009)
    }
    texts["box/redis-orders.conf"] = "port 7009\nbind 10.0.0.5\n"
    got = of_texts(tmp_path, texts, "box")
    assert got.problems == ()
    fleet = got.fleet
    assert [each.name for each in fleet.services] == [f"redis-{port}" for port in range(7000, 7009)] + ["orders"]
    assert fleet.services[3].processes[0].unit == "redis-server@7003.service"
    assert fleet.services[9].processes[0].paths.configuration == "/etc/redis/redis-orders.conf"
    assert list(fleet.machines) == ["box"]


def test_masters_and_replicas_on_one_machine(tmp_path: Path) -> None:
    texts = {
        "box/redis-7000.conf": "port 7000\nbind 127.0.0.1\n",
        "box/redis-7001.conf": "port 7001\nbind 127.0.0.1\nreplicaof 127.0.0.1 7000\n",
        "box/redis-7002.conf": "port 7002\nbind 127.0.0.1\nslaveof localhost 7000\nreplica-priority 5\n",
    }
    got = of_texts(tmp_path, texts, "box")
    assert got.problems == ()
    (service,) = got.fleet.services
    assert [each.endpoint.port for each in service.processes] == [7000, 7001, 7002]
    priorities = {each.endpoint.port: got.lines(each)["replica-priority"] for each in service.processes}
    assert priorities == {7000: [("100",)], 7001: [("100",)], 7002: [("5",)]}
    assert {each.unit for each in service.processes} == {f"redis-server@{port}.service" for port in (7000, 7001, 7002)}


def test_replicas_of_the_same_machine_are_told_apart_from_those_of_another(tmp_path: Path) -> None:
    texts = {}
    for number in (1, 2):
        texts[f"red{number}/redis-7000.conf"] = server(ADDRESSES[number - 1], port=7000)
        texts[f"red{number}/redis-7001.conf"] = server(ADDRESSES[number - 1], "replicaof 127.0.0.1 7000\n", port=7001)
    got = of_texts(tmp_path, texts, "red1", "red2")
    assert got.problems == ()
    assert [[str(each.endpoint) for each in service.processes] for service in got.fleet.services] == [
        [f"{RED1}:7000", f"{RED1}:7001"],
        [f"{RED2}:7000", f"{RED2}:7001"],
    ]


def test_a_master_that_does_not_tell_its_address_has_the_one_that_others_follow(tmp_path: Path) -> None:
    texts = {"red1/redis.conf": server("0.0.0.0"), "red2/redis.conf": server(RED2, f"replicaof {RED1} 6379\n")}
    got = of_texts(tmp_path, texts, "red1", "red2")
    assert got.fleet.machines["red1"].address == RED1
    assert len(got.fleet.services) == 1


def test_a_sentinel_of_6_0_reads_its_lines_in_order(tmp_path: Path) -> None:
    texts = {"sentinel.conf": "sentinel parallel-syncs a 2\nsentinel monitor a 127.0.0.1 7001 1\n"}
    assert "parallel-syncs: 2" in of_texts(tmp_path, texts, version="6.2.14").text
    with pytest.raises(RefusedError, match=r"sentinel.conf:1: sentinel parallel-syncs names a master"):
        of_texts(tmp_path, texts, version="6.0.16")


def test_a_replica_of_a_master_that_was_not_given_follows_outside(tmp_path: Path) -> None:
    got = of_texts(tmp_path, {"red2/redis.conf": server(RED2, f"replicaof {RED1} 6379\n")}, "red2")
    (service,) = got.fleet.services
    assert service.external is not None and str(service.external) == f"{RED1}:6379"
    assert "replicas: [red2]" in got.text


def test_members_that_only_the_sentinels_know_are_described_and_told(tmp_path: Path) -> None:
    texts = {"red1/redis.conf": server(RED1), "red1/sentinel.conf": sentinel(0)}
    got = of_texts(tmp_path, texts, "red1")
    fleet = got.fleet
    assert [each.endpoint.address for each in fleet.services[0].processes] == list(ADDRESSES)
    assert [each.endpoint.address for each in fleet.sentinels] == list(ADDRESSES)
    assert "10.0.0.12:6379" in got.note("10.0.0.12:6379 is one of orders")
    got.note("Sentinel at 10.0.0.13:26379")


def test_two_files_with_one_place_are_told(tmp_path: Path) -> None:
    texts = {"a/redis.conf": "bind 10.0.0.1\nport 7000\n", "b/redis.conf": "bind 10.0.0.1\nport 7000\n"}
    got = of_texts(tmp_path, texts, "a", "b")
    assert got.problems
    assert "b/redis.conf:2" in got.note("is claimed by")


def test_a_chain_of_replicas_is_told(tmp_path: Path) -> None:
    texts = {
        "red1/redis.conf": server(RED1),
        "red2/redis.conf": server(RED2, f"replicaof {RED1} 6379\n"),
        "red3/redis.conf": server(RED3, f"replicaof {RED2} 6379\n"),
    }
    got = of_texts(tmp_path, texts, "red1", "red2", "red3")
    assert len(got.fleet.services) == 1
    assert "red3/redis.conf:6" in got.note("follows a replica")


def test_machines_are_named_by_their_folders_in_copies_of_trees(tmp_path: Path) -> None:
    texts = {
        f"red{n}/etc/redis/redis.conf": server(ADDRESSES[n - 1], "" if n == 1 else f"replicaof {RED1} 6379\n")
        for n in (1, 2)
    }
    got = of_texts(tmp_path, texts)
    assert sorted(got.fleet.machines) == ["red1", "red2"]
    assert {each.paths.configuration for each in got.fleet.processes} == {"/etc/redis/redis.conf"}
    assert not [each for each in got.notes if "assumed: its unit" in each]


def test_a_file_of_two_engines_is_refused(tmp_path: Path) -> None:
    got = of_texts(tmp_path, {"valkey.conf": "primaryauth Some-Word-1\n"})
    assert "engine: valkey" in got.text
    with pytest.raises(RefusedError, match="it is one of valkey"):
        of_texts(tmp_path, {"redis.conf": "primaryauth Some-Word-1\n"}, engine="redis")


def test_two_services_of_one_set_of_sentinels(tmp_path: Path) -> None:
    texts = {}
    for n, address in enumerate(ADDRESSES, start=1):
        for port, master in ((6379, RED1), (6380, RED2)):
            more = "" if address == master else f"replicaof {master} {port}\n"
            texts[f"red{n}/redis-{port}.conf"] = server(address, more, port)
        texts[f"red{n}/sentinel.conf"] = sentinel(
            n - 1,
            (
                f"sentinel monitor other {RED2} 6380 3\nsentinel auth-pass other Orders-Word-1\n"
                "sentinel down-after-milliseconds other 9000\nsentinel parallel-syncs other 2\n"
            ),
        )
    got = of_texts(tmp_path, texts, "red1", "red2", "red3")
    assert got.problems == ()
    watches = {each.name: each.watch for each in got.fleet.services}
    assert watches["orders"] is not None and watches["other"] is not None
    assert (watches["orders"].quorum, watches["orders"].down_after, watches["orders"].parallel_syncs) == (2, 5000, 1)
    assert (watches["other"].quorum, watches["other"].down_after, watches["other"].parallel_syncs) == (3, 9000, 2)


def test_a_set_is_not_told_more_than_it_must_be(tmp_path: Path) -> None:
    got: Import = of_texts(tmp_path, whole(), "red1", "red2", "red3")
    told = [each for each in got.notes if "assumed" not in each and "own memory" not in each and "export" not in each]
    assert told == []


def test_servers_whose_files_are_not_at_hand_have_the_password_that_sentinels_know(tmp_path: Path) -> None:
    texts = {name: text for name, text in whole().items() if "sentinel" in name}
    got = of_texts(tmp_path, texts, "red1", "red2", "red3")
    assert "Orders-Word-1" not in got.text
    (service,) = got.fleet.services
    assert service.password is not None
    assert service.password.reveal() == "Orders-Word-1"
    assert not [note for note in got.notes if "auth-pass" in note and "export" not in note]


def test_sentinels_that_name_different_masters_are_refused(tmp_path: Path) -> None:
    texts = whole()
    texts["red3/sentinel.conf"] = sentinel(2, master=ADDRESSES[2])
    with pytest.raises(RefusedError, match=r"master of orders is .*:6379 here, and .*:6379 at .*nothing is chosen"):
        of_texts(tmp_path, texts, "red1", "red2", "red3")


@pytest.mark.parametrize(("own", "count"), [("port 6379\n", 2), ("", 1)], ids=["two-instances", "shared-settings"])
def test_an_instance_that_another_one_includes_is_one_of_its_own(tmp_path: Path, own: str, count: int) -> None:
    queue = f"include {tmp_path}/base.conf\nport 6385\ndbfilename queue.rdb\nlogfile queue.log\n"
    texts = {"base.conf": f"{own}maxmemory 64mb\n", "queue.conf": queue}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert len(look([tmp_path / name for name in texts], "redis").found) == count


def test_a_sentinel_that_watches_nothing_is_nothing_to_describe(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="watches no master"):
        of_texts(tmp_path, {"sentinel.conf": "port 26379\n"})


def test_servers_of_one_machine_that_only_a_sentinel_speaks_of_have_files_of_their_own(tmp_path: Path) -> None:
    lines = ["port 26379", "sentinel monitor m 127.0.0.1 6379 2", "sentinel known-replica m 127.0.0.1 6380"]
    got = of_texts(tmp_path, {"sentinel.conf": "\n".join([*lines, ""])})
    assert len({each.paths.configuration for each in got.fleet.services[0].processes}) == 2
    assert len({each.unit for each in got.fleet.services[0].processes}) == 2


def test_a_number_that_the_server_clamps_is_described_as_it_takes_it(tmp_path: Path) -> None:
    got = of_texts(tmp_path, {"redis.conf": "port 6379\nbind 127.0.0.1\nhz 1000\n"})
    assert got.lines()["hz"] == [("500",)]
    assert got.note("hz 1000 is 500 for the server")


def test_sentinels_that_let_no_replica_follow_are_described_with_one(tmp_path: Path) -> None:
    got = of_texts(tmp_path, {"sentinel.conf": sentinel(0, "sentinel parallel-syncs orders 0\n")})
    assert got.note("parallel-syncs orders 0 has no replica follow")
    assert got.fleet.services[0].watch is not None
    assert got.fleet.services[0].watch.parallel_syncs == 1
