"""May a server go down for a restart, and is it back in step: the judgement, from INFO in the words of every engine."""

from __future__ import annotations

import pytest

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.replication.findings import Finding, fact
from redis_fleet.agent.replication.restart_fitness import (
    SILENCE,
    attended,
    behind,
    replaceable,
    standing,
    unled,
    unlinked,
)

MASTER = "10.0.0.1:6379"
OTHERS = (Endpoint("10.0.0.2", 6379), Endpoint("10.0.0.3", 6379))
LINKED = {"role": "slave", "master_link_status": "up", "master_sync_in_progress": "0", "slave_repl_offset": "90"}


def leading(*lags: int, state: str = "online", word: str = "slave", offset: int = 90) -> dict[str, str]:
    """Return INFO replication of a master that heard of its replicas so many seconds ago."""
    rows = {
        f"{word}{n}": f"ip={each.address},port={each.port},state={state},offset=9,lag={lag}"
        for n, (each, lag) in enumerate(zip(OTHERS, lags, strict=False))
    }
    return {"role": "master", "master_repl_offset": str(offset), **rows}


def said(found: list[Finding]) -> list[str]:
    """Return what is told of findings."""
    return [fact(each) for each in found]


def test_it_must_be_what_it_is_expected_to_be_with_its_data() -> None:
    assert standing("replica", "replica", {}) == []
    assert said(standing("master", "replica", {})) == ["it is a master, not a replica"]
    assert said(standing("master", "master", {"loading": "1"})) == ["it is still loading its data"]


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (LINKED, []),
        ({name.replace("master", "primary"): value for name, value in LINKED.items()}, []),
        ({**LINKED, "master_link_status": "down"}, [f"its link to {MASTER} is down"]),
        ({**LINKED, "master_sync_in_progress": "1"}, [f"its link to {MASTER} is up"]),
    ],
)
def test_a_replica_must_be_linked_and_not_be_synchronising(own: dict[str, str], words: list[str]) -> None:
    assert said(unlinked(MASTER, own)) == words


@pytest.mark.parametrize(
    ("master", "online"),
    [
        (leading(0, 1), 2),
        (leading(0, 1, word="replica"), 2),
        (leading(0, SILENCE + 1), 1),
        (leading(SILENCE), 1),
        (leading(0, 0, state="wait_bgsave"), 0),
    ],
)
def test_replicas_count_that_are_in_step_and_heard_of(master: dict[str, str], online: int) -> None:
    assert attended(master, OTHERS, online) == replaceable(MASTER, master, OTHERS, online) == []
    more = online + 1
    assert said(attended(master, OTHERS, more)) == [f"{online} of {more} replicas are in step with it"]
    assert said(replaceable(MASTER, master, OTHERS, more)) == [
        f"{online} of {more} other replicas are in step with {MASTER}"
    ]


def test_only_the_others_count() -> None:
    assert attended(leading(0, 0), OTHERS[:1], 2) != []


def test_what_it_follows_must_be_a_master() -> None:
    assert unled(MASTER, leading()) == []
    assert (
        said(unled(MASTER, LINKED))
        == said(replaceable(MASTER, LINKED, OTHERS, 0))
        == [f"its master {MASTER} is a replica itself"]
    )


def test_it_must_have_got_as_far_as_its_master_was() -> None:
    assert behind(LINKED, leading(offset=90)) == behind(LINKED, leading(offset=80)) == []
    assert said(behind(LINKED, leading(offset=95))) == ["it is 5 bytes behind its master"]
