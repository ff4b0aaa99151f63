"""Values from elsewhere on a server that runs: a password out of a vault beside the file, a share of the memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from redis_fleet.agent.host import memory
from tests.harness.live.sandboxes import Box, box, config

# A minute of one core, so `make test-all` alone runs it.
pytestmark = pytest.mark.long

SERVER = "orders-6379@red1"
KEY, PASSWORD = token_hex(12), token_hex(12)
LOOKUP = "{{ lookup('password', inventory_dir ~ '/.secrets/orders chars=ascii_letters,digits length=32') }}"
CHANGES = {"maxmemory: 1gb": 'maxmemory: "{{ share }}"', LOOKUP: "{{ orders_password }}"}
MEGABYTE = 1 << 20


@pytest.fixture(name="made")
def _made(tmp_path: Path) -> Iterator[Box]:
    with box(tmp_path / "box", "standalone", CHANGES, up=False) as made:
        beside = {
            "group_vars/all/vars.yml": "orders_password: '{{ vault_orders_password }}'\nshare: 40%\n",
            "group_vars/all/vault.yml": _vaulted(f"vault_orders_password: {PASSWORD}\n"),
            # As for machines that are elsewhere: no sandbox may go there.
            "host_vars/red1.yml": "ansible_connection: ssh\nansible_host: 203.0.113.7\nansible_become: true\n",
            "vault-key": KEY,
        }
        for name, text in beside.items():
            path = made.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        made.environment["ANSIBLE_VAULT_PASSWORD_FILE"] = str(made.folder / "vault-key")
        made.up()
        yield made


def _vaulted(text: str) -> str:
    return str(VaultLib([("default", VaultSecret(KEY.encode()))]).encrypt(text).decode())


def limit(made: Box) -> int:
    """Return maxmemory of the server in bytes, which it tells whoever has the password out of the vault."""
    process = made.process(SERVER)
    assert process.password is not None
    assert process.password.reveal() == PASSWORD
    return int(config(process)["maxmemory"])


def share(percent: int, whole: int) -> int:
    """Return what a share comes to, in whole megabytes."""
    return whole * percent // 100 // MEGABYTE * MEGABYTE


def test_values_from_elsewhere_are_deployed_once_and_changed_while_it_runs(made: Box) -> None:
    whole, pids, said = memory.usable(), made.pids(), []
    assert whole
    assert limit(made) == share(40, whole)

    said.append(made.on("plan"))
    assert "nothing to do" in said[-1].both
    said.append(made.on("verify"))
    assert said[-1].code == 0, said[-1].both

    (made.folder / "host_vars" / "red1.yml").unlink()
    said.append(made.play("deploy"))
    assert said[-1].code == 0, said[-1].both
    assert "changed=0" in said[-1].out

    text = made.file.read_text(encoding="utf-8")
    made.file.write_text(text.replace("{address: 10.0.0.11}", "{address: 10.0.0.11, memory: 2gb}"), encoding="utf-8")
    said.append(made.on("plan"))
    assert "→ '40% of 2gb = 819mb'" in " ".join(said[-1].both.split())
    said.append(made.on("deploy", "--yes"))
    assert said[-1].code == 0, said[-1].both
    assert limit(made) == share(40, 2 << 30)
    said.append(made.on("plan"))
    assert "nothing to do" in said[-1].both

    assert made.pids() == pids
    assert not [done for done in said if PASSWORD in done.both]
