"""From a few words about what was seen to ``Observed``, for the tests of everything that reads it.

A case starts from a base (``new``: bare machines; ``healthy``: everything runs as described) and says what is
different, machine by machine and process by process. The keys are those of ``MACHINE`` and ``PROCESS``.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import chdir
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from redis_fleet.agent.conf.acl_words import sealed_rules
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.host.digest import secret_digest, sha256
from redis_fleet.agent.inspect.observe import without_secrets
from redis_fleet.agent.login import code_of
from redis_fleet.agent.protocol.resp import ReplyError
from redis_fleet.catalogue import table, values
from redis_fleet.kinds import wanted_packages
from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet, Paths, Process
from redis_fleet.observe.facts import MachineFacts, ManualMaster, MasterView, Observed, ProcessFacts, Stranger
from redis_fleet.platform import masks, offered, possible_units
from redis_fleet.project import ROOT
from redis_fleet.render.files import kernel_files, machine_files
from redis_fleet.settings.shares import with_memory

FLEETS = Path(__file__).parent / "fleets"
VERSION = "7.0.15"
_KERNEL = {"vm.overcommit_memory": "1", "net.core.somaxconn": "4096", "transparent_hugepage": "madvise"}
_MEMORY = 4 << 30
_sealed = cache(secret_digest)

MACHINE = {
    "units",
    "strangers",
    "records",
    "bare",
    "packages",
    "error",
    "container",
    "system",
    "version",
    "kernel",
    "active",
    "fingerprints",
    "memory",
}
PROCESS = {
    "is",  # running, down, written (never started), absent
    *("role", "keys", "config", "unset", "file", "unfile", "data", "error", "file_error", "pid", "open", "substate"),
    *("follow", "link", "info", "opened_by", "passwords", "memory_max"),
    *("paused", "damaged", "free", "restarts"),
    *("users", "links"),  # rules by user (null: it is not there); "KIND USER"
    *("names", "flags", "knows", "watch", "watches", "replicas", "sentinels"),  # of a Sentinel
}


@cache
def fleet_of(name: str) -> Fleet:
    """Return a sample of inventory/ or of cases/fleets, with secrets that never change."""
    own = FLEETS / f"{name}.redis.yml"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / ".secrets").mkdir()
        for secret in ("orders", "sentinel", "payments", "sessions", "cache"):
            (Path(folder) / ".secrets" / secret).write_text(f"fixed-{secret}-password", encoding="utf-8")
        source = own if own.exists() else ROOT / "inventory" / f"{name}.redis.yml"
        shutil.copy(source, folder)
        with chdir(folder):
            return load_fleet(source.name)


def observed(fleet: Fleet, case: Mapping[str, Any]) -> Observed:
    """Return what was seen: ``base`` (``new`` or ``healthy``) with the changes under ``machines`` and ``processes``."""
    healthy = case.get("base", "healthy") == "healthy"
    changes = {name: dict(change or {}) for name, change in case.get("processes", {}).items()}
    deployed = with_memory(fleet, lambda _: _MEMORY)
    unknown = changes.keys() - {process.id for process in fleet.processes}
    assert not unknown, f"no such process: {unknown}"
    machines = {}
    for name in fleet.machines:
        machine = dict(case.get("machines", {}).get(name) or {})
        assert machine.keys() <= MACHINE, machine.keys() - MACHINE
        there = deployed.on(name)
        processes = {each.name: _process(deployed, each, healthy, changes.get(each.id, {})) for each in there}
        found = _machine(deployed, name, machine, processes, bare=machine.get("bare", not healthy))
        machines[name] = found if found.error else replace(found, memory=machine.get("memory", _MEMORY))
    return Observed(machines)


def _machine(
    fleet: Fleet, name: str, change: Mapping[str, Any], processes: dict[str, ProcessFacts], *, bare: bool
) -> MachineFacts:
    if "error" in change:
        return MachineFacts(error=change["error"])
    system = dict(zip(("id", "version"), change.get("system", "debian-12").split("-"), strict=True))
    container = change.get("container", False)
    offer = offered("debian-12", fleet.engine)
    assert offer is not None
    units = {unit: {"ActiveState": "active"} for unit in change.get("active", [])}
    if bare:
        kernel = {"vm.overcommit_memory": "0", "net.core.somaxconn": "128", "transparent_hugepage": "always"}
        return MachineFacts(
            system=system,
            kernel=kernel | change.get("kernel", {}),
            container=container,
            processes=processes,
            default_units=units,
        )
    unmanaged = {file.path for file in kernel_files(fleet, name)} if container else set()
    prints = {file.path: sha256(file.content) for file in machine_files(fleet, name) if file.path not in unmanaged}
    return MachineFacts(
        system=system,
        packages=dict.fromkeys(change.get("packages", wanted_packages(fleet, name, offer)), VERSION),
        version=change.get("version", VERSION),
        default_units=units,
        masked=tuple(masks(possible_units(fleet, name))),
        kernel=_KERNEL | change.get("kernel", {}),
        container=container,
        fingerprints=prints | change.get("fingerprints", {}),
        texts=change.get("units", {}),
        processes=processes,
        strangers={each["name"]: _stranger(fleet, name, each) for each in change.get("strangers", ())},
        records={service: ManualMaster(master, 1) for service, master in change.get("records", {}).items()},
    )


def _place(fleet: Fleet, machine: str, name: str) -> Endpoint:
    port = name.rpartition("-")[2]
    if port == "socket":
        return Endpoint(f"/run/redis-{name}/redis.sock", 0)
    return Endpoint(fleet.machines[machine].address, int(port))


def _stranger(fleet: Fleet, machine: str, change: Mapping[str, Any]) -> Stranger:
    """Make a process that is no longer described: name, address, port, role (``master`` or whom it follows), keys."""
    kind = "sentinel" if change["name"].startswith("sentinel") else "server"
    name = change["name"]
    process = Process(
        name,
        kind,
        machine,
        "" if kind == "sentinel" else name.rpartition("-")[0],
        _place(fleet, machine, name),
        (),
        Paths(
            f"/etc/redis/{name}/redis.conf",
            f"/var/lib/redis/{name}",
            "",
            "",
            f"/etc/systemd/system/redis-{name}.service",
        ),
    )
    if not change.get("runs", True):
        return Stranger(process, ProcessFacts(lines=(), error="Connection refused"), change.get("enabled", True))
    role = change.get("role", "master")
    master = None if role == "master" else _endpoint(fleet, role)
    spoken = ["slave", master.address, master.port, "connected", 0] if master else ["master", 0, []]
    keys = change.get("keys", 10)
    info = {"redis_version": VERSION} | ({"db0": f"keys={keys},expires=0"} if keys else {})
    served = next((each.password for each in fleet.services if each.name == process.service), None)
    own = {"save": "900 1"} | ({"requirepass": _sealed(served.reveal())} if served else {})
    facts = ProcessFacts(
        answers=True, open=False, pid=300, lines=(), config=dict(change.get("config", own)), info=info,
        masters={name: _watched(name, _endpoint(fleet, where)) for name, where in change.get("watches", {}).items()},
        role=[] if kind == "sentinel" else spoken,
    )  # fmt: skip
    return Stranger(process, facts, True)


def _process(fleet: Fleet, process: Process, healthy: bool, change: dict[str, Any]) -> ProcessFacts:
    assert change.keys() <= PROCESS, change.keys() - PROCESS
    state = change.get("is", "running" if healthy else "absent")
    if state == "absent":
        # A port that somebody else holds, data of an earlier life.
        facts = ProcessFacts(unit=_unit(change, "dead"), error=change.get("error", "Connection refused"))
    elif process.kind == "sentinel":
        facts = _sentinel(fleet, process, state, change)
    else:
        facts = _server(fleet, process, state, change)
    given = ("open", "pid", "error", "file_error", "opened_by", "passwords", "paused", "damaged", "free")
    plain = {key: change[key] for key in given if key in change}
    if str(change.get("error", "")).partition(" ")[0].isupper():
        plain["error_code"] = code_of(ReplyError(change["error"]))
    if "links" in change:
        plain["links"] = tuple(tuple(each.split()) for each in change["links"])
    if "data" in change:
        plain["data"] = None if change["data"] is None else tuple(change["data"])
    return replace(facts, **plain)


def _server(fleet: Fleet, process: Process, state: str, change: dict[str, Any]) -> ProcessFacts:
    master = _endpoint(fleet, change["role"]) if change.get("role", "master") != "master" else None
    if "role" not in change:
        master = process.follows
    lines = file_lines(process, master, change)
    stored = None if state == "written" else ("appendonlydir", "dump.rdb")
    if state != "running":
        return ProcessFacts(lines=lines, data=stored, unit=_unit(change, "dead"), error="Connection refused")
    keys = change.get("keys", 10)
    info = {"redis_version": VERSION, "master_link_status": change.get("link", "up")}
    info |= {"connected_slaves": str(len(fleet.service(process.service).processes) - 1)}
    info |= ({"db0": f"keys={keys},expires=0"} if keys else {}) | change.get("info", {})
    role = ["slave", master.address, master.port, "connected", 0] if master else ["master", 0, []]
    return ProcessFacts(
        answers=True,
        open=False,
        pid=100,
        lines=lines,
        data=stored,
        unit=_unit(change, "running"),
        config=_config(fleet, process, change),
        info=info,
        role=role,
        users=_users(process, change),
        categories={},
    )


def _users(process: Process, change: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    setting = process.setting("user")
    found = {"default": ["on", "~*", "&*", "+@all"]}
    found |= {words[0]: list(words[1:]) for words in (setting.reveal() if setting else ())}
    told = {name: None if rules is None else rules.split() for name, rules in change.get("users", {}).items()}
    return tuple((name, *sealed_rules(rules)) for name, rules in {**found, **told}.items() if rules is not None)


def file_lines(process: Process, master: Endpoint | None, change: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """Return a configuration file's lines as ``look`` sends them."""
    lines = []
    for setting in process.settings:
        if setting.name in ("replicaof", *change.get("unfile", ()), *change.get("file", {})):
            continue
        for words in setting.reveal() or (("",),):
            hidden = without_secrets(setting.name, words, (setting.name,)) if setting.secret else words
            lines.append((*setting.name.split(), *hidden))
    lines += [(*name.split(), *str(value).split()) for name, value in change.get("file", {}).items()]
    return (*lines, ("replicaof", master.address, str(master.port))) if master else tuple(lines)


def _config(fleet: Fleet, process: Process, change: Mapping[str, Any]) -> dict[str, str]:
    """Return CONFIG GET * of a server that runs as described but for the changes."""
    catalogue = table.catalogue(fleet.engine, VERSION)
    found = {each.name: each.default for each in catalogue if each.default is not None and not each.file_only}
    for setting in process.settings:
        directive = catalogue.meant(setting.name)
        unset = setting.name in change.get("unset", ())
        assert directive is not None or unset, setting.name
        if directive and not directive.file_only and not unset:
            found[directive.name] = values.config_text(directive, setting.reveal())
    found |= {name: str(value) for name, value in change.get("config", {}).items()}
    return {
        name: _sealed(text) if (directive := catalogue.find(name)) and directive.sensitive else text
        for name, text in found.items()
    }


def _sentinel(fleet: Fleet, process: Process, state: str, change: dict[str, Any]) -> ProcessFacts:
    lines = file_lines(process, None, change)
    if "watches" in change:
        unknown = {each.watch.name for each in fleet.services if each.watch} - set(change["watches"])
        lines = tuple(line for line in lines if line[0] != "sentinel" or not unknown & set(line[2:3]))
    if state == "written":
        return ProcessFacts(lines=lines, unit=_unit(change, "dead"), error="Connection refused")
    lines = (*lines, ("sentinel", "current-epoch", "0" * 40))
    if state == "down":
        return ProcessFacts(lines=lines, data=(), unit=_unit(change, "dead"), error="Connection refused")
    return ProcessFacts(
        answers=True,
        open=False,
        pid=200,
        lines=lines,
        data=(),
        unit=_unit(change, "running"),
        info={"redis_version": VERSION} | change.get("info", {}),
        masters=_views(fleet, change),
        users=_users(process, change),
    )


def _views(fleet: Fleet, change: Mapping[str, Any]) -> dict[str, MasterView]:
    found = {}
    for service in fleet.services:
        watch, first = service.watch, service.first_master
        if watch is None or first is None or watch.name not in change.get("watches", [watch.name]):
            continue
        where = _endpoint(fleet, change["names"]) if "names" in change else first.announced
        master = {
            "name": watch.name,
            "ip": where.address,
            "port": str(where.port),
            "flags": change.get("flags", "master"),
            "quorum": str(watch.quorum),
            "down-after-milliseconds": str(watch.down_after),
            "failover-timeout": str(watch.failover_timeout),
            "parallel-syncs": str(watch.parallel_syncs),
            **{name: str(value) for name, value in change.get("watch", {}).items()},
        }
        others = change.get("knows", len(fleet.sentinels) - 1)
        up = {"flags": "slave"}
        replicas = (up,) * (len(service.processes) - 1) + tuple(map(_peer, change.get("replicas", ())))
        sentinels = ({"flags": "sentinel"},) * others + tuple(map(_peer, change.get("sentinels", ())))
        found[watch.name] = MasterView(master, replicas, sentinels, "OK 3 usable Sentinels.")
    for name in set(change.get("watches", ())) - found.keys():
        found[name] = MasterView({"name": name, "ip": "10.0.0.11", "port": "1", "flags": "master"}, (), (), "OK")
    return found


def _watched(name: str, where: Endpoint) -> MasterView:
    row = {"name": name, "ip": where.address, "port": str(where.port), "flags": "master"}
    return MasterView(row, (), (), "OK")


def _peer(text: str) -> dict[str, str]:
    """Read ``ADDRESS:PORT FLAGS`` as a Sentinel's row."""
    endpoint, flags = text.split()
    address, _, port = endpoint.rpartition(":")
    return {"ip": address, "port": port, "flags": flags}


def _unit(change: Mapping[str, Any], state: str) -> dict[str, str]:
    limit = {"MemoryMax": str(change["memory_max"])} if "memory_max" in change else {}
    return {"SubState": change.get("substate", state), "NRestarts": str(change.get("restarts", 0)), **limit}


def _endpoint(fleet: Fleet, text: str) -> Endpoint:
    """Read ``ADDRESS:PORT``, or a process's id."""
    named = {process.id: process.announced for process in fleet.processes}
    if text in named:
        return named[text]
    address, _, port = text.rpartition(":")
    return Endpoint(address, int(port))
