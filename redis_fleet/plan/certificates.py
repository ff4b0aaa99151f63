"""Certificates that are missing, wrong, or near their end: what the files have, and what is served. Pure."""

from __future__ import annotations

from datetime import datetime

from redis_fleet.agent.messages.certificates import CertificateFacts
from redis_fleet.agent.messages.orders import PutCertificate
from redis_fleet.certificates import leaf
from redis_fleet.model import Process, ProcessTls
from redis_fleet.observe.facts import ProcessFacts
from redis_fleet.plan.refusal import Refusal
from redis_fleet.plan.steps import ChangeLive, WriteCertificate

_WHAT = "write the certificate of {name}"


def due(process: Process, facts: ProcessFacts, now: datetime) -> str:
    """Return why a process that ran before needs its certificate written; empty where it does not.

    What is served counts while it runs: a server reads its files again when it is told to, a Sentinel at its start.
    """
    own, found = process.tls, facts.tls
    if own is None or found is None:
        return ""
    wrong = _given(own, found) if own.given else _own(own, found, now)
    if wrong:
        return wrong
    if found.authorities != own.believed:
        return "it believes other authorities"
    if facts.answers and found.served and leaf.read(found.served).serial != leaf.read(found.certificate or "").serial:
        return "it still serves the one that it read at its start"
    return ""


def _given(own: ProcessTls, found: CertificateFacts) -> str:
    assert own.given
    if found.certificate is None:
        return "there is none"
    same = found.certificate == own.given.certificate and found.fits
    return "" if same else "another one is described"


def _own(own: ProcessTls, found: CertificateFacts, now: datetime) -> str:
    if found.certificate is None:
        return "there is none"
    if not found.fits:
        return "the one that is there, and its key, cannot be used"
    try:
        return _aged(own, leaf.read(found.certificate), now) or _unsigned(own, found.certificate, now)
    except leaf.UnreadableError:
        return "the one that is there cannot be read"


def _aged(own: ProcessTls, known: leaf.Leaf, now: datetime) -> str:
    if now > known.ends:
        return f"the one that is there expired on {_day(known.ends)}"
    if missing := [each for each in own.names if not known.covers(each)]:
        return f"the one that is there is not good for {', '.join(missing)}"
    return f"less than a third of its life is left: it ends on {_day(known.ends)}" if known.due(now) else ""


def _unsigned(own: ProcessTls, certificate: str, now: datetime) -> str:
    if own.believed and leaf.signed(certificate, _signer(own), now):
        return ""
    return "the one that is there is not signed by this deployment's authority"


def refusal(process: Process, facts: ProcessFacts, now: datetime) -> Refusal | None:
    """Return why a running process must not get its certificate yet: others would not believe it, or it not them.

    Whoever is given the new one before all believe its authority is cut off.
    """
    own, found = process.tls, facts.tls
    if own is None or found is None or not facts.answers or not found.certificate or found.authorities is None:
        return None
    if not own.believed:
        return Refusal("another-authority", process.id, "has a certificate, and its authority is gone", _BY_CA)
    try:
        others_stay = leaf.signed(found.certificate, own.believed, now)
        signs = own.given.certificate if own.given else own.believed
        it_stays = leaf.signed(signs, found.authorities, now) if own.given else _signer(own) in found.authorities
    except leaf.UnreadableError:
        return None
    if leaf.read(found.certificate).ends < now or (others_stay and it_stays):
        return None
    what = "has a certificate of another authority, and the others would not believe the new one, or it not them"
    return Refusal("another-authority", process.id, what, _BY_CA if not own.given else _BY_TEXTS)


_BY_CA = "put the authority's folder back, and change it by 'redis-fleet ca rotate'"
_BY_TEXTS = "describe both as 'authorities' first and deploy, then the new certificates, then the new authority alone"


def _signer(own: ProcessTls) -> str:
    """The first of those who are believed signs."""
    return leaf.split(own.believed)[0]


def renewal(process: Process, facts: ProcessFacts, reason: str) -> ChangeLive:
    """Return the step for a server that runs: it is given new files and reads them again."""
    master = facts.role_name == "master"
    return ChangeLive(
        process.machine,
        process.name,
        _WHAT.format(name=process.name) + " and let it read that",
        reason,
        stage="live_masters" if master else "live_replicas",
        orders=(PutCertificate(),),
        expect=facts.role_name,
    )


def writing(process: Process, reason: str) -> WriteCertificate:
    """Return the step for a process that is down."""
    return WriteCertificate(process.machine, process.name, _WHAT.format(name=process.name), reason)


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d")
