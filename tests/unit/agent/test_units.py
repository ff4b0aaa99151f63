"""What systemd says of a unit that did not come up, in words."""

from __future__ import annotations

import pytest

from redis_fleet.agent.host.systemd import in_words


@pytest.mark.parametrize(
    ("result", "status", "words"),
    [
        ("exit-code", "217", "failed (exit-code): systemd could not set it up, 217/USER"),
        ("exit-code", "226", "failed (exit-code): systemd could not set it up, 226/NAMESPACE"),
        ("exit-code", "1", "failed (exit-code)"),
        ("signal", "226", "failed (signal)"),
    ],
)
def test_a_step_of_systemds_own_is_named(result: str, status: str, words: str) -> None:
    assert in_words({"ActiveState": "failed", "Result": result, "ExecMainStatus": status}) == words
