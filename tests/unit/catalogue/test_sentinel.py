from __future__ import annotations

import pytest

from redis_fleet.catalogue import sentinel, values
from redis_fleet.catalogue.sentinel import SentinelDirective
from redis_fleet.catalogue.table import catalogue, versions

EVERY = [(engine, version) for engine in ("redis", "valkey") for version in versions(engine)]


def directive(name: str, engine: str = "redis", version: str = "7.0.15") -> SentinelDirective:
    found = sentinel.find(engine, version, name)
    assert found is not None
    return found


@pytest.mark.parametrize(("engine", "version"), EVERY)
def test_every_row_is_complete_and_its_default_is_fine(engine: str, version: str) -> None:
    names = sentinel.names(engine, version)
    assert len(names) >= 19
    for name in names:
        row = directive(name, engine, version)
        assert row.value.type in values.TYPES
        assert row.set_live in ("set", "config-set", "restart")
        # What is no script is no line.
        if row.value.default is not None and row.value.form != "not-empty":
            assert sentinel.problem(row, ((row.value.default,),)) is None


def test_names_by_scope_and_state() -> None:
    names = sentinel.names("redis", "7.0.15", "master", state=False)
    assert {"monitor", "down-after-milliseconds", "auth-pass"} <= set(names)
    assert "announce-ip" not in names
    assert "known-replica" not in names
    assert sentinel.names("redis", "7.0.15", "global", state=True) == ("current-epoch", "myid")


def test_the_timings_have_sentinels_defaults() -> None:
    found = {
        name: directive(name).value.default
        for name in ("down-after-milliseconds", "failover-timeout", "parallel-syncs")
    }
    assert found == {"down-after-milliseconds": "30000", "failover-timeout": "180000", "parallel-syncs": "1"}


@pytest.mark.parametrize(
    ("name", "words", "expected"),
    [
        ("down-after-milliseconds", ("0",), "0 is less than 1"),
        (
            "down-after-milliseconds",
            ("12x",),
            "'12x' is not a whole number: the server takes it for 12; correct the value",
        ),
        ("parallel-syncs", ("-1",), "-1 is less than 0; correct the value"),
        ("failover-timeout", ("5", "6"), "takes 1 word, not 2"),
        ("announce-port", ("70000",), "70000 is not between 0 and 65535; correct the value"),
        ("resolve-hostnames", ("maybe",), "'maybe' is not yes or no"),
        ("monitor", ("10.0.0.1", "6379"), "takes 3 words, not 2"),
        ("myid", ("abc",), "is written by Sentinel alone"),
    ],
)
def test_what_is_wrong_is_said(name: str, words: tuple[str, ...], expected: str) -> None:
    assert sentinel.problem(directive(name), (words,)) == expected


def test_what_is_right_is_accepted() -> None:
    assert sentinel.problem(directive("monitor"), (("10.0.0.1", "6379", "2"),)) is None
    assert sentinel.problem(directive("rename-command"), (("CONFIG", "x"), ("SLAVEOF", "y"))) is None
    assert sentinel.problem(directive("auth-pass"), (("Plain-1.x_y",),)) is None
    assert sentinel.problem(directive("auth-pass"), (("#hunter\\2",),)) is None


@pytest.mark.parametrize("password", ["hunter 2", 'hunter"2', "hunter'2", "hunter\n2"])
def test_a_password_that_sentinel_could_not_read_back_is_refused_and_not_shown(password: str) -> None:
    found = sentinel.problem(directive("auth-pass"), ((password,),))
    assert found is not None and found.startswith("has a blank, quote")
    assert "hunter" not in found


def test_versions_and_aliases() -> None:
    assert sentinel.find("redis", "6.0.16", "resolve-hostnames") is None
    assert directive("announce-ip", version="6.0.16").set_live == "restart"
    assert directive("announce-ip").set_live == "config-set"
    assert directive("DOWN-after-milliseconds").set_live == "set"
    assert directive("primary-reboot-down-after-period", "valkey", "8.1.1").name == "master-reboot-down-after-period"
    assert sentinel.find("redis", "7.0.15", "primary-reboot-down-after-period") is None
    assert sentinel.find("redis", "7.0.15", "quorum") is None


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("myid", "abc"), True),
        (("known-replica", "shop", "10.0.0.2", "6379"), True),
        (("CONFIG-EPOCH", "shop", "1"), True),
        (("monitor", "shop", "10.0.0.1", "6379", "2"), False),
        (("auth-pass", "shop", "x"), False),
        ((), False),
    ],
)
def test_which_lines_are_sentinels_own(words: tuple[str, ...], expected: bool) -> None:
    assert sentinel.is_state(words) is expected


@pytest.mark.parametrize(("engine", "version"), EVERY)
def test_ordinary_directives_are_in_the_catalogue(engine: str, version: str) -> None:
    ordinary = sentinel.ordinary(engine, version)
    assert {"port", "bind", "dir", "logfile", "requirepass", "user", "tls-port"} <= set(ordinary)
    assert "save" not in ordinary
    assert all(name in catalogue(engine, version) for name in ordinary)


def test_a_mistyped_name_has_a_nearest_one_that_may_be_set() -> None:
    assert sentinel.nearest("redis", "7.0.15", "down-after-miliseconds") == "down-after-milliseconds"
    assert sentinel.nearest("redis", "7.0.15", "protectd-mode") == "protected-mode"
    assert sentinel.nearest("redis", "7.0.15", "known-replicas") is None
