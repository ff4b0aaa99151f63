"""What holds for all tests in one process."""

from __future__ import annotations

import pytest

from redis_fleet.description.ansible_texts import VAULT_PASSWORD_FILE


@pytest.fixture(autouse=True)
def _no_vault_password_is_left_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that is called in this process hands its vault password on in the environment."""
    monkeypatch.setenv(VAULT_PASSWORD_FILE, "")
