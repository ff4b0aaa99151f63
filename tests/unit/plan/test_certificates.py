"""When a certificate is made anew, when that must wait, and what is not brought to TLS at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.certificates import CertificateFacts
from redis_fleet.certificates.authority import LEAF_LIFE, Pair, found, issue
from redis_fleet.model import Fleet, Given, Paths, Process, ProcessTls
from redis_fleet.observe.facts import ProcessFacts
from redis_fleet.plan.certificates import due, refusal
from redis_fleet.plan.starting import unfit_to_touch

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
AUTHORITY, NEXT = found("shop", now=NOW), found("shop", now=NOW)
NAMES = ("10.0.0.11", "127.0.0.1")
PAIR = issue(AUTHORITY, "orders-6379@red1", NAMES, now=NOW)
OWN = ProcessTls("/c", "/k", "/a", NAMES, authority="/shop.authority", believed=AUTHORITY.certificate)
PROCESS = Process(
    *("orders-6379", "server", "red1", "orders", Endpoint("10.0.0.11", 6379), (), Paths("/f", "", "", "")), tls=OWN
)
FINE = CertificateFacts(PAIR.certificate, AUTHORITY.certificate, True, PAIR.certificate)


def why(found_: CertificateFacts, own: ProcessTls = OWN, now: datetime = NOW) -> str:
    return due(replace(PROCESS, tls=own), ProcessFacts(answers=True, tls=found_), now)


def refused(found_: CertificateFacts, own: ProcessTls, now: datetime = NOW) -> bool:
    return refusal(replace(PROCESS, tls=own), ProcessFacts(answers=True, tls=found_), now) is not None


def test_what_is_fine_is_left_alone() -> None:
    assert why(FINE) == ""
    assert due(replace(PROCESS, tls=None), ProcessFacts(answers=True), NOW) == ""


@pytest.mark.parametrize(
    ("facts", "own", "now", "reason"),
    [
        (CertificateFacts(), OWN, NOW, "there is none"),
        (replace(FINE, fits=False), OWN, NOW, "cannot be used"),
        (replace(FINE, certificate="-"), OWN, NOW, "cannot be read"),
        (FINE, OWN, NOW + LEAF_LIFE * 0.7, "less than a third"),
        (FINE, OWN, NOW + LEAF_LIFE * 1.1, "expired on 2027-11-28"),
        (FINE, replace(OWN, names=(*NAMES, "red1.example.com")), NOW, "is not good for red1.example.com"),
        (FINE, replace(OWN, believed=NEXT.certificate + AUTHORITY.certificate), NOW, "is not signed by"),
        (FINE, replace(OWN, believed=AUTHORITY.certificate + NEXT.certificate), NOW, "believes other authorities"),
        (replace(FINE, served=issue(AUTHORITY, "x", NAMES, now=NOW).certificate), OWN, NOW, "it still serves"),
    ],
)
def test_why_one_is_made_anew(facts: CertificateFacts, own: ProcessTls, now: datetime, reason: str) -> None:
    assert reason in why(facts, own, now)


def test_one_that_is_described() -> None:
    given = replace(OWN, given=Given(PAIR.certificate, PAIR.key, AUTHORITY.certificate))
    assert why(FINE, given) == ""
    other = issue(AUTHORITY, "orders-6379@red1", NAMES, now=NOW)
    changed = replace(OWN, given=Given(other.certificate, other.key, AUTHORITY.certificate))
    assert why(FINE, changed) == "another one is described"
    assert not refused(FINE, changed)


def rotating(signer: Pair, *others: Pair) -> ProcessTls:
    return replace(OWN, believed="".join(each.certificate for each in (signer, *others)))


def test_an_authority_is_replaced_step_by_step_and_no_step_left_out() -> None:
    both = replace(FINE, authorities=AUTHORITY.certificate + NEXT.certificate)
    signed = issue(NEXT, "orders-6379@red1", NAMES, now=NOW).certificate
    assert not refused(FINE, rotating(AUTHORITY, NEXT))
    assert refused(FINE, rotating(NEXT, AUTHORITY)), "nobody believes the next one yet"
    assert not refused(both, rotating(NEXT, AUTHORITY))
    assert refused(both, rotating(NEXT)), "the others have the certificate of before"
    assert not refused(replace(both, certificate=signed), rotating(NEXT))
    assert refused(FINE, replace(OWN, believed="")), "the folder is gone"


def test_one_that_expired_is_replaced_whatever_it_was() -> None:
    assert not refused(FINE, OWN, NOW + LEAF_LIFE + timedelta(days=1))


@pytest.mark.parametrize(
    ("lines", "tls", "word"),
    [
        ((("port", "6379"),), OWN, "speaks no TLS"),
        ((("port", "0"), ("tls-port", "6379")), None, "speaks TLS"),
        ((("port", "0"), ("tls-port", "6379")), OWN, ""),
        ((("port", "6379"), ("tls-port", "6380")), None, ""),
        ((("port", "0"),), None, ""),
    ],
)
def test_nothing_is_moved_to_tls_or_back(lines: tuple[tuple[str, ...], ...], tls: ProcessTls | None, word: str) -> None:
    fleet = Fleet("shop", "redis", "shop.redis.yml", {}, ())
    found_ = unfit_to_touch(fleet, replace(PROCESS, tls=tls), ProcessFacts(lines=lines, pid=0))
    assert (found_ is not None and found_.code == "tls-differs") == bool(word)
    assert found_ is None or word in str(found_)
