"""What is sent to a machine about a service, and what a machine does with it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from redis_fleet.agent.access import Access
from redis_fleet.agent.codec import Request
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.load_client.events import Journal, read_events
from redis_fleet.agent.messages.client import ClientLook, Look, Tally, Verify
from redis_fleet.agent.messages.handover import HandOver, Promote
from redis_fleet.agent.messages.holding import Hold, Release
from redis_fleet.agent.messages.kind import SERVER as KIND
from redis_fleet.agent.messages.process import ManagedProcess
from redis_fleet.agent.messages.service import Instance, ServiceAccess
from redis_fleet.agent.messages.usual_values import UsualValues
from redis_fleet.agent.secret import Secret
from redis_fleet.agent.verbs import perform

WORD, OTHER = "Sand-Castle_7", "Look-Out_9"
SERVER = Instance("orders@red1", "red1", Endpoint("127.0.0.1", 1))
SENTINEL = Instance("sentinel@red1", "red1", Endpoint("127.0.0.1", 2))
SERVICE = ServiceAccess(
    "orders", "orders", password=Secret(WORD), members=(SERVER,), sentinels=(SENTINEL,), sentinel_password=Secret(OTHER)
)
PROCESS = ManagedProcess("orders", KIND, Access(Endpoint("127.0.0.1", 1)), "/nowhere/redis.conf")


def test_passwords_travel_apart_and_are_never_shown() -> None:
    secrets: list[str] = []
    request = HandOver(SERVICE, "a", "b", {"a": UsualValues(priority="100")})
    body = json.dumps(request.to_json(secrets))

    assert secrets == [WORD, OTHER]
    assert WORD not in body + repr(request)
    assert OTHER not in body + repr(request)
    assert HandOver.from_json(json.loads(body), secrets) == request


def test_a_sentinel_is_met_with_the_password_of_sentinels() -> None:
    assert SERVICE.access(SERVER) == Access(SERVER.endpoint, Secret(WORD))
    assert SERVICE.access(SENTINEL) == Access(SENTINEL.endpoint, Secret(OTHER))


@pytest.mark.parametrize(
    "request_",
    [HandOver(SERVICE, "a", "b"), Promote(SERVICE), Hold(PROCESS), Release(PROCESS)],
    ids=lambda each: each.verb,
)
def test_what_cannot_be_tried_is_not_begun(request_: Request[Look]) -> None:
    secrets: list[str] = []
    result = perform(request_.verb, json.dumps(request_.to_json(secrets)), secrets, dry=True)
    assert (result["failed"], result["code"]) == (True, "refused")


def test_a_service_that_is_down_is_seen_as_such() -> None:
    secrets: list[str] = []
    body = json.dumps(ClientLook(SERVICE).to_json(secrets))
    result = perform("client-look", body, secrets, dry=False)
    look = Look.from_json(result["answer"])

    refused = "nothing listens there (connection refused)"
    assert [(each.id, each.problem) for each in look.view.members] == [("orders@red1", refused)]
    assert [(each.id, each.problem) for each in look.view.sentinels] == [("sentinel@red1", refused)]
    body = json.dumps(Verify(replace(SERVICE, monitor=None, sentinels=())).to_json(secrets))
    checks = perform("verify", body, secrets, dry=False)["answer"]["checks"]
    assert [(each["check"], each["ok"]) for each in checks] == [("answers", False), ("one master", False)]


@pytest.mark.parametrize(
    ("content", "words"),
    [("[", "JSONDecodeError: Expecting value: line 1 column 2 (char 1)"), (None, "Is a directory")],
)
def test_notes_that_cannot_be_read_are_told_in_the_words_of_an_operator(
    tmp_path: Path, content: str | None, words: str
) -> None:
    path = tmp_path / "masters.json"
    if content is None:
        path.mkdir()
    else:
        path.write_text(content)
    result = perform("manual-masters", json.dumps({"path": str(path)}), [], dry=False)
    assert (result["failed"], result["msg"]) == (True, words)


def test_events_are_read_as_they_were_noted(tmp_path: Path) -> None:
    journal, tally = Journal(str(tmp_path / "events")), Tally(900, None, 3, 40, "gone")
    journal.note("master", master="orders@red1", named_by="itself")
    journal.note("tally", tally=tally)
    journal.close()

    events, offset = read_events(tmp_path / "events")
    assert [(each.event, each.master, each.tally) for each in events] == [
        ("master", "orders@red1", None),
        ("tally", "", tally),
    ]
    assert read_events(tmp_path / "events", offset) == ([], offset)
