"""Orders to running processes: they survive the way through a plan's JSON, and each gets the secret that it means."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, get_args

import pytest

from redis_fleet.agent.errors import ChangeError
from redis_fleet.agent.messages import orders as all_orders
from redis_fleet.agent.messages.orders import (
    DIRECTIVE,
    MONITORED,
    OWN_RULE,
    SENTINEL_PASS,
    AppendOnly,
    Change,
    Command,
    Demote,
    Forget,
    MasterAuth,
    Order,
    SecretRef,
    SetDirectives,
    UnfilledError,
    clear,
)
from redis_fleet.agent.process.order_words import secrets_in, told
from redis_fleet.agent.secret import Secret
from redis_fleet.ansible.requests import change_request, described_secret
from redis_fleet.model import Fleet
from redis_fleet.plan.orders import from_dict, to_dict
from tests.unit.cases.builder import fleet_of

SERVER, SENTINEL = "fixed-orders-password", "fixed-sentinel-password"
REFS = (SecretRef(OWN_RULE), SecretRef(SENTINEL_PASS), SecretRef(MONITORED, "auth-pass", "orders"))
SAMPLES: list[tuple[Order, dict[str, Any]]] = [
    (SetDirectives((("maxmemory", "1gb"), ("save", ""))), {"do": "set", "pairs": [["maxmemory", "1gb"], ["save", ""]]}),
    (AppendOnly("yes", 3600), {"do": "append-only", "value": "yes", "seconds": 3600}),
    (Command(("SENTINEL", "REMOVE", "orders")), {"do": "command", "words": ["SENTINEL", "REMOVE", "orders"]}),
    (
        Forget("orders", 2, 1, 60),
        {"do": "forget", "master": "orders", "replicas": 2, "sentinels": 1, "seconds": 60},
    ),
    (Demote("10.0.0.1 6379", "0"), {"do": "demote", "master": "10.0.0.1 6379", "value": "0"}),
    *((each(), {"do": each.do}) for each in get_args(Order) if not each.__dataclass_fields__),
]


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return fleet_of("sentinel")


@pytest.mark.parametrize(("order", "body"), SAMPLES, ids=lambda each: getattr(each, "do", ""))
def test_an_order_is_the_same_behind_its_json(order: Order, body: dict[str, Any]) -> None:
    assert json.loads(json.dumps(to_dict(order))) == body
    assert from_dict(body) == order


@pytest.mark.parametrize("order", [MasterAuth(SecretRef(DIRECTIVE, "masterauth")), Command(REFS)])
def test_a_plan_says_which_secret_is_meant(order: Order) -> None:
    assert from_dict(json.loads(json.dumps(to_dict(order)))) == order


def test_a_secret_is_no_part_of_a_plan() -> None:
    with pytest.raises(ValueError, match="secret"):
        to_dict(MasterAuth(Secret(SERVER)))


def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(ValueError, match="'explode' is none of set, append-only"):
        from_dict({"do": "explode"})


def sent(fleet: Fleet, name: str, order: Order) -> Order:
    """Return the order as it is sent to a process of red1."""
    asked = change_request(fleet, "red1", [{"process": name, "orders": [to_dict(order)], "expect": ""}])
    secrets: list[str] = []
    body = json.loads(json.dumps(asked.to_json(secrets)))
    assert not [each for each in (SERVER, SENTINEL) if each in json.dumps(body)]
    (changing,) = Change.from_json(body, secrets).processes
    return changing.orders[0]


@pytest.mark.parametrize(
    ("process", "which", "secret"),
    [
        ("orders-6379", SecretRef(DIRECTIVE, "masterauth"), SERVER),
        ("orders-6379", SecretRef(DIRECTIVE, "tls-key-file-pass"), ""),
        ("sentinel-26379", SecretRef(OWN_RULE), f">{SENTINEL}"),
        ("sentinel-26379", SecretRef(SENTINEL_PASS), SENTINEL),
        ("sentinel-26379", SecretRef(MONITORED, "auth-pass", "orders"), SERVER),
    ],
)
def test_each_gets_the_secret_that_it_means(fleet: Fleet, process: str, which: SecretRef, secret: str) -> None:
    order = sent(fleet, process, Command(("SENTINEL", which)))
    assert order == Command(("SENTINEL", Secret(secret)))
    assert sent(fleet, process, MasterAuth(which)) == MasterAuth(Secret(secret))
    assert sent(fleet, process, SetDirectives((("a", "b"), ("c", which)))) == SetDirectives(
        (("a", "b"), ("c", Secret(secret)))
    )


def test_what_nobody_described_is_nothing(fleet: Fleet) -> None:
    bare = replace(fleet.sentinels[0], settings=())
    assert described_secret(bare, SecretRef(MONITORED, "auth-pass", "orders")) == ""
    assert described_secret(bare, SecretRef(MONITORED, "other-pass", "orders")) == ""


def test_what_nobody_filled_in_is_never_sent() -> None:
    with pytest.raises(UnfilledError, match="own-rule"):
        clear(SecretRef(OWN_RULE))


@pytest.mark.parametrize(
    "order",
    [
        Command(("ACL", "SETUSER", "default", Secret(f">{SERVER}"))),
        Command(("ACL", "SETUSER", "default", f">{SERVER}")),
        Command(("SENTINEL", "SET", "orders", "anything", Secret(SERVER))),
        Command(("SENTINEL", "SET", "orders", "auth-pass", SERVER)),
        MasterAuth(Secret(SERVER)),
        SetDirectives((("anything", Secret(SERVER)), ("tls-key-file-pass", SERVER))),
    ],
)
def test_the_secrets_of_an_order_are_known_and_not_told(order: Order) -> None:
    assert SERVER in secrets_in(order, frozenset({"tls-key-file-pass", "auth-pass"}))
    assert SERVER not in told(order)


def test_what_was_done_before_a_failure_goes_with_it() -> None:
    assert ChangeError("no", ["a"]).answer == {"done": ["a"], "changed": True}
    assert ChangeError("no", []).answer == {"done": [], "changed": False}


def test_every_order_has_a_name_of_its_own() -> None:
    names = [each.do for each in get_args(all_orders.Order)]
    assert len(set(names)) == len(names)
    assert all(names)
