"""Encrypt secrets with Ansible's own vault code, as ``ansible-vault encrypt_string`` does."""

from __future__ import annotations

from pathlib import Path

from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, get_file_vault_secret

from redis_fleet.adoption.secrets import Encrypt
from redis_fleet.problems import UnreadableError


def encryption(password_file: Path) -> Encrypt:
    """Return what encrypts with the password of a file (or of a script there); raises UnreadableError."""
    try:
        secret = get_file_vault_secret(filename=str(password_file), loader=DataLoader())
        secret.load()
    except AnsibleError as error:
        raise UnreadableError(f"the vault password file cannot be read: {error}", "check its path and mode") from None
    vault = VaultLib([("default", secret)])
    return lambda text: str(vault.encrypt(text.encode(), secret=secret).decode()).strip()
