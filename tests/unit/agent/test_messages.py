"""Messages between the controller and a machine: what goes in comes out, and secrets travel apart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional, Union

import pytest

from redis_fleet.agent.codec import Message
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.secret import Secret


@dataclass(frozen=True)
class Tell(Message):
    """An order with a secret."""

    words: tuple[Union[str, Secret], ...]


@dataclass(frozen=True)
class Flush(Message):
    """An order without fields."""


@dataclass(frozen=True)
class Whole(Message):
    """Everything that a field may be."""

    name: str
    endpoint: Optional[Endpoint] = None
    orders: tuple[Union[Tell, Flush], ...] = ()
    by_name: Mapping[str, tuple[Endpoint, ...]] = field(default_factory=dict)
    raw: Any = None
    number: Optional[int] = None


FULL = Whole(
    "orders",
    Endpoint("::1", 6379),
    (Tell(("AUTH", Secret("s3cret"))), Flush(), Tell((Secret("s3cret"),))),
    {"a": (Endpoint("10.0.0.1", 1),)},
    {"any": [1, "two"]},
    0,
)


@pytest.mark.parametrize("message", [FULL, Whole("alone")], ids=["full", "defaults"])
def test_a_message_survives_the_way(message: Whole) -> None:
    secrets: list[str] = []
    body = json.loads(json.dumps(message.to_json(secrets)))
    assert Whole.from_json(body, secrets) == message


def test_secrets_travel_apart_and_once() -> None:
    secrets: list[str] = []
    assert "s3cret" not in json.dumps(FULL.to_json(secrets))
    assert secrets == ["s3cret"]


def test_an_answer_has_no_secret() -> None:
    with pytest.raises(ValueError, match="secret"):
        FULL.to_json()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"name": "a", "other": 1}, "no field other"),
        ({}, "name"),
        ({"name": "a", "orders": [{"is": "Drop"}]}, "none of Tell, Flush"),
    ],
)
def test_what_is_no_such_message_is_refused(body: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Whole.from_json(body)


@pytest.mark.parametrize("text", ["10.0.0.1:6379", "[::1]:6379"])
def test_an_endpoint_is_read_as_it_is_written(text: str) -> None:
    assert str(Endpoint.parse(text)) == text


@pytest.mark.parametrize("text", ["", "none", "10.0.0.1", "10.0.0.1:x"])
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="address:port"):
        Endpoint.parse(text)


@dataclass(frozen=True)
class Pairs(Message):
    """Tuples of fixed length."""

    pairs: tuple[tuple[str, Union[str, Secret, Tell]], ...]


def test_each_place_of_a_tuple_of_fixed_length_has_its_own_type() -> None:
    message = Pairs((("a", "b"), ("c", Secret("s3cret")), ("d", Tell(("e",)))))
    secrets: list[str] = []
    body = json.loads(json.dumps(message.to_json(secrets)))
    assert body == {"pairs": [["a", "b"], ["c", {"$secret": 0}], ["d", {"words": ["e"]}]]}
    assert Pairs.from_json(body, secrets) == message
    with pytest.raises(ValueError, match="1 values in place of 2"):
        Pairs.from_json({"pairs": [["a"]]})
