"""Rules about what the hardened unit of a process lets it do."""

from __future__ import annotations

from collections.abc import Iterator

from redis_fleet.render.unit_needs import JUDGED, kept_from
from redis_fleet.rules.rule import NEVER_STARTS, Finding, rule
from redis_fleet.rules.subject import Subject


@rule(
    "E28",
    "what its own unit keeps a process from",
    reason="the unit lets a process see, write, execute and ask of the kernel what its directives need and no more; "
    "some of what can be described is not let through",
    source="systemd.exec(5): ProtectHome, PrivateTmp, ProtectSystem, CapabilityBoundingSet",
    remedy="use folders of the process's own, or let redis-fleet leave the unit alone ('adopted:')",
    directives=JUDGED,
    firm=NEVER_STARTS,
)
def kept_away(subject: Subject) -> Iterator[Finding]:
    """Of servers and Sentinels; in a sandbox and where somebody else wrote the unit nothing keeps them."""
    for each in (*subject.given(*JUDGED), *subject.given_to_sentinels(*JUDGED)):
        if each.process.paths.unit and not each.process.adopted and not each.setting.secret:
            for what, remedy in kept_from(each.process, each.setting):
                yield Finding(subject.path(each), what, remedy)
