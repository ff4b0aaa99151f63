"""What the fuzzing found, each as the smallest file that showed it."""

from __future__ import annotations

from pathlib import Path

import pytest

from redis_fleet.catalogue import acl, table, values
from redis_fleet.loading import load_fleet
from redis_fleet.problems import InvalidDescriptionError
from tests.fuzz.descriptions import MARK
from tests.fuzz.judging import judged

_BEGIN = "plugin: redis_fleet\nname: shop\nmachines:\n  red1: {address: 10.0.0.11}\n  red2: {address: 10.0.0.12}\n"
_SERVICE = f"{_BEGIN}services:\n  orders:\n    master: red1\n    password: Zq7x-secret\n"
_CONFIG = f"{_SERVICE}    config:\n"
_SENTINEL = "sentinel:\n  machines: [red1]\n  config:\n    "
_MANY = "1" * 5000  # more digits than Python turns into a number
_DEEP = 100000  # levels: the C stack ends long before


def refused(tmp_path: Path, text: str) -> str:
    """Return what is said against a description."""
    file = tmp_path / "a.redis.yml"
    assert judged(file, text.encode(), secrets=True) is None
    with pytest.raises(InvalidDescriptionError) as error:
        load_fleet(str(file))
    return str(error.value).replace(str(file), "FILE")


@pytest.mark.parametrize(
    "text",
    [
        f"{_CONFIG}      databases: {_MANY}\n",
        f"{_CONFIG}      maxmemory: {_MANY}\n",
        f"{_CONFIG}      maxmemory: {_MANY}kb\n",
        f"{_CONFIG}      maxmemory-clients: {_MANY}%\n",
        f"{_CONFIG}      save: {_MANY} 1\n",
        f"{_CONFIG}      client-output-buffer-limit: replica 0 0 {_MANY}\n",
        f"{_CONFIG}      unixsocketperm: {_MANY}\n",
        f"{_CONFIG}      latency-tracking-info-percentiles: {_MANY}\n",
        f"{_CONFIG}      replica-priority: {_MANY}\n",
        _SERVICE.replace("master: red1", f"master: red1:{_MANY}"),
        _SERVICE.replace("master: red1", f"replicaof: 10.9.9.9 {_MANY}\n    replicas: [red1]"),
        f"{_SERVICE}    replicas: [red2]\n{_SENTINEL}down-after-milliseconds: {_MANY}\n",
        f"version: {_MANY}\n{_SERVICE}",
    ],
)
def test_a_number_without_end(tmp_path: Path, text: str) -> None:
    assert refused(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * _DEEP,
        "- " * _DEEP,
        "{a: " * _DEEP + "}" * _DEEP,
        "\n".join(" " * level + "a:" for level in range(2000)),
        f"{_CONFIG}      save: " + "[" * 500 + "]" * 500 + "\n",
        f"{_CONFIG}      save: " + "[" * 1500 + "]" * 1500 + "\n",
        f"{_CONFIG}      save: " + "{a: " * 1500 + "}" * 1500 + "\n",
        f"{_SERVICE}# {']' * 3000}\na: {'[' * 1500}\n",
    ],
    ids=[
        *("lists", "dashes", "mappings", "lines", "in a value"),
        *("lists read ahead", "mappings read ahead", "after a comment"),
    ],
)
def test_levels_without_end(tmp_path: Path, text: str) -> None:
    assert "is nested more than 50 levels deep; write it flatter" in refused(tmp_path, text)


def test_brackets_in_texts_are_no_levels(tmp_path: Path) -> None:
    assert judged(tmp_path / "a.redis.yml", f"# {'[' * 200}\n{_SERVICE}".encode())


def test_parentheses_without_end_in_a_template(tmp_path: Path) -> None:
    text = f'{_CONFIG}      logfile: "{{{{ {"(" * 2000}1{")" * 2000} }}}}"\n'

    assert "cannot be worked out (RecursionError)" in refused(tmp_path, text)


def test_half_a_character_from_a_template(tmp_path: Path) -> None:
    assert "cannot be worked out" in refused(tmp_path, _CONFIG + "      syslog-ident: \"{{ '\\\\ud800' }}\"\n")


@pytest.mark.parametrize("character", ["\x1f", "\x00", "\ufffe"])
def test_a_character_that_yaml_forbids_has_a_line(tmp_path: Path, character: str) -> None:
    said = refused(tmp_path, f"{_SERVICE}# a{character}")

    assert said.startswith(
        f"FILE:10: is not YAML: U+{ord(character):04X} may not stand in a file; take it out at column 4"
    )


@pytest.mark.parametrize("text", ["{", "a: {\n", "a: 'x\n\n\n", "a: [b,\n"])
def test_what_is_missing_at_the_end_is_missing_in_the_last_line(tmp_path: Path, text: str) -> None:
    assert refused(tmp_path, text).startswith("FILE:1: ")


@pytest.mark.parametrize("value", ['"a\\nb"', '"\\e[31m"', '"\\u2028"'])
def test_a_message_is_one_printable_line(tmp_path: Path, value: str) -> None:
    said = refused(tmp_path, f"{_CONFIG}      appendonly: {value}\n")

    assert said.isprintable()


def test_a_password_that_begins_with_an_exclamation_mark_is_not_shown(tmp_path: Path) -> None:
    said = refused(tmp_path, _SERVICE.replace("Zq7x-secret", "!Zq7x-secret x"))

    assert "quote a text that begins with '!'" in said
    assert MARK not in said


@pytest.mark.parametrize("password", ['"Zq7x\\0"', "Zq7x" + "x" * 509])
def test_a_password_that_some_version_reads_otherwise(tmp_path: Path, password: str) -> None:
    assert "has a NUL character, or more than 512 bytes" in refused(tmp_path, _SERVICE.replace("Zq7x-secret", password))


@pytest.mark.parametrize("name", ["client-output-buffer-limit", "rename-command", "user", "loadmodule"])
def test_an_empty_list_is_no_line(tmp_path: Path, name: str) -> None:
    assert f"services.orders.config.{name}: has no value" in refused(tmp_path, f"{_CONFIG}      {name}: []\n")


def test_a_blank_text_is_no_line(tmp_path: Path) -> None:
    said = refused(tmp_path, f'version: 6.2\n{_CONFIG}      client-output-buffer-limit: " "\n')

    assert "services.orders.config.client-output-buffer-limit: has no value" in said


def test_a_master_here_and_one_outside(tmp_path: Path) -> None:
    text = f"{_SERVICE}    replicaof: 10.9.9.9 6379\n    replicas: [red2]\nsentinel:\n  machines: [red1]\n"

    assert "services.orders: names its master 2 times: master, replicaof; keep one" in refused(tmp_path, text)


def test_sentinel_lines_are_none_of_a_server(tmp_path: Path) -> None:
    assert "config.sentinel: is not set here" in refused(
        tmp_path, f"{_CONFIG}      sentinel: monitor a 10.0.0.11 1 1\n"
    )


def problem(engine: str, version: str, name: str, *texts: str) -> str | None:
    """Return what is wrong with a value."""
    directive = table.catalogue(engine, version).find(name)
    assert directive
    return values.problem(directive, values.lines(directive, texts))


@pytest.mark.parametrize(
    ("engine", "version", "name", "wrong", "right"),
    [
        ("redis", "7.0.15", "appenddirname", "a/b", "ab"),
        ("redis", "7.0.15", "appenddirname", "", "ab"),
        ("redis", "7.0.15", "appendfilename", "a\\b", "a.aof"),
        ("redis", "6.0.16", "dbfilename", "/dump.rdb", "dump.rdb"),
        ("valkey", "9.1.2", "cluster-config-file", "", "nodes.conf"),
        ("redis", "7.0.15", "cluster-announce-hostname", "a_b", "a-b.example"),
        ("redis", "7.0.15", "cluster-announce-hostname", "x" * 256, "x" * 255),
        ("redis", "8.0.6", "cluster-announce-human-nodename", "a@b", "a-b"),
        ("valkey", "9.1.2", "cluster-announce-ip", "a b", "10.0.0.1"),
        ("valkey", "9.1.2", "cluster-announce-ip", "x" * 46, "x" * 45),
        ("valkey", "8.0.1", "cluster-announce-client-ipv4", "::1", "10.0.0.1"),
        ("valkey", "8.0.1", "cluster-announce-client-ipv6", "10.0.0.1", "::1"),
        ("redis", "7.0.15", "proc-title-template", "{nosuch}", "{title} {port}"),
        ("redis", "7.0.15", "proc-title-template", "{title", "title"),
        ("redis", "7.0.15", "proc-title-template", "{title}", "{title} redis"),
        ("valkey", "9.1.2", "hash-seed", "x" * 257, "x" * 256),
        ("redis", "7.0.15", "shutdown-on-sigterm", "save nosave", "save now"),
        ("redis", "7.0.15", "maxmemory", "0" * 127 + "1", "0" * 126 + "1"),
        ("redis", "6.2.14", "maxmemory", "9223372036854775808", "9223372036854775807"),
        ("valkey", "9.1.2", "cluster-blacklist-ttl", "9223372036854775808", "9223372036854775807"),
        ("redis", "8.0.2", "client-output-buffer-limit", "replica 0 0 2147483648", "replica 0 0 2147483647"),
        ("valkey", "9.1.2", "client-output-buffer-limit", "replica 99999999999999999999 0 0", "replica 9gb 0 0"),
        ("redis", "7.0.15", "save", "1 2147483648", "1 2147483647"),
        ("redis", "7.0.15", "masteruser", "a\0b", "ab"),
    ],
)
def test_what_a_server_refuses_or_reads_otherwise(engine: str, version: str, name: str, wrong: str, right: str) -> None:
    assert problem(engine, version, name, wrong)
    assert problem(engine, version, name, right) is None


_HASH = "a" * 64


@pytest.mark.parametrize(
    "rules",
    [
        "on >secret ~* &* +@all",
        "ON nopass ALLKEYS +INFO -@dangerous +config|get",
        f"#{_HASH} !{_HASH} >a <a reset ~a ~b",
        "resetkeys allkeys resetkeys ~a",
        "%R~a %rw~b (~c &d)",
        "",
    ],
)
def test_acl_rules_that_are_read(rules: str) -> None:
    assert acl.unreadable("redis-7.0.15", tuple(rules.split())) is None


@pytest.mark.parametrize(
    ("version", "rules", "place"),
    [
        ("redis-7.0.15", "on nosuch", 2),
        ("redis-7.0.15", "on >a <b", 3),
        ("redis-7.0.15", "#abc", 1),
        ("redis-7.0.15", f"#{_HASH.upper()}", 1),
        ("redis-7.0.15", f"!{_HASH}", 1),
        ("redis-7.0.15", "~* ~a", 2),
        ("redis-7.0.15", "allchannels &a", 2),
        ("redis-7.0.15", "%X~a", 1),
        ("redis-7.0.15", "+", 1),
        ("redis-7.0.15", "(+get ~a", 2),
        ("redis-7.0.15", "(on)", 1),
        ("redis-6.2.16", "&a", 1),
        ("redis-6.2.16", "-config|set", 1),
        ("redis-6.0.16", "sanitize-payload", 1),
    ],
)
def test_acl_rules_that_end_a_server(version: str, rules: str, place: int) -> None:
    assert acl.unreadable(version, tuple(rules.split())) == place


def test_percentiles_are_answered_with_six_decimals() -> None:
    directive = table.catalogue("redis", "7.0.15").find("latency-tracking-info-percentiles")
    assert directive
    written = values.lines(directive, ["81.65398252 100.0 0.00000001 33.3333335 12.5e-1"])

    assert values.canonical(directive, written) == values.canonical(directive, "81.653983 100 0 33.333334 1.25")
