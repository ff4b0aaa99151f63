"""Processes of a sandbox: whatever their description says, they listen, meet and announce on loopback alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from redis_fleet.description.load import load
from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet
from redis_fleet.problems import InvalidDescriptionError
from redis_fleet.settings.layout import SandboxLayout
from redis_fleet.settings.loopback_only import ANNOUNCED
from redis_fleet.topology.places import places

_TOP = """
plugin: redis_fleet
name: shop
machines:
  red1: {address: 10.0.0.11, vars: {outer: 203.0.113.11}}
  red2: {address: 10.0.0.12, vars: {outer: 203.0.113.12}}
  red3: {address: 10.0.0.13, vars: {outer: 203.0.113.13}}
"""
_OUTWARD = f"""{_TOP}
services:
  orders:
    master: red1
    replicas: [red2, red3]
    bind: 0.0.0.0
    password: a-password-that-nobody-guesses
    config:
      maxmemory: 1gb
      unixsocket: /run/redis-orders-6379/redis.sock
      slave-announce-ip: "{{{{ outer }}}}"
      replica-announce-port: 16379
      cluster-announce-hostname: red.example.org
      bind-source-addr: 10.0.0.11
      syslog-enabled: yes
      maxclients: 100000
      cluster-config-file: "/srv/{{{{ name }}}}/nodes.conf"
      TLS-port: 6390
      tls-auth-clients: no
      tls-cert-file: /etc/redis/tls/a.crt
      tls-key-file: /etc/redis/tls/a.key
sentinel:
  machines: [red1, red2, red3]
  password: another-password-that-nobody-guesses
  config:
    announce-ip: "{{{{ outer }}}}"
    announce-port: 36379
    notification-script: /opt/scripts/page
    client-reconfig-script: /opt/scripts/move
    bind-source-addr: 10.0.0.11
"""
_CLUSTER = f"""{_TOP}
services:
  orders:
    master: red1
    password: a-password-that-nobody-guesses
    config:
      maxmemory: 1gb
      cluster-enabled: yes
"""
_FOLLOWING = f"""{_TOP}
services:
  copies:
    slaveof: ADDRESS 6379
    replicas: [red1]
    password: a-password-that-nobody-guesses
    config: {{maxmemory: 1gb}}
"""


def in_sandbox(folder: Path, text: str) -> Fleet:
    """Place a description in a sandbox."""
    file = folder / "shop.redis.yml"
    file.write_text(text, encoding="utf-8")
    ports = {place: 20000 + number for number, place in enumerate(places(load(str(file)).deployment))}
    return load_fleet(str(file), SandboxLayout(str(folder / "box"), ports))


def test_nothing_of_a_process_is_outside(tmp_path: Path) -> None:
    fleet = in_sandbox(tmp_path, _OUTWARD)
    taken: set[str] = set()
    for process in fleet.processes:
        settings = {each.name: each for each in process.settings}
        assert not [name for name in settings if "-script" in name]
        assert not {"bind-source-addr", "syslog-enabled", "maxclients"} & set(settings)
        announced = [name for name in settings if "announce-" in name]
        assert announced in (["replica-announce-ip"], ["sentinel announce-ip"])
        assert settings[announced[0]].word == process.announced.address == ANNOUNCED
        assert process.announced.port == process.endpoint.port
        assert settings["bind"].lines == (("127.0.0.1", ANNOUNCED),)
        words = [word for each in process.settings if not each.secret for line in each.lines for word in line]
        assert not [word for word in words if word.startswith(("10.0.", "203.0.", "/run", "/var", "/srv"))]
        ports = [settings[name].word for name in ("port", "tls-port") if name in settings]
        assert not taken & set(ports)
        taken |= set(ports)
        if process.kind == "server":
            assert len(ports) == 2
            assert settings["unixsocket"].word == "redis.sock"


def test_a_socket_alone_is_moved_with_its_process(tmp_path: Path) -> None:
    text = _OUTWARD.partition("sentinel:")[0].replace("    replicas: [red2, red3]\n", "    port: 0\n")
    kept = [line for line in text.splitlines() if "tls" not in line.lower()]
    fleet = in_sandbox(tmp_path, "\n".join(kept))
    (process,) = fleet.processes
    data = f"{tmp_path}/box/red1/orders-socket/data"
    assert (process.paths.data, str(process.endpoint)) == (data, f"{data}/redis.sock")
    assert list(places(load(fleet.source).deployment)) == []


def test_a_port_made_of_variables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidDescriptionError, match=r"config\.tls-port: is made of variables"):
        in_sandbox(tmp_path, _OUTWARD.replace("TLS-port: 6390", 'tls-port: "{{ 6390 }}"'))


@pytest.mark.parametrize("written", ["yes", "True"])
@pytest.mark.parametrize("more", ["", "\n      cluster-port: 7001"])
def test_the_bus_of_a_cluster_is_moved_to_a_port_of_its_own(tmp_path: Path, written: str, more: str) -> None:
    text = _CLUSTER.replace("enabled: yes", f"enabled: {written}{more}").replace(
        "name: shop", "name: shop\nversion: '7.0'"
    )
    (process,) = in_sandbox(tmp_path, text).processes
    ports = [setting.word for name in ("port", "cluster-port") if (setting := process.setting(name))]
    assert sorted(ports) == ["20000", "20001"]


def test_a_bus_that_cannot_be_moved_has_room_above_the_port_or_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "shop.redis.yml"
    file.write_text(_CLUSTER.replace("name: shop", "name: shop\nversion: '6.2'"), encoding="utf-8")
    (process,) = load_fleet(str(file), SandboxLayout(str(tmp_path), {"red1:6379": 55535})).processes
    assert process.setting("cluster-port") is None
    with pytest.raises(InvalidDescriptionError, match=r"config\.cluster-enabled: listens 10000 above its port"):
        load_fleet(str(file), SandboxLayout(str(tmp_path), {"red1:6379": 55536}))


def test_no_process_follows_a_master_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(InvalidDescriptionError, match=r"copies\.slaveof: is 10\.9\.9\.9:6379, which is outside"):
        in_sandbox(tmp_path, _FOLLOWING.replace("ADDRESS", "10.9.9.9"))
    (process,) = in_sandbox(tmp_path, _FOLLOWING.replace("ADDRESS", "127.0.0.1")).processes
    assert str(process.follows) == "127.0.0.1:6379"
