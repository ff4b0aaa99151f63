"""Certificates of a deployment that runs: renewed in time, healed when they expired, and their authority replaced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from redis_fleet.agent.inspect.certificates import look
from redis_fleet.certificates import store
from redis_fleet.certificates.authority import LEAF_LIFE, issue
from redis_fleet.certificates.leaf import read
from redis_fleet.observe.request import managed
from tests.harness.live.editing import deploy, planned, told, writing
from tests.harness.live.processes import eventually
from tests.harness.live.sandboxes import COMMAND, Box, box, client_of

SERVER, SENTINEL = "orders-6379@red2", "sentinel-26379@red3"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with box(
        tmp_path_factory.mktemp("certificates") / "box", "sentinel", {"services:": "tls: require\nservices:"}
    ) as one:
        eventually(lambda: one.settled("orders"), "it is settled", 60)
        yield one


def served(made: Box, name: str) -> str:
    """Return the serial of the certificate that a process shows."""
    process = managed(made.process(name))
    assert process.certificates
    return read(look(process.certificates, process.access.endpoint).served).serial


def aged(made: Box, name: str, age: timedelta) -> None:
    """Put a certificate of that age where a process has its own; it goes on serving the one that it has read."""
    process = made.process(name)
    own = process.tls
    assert own
    known = store.read(own.authority)
    assert known
    pair = issue(known.signing, name, own.names, now=datetime.now(UTC) - age)
    Path(own.key).write_text(pair.key.reveal(), encoding="ascii")
    Path(own.certificate).write_text(pair.certificate, encoding="ascii")


def test_what_is_near_its_end_is_made_anew(made: Box) -> None:
    before = {each.id: served(made, each.id) for each in made.fleet.processes}
    for name in (SERVER, SENTINEL):
        aged(made, name, LEAF_LIFE * 0.7)
    plan = planned(made)
    assert told(plan) == [("LIVE", SERVER), ("RESTART", SENTINEL)]
    assert all("less than a third of its life is left" in each["reason"] for each in plan["steps"])
    assert "PRIVATE KEY" not in json.dumps(plan)
    with writing(made) as written:
        deploy(made, "--yes")
    written.refused_nothing()
    changed = {name for name, serial in before.items() if served(made, name) != serial}
    assert changed == {SERVER, SENTINEL}
    assert made.on("verify").code == 0


def test_one_that_expired_is_healed(made: Box) -> None:
    """A server serves it without a word, and whoever connects from then on is turned away."""
    pid = made.pids()[SERVER]
    with client_of(made.process(SERVER)) as staying:
        staying.ping()
        aged(made, SERVER, LEAF_LIFE + timedelta(days=1))
        own = made.process(SERVER).tls
        assert own
        staying.config_set("tls-cert-file", own.certificate)
        verified = made.on("verify")
        assert verified.code == 1
        assert "certificate has expired" in verified.both, verified.both
        deploy(made)
        assert staying.ping()
    assert made.pids()[SERVER] == pid
    eventually(lambda: made.on("verify").code == 0, "all is well again", 60)


def test_one_that_was_put_by_hand_and_not_read_is_told_apart(made: Box) -> None:
    aged(made, SERVER, timedelta(days=1))
    (step,) = planned(made)["steps"]
    assert "still serves" in step["reason"]
    deploy(made)


def rotate(made: Box) -> str:
    done = made.run(COMMAND, "ca", "rotate", "--sandbox", "--yes", "--json", made.file)
    assert done.code == 0, done.both
    return str(done.json()["phase"])


@pytest.mark.long
def test_another_authority_takes_its_place(made: Box) -> None:
    shown = made.run(COMMAND, "ca", "show", "--sandbox", "--json", made.file).json()
    first = shown["authorities"][0]["serial"]
    assert rotate(made) == "believed"
    deploy(made, "--yes")
    with writing(made) as written:
        assert rotate(made) == "signing"
        deploy(made, "--yes")
    written.refused_nothing()
    assert rotate(made) == "alone"
    deploy(made, "--yes")
    assert made.on("verify").code == 0
    shown = made.run(COMMAND, "ca", "show", "--sandbox", "--json", made.file).json()
    assert [each["serial"] for each in shown["authorities"]] != [first]
    assert len(shown["authorities"]) == 1
    done = made.on("drill", "failover", "--yes")
    assert done.code == 0, done.both


@pytest.mark.long
def test_a_step_that_is_left_out_is_refused_before_anybody_is_cut_off(made: Box) -> None:
    rotate(made)
    rotate(made)
    assert "would not believe the new one" in " ".join(planned(made)["refusals"])
    refused = made.on("deploy", "--yes")
    assert refused.code == 1
    assert made.settled("orders")
