"""Import of processes that speak of each other by host names, and of machines whose address no file tells."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from redis_fleet.adoption.describe import How, describe
from redis_fleet.adoption.machines import Machines
from redis_fleet.adoption.paths import look
from redis_fleet.cli.main import app
from tests.unit.adoption.adopting import of_texts

WORD = "requirepass Shop-Word-1\nmasterauth Shop-Word-1\n"
ONE_SENTENCE = "the description needs the addresses that no file tells: write that of"


def shop(host: str) -> dict[str, str]:
    """Containers that find each other by name, and are told no address."""
    return {
        "primary/redis.conf": f"bind 0.0.0.0\n{WORD}",
        "second/redis.conf": f"bind 0.0.0.0\n{WORD}replicaof {host} 6379\n",
        "third/redis.conf": f"{WORD}replicaof {host} 6379\n",
        "watcher/sentinel.conf": f"sentinel resolve-hostnames yes\nsentinel monitor shop {host} 6379 1\n"
        "sentinel auth-pass shop Shop-Word-1\n",
    }


@pytest.mark.parametrize(
    ("host", "why"),
    [("primary", ""), ("primary.shop.internal", ""), ("redis-primary", "by its name"), ("cache", "by all others")],
)
def test_a_name_that_others_use_is_the_machine_that_it_can_only_be(tmp_path: Path, host: str, why: str) -> None:
    got = of_texts(tmp_path, shop(host), "primary", "second", "third", "watcher")
    assert got.problems == ()
    fleet = got.fleet
    (service,) = fleet.services
    assert service.first_master is not None
    assert service.first_master.machine == "primary"
    assert [each.machine for each in service.processes] == ["primary", "second", "third"]
    assert list(fleet.machines) == ["primary", "second", "third", "watcher"]
    assert len({each.address for each in fleet.machines.values()}) == 4
    assert [each for each in got.notes if "is taken to be" in each and why in each] or not why


def test_a_server_that_may_be_another_one_is_not_taken_for_the_master(tmp_path: Path) -> None:
    texts = shop("cache")
    texts["primary/redis.conf"] = "bind 0.0.0.0\nrequirepass Quite-Another-2\n"
    got = of_texts(tmp_path, texts, "primary", "second", "third", "watcher")
    assert {each.name for each in got.fleet.services} == {"redis-6379", "shop"}
    shop_ = next(each for each in got.fleet.services if each.name == "shop")
    assert [each.machine for each in shop_.processes] == ["cache", "second", "third"]


def test_the_addresses_are_asked_for_in_one_sentence_and_the_file_is_there(tmp_path: Path) -> None:
    for name, text in shop("redis-primary").items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    folders = [str(tmp_path / each) for each in ("primary", "second", "third", "watcher")]
    file = tmp_path / "out.redis.yml"
    done = CliRunner().invoke(app, ["import", "-o", str(file), *folders])
    assert done.exit_code == 1
    assert done.stderr.count("in place of 192.0.2.") == 4
    assert len([line for line in done.stderr.splitlines() if line.startswith(ONE_SENTENCE)]) == 1
    assert "E17" not in done.stderr
    assert "192.0.2.1" in file.read_text("utf-8")


def test_names_are_carried_as_addresses_where_they_are_taken(tmp_path: Path) -> None:
    for name, text in shop("redis-primary").items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = look([tmp_path / each for each in ("primary", "second", "third", "watcher")]).found
    text = describe(found, "shop", How(by_name=True)).text
    assert "    address: redis-primary\n" in text
    assert "    address: 192.0.2.1\n" in text


def test_masters_that_only_a_sentinel_names_are_machines_of_that_name(tmp_path: Path) -> None:
    lines = [
        "sentinel resolve-hostnames yes",
        "sentinel monitor a db-a 6379 1",
        "sentinel monitor b db-b.example.org 6379 1",
    ]
    got = of_texts(tmp_path, {"sentinel.conf": "\n".join([*lines, ""])})
    assert got.problems == ()
    assert list(got.fleet.machines) == ["localhost", "db-a", "db-b.example.org"]
    assert [each.processes[0].machine for each in got.fleet.services] == ["db-a", "db-b.example.org"]


def test_a_master_outside_by_name_has_an_address_to_be_written(tmp_path: Path) -> None:
    got = of_texts(tmp_path, {"red2/redis.conf": "bind 10.0.0.2\nport 6380\nreplicaof db-a 6379\n"}, "red2")
    assert got.problems == ()
    if "db-a" not in got.text:
        assert str(got.fleet.services[0].external) == "192.0.2.1:6379"
        assert got.adopted.wanted == "the addresses that no file tells: write that of db-a in place of 192.0.2.1"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("redis.conf", "replicaof 10.0.0.9 6379\n"),
        ("sentinel.conf", "sentinel monitor m 10.0.0.9 6379 1\n"),
        ("sentinel.conf", "sentinel monitor m 10.0.0.9 6379 2\nsentinel known-replica m 10.0.0.10 6379\n"),
    ],
)
def test_a_machine_of_which_others_are_elsewhere_is_not_on_loopback(tmp_path: Path, file: str, text: str) -> None:
    got = of_texts(tmp_path, {file: text})
    assert got.problems == ()
    assert got.fleet.machines["localhost"].address == "192.0.2.1"
    assert got.adopted.wanted == "the addresses that no file tells: write that of localhost in place of 192.0.2.1"


def test_instances_in_folders_of_their_own_that_meet_on_loopback_are_on_one_machine(tmp_path: Path) -> None:
    texts = {
        "one/redis.conf": "port 7001\n",
        "two/redis.conf": "port 7002\nreplicaof 127.0.0.1 7001\n",
        "three/redis.conf": "port 7003\nbind 127.0.0.1\nreplicaof localhost 7001\n",
    }
    got = of_texts(tmp_path, texts, "one", "two", "three")
    assert got.problems == ()
    assert {each.address for each in got.fleet.machines.values()} == {"127.0.0.1"}
    assert len(got.fleet.services) == 1
    assert got.adopted.wanted == ""


def test_machines_that_only_bind_loopback_at_one_port_are_several(tmp_path: Path) -> None:
    texts = {f"{name}/redis.conf": "bind 127.0.0.1\n" for name in ("one", "two")}
    got = of_texts(tmp_path, texts, "one", "two")
    assert got.problems == ()
    assert {each.address for each in got.fleet.machines.values()} == {"127.0.0.1", "192.0.2.1"}


def test_what_is_announced_is_the_address_and_what_is_bound_is_not(tmp_path: Path) -> None:
    texts = {}
    for n in (1, 2):
        more = "" if n == 1 else "replicaof 203.0.113.1 6379\n"
        texts[f"red{n}/redis.conf"] = f"bind 10.0.0.{n} 127.0.0.1\nreplica-announce-ip 203.0.113.{n}\n{WORD}{more}"
        texts[f"red{n}/sentinel.conf"] = (
            f"bind 10.0.0.{n}\nsentinel announce-ip 203.0.113.{n}\nsentinel monitor m 203.0.113.1 6379 1\n"
            "sentinel auth-pass m Shop-Word-1\n"
        )
    got = of_texts(tmp_path, texts, "red1", "red2")
    assert got.problems == ()
    assert [each.address for each in got.fleet.machines.values()] == ["203.0.113.1", "203.0.113.2"]
    assert got.lines(got.fleet.services[0].processes[1])["bind"] == [("10.0.0.2", "127.0.0.1")]
    assert 'replica-announce-ip: "{{ address }}"' in got.text


def test_a_replica_without_a_file_gets_what_the_others_differ_in(tmp_path: Path) -> None:
    texts = {}
    for n in (1, 2):
        more = "" if n == 1 else "replicaof 10.0.0.1 6379\n"
        texts[f"red{n}/redis.conf"] = (
            f"bind 10.0.0.{n}\nreplica-priority {n}0\nuser app on >App-Word-{n} ~* +get\n{WORD}{more}"
        )
        texts[f"red{n}/sentinel.conf"] = (
            f"bind 10.0.0.{n}\nsentinel monitor m 10.0.0.1 6379 1\nsentinel auth-pass m Shop-Word-1\n"
            "sentinel known-replica m 10.0.0.9 6379\n"
        )
    got = of_texts(tmp_path, texts, "red1", "red2")
    assert got.problems == ()
    stale = got.fleet.services[0].processes[-1]
    assert stale.machine == "host-10-0-0-9"
    assert got.lines(stale)["replica-priority"] == [("10",)]
    assert got.lines(stale)["user"] == [("app", "on", ">App-Word-1", "~*", "+get")]
    got.note(
        "replica-priority differs between machines; that of host-10-0-0-9 is not known, it is described as on red1"
    )


def test_an_address_of_nobody_is_no_other_machines() -> None:
    machines = Machines(addresses={"a": "192.0.2.1"})
    machines.addresses["b"] = machines.instead("b")
    assert machines.instead("b") == machines.addresses["b"] == "192.0.2.2"
    assert machines.at("db-c") == "db-c"
    assert machines.at("db-c") == "db-c"
    assert machines.addresses["db-c"] == "192.0.2.3"
    many = [machines.instead(str(number)) for number in range(1000)]
    assert len(set(many)) == 1000
