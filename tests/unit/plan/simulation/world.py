"""Machines with their processes, what passes between these while time goes by, and clients that write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.replication.agreement import majority
from redis_fleet.agent.replication.fence import FENCE
from redis_fleet.model import Fleet
from tests.unit.plan.simulation.servers import Keys, Server
from tests.unit.plan.simulation.watchers import View, Watcher

_ROUNDS = 12


@dataclass
class Box:
    """A machine; ``gone``: the controller cannot reach it. ``records`` are masters made by hand: endpoint, number."""

    prepared: bool = False
    gone: bool = False
    units: dict[str, str] = field(default_factory=dict)
    servers: dict[str, Server] = field(default_factory=dict)
    watchers: dict[str, Watcher] = field(default_factory=dict)
    records: dict[str, tuple[Endpoint, int]] = field(default_factory=dict)

    @property
    def everyone(self) -> list[Server | Watcher]:
        """All that was ever put on it."""
        return [*self.servers.values(), *self.watchers.values()]


class World:
    """Everything that there is. Keys are numbers; ``acknowledged`` are those that a service must not lose."""

    def __init__(self, machines: tuple[str, ...]) -> None:
        """Begin with bare machines."""
        self.boxes = {name: Box() for name in machines}
        self.acknowledged: dict[str, Keys] = {}
        self._last = 0

    @property
    def servers(self) -> list[Server]:
        """All servers."""
        return [server for box in self.boxes.values() for server in box.servers.values()]

    @property
    def watchers(self) -> list[Watcher]:
        """All Sentinels."""
        return [watcher for box in self.boxes.values() for watcher in box.watchers.values()]

    def server_at(self, endpoint: Endpoint | None) -> Server | None:
        """Return the server that listens there."""
        return next((each for each in self.servers if each.runs and each.endpoint == endpoint), None)

    def of(self, service: str) -> list[Server]:
        """Return the servers of a service."""
        return [each for each in self.servers if each.process.service == service]

    def watching(self, service: str) -> list[Watcher]:
        """Return the running Sentinels that watch a service."""
        return [each for each in self.watchers if each.runs and service in each.views]

    # Who is the master, as the world knows it: nothing of this is asked of the planner.

    def master(self, service: str) -> Server | None:
        """Return the running master that clients write to."""
        watchers = self.watching(service)
        if watchers:
            newest = max((each.views[service] for each in watchers), key=lambda view: view.epoch)
            found = self.server_at(newest.endpoint)
            return found if found and found.master else None
        masters = [each for each in self.of(service) if each.master]
        recorded = self.record(service)
        noted = [each for each in masters if each.endpoint == recorded]
        open_ = [each for each in masters if not fenced(each)]
        for chosen in (noted, masters, open_):
            if len(chosen) == 1:
                return chosen[0]
        return None

    def record(self, service: str) -> Endpoint | None:
        """Return the master that was last made one by hand."""
        noted = [box.records[service] for box in self.boxes.values() if service in box.records]
        return max(noted, key=lambda each: each[1])[0] if noted else None

    def note(self, machine: str, service: str, master: Endpoint) -> None:
        """Record a master that was made one by hand."""
        last = max((box.records[service][1] for box in self.boxes.values() if service in box.records), default=0)
        self.boxes[machine].records[service] = (master, last + 1)

    def attached(self, master: Server) -> list[Server]:
        """Return its replicas with a link."""
        return [each for each in self.servers if each.runs and each.linked and each.follows == master.endpoint]

    # Time goes by.

    def settle(self) -> None:
        """Let everything happen that happens by itself."""
        for _ in range(_ROUNDS):
            before = self._state()
            for name in dict.fromkeys(name for watcher in self.watchers for name in watcher.views):
                self._watch(name)
            self._replicate()
            if self._state() == before:
                return
        raise AssertionError("the simulated deployment never comes to rest")

    def _state(self) -> list[object]:
        views = [
            (watcher.process.id, name, view.endpoint, view.epoch, len(view.replicas), len(view.sentinels))
            for watcher in self.watchers
            for name, view in watcher.views.items()
        ]
        return [*views, *((each.process.id, each.follows, each.linked, each.memory) for each in self.servers)]

    def _watch(self, name: str) -> None:
        together = [each for each in self.watching(name) if not each.cut]
        if not together:
            return
        views = [each.views[name] for each in together]
        newest = max(views, key=lambda view: view.epoch)
        if any(view.failing_over for view in views):
            return
        for view in views:
            if view.endpoint != newest.endpoint:
                view.replicas = (view.replicas | {view.endpoint}) - {newest.endpoint}
                view.endpoint = newest.endpoint
            view.epoch = newest.epoch
        self._meet(name, together)
        master = self.server_at(newest.endpoint)
        if master is None or not master.master:
            self._fail_over(name, views)
            return
        for endpoint in {each for view in views for each in view.replicas}:
            found = self.server_at(endpoint)
            if found and found.follows != newest.endpoint and found is not master:
                found.replicate(newest.endpoint)

    def _meet(self, name: str, together: list[Watcher]) -> None:
        master = self.server_at(together[0].views[name].endpoint)
        for watcher in together:
            view = watcher.views[name]
            view.sentinels |= {each.endpoint for each in together if each is not watcher} if master else set()
            view.replicas |= {each.endpoint for each in self.attached(master)} if master else set()

    def can_fail_over(self, views: list[View]) -> bool:
        """Whether Sentinels that are together have the quorum and the majority."""
        known = max(1 + len(view.sentinels) for view in views)
        return len(views) >= max(majority(known), *(int(view.quorum) for view in views))

    def _fail_over(self, name: str, views: list[View]) -> None:
        old = views[0].endpoint
        known = {each for view in views for each in view.replicas}
        rivals = [found for each in sorted(known) if (found := self.server_at(each)) and found.follows == old]
        rivals = [each for each in rivals if each.config["replica-priority"] != "0"]
        if not rivals or not self.can_fail_over(views):
            return
        best = min(rivals, key=lambda each: (int(each.config["replica-priority"]), -len(each.memory)))
        self.promote(name, best)

    def promote(self, name: str, best: Server) -> None:
        """What Sentinels do once they have chosen."""
        views = [each.views[name] for each in self.watching(name) if not each.cut]
        best.replicate(None)
        epoch = 1 + max(view.epoch for view in views)
        for view in views:
            view.replicas = (view.replicas | {view.endpoint}) - {best.endpoint}
            view.endpoint, view.epoch = best.endpoint, epoch

    def _replicate(self) -> None:
        for _ in range(2):
            for each in self.servers:
                if each.runs and each.follows:
                    self._link(each)

    def _link(self, replica: Server) -> None:
        master = self.server_at(replica.follows)
        reachable = master is not None and not replica.cut and not (master.follows and not master.linked)
        # A link that is there stays, whatever becomes of passwords.
        accepted = replica.linked or (master is not None and master.lets_in(replica.config["masterauth"]))
        replica.linked = reachable and accepted
        if master and replica.linked and replica.memory != master.memory:
            replica.hold(master.memory)

    # Clients.

    def write(self) -> None:
        """Let a client of each service write a key, if its master takes it."""
        for service in {each.process.service for each in self.servers}:
            master = self.master(service)
            if master and len(self.attached(master)) >= int(master.config["min-replicas-to-write"]):
                self._last += 1
                key = frozenset({self._last})
                for each in (master, *self._behind(master)):
                    each.hold(each.memory | key)
                self.acknowledged[service] = self.acknowledged.get(service, frozenset()) | key

    def _behind(self, master: Server) -> Iterator[Server]:
        for each in self.attached(master):
            yield each
            yield from self._behind(each)

    def take_stock(self) -> None:
        """Count anew what there is to lose: what crashes and hands have lost is no plan's doing."""
        # What was taken out of service as a whole is nobody's any more, though its data is kept.
        served = {each.process.service for each in self.servers if each.enabled}
        self.acknowledged = {name: keys for name, keys in self.acknowledged.items() if name in served}
        for service in served:
            master = self.master(service)
            if master:
                self.acknowledged[service] = master.memory
            else:
                holders = [each.memory if each.runs else each.load() for each in self.of(service)]
                had = self.acknowledged.get(service, frozenset())
                self.acknowledged[service] = had & max(holders, key=len, default=frozenset())

    def secrets(self) -> set[str]:
        """Return every password that is in force anywhere."""
        own = {word for each in self.watchers for word in (each.own, each.gives, *each.accepts)}
        views = [view for each in self.watchers for view in each.views.values()]
        auth = {view.options.get("auth-pass", "") for view in views}
        served = {word for each in self.servers for word in (*each.accepts, each.config.get("masterauth", ""))}
        return (own | auth | served) - {""}


def fenced(server: Server) -> bool:
    """Whether a switchover keeps all writes off it."""
    return server.config.get("min-replicas-to-write") == str(FENCE)


def expected(fleet: Fleet, service: str) -> int:
    """Return how many replicas a service is described with."""
    return len(fleet.service(service).processes) - 1
