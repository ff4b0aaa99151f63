"""A healthy service of three servers and three Sentinels, as a client knows and sees it; tests say what is amiss."""

from __future__ import annotations

from typing import Any

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.service import Instance, MemberView, SentinelView, ServiceAccess, ServiceView
from redis_fleet.agent.replication.fitness import LAG

MASTER, REPLICA = "10.0.0.1:6379", "10.0.0.2:6379"


def node(name: str, number: int, port: int) -> Any:
    """Return a node on machine red1, red2 ..."""
    return Instance(f"{name}@red{number}", f"red{number}", Endpoint(f"10.0.0.{number}", port))


def target(**changes: Any) -> ServiceAccess:
    """Return a target of three servers and three Sentinels."""
    whole: dict[str, Any] = {
        "service": "orders", "monitor": "orders", "quorum": 2, "down_after_ms": 1000, "failover_timeout_ms": 60000,
        "password": None, "members": tuple(node("orders", i, 6379) for i in (1, 2, 3)),
        "sentinels": tuple(node("sentinel", i, 26379) for i in (1, 2, 3)),
        "sentinel_password": None, "external_master": None, "open": True, **changes,
    }  # fmt: skip
    return ServiceAccess(**whole)


def sentinel(number: int, **changes: Any) -> SentinelView:
    """Return what a healthy Sentinel says."""
    whole: dict[str, Any] = {
        "id": f"sentinel@red{number}", "problem": "", "master": MASTER, "flags": ("master",), "config_epoch": 0,
        "quorum_ok": True, "quorum": "OK", "replicas": (), "sentinels": (),
        "priorities": {REPLICA: 100, "10.0.0.3:6379": 100}, **changes,
    }  # fmt: skip
    return SentinelView(**whole)


def member(number: int, **changes: Any) -> MemberView:
    """Return what a healthy server says; the first is the master."""
    role = {"role": "master", "follows": ""} if number == 1 else {"role": "replica", "follows": MASTER}
    whole: dict[str, Any] = {
        "id": f"orders@red{number}", "problem": "", "link_up": number != 1, "offset": LAG * 2, "priority": 100,
        "loading": False, "heard": {}, **role, **changes,
    }  # fmt: skip
    return MemberView(**whole)


def view(sentinels: list[SentinelView] | None = None, members: list[MemberView] | None = None) -> ServiceView:
    """Return a view that is healthy but for what is given."""
    return ServiceView(
        time=0.0,
        sentinels=tuple([sentinel(i) for i in (1, 2, 3)] if sentinels is None else sentinels),
        members=tuple(members or [member(i) for i in (1, 2, 3)]),
    )
