"""What the rounds of a power cut come to."""

from __future__ import annotations

from redis_fleet.drills.writers import Loss
from tests.powercut.judge import Round, lines, problems


def test_the_table_has_the_range_of_each_policy_and_always_may_lose_nothing() -> None:
    rounds = [
        Round("always", Loss(91, 91, 0.0), 5.0, 0),
        Round("everysec", Loss(65, 62, 0.4), 4.0, 0),
        Round("everysec", Loss(80, 70, 1.26), 4.0, 0),
        Round("no", Loss(90, 10, 4.0), 5.0, 812),
    ]
    _, always, everysec, no = (line.split("  ") for line in lines(rounds))
    assert [word.strip() for word in always if word] == ["always", "1", "91", "0", "0 s", "0 of 1"]
    assert [word.strip() for word in everysec if word] == [
        "everysec",
        "2",
        "65 to 80",
        "3 to 10",
        "0.4 to 1.3 s",
        "0 of 2",
    ]
    assert [word.strip() for word in no if word][-1] == "1 of 1"
    assert problems(rounds) == []
    worse = Round("always", Loss(91, 90, 0.1), 5.0, 0)
    assert problems([*rounds, worse]) == ["appendfsync always lost 1 of 91 acknowledged writes"]
