"""One Sentinel: it owns its file, so what it says and what stands there are one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.model import Process, Words
from tests.unit.plan.simulation.servers import described

_DEFAULTS = {"down-after-milliseconds": "30000", "failover-timeout": "180000", "parallel-syncs": "1"}
_NOTES = {"myid", "known-replica", "known-sentinel"}


@dataclass(eq=False)
class View:
    """What a Sentinel knows of one master; the highest ``epoch`` is the newest opinion."""

    endpoint: Endpoint
    quorum: str
    epoch: int = 0
    replicas: set[Endpoint] = field(default_factory=set)
    sentinels: set[Endpoint] = field(default_factory=set)
    options: dict[str, str] = field(default_factory=dict)
    failing_over: bool = False


@dataclass(eq=False)
class Watcher:
    """A Sentinel that is or was deployed; ``cut``: it hears nobody, and nobody hears it but the controller."""

    process: Process
    views: dict[str, View] = field(default_factory=dict)
    ordinary: dict[str, tuple[Words, ...]] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    enabled: bool = False
    runs: bool = False
    cut: bool = False
    ran: bool = False
    own: str = ""
    accepts: frozenset[str] = frozenset()

    @classmethod
    def written(cls, process: Process) -> Watcher:
        """Return one with a new file that says what is described."""
        made = cls(process)
        for name, lines in described(process).items():
            for words in lines:
                made._line(name, words)
        made.accepts = frozenset({made.own} - {""})
        return made

    def _line(self, name: str, words: Words) -> None:
        option = name.removeprefix("sentinel ")
        if option == name:
            if name == "requirepass":
                self.own = words[0]
            else:
                self.ordinary[name] = (words,)
        elif option == "monitor":
            self.views[words[0]] = View(Endpoint(words[1], int(words[2])), words[3])
        elif option == "known-replica":
            self.views[words[0]].replicas.add(Endpoint(words[1], int(words[2])))
        elif option == "known-sentinel":
            self.views[words[0]].sentinels.add(Endpoint(words[1], int(words[2])))
        elif option not in _NOTES:
            (self.views[words[0]].options if len(words) > 1 else self.options)[option] = words[-1]

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens."""
        return self.process.endpoint

    @property
    def gives(self) -> str:
        """The password that it gives to other Sentinels."""
        return self.options.get("sentinel-pass") or self.own

    def lets_in(self, password: str) -> bool:
        """Whether a new connection with this password gets in."""
        return password in self.accepts if self.accepts else not password

    def start(self) -> None:
        """Start from the file."""
        assert not self.runs, f"{self.process.id} runs already"
        self.runs = self.enabled = self.ran = True
        for view in self.views.values():
            view.failing_over = False

    def edit(self, names: Sequence[str], process: Process) -> None:
        """Bring settings of the description into the file of the stopped process."""
        assert not self.runs, f"the file of {process.id}, which runs, was written"
        wanted = described(process)
        for name in names:
            if name == "requirepass":
                self.own = wanted[name][0][0] if name in wanted else ""
                self.accepts = frozenset({self.own} - {""})
            elif name == "sentinel sentinel-pass":
                self.options.pop("sentinel-pass", None)
            elif name in wanted:
                self.ordinary[name] = wanted[name]
            else:
                self.ordinary.pop(name, None)

    def command(self, words: Sequence[str]) -> None:
        """Take a command as redis_fleet.agent.process.sentinel_commands gives it."""
        if words[:3] == ["ACL", "SETUSER", "default"]:
            self._user(words[3:])
        elif words[:3] == ["SENTINEL", "CONFIG", "SET"]:
            self.options[words[3]] = words[4]
        elif words[1] == "MONITOR":
            name, address, port, quorum = words[2:6]
            if name not in self.views or self.views[name].endpoint != Endpoint(address, int(port)):
                assert name not in self.views, f"{self.process.id} watches {name} elsewhere: refused by a real one"
                self.views[name] = View(Endpoint(address, int(port)), quorum)
        elif words[1] == "REMOVE":
            self.views.pop(words[2], None)
        elif words[1] == "SET" and words[3] == "quorum":
            self.views[words[2]].quorum = words[4]
        else:
            assert words[1] == "SET", words
            self.views[words[2]].options[words[3]] = words[4]

    def _user(self, rules: Sequence[str]) -> None:
        for rule in rules:
            if rule in ("resetpass", "nopass"):
                self.accepts = frozenset()
            else:
                self.accepts |= {rule.removeprefix(">")}

    def option(self, name: str, option: str) -> str:
        """Return what it goes by for one master."""
        return self.views[name].options.get(option, _DEFAULTS.get(option, ""))

    def lines(self) -> tuple[tuple[str, ...], ...]:
        """Return its file as a look sends it."""
        found = [(name, *words) for name, lines in self.ordinary.items() for words in lines]
        found += [("requirepass", self.own)] if self.own else []
        found += [("sentinel", name, value) for name, value in self.options.items() if value]
        for name, view in self.views.items():
            found.append(("sentinel", "monitor", name, view.endpoint.address, str(view.endpoint.port), view.quorum))
            for kind, places in (("known-replica", view.replicas), ("known-sentinel", view.sentinels)):
                found += [("sentinel", kind, name, each.address, str(each.port)) for each in sorted(places)]
            found += [
                ("sentinel", option, name, value)
                for option, value in view.options.items()
                if value and value != _DEFAULTS.get(option)
            ]
        return (*found, ("sentinel", "current-epoch", "0"), ("user", "default", "on")) if self.ran else tuple(found)
