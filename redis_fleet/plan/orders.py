"""The orders of a plan as JSON-able values, by the name of each; a secret is said by what it is for, never itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from redis_fleet.agent.messages.orders import Order

_BY_NAME: Mapping[str, type[Order]] = {each.do: each for each in get_args(Order)}


def to_dict(order: Order) -> dict[str, Any]:
    """Return an order as JSON-able values; raises ValueError for one that has a secret in it already."""
    return {"do": order.do, **order.to_json()}


def from_dict(body: Mapping[str, Any]) -> Order:
    """Read what ``to_dict`` made; raises ValueError for anything else."""
    given = dict(body)
    kind = _BY_NAME.get(given.pop("do", ""))
    if kind is None:
        raise ValueError(f"'{body.get('do')}' is none of {', '.join(_BY_NAME)}")
    return kind.from_json(given)
