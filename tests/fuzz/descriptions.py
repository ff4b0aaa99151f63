"""Whole descriptions that are made up: nearly as a person could have meant them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

from redis_fleet.catalogue import sentinel as sentinel_table
from redis_fleet.catalogue import table
from tests.fuzz import odd
from tests.fuzz.yaml_text import Plain, written

MARK = "Zq7x"
"""Is in every password that is made up here, and nowhere else: no message may have it."""

MACHINES = ("red1", "red2", "red3", "red-4")
_ENGINES = ("redis", "valkey")
_COLUMNS = [(engine, version) for engine in _ENGINES for version in table.versions(engine)]
oddities = st.sampled_from(odd.ODDITIES["yaml"]).map(Plain)
_SECRETS = (*odd.ODDITIES["secrets"], "Zq7x" * 200)
_PLAIN_SECRETS = odd.ODDITIES["plain secrets"]
passwords = st.one_of(
    st.sampled_from(_SECRETS),
    st.sampled_from(_SECRETS[:2]),
    st.sampled_from(_SECRETS[:2]),
    odd.letters.map(lambda text: f"Zq7x{text}"),
    st.sampled_from(_PLAIN_SECRETS).map(Plain),
)


class Chosen(NamedTuple):
    """What a description says it runs; ``version`` None where it says nothing."""

    engine: str
    version: str | None


def mostly(usual: st.SearchStrategy[Any], unusual: st.SearchStrategy[Any], times: int = 12) -> st.SearchStrategy[Any]:
    """Return a strategy that is ``usual`` so many times of one more."""
    return st.integers(0, times).flatmap(lambda turn: unusual if turn == times else usual)


_nonsense = st.one_of(oddities, odd.anything, st.lists(odd.words, max_size=2))


def _directive_value(chosen: Chosen, name: str) -> st.SearchStrategy[Any]:
    directive = table.catalogue(chosen.engine, chosen.version or table.versions(chosen.engine)[-1]).find(name)
    if directive is None:
        return _nonsense
    if directive.sensitive and directive.type != "user":
        return st.one_of(passwords, st.lists(passwords, max_size=2), passwords.map(lambda text: [str(text), "x"]))
    fitting = odd.texts(directive).map(lambda texts: texts[0] if len(texts) == 1 else list(texts))
    return mostly(st.one_of(fitting, fitting, st.just(directive.default or "0").map(Plain)), oddities, 9)


def _names(chosen: Chosen) -> st.SearchStrategy[str]:
    own = table.catalogue(chosen.engine, chosen.version or table.versions(chosen.engine)[-1])
    known = [directive.name for directive in own]
    aliases = [directive.alias for directive in own if directive.alias]
    others = sorted({each.name for column in _COLUMNS for each in table.catalogue(*column)})
    mistyped = st.sampled_from(known).flatmap(
        lambda name: st.sampled_from([name[:-1], name.upper(), f"{name}s", f" {name}"])
    )
    return st.one_of(
        st.sampled_from(known), st.sampled_from(known), st.sampled_from([*aliases, *others]), mistyped, odd.letters
    )


@st.composite
def server_config(draw: st.DrawFn, chosen: Chosen) -> dict[str, Any]:
    """Return the ``config`` of a service."""
    return {name: draw(_directive_value(chosen, name)) for name in draw(st.lists(_names(chosen), max_size=6))}


@st.composite
def sentinel_config(draw: st.DrawFn, chosen: Chosen) -> dict[str, Any]:
    """Return the ``config`` of the Sentinels."""
    version = chosen.version or table.versions(chosen.engine)[-1]
    names = sentinel_table.names(chosen.engine, version)
    ordinary = sentinel_table.ordinary(chosen.engine, version)
    found: dict[str, Any] = {}
    for name in draw(
        st.lists(st.one_of(st.sampled_from(names), st.sampled_from(ordinary), _names(chosen)), max_size=4)
    ):
        directive = sentinel_table.find(chosen.engine, version, name)
        if directive is None:
            found[name] = draw(_directive_value(chosen, name))
        elif directive.value.sensitive:
            found[name] = draw(passwords)
        else:
            found[name] = draw(st.one_of(odd.fitting(directive.value), odd.fitting(directive.value), _nonsense))
    return found


_places = st.one_of(
    st.sampled_from(MACHINES),
    st.sampled_from(MACHINES),
    st.builds(
        lambda name, port: f"{name}:{port}", st.sampled_from(MACHINES), mostly(st.integers(1, 65536), odd.numbers, 4)
    ),
    st.builds(lambda name, port: f"{name} {port}", st.sampled_from(MACHINES), st.integers(1, 65536)),
)
_outside = st.sampled_from(
    ["10.9.9.9 6379", "10.9.9.9:6379", "::1 1", "example.org 1", "10.9.9.9 0", "10.9.9.9 ٣", "10.9.9.9", "no one"]
)
_ports = mostly(st.sampled_from([6379, 6380, 26379, 1, 65535]), st.one_of(odd.numbers, oddities), 6)
_addresses = mostly(
    st.sampled_from(["10.0.0.11", "10.0.0.12", "10.0.0.13", "10.0.0.14", "127.0.0.1", "::1", "fd00::1"]),
    st.one_of(odd.words, oddities, st.just("fe80::1%eth0")),
)
_binds = st.one_of(
    st.just(["{{ address }}", "127.0.0.1"]),
    st.just("*"),
    st.just("127.0.0.1 -::1"),
    odd.words,
    st.lists(odd.words, max_size=3),
    oddities,
)
_reasons = mostly(st.just("only the test network reaches it"), st.one_of(odd.words, oddities), 3)
_silences = st.dictionaries(
    mostly(
        st.sampled_from(["W3", "W0", "E1", "E2", "E7", "E8", "E9", "E15", "E17", "W11", "W29", "e2", "X1", ""]),
        odd.letters,
    ),
    _reasons,
    max_size=3,
)
_adopted = st.fixed_dictionaries(
    {
        "configuration": mostly(st.just("/etc/redis/redis.conf"), _nonsense, 4),
        "unit": mostly(st.just("redis-server.service"), _nonsense, 4),
    }
)
_watch = st.one_of(
    st.just("no"),
    st.fixed_dictionaries(
        {},
        optional={
            "quorum": mostly(st.integers(1, 3), st.one_of(odd.numbers, oddities), 4),
            "name": mostly(st.just("other"), st.one_of(odd.words, oddities), 3),
            "down-after-milliseconds": mostly(st.just(5000), odd.numbers, 3),
            "failover-timeout": mostly(st.just(60000), odd.numbers, 3),
            "parallel-syncs": mostly(st.just(1), odd.numbers, 3),
        },
    ),
)


@st.composite
def _service(draw: st.DrawFn, chosen: Chosen, machines: list[str]) -> dict[str, Any]:
    service: dict[str, Any] = {}
    kind = draw(st.integers(0, 9))
    if kind:
        service["master"] = draw(mostly(st.sampled_from(machines), st.one_of(_places, _nonsense)))
    if kind in (0, 9):
        service[draw(st.sampled_from(["replicaof", "slaveof"]))] = draw(st.one_of(_outside, _places, oddities))
    replicas = st.lists(
        mostly(st.sampled_from(machines), st.one_of(_places, odd.words, oddities)), max_size=3, unique=True
    )
    optional = {
        "replicas": (replicas, 2),
        "port": (_ports, 2),
        "password": (passwords, 1),
        "master-password": (passwords, 6),
        "bind": (_binds, 6),
        "open-to-network": (_reasons, 2),
        "adopted": (_adopted, 6),
        "sentinel": (_watch, 5),
        "silence": (_silences, 6),
        "config": (server_config(chosen), 1),
    }
    for key, (strategy, rarity) in optional.items():
        if draw(st.integers(0, rarity)) == rarity or rarity == 1:
            service[key] = draw(
                mostly(strategy, _nonsense if key not in ("password", "master-password") else passwords, 20)
            )
    return service


@st.composite
def structured(draw: st.DrawFn) -> str:
    """Return a description that a person could have meant."""
    engine, version = draw(st.sampled_from(_COLUMNS))
    chosen = Chosen(engine, draw(st.sampled_from([version, version, None])))
    machines = list(MACHINES[: draw(st.integers(1, 4))])
    addresses = draw(
        st.one_of(
            st.just([f"10.0.0.{11 + number}" for number in range(4)]), st.lists(_addresses, min_size=4, max_size=4)
        )
    )
    names = draw(st.lists(st.sampled_from(["orders", "cache", "sessions"]), min_size=1, max_size=3, unique=True))
    description: dict[str, Any] = {
        "plugin": "redis_fleet",
        "name": "shop",
        "engine": engine,
        "machines": {name: {"address": address} for name, address in zip(machines, addresses, strict=False)},
        "services": {
            name: {**draw(_service(chosen, machines)), **({"port": 7000 + number} if draw(st.booleans()) else {})}
            for number, name in enumerate(names)
        },
    }
    if chosen.version:
        description["version"] = chosen.version
    if draw(st.booleans()):
        description["sentinel"] = {
            "machines": machines,
            "password": draw(passwords),
            "config": draw(sentinel_config(chosen)),
            **draw(
                st.fixed_dictionaries(
                    {}, optional={"quorum": _ports, "bind": _binds, "port": _ports, "silence": _silences}
                )
            ),
        }
    for name in machines:
        description["machines"][name] |= draw(_variables)
    return written(_disturbed(description, draw(st.integers(0, 15)), draw(_nonsense))) + "\n"


_variables = mostly(
    st.just({}),
    st.fixed_dictionaries(
        {},
        optional={
            "vars": mostly(
                st.dictionaries(st.sampled_from(["size", "address", "name", "a b"]), odd.words, max_size=2), oddities, 4
            ),
            "ansible_host": _nonsense,
            "ansible_port": _nonsense,
            "ansible_": _nonsense,
        },
    ),
    3,
)


def _disturbed(description: Mapping[str, Any], turn: int, nonsense: Any) -> Mapping[str, Any]:
    """Return the description with one of its main keys changed, in half of all cases."""
    keys = ["plugin", "name", "engine", "version", "machines", "services", "sentinel", "silence"]
    return {**description, keys[turn]: nonsense} if turn < len(keys) else description
