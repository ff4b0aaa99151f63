"""ACL users of a deployment that runs: an edited line is never silence, and no password is anywhere to be read."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator

import pytest

from redis_fleet.agent.protocol.resp import Connection
from redis_fleet.catalogue.acl import password_hash
from tests.harness.live.editing import ask, deploy, planned, unchanged
from tests.harness.live.processes import eventually
from tests.harness.live.sandboxes import Box, box, client_of

SERVER = "orders-6379@red1"
OLD, NEW = "Old-Web-Password_1234", "New-Web-Password_4321"
WEB = f"web on >{OLD} ~web:* +@all -@dangerous"
# What becomes of the users, and whether it can log in with OLD, with NEW.
EDITS: dict[str, tuple[list[str], bool, bool]] = {
    "another password": ([WEB.replace(OLD, NEW)], False, True),
    "a hash for the password": ([WEB.replace(f">{OLD}", f"#{password_hash(NEW)}")], False, True),
    "switched off": ([WEB.replace(" on ", " off ")], False, False),
    "other rules": ([WEB + " -get"], True, False),
    "one more": ([WEB, f"jobs on >{NEW} ~jobs:* +@all"], True, False),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with box(tmp_path_factory.mktemp("users") / "box", "standalone") as one:
        yield one


def gets_in(made: Box, password: str, name: str = "web") -> bool:
    """Whether this user of the server is let in with a password."""
    endpoint = made.process(SERVER).endpoint
    with Connection(endpoint.address, endpoint.port) as connection:
        (reply,) = connection.pipeline([("AUTH", name, password)])
    return bool(reply == "OK")


def told_nothing(text: str) -> None:
    """See that no password, nor what Redis makes of one, is in a text."""
    for secret in (OLD, NEW, password_hash(OLD), password_hash(NEW)):
        assert secret not in text


def edited(made: Box, users: list[str]) -> None:
    """Deploy other users; the plan has a step that names what differs."""
    pid = made.pids()[SERVER]
    ask(made, user=users)
    plan = planned(made)
    assert {step["how"] for step in plan["steps"]} == {"LIVE"}
    told_nothing(json.dumps(plan))
    told_nothing(made.play("deploy", "--check", "--diff", "-vvv").both)
    deploy(made)
    assert made.pids()[SERVER] == pid


@pytest.mark.long
@pytest.mark.parametrize("name", EDITS)
def test_an_edited_line_is_planned_and_applied_while_the_server_runs(made: Box, name: str) -> None:
    ask(made, user=[WEB])
    deploy(made)
    assert gets_in(made, OLD)
    unchanged(made)

    users, old, new = EDITS[name]
    edited(made, users)

    assert (gets_in(made, OLD), gets_in(made, NEW)) == (old, new)


@pytest.mark.long
def test_one_that_left_the_description_is_left_alone(made: Box) -> None:
    ask(made, user=[WEB])
    deploy(made)
    ask(made, user=None)
    unchanged(made)
    assert any("the user 'web'" in note for note in made.on("plan", "--json").json()["notes"])
    assert gets_in(made, OLD)


@pytest.mark.long
def test_what_was_changed_by_hand_is_put_back(made: Box) -> None:
    ask(made, user=[WEB])
    deploy(made)
    with client_of(made.process(SERVER)) as client:
        client.execute_command("ACL", "SETUSER", "stranger", "on", "nopass", "+@all")
        client.execute_command("ACL", "SETUSER", "web", "allkeys")
        client.execute_command("ACL", "SETUSER", "default", "-debug")
        deploy(made)
        assert client.execute_command("ACL", "GETUSER", "stranger") is not None, "somebody's: left alone"
        assert "-debug" not in str(client.acl_list())
        assert "~web:* " in next(each for each in client.acl_list() if each.startswith("user web "))


@pytest.mark.long
def test_a_server_that_was_down_has_its_users_when_it_is_back(made: Box) -> None:
    ask(made, user=[WEB])
    deploy(made)
    os.kill(made.pids()[SERVER], signal.SIGTERM)
    eventually(lambda: SERVER not in made.pids(), "it is down")
    ask(made, user=[WEB.replace(OLD, NEW)])
    deploy(made)
    assert (gets_in(made, OLD), gets_in(made, NEW)) == (False, True)
    assert made.on("verify").code == 0
