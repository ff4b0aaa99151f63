"""Texts that only Ansible can expand: lookups and vaults. Imported when a description uses one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecretsContext, get_file_vault_secret
from ansible.plugins.loader import init_plugin_loader, lookup_loader
from ansible.template import Templar
from ansible.utils.collection_loader import AnsibleCollectionConfig

from redis_fleet.problems import UnreadableError

VAULT_PASSWORD_FILE = "ANSIBLE_VAULT_PASSWORD_FILE"  # noqa: S105 the name of a variable, not a password
NO_VAULT_PASSWORD = (
    "is encrypted and there is no vault password",
    f"give --vault-password-file FILE or set {VAULT_PASSWORD_FILE}",
)
WRONG_VAULT_PASSWORD = ("cannot be decrypted with the vault password given", "give the right one")


def lookup(name: str, terms: Sequence[str], options: Mapping[str, Any]) -> str:
    """Return what Ansible's lookup finds, several values joined by commas; raises UnreadableError."""
    plugins()
    loader = DataLoader()
    plugin = lookup_loader.get(name, loader=loader, templar=Templar(loader))
    if plugin is None:
        raise UnreadableError(f"there is no lookup '{name}'", "see 'ansible-doc -t lookup -l'")
    try:
        return ",".join(str(item) for item in plugin.run(list(terms), variables={}, **options))
    except AnsibleError as error:
        raise UnreadableError(f"lookup('{name}') failed: {error}", "make it readable on this machine") from None


@cache
def plugins() -> None:
    """Let Ansible find its plugins."""
    # Inside a play Ansible has done it, and warns about a second time.
    if AnsibleCollectionConfig.collection_finder is None:
        init_plugin_loader()


def decrypt(text: str) -> str:
    """Return the clear text of a ``!vault`` scalar; raises UnreadableError."""
    secrets = vault_secrets()
    if not secrets:
        raise UnreadableError(*NO_VAULT_PASSWORD)
    try:
        return str(VaultLib(secrets).decrypt(text.encode()).decode())
    except AnsibleError:
        raise UnreadableError(*WRONG_VAULT_PASSWORD) from None


_own: list[VaultSecretsContext] = []


def vault_secrets() -> list[Any]:
    """Return the vault secrets of the Ansible run we are in, else those that the environment names.

    From then on Ansible opens what is encrypted in a file of variables by them. Raises UnreadableError.
    """
    current = VaultSecretsContext.current(optional=True)
    if current is not None and current not in _own:
        return list(current.secrets) or _secrets_of_environment()
    found = _secrets_of_environment()
    if _own:
        _own[0].secrets = found
    else:
        _own.append(VaultSecretsContext(found))
        VaultSecretsContext.initialize(_own[0])
    return found


def _secrets_of_environment() -> list[Any]:
    path = os.environ.get(VAULT_PASSWORD_FILE)
    if not path:
        return []
    try:
        secret = get_file_vault_secret(filename=path, loader=DataLoader())
        secret.load()
    except AnsibleError as error:
        raise UnreadableError(f"the vault password file cannot be read: {error}", "check its path and mode") from None
    return [("default", secret)]
