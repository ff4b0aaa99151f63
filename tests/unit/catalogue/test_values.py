from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redis_fleet.catalogue.table import Directive, catalogue
from redis_fleet.catalogue.values import Canonical, canonical, config_text, in_words, lines, problem

BUFFERS = ("normal 0 0 0", "slave 268435456 67108864 60", "pubsub 33554432 8388608 60")


def directive(name: str, engine: str = "redis", version: str = "7.0.15") -> Directive:
    found = catalogue(engine, version).find(name)
    assert found is not None
    return found


def wrong(name: str, *given: str, version: str = "7.0.15") -> str | None:
    row = directive(name, version=version)
    return problem(row, lines(row, given))


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("appendfsync", ["someday"], "'someday' is not one of always, everysec, no"),
        ("appendfsync", ["everysecond"], "'everysecond' is not one of always, everysec, no (did you mean everysec?)"),
        ("port", ["70000"], "70000 is not between 0 and 65535"),
        ("port", ["6379", "6380"], "takes one value, not 2"),
        ("port", ["six"], "'six' is not a whole number"),
        ("port", ["06379"], "'06379' is not a whole number"),
        ("port", ["٣"], "'٣' is not a whole number"),
        ("port", [], "'' is not a whole number"),
        ("acllog-max-len", ["-1"], "-1 is less than 0"),
        ("appendonly", ["true"], "'true' is not yes or no"),
        ("auto-aof-rewrite-min-size", ["64mbb"], "'64mbb' is not a memory size such as 64mb"),
        ("maxmemory", ["1.5gb"], "'1.5gb' is not a memory size such as 64mb"),
        ("maxmemory", ["-1"], "'-1' is not a memory size such as 64mb"),
        (
            "repl-backlog-size",
            ["5%"],
            "'5%' is a share, and this takes bytes; write a size such as 64mb; of all directives maxmemory alone takes "
            "a share of the machine's memory",
        ),
        ("maxmemory-clients", ["5"], None),
        ("maxmemory-clients", ["05%"], "'05%' is not a memory size such as 64mb or a share such as 5%"),
        ("maxmemory-clients", ["101%"], "101% is not between 0 and 100"),
        ("maxmemory-clients", ["x"], "'x' is not a memory size such as 64mb or a share such as 5%"),
        ("client-query-buffer-limit", ["1kb"], "1kb is less than 1048576"),
        ("unixsocketperm", ["799"], "'799' is not a file mode such as 770"),
        ("unixsocketperm", ["1777"], "'1777' is not a file mode such as 770"),
        ("save", ["900"], "'900' is not made of pairs of seconds and changes, such as 900 1"),
        ("save", ["900 x"], "'x' is not a whole number; a save point is two: seconds and changes, such as 900 1"),
        ("save", ["0 1"], "'0 1' has a save point after less than 1 second"),
        (
            "client-output-buffer-limit",
            ["repica 0 0 0"],
            "'repica' is not one of normal, pubsub, replica (did you mean",
        ),
        ("client-output-buffer-limit", ["normal 0 0 1s"], "'1s' is not a number of seconds"),
        ("client-output-buffer-limit", ["normal 0 x 1"], "'x' is not a memory size such as 64mb"),
        ("client-output-buffer-limit", ["normal 0 0"], "'normal 0 0' is not made of class, hard limit"),
        ("notify-keyspace-events", ["KEQq"], "'Qq' is not among the event classes KEAg$lshzxetdmn"),
        ("oom-score-adj-values", ["1 2"], "'1 2' is not three numbers"),
        ("oom-score-adj-values", ["1 2 3000"], "3000 is not between -2000 and 2000"),
        ("latency-tracking-info-percentiles", ["50 101"], "101 is not between 0 and 100"),
        ("latency-tracking-info-percentiles", ["p50"], "'p50' is not a number such as 99.9"),
        ("shutdown-on-sigterm", ["save later"], "'later' is not one of default, force, nosave, now, save"),
        ("replicaof", ["10.0.0.1"], "'10.0.0.1' is not an address and a port"),
        ("replicaof", ["10.0.0.1 0"], "'0' is not a port between 1 and 65535"),
        ("rename-command", ["FLUSHALL"], "takes a command and its new name"),
        ("user", ["a on", "a off"], "names one user twice"),
        ("loadmodule", [""], "has no value"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said(name: str, given: list[str], expected: str | None) -> None:
    found = wrong(name, *given)
    if expected is None:
        assert found is None
    else:
        assert found is not None and found.startswith(expected)


def test_a_line_without_a_word_is_refused() -> None:
    assert problem(directive("port"), ((),)) == "takes one value"
    assert problem(directive("port"), (("1", "2"),)) == "takes one value, not a list of words"


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("save", []),
        ("save", [""]),
        ("bind", ["127.0.0.1", "-::1", "*"]),
        ("bind", []),
        ("rename-command", ['FLUSHALL ""', "KEYS secret-keys"]),
        ("user", ["default off", "app on >secret ~* +@all"]),
        ("loadmodule", ["/usr/lib/x.so a b"]),
        ("replicaof", ["no one"]),
        ("replicaof", ["red1 6379"]),
        ("replicaof", []),
        ("shutdown-on-sigterm", ["now save"]),
        ("requirepass", [""]),
        ("dir", ["/var/lib/a b"]),
        ("list-max-listpack-size", ["-2"]),
    ],
    ids=str,
)
def test_what_is_right_is_accepted(name: str, given: list[str]) -> None:
    assert wrong(name, *given) is None


@pytest.mark.parametrize("name", ["requirepass", "masterauth", "masteruser", "user", "tls-key-file-pass"])
def test_a_secret_is_never_shown(name: str) -> None:
    row = directive(name)
    hidden = "hunter\t2hunter2"
    bad = [((hidden, hidden),), ((hidden,), (hidden,)), ((),), (("",), (hidden,))]
    messages = [message for message in (problem(row, given) for given in bad) if message]
    assert messages
    assert not any("hunter" in message for message in messages)


@pytest.mark.parametrize(
    ("name", "given", "answer"),
    [
        ("maxmemory", ["64mb"], "67108864"),
        ("maxmemory", ["64M"], "64000000"),
        ("maxmemory", ["1GB"], "1073741824"),
        ("maxmemory", ["7b"], "7"),
        ("maxmemory-clients", ["5%"], "5%"),
        ("maxmemory-clients", ["0%"], "0"),
        ("appendonly", ["YES"], "yes"),
        ("appendfsync", ["EverySec"], "everysec"),
        ("oom-score-adj", ["relative"], "yes"),
        ("unixsocketperm", ["0770"], "770"),
        ("save", ["900 1", "300 10"], "900 1 300 10"),
        ("save", [], ""),
        ("save", [""], ""),
        ("notify-keyspace-events", ["KEA"], "AKE"),
        ("notify-keyspace-events", ["g$lshzxetdEK"], "AKE"),
        ("notify-keyspace-events", ["nxK"], "xnK"),
        ("notify-keyspace-events", ["AKEn"], "AKE"),
        ("bind", ["127.0.0.1", "-::1"], "127.0.0.1 -::1"),
        ("bind", [], ""),
        ("oom-score-adj-values", ["1 2 3"], "1 2 3"),
        ("latency-tracking-info-percentiles", ["50.0 99.90 100"], "50 99.9 100"),
        ("shutdown-on-sigterm", ["NOW save"], "save now"),
        ("replicaof", ["no one"], ""),
        ("replicaof", ["10.0.0.1 6379"], "10.0.0.1 6379"),
        ("tls-protocols", ["TLSv1.2 TLSv1.3"], "TLSv1.2 TLSv1.3"),
        ("dir", ["/var/lib/a  b"], "/var/lib/a  b"),
        (
            "client-output-buffer-limit",
            ["replica 1k 2kb 3"],
            "normal 0 0 0 slave 1000 2048 3 pubsub 33554432 8388608 60",
        ),
    ],
    ids=str,
)
def test_a_description_and_the_servers_answer_are_equal(name: str, given: list[str], answer: str) -> None:
    row = directive(name)
    made = lines(row, given)
    assert problem(row, made) is None
    assert canonical(row, made) == canonical(row, answer)
    assert config_text(row, made) == answer


def test_different_values_stay_different() -> None:
    assert canonical(directive("save"), "900 1") != canonical(directive("save"), "900 2")
    assert canonical(directive("notify-keyspace-events"), "Kg") != canonical(directive("notify-keyspace-events"), "Kx")
    assert canonical(directive("bind"), "::1 127.0.0.1") != canonical(directive("bind"), "127.0.0.1 ::1")
    assert canonical(directive("requirepass"), "A") != canonical(directive("requirepass"), "a")


def test_a_class_of_clients_not_mentioned_keeps_its_default() -> None:
    row = directive("client-output-buffer-limit")
    assert canonical(row, ()) == BUFFERS
    assert canonical(row, (("pubsub", "1", "1", "1"),)) == (*BUFFERS[:2], "pubsub 1 1 1")
    both = canonical(row, (("slave", "1", "1", "1"), ("replica", "2", "2", "2")))
    assert both == (BUFFERS[0], "slave 2 2 2", BUFFERS[2])


def test_a_wrong_value_is_compared_as_it_is_written() -> None:
    expected: Canonical = ("64mbb",)
    assert canonical(directive("maxmemory"), "64mbb") == expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [("7.0.15", (("900", "1", "300", "10"),)), ("6.2.16", (("900", "1"), ("300", "10")))],
)
def test_save_points_are_laid_out_as_the_version_reads_them(
    version: str, expected: tuple[tuple[str, ...], ...]
) -> None:
    row = directive("save", version=version)
    assert lines(row, ["900 1", "300 10"]) == lines(row, ["900 1 300 10"]) == expected
    assert lines(row, []) == (("",),)


def test_how_yaml_becomes_lines() -> None:
    assert lines(directive("bind"), ["a", "b"]) == (("a", "b"),)
    assert lines(directive("client-output-buffer-limit"), ["normal 0 0 0", "pubsub 1 1 1"]) == (
        ("normal", "0", "0", "0"),
        ("pubsub", "1", "1", "1"),
    )
    assert lines(directive("client-output-buffer-limit"), []) == ()
    assert lines(directive("user"), ['app on ">a b"']) == (("app", "on", ">a b"),)
    assert lines(directive("requirepass"), ['a "b']) == (('a "b',),)
    assert lines(
        directive("rename-command"),
        ['KEYS "'],
    ) == (('KEYS "',),)


def test_event_classes_follow_the_version() -> None:
    assert wrong("notify-keyspace-events", "Kd", version="6.0.16")
    assert canonical(directive("notify-keyspace-events", version="6.0.16"), "g$lshzxetK") == "AK"
    assert canonical(directive("notify-keyspace-events"), "g$lshzxetK") == "g$lshzxetK"


@given(st.integers(0, 2**62), st.sampled_from(["", "b", "k", "kb", "m", "mb", "g", "gb", "GB", "Kb"]))
def test_memory_sizes_are_bytes(number: int, unit: str) -> None:
    row = replace(directive("maxmemory"), maximum=None)
    factor = {"": 1, "b": 1, "k": 10**3, "kb": 2**10, "m": 10**6, "mb": 2**20, "g": 10**9, "gb": 2**30}[unit.lower()]
    assert canonical(row, f"{number}{unit}") == str(number * factor)


@given(
    st.sampled_from(list(catalogue("redis", "7.0.15"))), st.lists(st.lists(st.text(max_size=6), max_size=5), max_size=3)
)
def test_no_value_raises_and_the_canonical_form_is_stable(row: Directive, given_lines: list[list[str]]) -> None:
    value = tuple(tuple(words) for words in given_lines)
    message = problem(row, value)
    form = canonical(row, value)
    assert message is None or message
    if message is None and not row.file_only and row.type not in ("string", "token"):
        assert canonical(row, config_text(row, value)) == form


def test_what_redis_6_reads_otherwise() -> None:
    assert wrong("bind", "127.0.0.1 -::1", version="6.0.16") == (
        "'-::1' is not an address; redis 6.0 does not know the - in front of one that may be missing"
    )
    assert wrong("bind", "*", version="6.0.16") is None
    assert wrong("bind", "127.0.0.1 -::1", version="6.2.16") is None
    only_live = "may not stand in a file of this version; only CONFIG SET takes it"
    assert wrong("watchdog-period", "0", version="6.2.16") == only_live
    assert wrong("watchdog-period", "0") is None
    given = ["normal 0 0 0 pubsub 1mb 1mb 1"]
    words = (("normal", "0", "0", "0"), ("pubsub", "1mb", "1mb", "1"))
    assert lines(directive("client-output-buffer-limit", version="6.2.16"), given) == words
    assert lines(directive("client-output-buffer-limit"), given) == ((*words[0], *words[1]),)


def test_the_order_of_renamed_commands_means_nothing() -> None:
    row = directive("rename-command")
    one, other = ("FLUSHALL", ""), ("KEYS", "SECRET-KEYS")
    assert canonical(row, (one, other)) == canonical(row, (other, one)) != canonical(row, (one,))


@pytest.mark.parametrize(
    ("name", "answered", "told"),
    [
        ("maxmemory", "536870912", "512mb"),
        ("maxmemory", "1073741824", "1gb"),
        ("maxmemory", "1000000", "1000000"),
        ("maxmemory", "1024", "1kb"),
        ("maxmemory", "0", "0"),
        ("maxclients", "10240", "10240"),
        ("maxmemory-policy", "noeviction", "noeviction"),
    ],
)
def test_sizes_are_told_as_they_are_written(name: str, answered: str, told: str) -> None:
    assert in_words(directive(name), answered) == told


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("500", None),
        ("501", None),
        ("0", None),
        ("-1", "-1 is not between 1 and 500"),
        ("2147483648", "2147483648 is not between 1 and 500"),
    ],
)
def test_a_number_that_the_server_clamps_is_taken(written: str, told: str | None) -> None:
    assert wrong("hz", written) == told


def test_a_number_that_the_server_clamps_means_what_it_runs_with() -> None:
    hz = catalogue("redis", "7.0.15").find("hz")
    assert hz
    assert [canonical(hz, ((text,),)) for text in ("0", "7", "1000")] == ["1", "7", "500"]


@pytest.mark.parametrize(
    ("template", "fine"), [("{title} {{x}}", True), ("{{", True), ("{title} {x}", False), ("{", False)]
)
def test_two_braces_of_a_title_are_one_that_is_meant(template: str, fine: bool) -> None:
    assert (wrong("proc-title-template", template) is None) is fine
