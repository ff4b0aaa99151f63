"""What a look at the simulated machines finds, the way redis_fleet.agent.inspect.observe and strays see real ones."""

from __future__ import annotations

from dataclasses import replace

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.host.digest import sha256
from redis_fleet.kinds import wanted_packages
from redis_fleet.model import Fleet, Process
from redis_fleet.observe.facts import MachineFacts, ManualMaster, MasterView, Observed, ProcessFacts, Stranger
from redis_fleet.platform import masks, offered, possible_units
from redis_fleet.render.files import kernel_files, unit_file
from tests.unit.plan.simulation.servers import VERSION, Server
from tests.unit.plan.simulation.watchers import View, Watcher
from tests.unit.plan.simulation.world import Box, World

_KERNEL = {"vm.overcommit_memory": "1", "net.core.somaxconn": "4096", "transparent_hugepage": "madvise"}
_REFUSED = "Connection refused"


def look(world: World, fleet: Fleet) -> Observed:
    """Look at every machine of a fleet."""
    return Observed({name: _machine(world, world.boxes[name], fleet, name) for name in fleet.machines})


def _machine(world: World, box: Box, fleet: Fleet, name: str) -> MachineFacts:
    if box.gone:
        return MachineFacts(error="timed out")
    described = {each.name: each for each in fleet.on(name)}
    prints: dict[str, str | None] = {path: sha256(text.encode()) for path, text in box.units.items()}
    prints |= {file.path: sha256(file.content) for file in kernel_files(fleet, name)} if box.prepared else {}
    strays = [each for each in box.everyone if each.process.name not in described]
    offer = offered("debian-12", fleet.engine)
    assert offer is not None
    return MachineFacts(
        memory=4 << 30,
        system={"id": "debian", "version": "12"},
        packages=dict.fromkeys(wanted_packages(fleet, name, offer), VERSION) if box.prepared else {},
        version=VERSION if box.prepared else None,
        masked=tuple(masks(possible_units(fleet, name))) if box.prepared else (),
        kernel=_KERNEL,
        fingerprints=prints,
        texts=dict(box.units),
        processes={each.name: _process(world, box, each) for each in described.values()},
        strangers={each.process.name: _stranger(world, each) for each in strays},
        records={service: ManualMaster(str(master), number) for service, (master, number) in box.records.items()},
    )


def _process(world: World, box: Box, described: Process) -> ProcessFacts:
    server, watcher = box.servers.get(described.name), box.watchers.get(described.name)
    password = described.password.reveal() if described.password else ""
    if server:
        return _server(world, server, password)
    if watcher:
        return _watcher(world, watcher, password)
    return ProcessFacts(unit={"SubState": "dead"}, error=_REFUSED)


def _stranger(world: World, found: Server | Watcher) -> Stranger:
    facts = _server(world, found, "") if isinstance(found, Server) else _watcher(world, found, "")
    return Stranger(replace(found.process, settings=(), password=None, follows=None), facts, found.enabled)


def _way(found: Server | Watcher, password: str, filed: list[str]) -> str:
    """Say which password opens a process."""
    if found.lets_in(password):
        return "described"
    if any(found.lets_in(each) for each in filed):
        return "filed"
    return "none" if found.lets_in("") else ""


def _server(world: World, server: Server, password: str) -> ProcessFacts:
    stored = (("appendonlydir", server.aof), ("dump.rdb", server.rdb))
    data = tuple(name for name, keys in stored if keys is not None)
    facts = ProcessFacts(lines=server.lines(), data=data, unit={"SubState": "dead"}, error=_REFUSED)
    if not server.runs:
        return facts
    lines = server.file.get("requirepass", (("",),))
    # With ``user default`` the file has only hashes: no way in but the directive's own word.
    opened = _way(server, password, [word for words in lines for word in words if word])
    facts = replace(facts, pid=100, open=not server.accepts, unit={"SubState": "running"}, error=None)
    if not opened:
        return replace(facts, error="WRONGPASS invalid username-password pair", error_code="WRONGPASS")
    master = server.follows
    info = {
        "redis_version": VERSION,
        "connected_slaves": str(len(world.attached(server))),
        "used_memory": str(1_000_000),
    }
    info |= {"master_link_status": "up" if server.linked else "down"} if master else {}
    info |= {"db0": f"keys={len(server.memory)},expires=0,avg_ttl=0"} if server.memory else {}
    role = ["slave", master.address, master.port, "connected", 0] if master else ["master", 0, []]
    return replace(
        facts,
        answers=True,
        opened_by=opened,
        passwords=len(server.accepts),
        config=dict(server.config),
        info=info,
        role=role,
    )


def _watcher(world: World, watcher: Watcher, password: str) -> ProcessFacts:
    facts = ProcessFacts(lines=watcher.lines(), data=(), unit={"SubState": "dead"}, error=_REFUSED)
    if not watcher.runs:
        return facts
    opened = _way(watcher, password, [each for each in (watcher.own, watcher.options.get("sentinel-pass", "")) if each])
    facts = replace(facts, pid=200, open=not watcher.accepts, unit={"SubState": "running"}, error=None)
    if not opened:
        return replace(facts, error="WRONGPASS invalid username-password pair", error_code="WRONGPASS")
    return replace(
        facts,
        answers=True,
        opened_by=opened,
        passwords=len(watcher.accepts),
        info={"redis_version": VERSION},
        role=["sentinel", list(watcher.views)],
        masters={name: _view(world, watcher, name, view) for name, view in watcher.views.items()},
    )


def _view(world: World, watcher: Watcher, name: str, view: View) -> MasterView:
    flags = ["master"]
    if world.server_at(view.endpoint) is None:
        flags.append("s_down")
    if view.failing_over:
        flags += ["failover_in_progress"]
    timings = ("down-after-milliseconds", "failover-timeout", "parallel-syncs")
    master = {"name": name, **_place(view.endpoint), "flags": ",".join(flags), "quorum": view.quorum}
    master |= {option: watcher.option(name, option) for option in timings}
    watchers = {each.endpoint: each for each in world.watchers}
    return MasterView(
        master,
        tuple({**_place(each), "flags": _flags("slave", world.server_at(each))} for each in sorted(view.replicas)),
        tuple({**_place(each), "flags": _flags("sentinel", watchers.get(each))} for each in sorted(view.sentinels)),
        "OK",
    )


def _place(endpoint: Endpoint) -> dict[str, str]:
    return {"ip": endpoint.address, "port": str(endpoint.port)}


def _flags(kind: str, found: Server | Watcher | None) -> str:
    return kind if found and found.runs else f"{kind},s_down,disconnected"


def unit_text(fleet: Fleet, process: Process) -> str:
    """Return the unit that a deployment writes."""
    return unit_file(fleet, process).content.decode()
