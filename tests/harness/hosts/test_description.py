"""A described test host replaces a machine of the sample and not one byte more."""

from __future__ import annotations

import pytest
import yaml

from tests.harness.hosts.description import UnexpectedShapeError, machine_names, replace_machines
from tests.harness.hosts.hosts import Host

_SAMPLE = """\
plugin: redis_fleet   # read as an inventory
machines:
  red1: {address: 10.0.0.11}   # behind a flow mapping
  red2:
    address: 10.0.0.12
    vars: {rack: b}   # behind a block mapping

  # before the last one
  red3: {address: 10.0.0.13, ansible_port: 2222}

services:
  orders: {master: red1, password: !vault "x", bind: [127.0.0.1, "{{ address }}"]}
"""
_HOSTS = {
    name: Host(name, f"10.1.1.{last}", f"set-{name}", f"10.1.1.{last}", 22)
    for last, name in enumerate(("red1", "red2", "red3"), start=11)
}


def test_everything_but_the_machines_stays() -> None:
    before, after = _SAMPLE.splitlines(), replace_machines(_SAMPLE, _HOSTS).splitlines()
    kept = [line for line in before if "address: 10." not in line and "rack" not in line]
    assert [line for line in after if "10.1.1." not in line] == kept
    assert [line.rpartition("}")[2] for line in after if "10.1.1." in line] == [
        "   # behind a flow mapping",
        "   # behind a block mapping",
        "",
    ]


def test_machines_reach_their_hosts_and_keep_their_variables() -> None:
    described = yaml.load(replace_machines(_SAMPLE, _HOSTS), Loader=yaml.BaseLoader)["machines"]
    assert {name: machine["address"] for name, machine in described.items()} == {
        name: host.address for name, host in _HOSTS.items()
    }
    assert described["red2"]["vars"] == {"rack": "b"}
    assert described["red3"]["ansible_port"] == "22"


def test_names_the_machines_in_order() -> None:
    assert machine_names(_SAMPLE) == ["red1", "red2", "red3"]


def test_a_machine_without_a_host_is_refused() -> None:
    with pytest.raises(UnexpectedShapeError, match="red3"):
        replace_machines(_SAMPLE, {name: _HOSTS[name] for name in ("red1", "red2")})


def test_a_file_without_machines_is_refused() -> None:
    with pytest.raises(UnexpectedShapeError, match="machines"):
        replace_machines("plugin: redis_fleet\n", _HOSTS)
