"""Processes that announce another address than the one that they listen on: in a sandbox 127.0.1.1 for 127.0.0.1."""

from __future__ import annotations

from pathlib import Path

import pytest

from redis_fleet.operations.announced_places import CHECK
from redis_fleet.settings.loopback_only import ANNOUNCED
from tests.harness.live.editing import Description, edit
from tests.harness.live.processes import eventually
from tests.harness.live.sandboxes import COMMAND, Box, box, client_of

_NAT = {
    "red1: {address: 10.0.0.11}": "red1: {address: 10.0.0.11, vars: {pub: 203.0.113.11}}",
    "red2: {address: 10.0.0.12}": "red2: {address: 10.0.0.12, vars: {pub: 203.0.113.12}}",
    "red3: {address: 10.0.0.13}": "red3: {address: 10.0.0.13, vars: {pub: 203.0.113.13}}",
    "maxmemory: 1gb": 'maxmemory: 1gb\n      replica-announce-ip: "{{ pub }}"',
    "failover-timeout: 60000": 'failover-timeout: 60000\n    announce-ip: "{{ pub }}"',
}


def listed(made: Box) -> dict[str, tuple[str, list[str], list[str]]]:
    """Return the master, the replicas and the other Sentinels that each Sentinel lists, with their flags."""
    found = {}
    for process in made.fleet.sentinels:
        with client_of(process) as client:
            master = client.sentinel_master("orders")
            rows = (client.sentinel_slaves("orders"), client.sentinel_sentinels("orders"))
            replicas, sentinels = (
                sorted(f"{each['ip']}:{each['port']} {each['flags']}" for each in row) for row in rows
            )
            found[process.id] = (f"{master['ip']}:{master['port']}", replicas, sentinels)
    return found


def expected(made: Box, master: str) -> dict[str, tuple[str, list[str], list[str]]]:
    """Return what they should list: each process once, where it announces that it is."""
    where = {each.id: f"{ANNOUNCED}:{each.endpoint.port}" for each in made.fleet.processes}
    replicas = sorted(f"{where[each.id]} slave" for each in made.fleet.service("orders").processes if each.id != master)
    return {
        own.id: (
            where[master],
            replicas,
            sorted(f"{where[each.id]} sentinel" for each in made.fleet.sentinels if each.id != own.id),
        )
        for own in made.fleet.sentinels
    }


def unchanged(made: Box) -> None:
    """See that there is nothing to do, and that nothing is done."""
    plan = made.on("plan", "--json")
    assert (plan.code, plan.json()["steps"]) == (0, []), plan.both
    again = made.on("deploy", "--json")
    assert again.code == 0, again.both
    assert set(again.json()["changed"].values()) == {0}


def failed_over(made: Box) -> str:
    """Kill the master, see the old one come back as a replica of what the new one announces, and return the new one."""
    old = made.master("orders")
    made.kill(old)
    eventually(lambda: made.master("orders") not in ("", old) and made.settled("orders"), "a new master", 60)
    new = made.master("orders")
    port = made.process(new).endpoint.port
    plan = made.on("plan", "--json")
    assert plan.code == 3, plan.both
    (step,) = plan.json()["steps"]
    assert f"(its file first: of {ANNOUNCED} {port})" in step["what"]
    done = made.on("deploy", "--json")
    assert done.code == 0, done.both
    assert client_of(made.process(old)).role()[1:3] == [ANNOUNCED, port]
    return new


@pytest.mark.long
def test_everybody_is_known_by_what_it_announces(tmp_path: Path) -> None:
    with box(tmp_path / "box", "sentinel", _NAT) as made:
        eventually(lambda: listed(made) == expected(made, "orders-6379@red1"), "each is listed once")
        new = failed_over(made)
        eventually(lambda: listed(made) == expected(made, new), "each is listed once after a failover")
        unchanged(made)


@pytest.mark.long
def test_masters_that_announce_are_moved_and_verified(tmp_path: Path) -> None:
    with box(tmp_path / "box", "sentinel", _NAT) as made:
        verified = made.on("verify", "--json")
        assert verified.code == 0, verified.both
        tried = [each for each in verified.json()["checks"] if each["check"] == CHECK]
        assert sorted(each["subject"] for each in tried) == sorted(each.id for each in made.fleet.processes)
        status = made.on("status", "--json")
        assert status.code == 0, status.both
        _seen_where_it_does_not_answer(made, "orders-6379@red3")

        moved = made.run(COMMAND, "switchover", "--sandbox", "--yes", "--json", made.file, "orders", "--to", "red2")
        assert moved.code == 0, moved.both
        assert moved.json()["new_master"] == made.master("orders") == "orders-6379@red2"
        assert moved.json()["acknowledged_lost"] == 0
        eventually(lambda: listed(made) == expected(made, "orders-6379@red2"), "the Sentinels list the new order")
        unchanged(made)
        drilled = made.on("verify", "--drill", "failover", "--yes")
        assert drilled.code == 0, drilled.both
        unchanged(made)


def _seen_where_it_does_not_answer(made: Box, name: str) -> None:
    """See that verify says so when nobody gets through at what a server announces, and nothing else of that server."""
    with client_of(made.process(name)) as client:
        client.config_set("bind", "127.0.0.1")
        broken = made.on("verify", "--json")
        client.config_set("bind", f"127.0.0.1 {ANNOUNCED}")
    assert broken.code == 1, broken.both
    wrong = {each["subject"] for each in broken.json()["checks"] if each["check"] == CHECK and not each["ok"]}
    assert wrong == {name}, broken.both
    eventually(lambda: listed(made) == expected(made, "orders-6379@red1"), "the Sentinels reach it again")


@pytest.mark.long
def test_another_announced_address_of_what_runs_is_refused(tmp_path: Path) -> None:
    with box(tmp_path / "box", "sentinel") as made:
        edit(made, _announce)
        plan = made.on("plan", "--json")
        assert plan.code == 1, plan.both
        assert {each["code"] for each in plan.json()["refused"]} == {"announced-otherwise"}, plan.both


def _announce(file: Description) -> None:
    for number, machine in enumerate(file["machines"].values(), start=11):
        machine["vars"] = {"pub": f"203.0.113.{number}"}
    file["services"]["orders"]["config"]["replica-announce-ip"] = "{{ pub }}"
    file["sentinel"]["config"]["announce-ip"] = "{{ pub }}"
