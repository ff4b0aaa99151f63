"""A user for each that logs in: introduced to a deployment that runs, the default user closed, and all taken back.

What is promised: a client of the default user is served until it is closed, one of a user of its own all the time; no
replica is synchronised anew; nobody of ours is denied anything; and who is no longer let in does not stay in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import redis

from redis_fleet.agent.protocol.resp import Connection, ReplyError
from redis_fleet.catalogue.internal_users import NAMES, PEER, REPLICA, SENTINEL
from redis_fleet.model import OURS
from tests.harness.engines import Binary, available
from tests.harness.live.editing import Description, deploy, edit, fail_over, lets_in, planned, unchanged, writing
from tests.harness.live.processes import eventually, server_binary
from tests.harness.live.sandboxes import Box, box, client_of, info

pytestmark = pytest.mark.long
SERVERS = ("orders-6379@red1", "orders-6379@red2", "orders-6379@red3")
WEB, OTHER = "Some-Web-Password_1", "Other-Web-Password_2"
ENGINES: dict[str, Binary] = {str(each): each for each in available()}
_PAIRS = [name for name in ENGINES if name.split("-")[1].rpartition(".")[0] in ("6.0", "7.0", "8.0", "8.1", "9.1")]


@pytest.fixture(scope="module", params=_PAIRS or ["here"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Give a deployment in which everybody is the default user, on each engine."""
    binary = ENGINES.get(request.param)
    with box(tmp_path_factory.mktemp("internal") / "box", "sentinel", up=False) as one:
        if binary:
            version = ".".join(binary.version.split(".")[:2])
            edit(one, lambda file: file.update(engine=binary.engine, version=version))
        one.prepare(str(binary.server) if binary else server_binary())
        deploy(one)
        yield one


def described(made: Box, **service: Any) -> None:
    """Ask for internal users and a user of an application, and for more of the service and the Sentinels."""

    def change(file: Description) -> None:
        file["internal-users"] = "yes"
        web = {"may": ["read", "write"], "keys": "app:*", "password": WEB}
        file["services"]["orders"].update({"users": {"web": web}, **service})
        if "default-user" in service and not sixth(made):
            file["sentinel"]["default-user"] = service["default-user"]

    edit(made, change)


def internal(root: Mapping[str, str]) -> Callable[[Description], None]:
    """Say what internal passwords are made of."""
    return lambda file: file.update({"internal-users": dict(root)})


def sixth(made: Box) -> bool:
    """Whether its Sentinels are of 6.0, which have no users."""
    return (made.fleet.version or "").startswith("6.0")


def links(made: Box, name: str) -> set[tuple[str, str]]:
    """Return which replicas and Sentinels are logged in to a process, as which user."""
    with made.server(name) as client:
        rows = client.client_list()
    found = {("replica", str(row["user"])) for row in rows if "S" in row["flags"]}
    return found | {("sentinel", str(row["user"])) for row in rows if row["name"].startswith("sentinel-")}


def counts(made: Box) -> Mapping[str, int]:
    """Return how often each server gave all its data, over its life."""
    return {name: int(info(made.server(name))["sync_full"]) for name in SERVERS}


def denied(made: Box) -> list[str]:
    """Return what users of ours were denied; that one tried to log in before there was such a user is nothing."""
    found = []
    for process in made.fleet.processes:
        if process.login is None:
            continue
        with client_of(process) as client:
            rows = client.execute_command("ACL", "LOG")
        pairs = [dict(zip(row[::2], row[1::2], strict=True)) if isinstance(row, list) else row for row in rows]
        found += [f"{process.id}: {row}" for row in pairs if row["username"] in NAMES and row["reason"] != "auth"]
    return found


def as_user(made: Box, name: str, user: str, password: str) -> Connection:
    """Log in to a process."""
    endpoint = made.process(name).endpoint
    return Connection(endpoint.address, endpoint.port, password, user=user)


def test_users_are_introduced_and_the_default_one_closed_under_writers(made: Box) -> None:
    before = counts(made)
    with writing(made) as old:
        described(made)
        deploy(made)
    old.refused_nothing()
    assert made.on("verify").code == 0
    assert counts(made) == before
    assert links(made, made.master("orders")) == {("replica", REPLICA), ("sentinel", SENTINEL)}
    if not sixth(made):
        assert links(made, "sentinel-26379@red1") == {("sentinel", PEER)}
    with as_user(made, SERVERS[0], "web", WEB) as web:
        assert web.call("SET", "app:1", "x") == "OK"
        for refused in (("SET", "other", "x"), ("FLUSHALL",), ("CONFIG", "GET", "*")):
            with pytest.raises(ReplyError, match="NOPERM"):
                web.call(*refused)

    with client_of(made.process(SERVERS[0])) as ours:
        stays = redis.Redis(*_place(made), password=_password(made), decode_responses=True)
        assert stays.ping()
        described(made, **{"default-user": "off"})
        assert {step["stage"] for step in planned(made)["steps"]} == {"user_end"}
        with writing(made) as new:
            deploy(made)
        new.refused_nothing()
        users = {row["user"] for row in ours.client_list() if not row["name"].startswith("sentinel-")}
        assert "default" not in users, "who was connected as the default user is not any more"
    assert not any(lets_in(made, each.id, None) for each in made.fleet.processes if each.login)
    assert not any(lets_in(made, name, _password(made)) for name in SERVERS)
    assert counts(made) == before
    assert made.on("verify").code == 0
    assert denied(made) == []


def _place(made: Box) -> tuple[str, int]:
    endpoint = made.process(SERVERS[0]).endpoint
    return endpoint.address, endpoint.port


def _password(made: Box) -> str:
    return (made.folder / ".secrets" / "orders").read_text(encoding="utf-8").strip()


def test_a_failover_goes_by_the_users_alone(made: Box) -> None:
    described(made, **{"default-user": "off"})
    deploy(made)
    old, _ = fail_over(made)
    deploy(made)
    eventually(lambda: made.settled("orders") and old in made.pids(), "the old master is back as a replica")
    unchanged(made)
    assert made.on("verify").code == 0
    assert denied(made) == []


def test_a_password_of_a_user_is_exchanged_and_the_old_one_does_not_stay_in(made: Box) -> None:
    described(made, **{"default-user": "off"})
    deploy(made)
    with as_user(made, SERVERS[0], "web", WEB) as stays:
        assert stays.call("PING") == "PONG"

        def change(file: Description) -> None:
            file["services"]["orders"]["users"]["web"]["password"] = OTHER

        edit(made, change)
        assert [step["stage"] for step in planned(made)["steps"]] == ["password_add"] * 3 + ["user_end"] * 3
        deploy(made)
        with pytest.raises((OSError, ReplyError)):
            stays.call("PING")
    with pytest.raises(ReplyError, match="WRONGPASS"):
        as_user(made, SERVERS[0], "web", WEB)
    as_user(made, SERVERS[0], "web", OTHER).close()


def test_what_the_internal_passwords_are_made_of_is_exchanged(made: Box) -> None:
    described(made, **{"default-user": "off"})
    deploy(made)
    for root in ({"password": WEB}, {"password": OTHER, "previous": WEB}, {"password": OTHER}):
        edit(made, internal(root))
        deploy(made)
    assert made.on("verify").code == 0
    described(made, **{"default-user": "on"})
    edit(made, internal({"enabled": "yes", "previous": OTHER}))
    deploy(made)
    (made.folder / ".secrets" / "orders").write_text("New-Orders-Password_12\n", encoding="utf-8")
    deploy(made)
    assert made.on("verify").code == 0
    assert links(made, made.master("orders")) == {("replica", REPLICA), ("sentinel", SENTINEL)}


def test_who_is_not_described_is_told_of_and_left_alone_until_absent_is_said(made: Box) -> None:
    described(made)
    deploy(made)
    with made.server(SERVERS[0]) as client:
        client.execute_command("ACL", "SETUSER", "stranger", "on", "nopass", "+ping")
    plan = made.on("plan", "--json").json()
    assert plan["steps"] == []
    assert any("the user 'stranger'" in note for note in plan["notes"])

    def gone(file: Description) -> None:
        file["services"]["orders"]["users"]["stranger"] = {"absent": "yes"}

    edit(made, gone)
    deploy(made)
    with made.server(SERVERS[0]) as client:
        assert client.execute_command("ACL", "GETUSER", "stranger") is None


def test_it_goes_back_to_the_default_user(made: Box) -> None:
    described(made, **{"default-user": "off"})
    deploy(made)
    described(made, **{"default-user": "on"})
    deploy(made)
    assert all(lets_in(made, name, _password(made)) for name in SERVERS)
    edit(made, lambda file: file.update({"internal-users": "no"}))
    deploy(made)
    assert made.on("verify").code == 0
    with made.server(SERVERS[0]) as client:
        assert client.execute_command("ACL", "GETUSER", OURS) is not None, "nobody said that it is to go"
