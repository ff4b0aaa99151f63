"""What the unit of a process allows: for each need of the catalogue just that, and nothing where nothing is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from redis_fleet.loading import load_fleet
from redis_fleet.render.files import process_files
from redis_fleet.render.places import below, hidden, in_memory, of_the_system

_DESCRIPTION = """
plugin: redis_fleet
name: shop
engine: {engine}
machines: {{red1: {{address: 10.0.0.11}}, red2: {{address: 10.0.0.12}}, red3: {{address: 10.0.0.13}}}}
services:
  orders:
    master: red1
    replicas: [red2, red3]
    password: correct-horse-battery
    config:
      maxmemory: 1gb
{server}
sentinel:
  machines: [red1, red2, red3]
  password: staple-of-the-fleet
  silence: {{W45: it only asks}}
  config:
    loglevel: notice
{sentinel}
"""
_LIBRARIES = "/usr/lib /lib"
_SERVER = f"ExecPaths=/usr/bin/redis-server /usr/bin/redis-check-rdb {_LIBRARIES}"
_SENTINEL = f"ExecPaths=/usr/bin/redis-sentinel /usr/bin/redis-check-rdb {_LIBRARIES}"
_WRITABLE = "ReadWritePaths=/etc/redis/orders-6379 /var/lib/redis/orders-6379 /var/log/redis"


def units(folder: Path, server: str = "", sentinel: str = "", engine: str = "redis") -> tuple[list[str], list[str]]:
    """Return the lines of the unit of a server and of a Sentinel on the first machine."""
    own, others = (f"      {server}", f"    {sentinel}")
    file = folder / "shop.redis.yml"
    file.write_text(_DESCRIPTION.format(engine=engine, server=own, sentinel=others), encoding="utf-8")
    fleet = load_fleet(str(file))
    found = [each for process in fleet.on("red1") for each in process_files(fleet, process) if each.purpose == "unit"]
    first, second = (each.content.decode().splitlines() for each in found)
    return first, second


@pytest.mark.parametrize(
    ("directive", "lines"),
    [
        ("loadmodule: /opt/modules/a.so", {f"{_SERVER} /opt/modules"}),
        ("loadmodule: [/opt/b/a.so x y, /opt/b/b.so, /usr/lib/c.so]", {f"{_SERVER} /opt/b"}),
        ("loadmodule: /opt/a.so", {f"{_SERVER} /opt/a.so"}),
        ("server-cpulist: 0-3", {"SystemCallFilter=sched_setaffinity"}),
        ("maxclients: 70000", {"LimitNOFILE=70032"}),
        ("maxclients: 50000", set[str]()),
        ("unixsocketperm: 777", {"RuntimeDirectoryMode=0755"}),
        ("unixsocketperm: 770", set[str]()),
        (
            "cluster-port: 99",
            {"AmbientCapabilities=CAP_NET_BIND_SERVICE", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE"},
        ),
        ("cluster-config-file: /srv/nodes/{{ name }}/nodes.conf", {f"{_WRITABLE} /srv/nodes/orders-6379"}),
        ("cluster-config-file: own.conf", set[str]()),
        ("tls-ca-cert-dir: /etc/ssl/own", set[str]()),
        ("syslog-enabled: yes", set[str]()),
        ("oom-score-adj-values: -5 200 800", set[str]()),
    ],
)
def test_a_directive_of_a_server_is_allowed_what_it_needs(tmp_path: Path, directive: str, lines: set[str]) -> None:
    usual, others = units(tmp_path)
    with_it, sentinel = units(tmp_path, directive)
    private = {"PrivateUsers=false"} if any("CAP_" in line for line in lines) else set()
    assert set(with_it) - set(usual) == lines | private
    assert sentinel == others, "its Sentinel is not opened with it"


@pytest.mark.parametrize("name", ["notification-script", "client-reconfig-script"])
def test_a_script_of_sentinel_is_executed_with_programs_of_the_system(tmp_path: Path, name: str) -> None:
    usual, others = units(tmp_path)
    server, sentinel = units(tmp_path, sentinel=f"{name}: /opt/own/script")
    paths = f"{_SENTINEL} /opt/own /usr/bin /bin"
    assert set(sentinel) - set(others) == {paths, "SystemCallErrorNumber=EPERM"}
    assert server == usual
    _, alone = units(tmp_path, sentinel=f"{name}: /usr/local/bin/script")
    assert f"{_SENTINEL} /usr/local/bin/script /usr/bin /bin" in alone


def test_the_group_of_a_socket_is_one_of_the_process(tmp_path: Path) -> None:
    usual, _ = units(tmp_path, engine="valkey")
    joined, _ = units(tmp_path, "unixsocketgroup: www-data", engine="valkey")
    own, _ = units(tmp_path, "unixsocketgroup: valkey", engine="valkey")
    assert set(joined) - set(usual) == {
        "SupplementaryGroups=www-data",
        "RuntimeDirectoryMode=0755",
        "SystemCallFilter=@chown",
        "PrivateUsers=false",
    }
    assert own == usual


def test_folders_are_what_they_are_however_they_are_written() -> None:
    assert all(
        map(of_the_system, ("/", "//", "/srv", "/srv/", "/usr/../var", "/var/run", "/run", "/var/log", "/opt/."))
    )
    assert not any(map(of_the_system, ("/srv/redis", "/data", "/var/lib/redis", "/etc/redis", "/run/redis")))
    assert below("/var/run/redis/a", "/run/redis") and below("/run/redis", "/var/run") and below("/a", "/")
    assert not below("/run/redis-1/a", "/run/redis")
    assert (hidden("/home/a"), hidden("/homes"), hidden("/dev/shm/a"), hidden("/tmp/../srv")) == ("/home", "", "", "")
    assert (in_memory("/var/run/a"), in_memory("/dev/shm"), in_memory("/srv/run")) == ("/run", "/dev/shm", "")
