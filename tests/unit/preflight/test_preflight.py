"""What the pre-flight says of a machine, from recorded facts: each check passes, warns and fails for its reason."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from redis_fleet.agent.messages.host_facts import Clock, HostFacts
from redis_fleet.model import Fleet, Process, Setting, Silence, Words
from redis_fleet.preflight.request import request
from redis_fleet.preflight.table import counts, rows
from redis_fleet.preflight.text import count_line, lines
from redis_fleet.rules import all_rules, find
from redis_fleet.rules.hosts.host import Answered, HostReport, Row, host_checks
from redis_fleet.rules.hosts.kernel import timespan
from redis_fleet.rules.hosts.system import offset
from tests.unit.cases.builder import fleet_of

GIB = 1 << 30


def described(name: str = "sentinel", silence: str = "", **settings: str) -> Fleet:
    """Return a sample whose servers have a maxmemory, and these settings (``tcp_backlog="511"``)."""
    words = {"maxmemory": "2gb", **settings}
    made = [Setting(key.replace("_", "-"), (tuple(value.split()),)) for key, value in words.items()]

    def changed(process: Process) -> Process:
        kept = [each for each in process.settings if each.name not in {new.name for new in made}]
        return replace(process, settings=(*kept, *made)) if process.kind == "server" else process

    fleet = fleet_of(name)
    services = tuple(replace(each, processes=tuple(map(changed, each.processes))) for each in fleet.services)
    silences = (Silence("", silence, "we know"),) if silence else ()
    return replace(fleet, services=services, silences=silences)


def answer(fleet: Fleet, machine: str) -> dict[str, Any]:
    """Return what a sound machine answers: Debian 12 with 8 GiB, nothing deployed."""
    asked = request(fleet, machine)
    folder = {
        **{"existing": "/var/lib", "mount": "/", "type": "ext4", "free": 50 * GIB, "size": 100 * GIB, "held": 0},
        **{"files_free": 10**6, "read_only": False, "no_exec": False, "folder": True, "writable": True},
        "by_user": None,
    }
    return {
        "system": {"id": "debian", "version": "12"},
        "packages": {},
        "version": None,
        "default_units": {},
        "kernel": {"vm.overcommit_memory": "1", "net.core.somaxconn": "4096", "transparent_hugepage": "madvise"},
        "container": False,
        "virtual": "",
        "python": [3, 11, 2],
        "root": True,
        "systemd": {"state": "running", "failed": []},
        "units": {unit: {"LoadState": "not-found"} for unit in asked.units},
        "memory": {
            **{"total": 8 * GIB, "available": 7 * GIB, "swap": 0, "swap_used": 0, "swappiness": 60},
            **{"limit": None, "ours": 0},
        },
        "cores": {"count": 4, "quota": None},
        "open_files": 1 << 20,
        "folders": {path: dict(folder) for path in asked.folders},
        "needed": {path: {"there": True, "readable": True, "no_exec": False} for path in asked.needed},
        "links": [],
        "listeners": [],
        "addresses": dict.fromkeys(asked.addresses, True),
        "own_addresses": list(asked.addresses),
        "candidates": dict.fromkeys(asked.host.packages, "5:7.0.15-1"),
        "lists": True,
        "time_services": ["chrony"],
        "reach": [{**target.to_json(), "state": "refused"} for target in asked.targets],
        "clock": {"asked": 100.0, "begin": 100.3, "end": 100.8, "answered": 101.0},
    }


def judged(fleet: Fleet, **changes: Mapping[str, Any]) -> list[Row]:
    """Return the rows of sound machines with these changes; a change is merged into the answer, level by level."""
    answers = {machine: answer(fleet, machine) for machine in fleet.machines}
    for machine, change in changes.items():
        answers[machine] = dict(change) if "error" in change else merged(answers[machine], change)
    for machine, given in answers.items():
        if "reach" in given and "reach" not in changes.get(machine, {}):
            given["reach"] = [{**each, "state": _state(fleet, answers, each)} for each in given["reach"]]
    return list(rows(fleet, answers))


def _state(fleet: Fleet, answers: Mapping[str, Any], target: Mapping[str, Any]) -> str:
    """Return what a connection comes to where nothing is in the way."""
    there = next((name for name, each in fleet.machines.items() if each.address == target["address"]), "")
    places = {(each["address"], each["port"]) for each in answers.get(there, {}).get("listeners", ())}
    wanted = {(address, target["port"]) for address in (target["address"], "0.0.0.0")}
    return "open" if wanted & places else "refused"


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return one mapping put over another; ``*`` stands for every key that is there."""
    found = copy.deepcopy(dict(old))
    for key, value in new.items():
        for name in list(found) if key == "*" else [key]:
            is_both = isinstance(value, Mapping) and isinstance(found.get(name), Mapping)
            found[name] = merged(found[name], value) if is_both else value
    return found


def amiss(found: list[Row]) -> list[tuple[str, str, str, str]]:
    """Return machine, subject, state and rule of what does not pass."""
    return [(row.machine, row.subject, row.state, row.rule) for row in found if row.state != "pass"]


def listener(**fields: Any) -> dict[str, Any]:
    """Return somebody who listens on 6379 of all addresses."""
    basic = {"address": "0.0.0.0", "port": 6379, "pid": 42, "program": "python3", "unit": "", "ours": False}
    return {**basic, **fields}


ONE_UNIT = "redis-orders-6379.service"


@pytest.mark.parametrize("name", ["sentinel", "shared-machines", "replication", "external"])
def test_sound_machines_pass(name: str) -> None:
    fleet = described(name, maxmemory="1gb")
    opened = {each.name: {"reach": _opened(fleet, each.name)} for each in fleet.machines.values()}
    found = judged(fleet, **opened)
    assert amiss(found) == []
    assert {row.machine for row in found} == set(fleet.machines)
    assert not [row for row in found if row.fix]


def _opened(fleet: Fleet, machine: str) -> list[dict[str, Any]]:
    return [{**target.to_json(), "state": "open"} for target in request(fleet, machine).targets]


# Each: what is different on red1, and the subject, state and rule of the one row that must say so.
_CASES: dict[str, tuple[Mapping[str, Any], str, str, str]] = {
    "not root": ({"root": False}, "root", "fail", "E30"),
    "old python": ({"python": [3, 8, 10]}, "python", "fail", "E31"),
    "no user namespaces": ({"withheld": ["user"]}, "namespaces", "fail", "E31"),
    "no mount namespaces": ({"withheld": ["mount"]}, "namespaces", "fail", "E31"),
    "no systemd": ({"systemd": None}, "systemd", "fail", "E31"),
    "unknown platform": ({"system": {"id": "alpine", "version": "3"}}, "packages", "fail", "E31"),
    "not on offer": ({"candidates": {"redis-server": None}}, "redis-server", "warn", "W34"),
    "a unit that may not have the memory": (
        {"units": {ONE_UNIT: {"LoadState": "loaded", "MemoryMax": str(2 * GIB)}}},
        *("memory of orders-6379", "warn", "W3"),
    ),
    "default unit runs": (
        {"default_units": {"redis-server.service": {"ActiveState": "active"}}},
        *("default unit", "fail", "E32"),
    ),
    "no time service": ({"time_services": []}, "time service", "warn", "W32"),
    "clock ahead": ({"clock": {"begin": 103.3, "end": 103.8}}, "clock", "warn", "W31"),
    "clock behind": ({"clock": {"begin": 40.3, "end": 40.8}}, "clock", "warn", "W31"),
    "foreign port": ({"listeners": [listener()]}, "port of orders-6379", "fail", "E32"),
    "foreign port on loopback": (
        {"listeners": [listener(address="127.0.0.1")]},
        *("port of orders-6379", "fail", "E32"),
    ),
    "another one's unit": ({"listeners": [listener(unit="x.service")]}, "port of orders-6379", "fail", "E32"),
    "overcommit in a container": (
        {"container": True, "kernel": {"vm.overcommit_memory": "0"}},
        *("vm.overcommit_memory", "warn", "W8"),
    ),
    "backlog in a container": (
        {"container": True, "kernel": {"net.core.somaxconn": "128"}},
        *("net.core.somaxconn", "warn", "W8"),
    ),
    "huge pages in a container": (
        {"container": True, "kernel": {"transparent_hugepage": "always"}},
        *("transparent_hugepage", "warn", "W8"),
    ),
    "swap": ({"memory": {"swap": GIB, "swappiness": 60}}, "swap", "warn", "W8"),
    "little memory": ({"memory": {"total": 3 * GIB}}, "memory", "warn", "W3"),
    "far too little": ({"memory": {"total": 2 * GIB}}, "memory", "fail", "E37"),
    "a cgroup's limit": ({"memory": {"limit": 2 * GIB}}, "memory", "fail", "E37"),
    "held by others": ({"memory": {"available": GIB}}, "memory now", "warn", "W3"),
    "few open files": ({"open_files": 10_000 + 31}, "open files of orders-6379", "warn", "W7"),
    "few open files of the unit": (
        {"units": {ONE_UNIT: {"LoadState": "loaded", "LimitNOFILE": "1024"}}},
        *("open files of orders-6379", "warn", "W7"),
    ),
    "stopped too soon": (
        {"units": {ONE_UNIT: {"LoadState": "loaded", "TimeoutStopUSec": "30s"}}},
        *("stopping orders-6379", "warn", "W9"),
    ),
    "read-only": (
        {"folders": {"/var/lib/redis/orders-6379": {"read_only": True}}},
        *("data of orders-6379", "fail", "E34"),
    ),
    "not even for root": (
        {"folders": {"/etc/redis/orders-6379": {"writable": False}}},
        *("configuration of orders-6379", "fail", "E10"),
    ),
    "in the place of a folder": (
        {"folders": {"/var/lib/redis/orders-6379": {"folder": False}}},
        *("data of orders-6379", "fail", "E34"),
    ),
    "a link": ({"links": ["/etc/redis/orders-6379/redis.conf"]}, "configuration of orders-6379", "fail", "E10"),
    "disk nearly full": ({"folders": {"*": {"free": 5 * GIB}}}, "disk", "warn", "W30"),
    "disk nearly full though the data would fit": ({"folders": {"*": {"free": 9 * GIB}}}, "disk", "warn", "W30"),
    "disk full": ({"folders": {"*": {"free": GIB}}}, "disk", "fail", "E34"),
    "no inodes": ({"folders": {"*": {"files_free": 0}}}, "disk", "fail", "E34"),
    "tmpfs": ({"folders": {"*": {"type": "tmpfs"}}}, "filesystem", "fail", "E38"),
    "overlay": ({"folders": {"*": {"type": "overlay"}}}, "filesystem", "warn", "W33"),
    "nfs": ({"folders": {"*": {"type": "nfs4"}}}, "filesystem", "warn", "W33"),
    "one core": ({"cores": {"count": 1, "quota": 0.5}}, "cores", "warn", "W36"),
    "not its address": ({"addresses": {"10.0.0.11": False}, "own_addresses": ["192.0.2.4"]}, "address", "fail", "E36"),
}


@pytest.mark.parametrize("case", _CASES, ids=list(_CASES))
def test_a_fault_is_one_row(case: str) -> None:
    change, *expected = _CASES[case]
    found = judged(described(), red1=change)
    assert amiss(found) == [("red1", *expected)]
    bad = next(row for row in found if row.state != "pass")
    assert bad.fix
    assert find(bad.rule), f"{bad.rule} is no rule"


# What looks like a fault and is none.
_FINE: dict[str, Mapping[str, Any]] = {
    "what deploy sets": {
        "kernel": {"vm.overcommit_memory": "0", "net.core.somaxconn": "128", "transparent_hugepage": "always"}
    },
    "a backlog that is long enough in a container": {"container": True, "kernel": {"net.core.somaxconn": "511"}},
    "a container's clock": {"container": True, "time_services": []},
    "installed, and not on offer any more": {
        "packages": {"redis-server": "5:7.0.15", "redis-sentinel": "5:7.0.15"},
        "candidates": {"*": None},
    },
    "package lists that were never read": {"candidates": {"*": None}, "lists": False},
    "our own port": {"listeners": [listener(unit=ONE_UNIT, ours=True)]},
    "a port of nobody": {"listeners": [listener(port=6380)]},
    "another address": {"listeners": [listener(address="10.99.0.1")]},
    "swap for the last resort": {"memory": {"swap": GIB, "swappiness": 1}},
    "memory that our own processes have": {"memory": {"available": GIB, "ours": GIB + 1}},
    "a folder that deploy gives to its user": {"folders": {"/var/lib/redis/orders-6379": {"by_user": False}}},
    "data that is there already": {"folders": {"*": {"free": 5 * GIB, "held": 5 * GIB}}},
    "as many open files as it needs": {"open_files": 10_000 + 32},
    "an unlimited unit": {
        "units": {ONE_UNIT: {"LoadState": "loaded", "LimitNOFILE": "infinity", "MemoryMax": "infinity"}}
    },
    "a unit that waits": {"units": {ONE_UNIT: {"LoadState": "loaded", "TimeoutStopUSec": "infinity"}}},
    "a slow way to the machine": {"clock": {"asked": 100.0, "begin": 108.0, "end": 108.5, "answered": 109.0}},
    "filesystem without inodes": {"folders": {"*": {"files_free": None}}},
}


def test_a_check_yields_rows_of_its_own_rules_alone() -> None:
    fleet = described(maxmemory="4gb", tls_cert_file="/etc/tls/redis.crt")
    answers = {machine: Answered(HostFacts.from_json(_facts(fleet, machine)), 0.0, 1.0) for machine in fleet.machines}
    for change in ({}, *(change for change, *_ in _CASES.values())):
        red1 = HostFacts.from_json(merged(_facts(fleet, "red1"), {k: v for k, v in change.items() if k != "clock"}))
        host = HostReport(fleet, "red1", {**answers, "red1": Answered(red1, 0.0, 1.0)})
        for check in host_checks():
            own = {rule.id for rule in all_rules() if f"{check.__module__}.{check.__name__}" in rule.deciders}
            assert {row.rule for row in check(host)} <= own


def _facts(fleet: Fleet, machine: str) -> dict[str, Any]:
    return {**answer(fleet, machine), "clock": {"begin": 0.4, "end": 0.6}}


@pytest.mark.parametrize("case", _FINE, ids=list(_FINE))
def test_no_fault(case: str) -> None:
    assert amiss(judged(described(), red1=_FINE[case])) == []


def test_in_a_container_the_fix_is_the_hosts() -> None:
    change = {"container": True, "kernel": {"vm.overcommit_memory": "0"}}
    row = next(row for row in judged(described(), red1=change) if row.state == "warn")
    assert row.seen == "0; in a container the kernel is the host's"
    assert row.fix == "on the host: sysctl vm.overcommit_memory=1"


def test_before_a_deployment_what_it_sets_is_said() -> None:
    found = judged(described(), red1={"kernel": {"vm.overcommit_memory": "0", "transparent_hugepage": "always"}})
    seen = {row.subject: row.seen for row in found if row.machine == "red1"}
    assert seen["vm.overcommit_memory"] == "0; deploy sets it to 1"
    assert seen["transparent_hugepage"] == "always; deploy sets it to madvise"


def test_a_log_folder_that_its_user_may_not_write_to() -> None:
    found = judged(described(), red1={"folders": {"/var/log/redis": {"by_user": False}}})
    assert {each[1:] for each in amiss(found)} == {
        ("log of orders-6379", "fail", "E34"),
        ("log of sentinel-26379", "fail", "E34"),
    }


def test_a_machine_out_of_reach_is_one_row_and_the_others_are_judged() -> None:
    found = judged(described(), red2={"error": "no route to host"})
    assert amiss(found) == [("red2", "reached", "fail", "E30")]
    assert counts(found)["fail"] == 1
    assert {row.machine for row in found if row.state == "pass"} == {"red1", "red3"}


def test_no_maxmemory_is_one_row_a_server_with_what_would_fit() -> None:
    found = judged(described("shared-machines", maxmemory="0"))
    bad = [row for row in found if row.state != "pass"]
    assert [row.rule for row in bad] == ["W3"] * 9
    assert {row.path for row in bad} == {"services.payments", "services.sessions", "services.cache"}
    assert "1.6 GiB would leave room" in bad[0].fix


def test_a_share_is_one_of_what_the_machine_has() -> None:
    unit = {"LoadState": "loaded", "MemoryMax": str(6 * GIB)}
    found = judged(fleet_of("memory-share"), red1={"memory": {"limit": 2 * GIB}}, red2={"units": {ONE_UNIT: unit}})
    seen = {row.machine: row.seen for row in found if row.subject == "memory"}

    assert seen["red1"].startswith("1.2 GiB maxmemory of 1 server")
    assert seen["red2"].startswith("3.6 GiB maxmemory of 1 server")
    assert ("red1", "memory", "fail", "E37") in amiss(
        judged(fleet_of("memory-described"), red1={"memory": {"total": 2 * GIB}})
    )


def test_all_servers_of_a_machine_are_added_up() -> None:
    # 3 x 2 GiB, 3 x 257 MiB for replication, half of that copied where it is saved, a quarter for the cache.
    at_the_edge = 6 * GIB + 3 * (257 << 20) + int(2.5 * GIB)
    fleet = described("shared-machines")

    def with_memory(total: int) -> list[tuple[str, str, str, str]]:
        memory = {"memory": {"total": total, "available": total}}
        return amiss(judged(fleet, **dict.fromkeys(fleet.machines, memory)))

    assert with_memory(at_the_edge) == []
    assert with_memory(at_the_edge - 1) == [(machine, "memory", "warn", "W3") for machine in fleet.machines]


def _states(fleet: Fleet, machine: str, state: str, port: int = 0, to: str = "") -> dict[str, Any]:
    address = fleet.machines[to].address if to else ""
    reach = [
        {**each, "state": state if (not port or each["port"] == port) and address in ("", each["address"]) else "open"}
        for each in (target.to_json() for target in request(fleet, machine).targets)
    ]
    return {"reach": reach}


@pytest.mark.parametrize("state", ["no answer", "No route to host", "Network is unreachable"])
def test_a_firewall_is_a_row_for_each_machine_behind_it(state: str) -> None:
    fleet = described()
    found = judged(fleet, red1=_states(fleet, "red1", state, 6379, "red3"))
    assert amiss(found) == [("red1", "network to red3", "fail", "E33")]
    bad = next(row for row in found if row.state == "fail")
    assert bad.seen == f"10.0.0.13 port 6379: {state} (replication)"
    assert amiss(judged(fleet, red1=_states(fleet, "red1", state))) == [
        ("red1", "network to red2", "fail", "E33"),
        ("red1", "network to red3", "fail", "E33"),
    ]


def test_a_refusal_is_a_firewall_where_somebody_listens() -> None:
    fleet = described()
    listening = {"listeners": [listener(address="10.0.0.13", unit=ONE_UNIT, ours=True)]}
    refused = _states(fleet, "red1", "refused", 6379, "red3")
    assert amiss(judged(fleet, red1=refused)) == []
    assert amiss(judged(fleet, red3=listening)) == []
    assert amiss(judged(fleet, red1=refused, red3=listening)) == [("red1", "network to red3", "fail", "E33")]
    elsewhere = {"listeners": [listener(address="127.0.0.1", unit=ONE_UNIT, ours=True)]}
    assert amiss(judged(fleet, red1=refused, red3=elsewhere)) == []


def test_what_nothing_needs_only_warns() -> None:
    """Servers of unwatched services and Sentinels elsewhere are no concern of each other."""
    fleet = described()
    alone = replace(fleet, sentinels=tuple(each for each in fleet.sentinels if each.machine == "red3"))
    found = judged(alone, red1=_states(alone, "red1", "no answer", 26379))
    assert amiss(found) == [("red1", "network to red3", "warn", "W35")]


def test_a_master_outside_the_file_must_be_open() -> None:
    fleet = described("external")
    found = amiss(judged(fleet, **{each: _states(fleet, each, "refused") for each in fleet.machines}))
    assert {each[1:] for each in found} == {("network to the master outside", "fail", "E33")}
    assert {each[0] for each in found} == {process.machine for process in fleet.processes}


def test_behind_nat_every_process_must_announce_its_address() -> None:
    fleet = described(bind="192.0.2.4")
    behind = {"addresses": {"10.0.0.11": False}, "own_addresses": ["192.0.2.4"]}

    def inner(process: Process) -> Process:
        lines: tuple[Words, ...] = (("192.0.2.4",),)
        other = Setting("sentinel announce-ip", ((process.endpoint.address,),))
        kept = [each for each in process.settings if each.name != "bind"]
        return replace(process, settings=(*kept, Setting("bind", lines), other))

    fleet = replace(fleet, sentinels=tuple(map(inner, fleet.sentinels)))
    assert amiss(judged(fleet, red1=behind)) == [("red1", "address", "warn", "W13")]
    announced = replace(described(bind="192.0.2.4", replica_announce_ip="10.0.0.11"), sentinels=fleet.sentinels)
    assert amiss(judged(announced, red1=behind)) == []


def test_a_file_that_a_directive_names_must_be_there() -> None:
    fleet = described(tls_cert_file="/etc/tls/redis.crt")
    assert amiss(judged(fleet)) == []
    for wrong in ({"there": False, "readable": None}, {"readable": False}):
        found = judged(fleet, red1={"needed": {"/etc/tls/redis.crt": wrong}})
        assert amiss(found) == [("red1", "tls-cert-file of orders-6379", "fail", "E35")]


def test_a_module_must_be_where_programs_may_run() -> None:
    fleet = described(loadmodule="/srv/modules/x.so timeout 5")
    assert amiss(judged(fleet)) == []
    found = judged(fleet, red1={"needed": {"/srv/modules/x.so": {"no_exec": True}}})
    assert amiss(found) == [("red1", "loadmodule of orders-6379", "fail", "E35")]


def test_io_threads_leave_a_core_free() -> None:
    assert amiss(judged(described(io_threads="3"))) == []
    assert {each[1:] for each in amiss(judged(described(io_threads="4")))} == {("cores for orders-6379", "warn", "W29")}


def test_a_directive_that_the_version_there_does_not_know() -> None:
    fleet = described(gopher_enabled="yes")
    found = amiss(judged(fleet, red1={"version": "7.0.15"}, red2={"version": "6.0.16"}, red3={"version": "6.0.16"}))
    assert found == [("red1", "directive", "fail", "E16")]


@pytest.mark.parametrize(
    ("described", "installed", "wrong"),
    [
        ("7.2", "7.0.15", True),
        ("7.2", None, True),
        ("7.2", "7.2.4", False),
        ("7.0", None, False),
        ("7.0", "7.0.15", False),
    ],
)
def test_another_version_than_the_described_one(described: str, installed: str | None, wrong: bool) -> None:
    fleet = replace(fleet_of("standalone"), version=described)
    found = [each for each in amiss(judged(fleet, red1={"version": installed})) if each[1] == "version"]
    assert found == ([("red1", "version", "fail", "E26")] if wrong else [])


def test_adopted_machines_are_told_what_to_set() -> None:
    """Nothing around adopted processes is changed, so that what is wrong stays wrong."""
    fleet = described()
    services = tuple(
        replace(each, processes=tuple(replace(process, adopted=True) for process in each.processes))
        for each in fleet.services
    )
    sentinels = tuple(replace(each, adopted=True) for each in fleet.sentinels)
    adopted = replace(fleet, services=services, sentinels=sentinels)
    change = {
        "kernel": {"vm.overcommit_memory": "0", "transparent_hugepage": "always"},
        "folders": {"/etc/redis/orders-6379": {"by_user": False}},
    }
    assert sorted(amiss(judged(adopted, red1=change))) == [
        ("red1", "configuration of orders-6379", "fail", "E10"),
        ("red1", "transparent_hugepage", "warn", "W8"),
        ("red1", "vm.overcommit_memory", "warn", "W8"),
    ]


def test_a_silenced_rule_passes_with_its_reason() -> None:
    swap = {"memory": {"swap": GIB, "swappiness": 60}}
    found = judged(described(silence="W8"), red1=swap)
    assert amiss(found) == []
    row = next(row for row in found if row.machine == "red1" and row.subject == "swap")
    assert "W8 is silenced: we know" in row.seen
    assert not row.fix
    assert amiss(judged(described(silence="W3"), red1=swap)) == [("red1", "swap", "warn", "W8")]


def test_a_silence_of_one_service_is_for_its_rows() -> None:
    fleet = described("shared-machines", maxmemory="0")
    silent = replace(fleet, silences=(Silence("services.cache", "W3", "it is small"),))
    left = {row.path for row in judged(silent) if row.state != "pass"}
    assert left == {"services.payments", "services.sessions"}


def test_clocks_are_compared_with_most_others() -> None:
    """The controller is one voice of many: where the machines agree with each other, its clock is the wrong one."""
    ahead = {"clock": {"begin": 110.3, "end": 110.8}}
    fleet = described()
    assert amiss(judged(fleet, red1=ahead, red2=ahead, red3=ahead)) == []
    assert [each[0] for each in amiss(judged(fleet, red1=ahead))] == ["red1"]


def test_the_round_trip_bounds_what_is_known_of_a_clock() -> None:
    low, high = offset(Answered(HostFacts({}, clock=Clock(100.3, 100.8)), asked=100.0, answered=101.0))
    assert low == pytest.approx(-0.2)
    assert high == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("infinity", None), ("30s", 30), ("1min 30s", 90), ("1h 500ms", 3600.5), ("2d", 172800), ("", None)],
)
def test_reads_times_as_systemctl_shows_them(text: str, seconds: float | None) -> None:
    assert timespan(text) == seconds


def test_the_table_has_a_line_a_row_and_its_fix_below() -> None:
    found = [row.to_dict() for row in judged(described(), red1={"root": False})]
    text = list(lines(found))
    assert text[1] == "red1"
    at = next(number for number, line in enumerate(text) if line.startswith("  failed  root"))
    assert text[at].endswith("[E30]")
    assert text[at + 1].strip().startswith("→ let the login user sudo")
    assert text[-1] == count_line(found) == f"{len(found)} checks: {len(found) - 1} ok, 0 warnings, 1 failed"


def test_a_socket_alone_has_no_port_and_is_no_target() -> None:
    fleet = fleet_of("socket-alone")
    assert [request(fleet, machine).ports for machine in fleet.machines] == [(), ()]
    assert [request(fleet, machine).targets for machine in fleet.machines] == [(), ()]
    assert not [row for row in judged(fleet) if row.subject.startswith(("port", "network"))]
    behind_nat = judged(fleet, red1={"addresses": {"10.0.0.11": False}})
    assert {row.state for row in behind_nat if row.subject == "address"} == {"pass"}


def test_no_secret_is_sent() -> None:
    fleet = fleet_of("shared-machines")
    for machine in fleet.machines:
        assert "password" not in json.dumps(request(fleet, machine).to_json())
