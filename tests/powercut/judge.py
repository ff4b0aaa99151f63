"""What the rounds of a power cut come to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from redis_fleet.drills.writers import Loss

POLICIES = ("always", "everysec", "no")


@dataclass(frozen=True)
class Round:
    """One cut: what was lost, for how long it had been written, and how many bytes had to be cut off to start again.

    ``seconds`` is from the first to the last acknowledgement; ``cut`` is 0 where the server started by itself.
    """

    policy: str
    loss: Loss
    seconds: float
    cut: int


def lines(rounds: Iterable[Round]) -> list[str]:
    """Return a table, one line for each policy, with the range over its rounds."""
    done = list(rounds)
    rows = ["appendfsync  rounds  acknowledged  lost          the oldest lost one  needed repair"]
    for policy in POLICIES:
        mine = [each for each in done if each.policy == policy]
        if mine:
            lost = _range([each.loss.lost for each in mine])
            oldest = _range([round(each.loss.oldest, 1) for each in mine], " s")
            repaired = f"{sum(each.cut > 0 for each in mine)} of {len(mine)}"
            written = _range([each.loss.acknowledged for each in mine])
            rows.append(f"{policy:11}  {len(mine):6}  {written:12}  {lost:12}  {oldest:19}  {repaired}")
    return rows


def _range(values: list[int] | list[float], unit: str = "") -> str:
    low, high = min(values), max(values)
    return f"{low:g}{unit}" if low == high else f"{low:g} to {high:g}{unit}"


def problems(rounds: Iterable[Round]) -> list[str]:
    """Return what no disk that keeps what it was given may lose: anything under ``always``."""
    return [
        f"appendfsync always lost {each.loss.lost} of {each.loss.acknowledged} acknowledged writes"
        for each in rounds
        if each.policy == "always" and each.loss.lost
    ]
