"""group_vars and host_vars beside a description: what Ansible sees is what a text gets, and secrets stay secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet
from redis_fleet.problems import InvalidDescriptionError
from redis_fleet.project import CONFIGURATION, ROOT
from redis_fleet.render.files import configuration

KEY = "key-of-the-vault"
HIDDEN = "hidden-word-of-the-vault"
VAULT = VaultLib([("default", VaultSecret(KEY.encode()))])
MACHINES = "  red1: {address: 10.0.0.11}\n  red2: {address: 10.0.0.12, vars: {own: 3gb, made: 'x-{{ base }}'}}\n"
HEAD = "plugin: redis_fleet\nname: shop\nmachines:\n" + MACHINES + "services:\n  orders:\n"
MEMBERS = "    master: red1\n    replicas: [red2]\n"


class Folder:
    """A description in a folder of its own, and the files beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.file = root / "shop.redis.yml"

    def beside(self, name: str, text: str, *, vaulted: bool = False) -> Folder:
        """Write a file beside the description."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(VAULT.encrypt(text).decode() if vaulted else text, encoding="utf-8")
        return self

    def describe(self, config: str = "maxmemory: 1gb", password: str = "a-long-password-in-words") -> Folder:
        """Write the description."""
        text = f"{HEAD}{MEMBERS}    password: {json.dumps(password)}\n    config:\n      {config}\n"
        self.file.write_text(text, encoding="utf-8")
        return self

    @property
    def fleet(self) -> Fleet:
        """The description placed."""
        return load_fleet(str(self.file))

    def said(self) -> list[str]:
        """Return everything that is wrong with it, without the folder."""
        with pytest.raises(InvalidDescriptionError) as raised:
            load_fleet(str(self.file))
        return [str(each).replace(f"{self.root}/", "") for each in raised.value.problems]

    def values(self, name: str) -> dict[str, str]:
        """Return what a directive became on each machine."""
        processes = self.fleet.services[0].processes
        return {each.machine: " ".join(each.setting(name).lines[0]) for each in processes}  # type: ignore[union-attr]


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    key = tmp_path / "vault-key"
    key.write_text(KEY, encoding="utf-8")
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(key))
    (tmp_path / "shop").mkdir()
    return Folder(tmp_path / "shop")


def as_ansible_sees(folder: Folder, *names: str) -> dict[str, dict[str, Any]]:
    """Return what Ansible itself makes of variables, by machine and name."""
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(CONFIGURATION),
        "ANSIBLE_STDOUT_CALLBACK": "oneline",
        "ANSIBLE_INVENTORY_ENABLED": "redis_fleet",
        "PYTHONPATH": str(ROOT),
    }
    seen = json.dumps({"seen": {name: f"{{{{ {name} | default('-') }}}}" for name in names}})
    command = [sys.executable, "-m", "ansible", "adhoc", "all", "-i", str(folder.file), "-o"]
    command += ["-m", "ansible.builtin.debug", "-a", "var=seen", "-e", seen]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.partition(" | SUCCESS => ") for line in done.stdout.splitlines() if " | SUCCESS => " in line]
    return {machine: json.loads(text)["seen"] for machine, _, text in lines}


def test_each_machine_gets_what_ansible_gives_it(folder: Folder) -> None:
    folder.describe()
    folder.beside("group_vars/all.yml", "a: all\nb: all\nc: all\nbase: 4\nlist_: [1, 2]\n")
    folder.beside("group_vars/redis_fleet/10-first.yml", "b: first\nd: first\nmade: group\nown: 1gb\n")
    folder.beside("group_vars/redis_fleet/20-second.json", '{"d": "second", "e": "{{ a }}-{{ inventory_hostname }}"}')
    folder.beside("group_vars/redis_fleet/.hidden.yml", "d: hidden\n")
    folder.beside("group_vars/redis_fleet/deeper/extensionless", "f: deeper\n")
    folder.beside("group_vars/redis_fleet.yml", "b: the folder is taken\n")
    folder.beside("group_vars/another.yml", "g: nobody\n")
    folder.beside("host_vars/red1", "c: host\nh: '{{ base * 2 }}gb-of-{{ groups.redis_fleet | length }}'\n")
    folder.beside("host_vars/red2.yaml", "h: '{{ list_ | sum }}'\n")
    folder.beside("host_vars/red3.yml", "c: no machine\n")
    names = ("a", "b", "c", "d", "e", "f", "g", "h", "own", "made", "inventory_hostname", "ansible_host", "group_names")

    seen = as_ansible_sees(folder, *names)

    for name in names[:-1]:
        ours = folder.describe(f"logfile: \"/x/{{{{ {name} | default('-') }}}}\"").values("logfile")
        assert ours == {machine: f"/x/{found[name]}" for machine, found in seen.items()}, name
    assert seen["red1"]["b"] == "first"
    assert seen["red1"]["g"] == "-"
    assert seen["red2"]["made"] == "x-4"
    assert seen["red1"]["h"] == "8gb-of-2"


def test_what_the_file_itself_says_of_a_machine_comes_first(folder: Folder) -> None:
    folder.describe('maxmemory: "{{ own }}"')
    folder.beside("group_vars/all.yml", "own: 1gb\n").beside("host_vars/red2.yml", "own: 2gb\n")

    assert folder.values("maxmemory") == {"red1": "1gb", "red2": "3gb"}
    assert [str(each).partition("machines.")[2] for each in folder.fleet.warnings if each.rule == "W44"] == [
        f"red2.vars.own: is not what {folder.root}/host_vars/red2.yml:1 says, which is what Ansible itself takes; "
        "keep one of them, or give one another name [warning W44]"
    ]


def test_a_password_out_of_a_vault_is_the_services(folder: Folder) -> None:
    folder.describe(password="{{ orders_password }}")
    folder.beside("group_vars/all/vars.yml", "orders_password: '{{ vault_orders_password }}'\n")
    folder.beside("group_vars/all/vault.yml", f"vault_orders_password: {HIDDEN}\n", vaulted=True)

    service = folder.fleet.services[0]

    assert service.password is not None
    assert service.password.reveal() == HIDDEN
    assert HIDDEN not in repr(folder.fleet)
    assert HIDDEN not in configuration(folder.fleet, service.processes[0], masked=True)


def test_a_value_that_is_encrypted_alone_is_opened(folder: Folder) -> None:
    text = VAULT.encrypt(HIDDEN).decode().replace("\n", "\n  ").rstrip()
    folder.describe(password="{{ word }}").beside("group_vars/all.yml", f"word: !vault |\n  {text}\n")

    assert folder.fleet.services[0].password.reveal() == HIDDEN  # type: ignore[union-attr]


@pytest.mark.parametrize("roundabout", ["{{ hidden }}", "{{ lookup('vars', 'hid' ~ 'den') }}"])
def test_what_a_vault_holds_goes_nowhere_else(folder: Folder, roundabout: str) -> None:
    folder.beside("group_vars/all/plain.yml", f'shown: "{roundabout}"\n')
    folder.beside("group_vars/all/vault.yml", f"hidden: {HIDDEN}\n", vaulted=True)

    found = folder.describe('syslog-ident: "{{ shown }}"').said()

    assert [each.rpartition(" ")[2] for each in found] == ["[E52]"]
    assert (
        "services.orders.config.syslog-ident: comes out of a vault ('shown' in group_vars/all/plain.yml:1)" in found[0]
    )
    assert HIDDEN not in "".join(folder.describe('maxmemory: "{{ shown }}"').said())
    assert HIDDEN not in "".join(folder.describe('save: "900 {{ shown }}"').said())


def test_a_value_that_cannot_be_is_told_where_it_stands(folder: Folder) -> None:
    folder.beside("group_vars/all.yml", "# sizes\nfactor: 2\n\nroom: plenty\n").beside(
        "host_vars/red2.yml", "small: x\n"
    )

    assert folder.describe('maxmemory: "{{ room }}"').said() == [
        "group_vars/all.yml:4: services.orders.config.maxmemory: 'plenty' is not a memory size such as 64mb, "
        "by the value of 'room'; correct the value"
    ]
    found = folder.describe('maxmemory: "{{ room }}{{ factor }}"').said()
    assert found[0].startswith("shop.redis.yml:12: services.orders.config.maxmemory: 'plenty2' is not a memory size")
    assert "by the value of 'factor' in group_vars/all.yml:2 and 'room' in group_vars/all.yml:4" in found[0].replace(
        f"{folder.root}/", ""
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "x: '{{ nowhere }}gb'",
            "group_vars/all.yml:1: {} 'x' cannot be worked out on red1: 'nowhere' is undefined",
        ),
        ("x: '{{ 1 / 0 }}gb'", "group_vars/all.yml:1: {} 'x' cannot be worked out on red1 (ZeroDivisionError); try it"),
        ("x: '{{ 1 + }}gb'", "group_vars/all.yml:1: {} 'x' is not a template that can be read; check its braces"),
        ("y: 1\nx: 0770", "group_vars/all.yml:2: {} 'x' is 0770, which YAML reads as 504; put it in quotes, or write"),
        ("x: 7.10", "group_vars/all.yml:1: {} 'x' is 7.10, which YAML reads as 7.1; put it in quotes, or write"),
        ("x: 1:30", "group_vars/all.yml:1: {} 'x' is 1:30, which YAML reads as 90; put it in quotes, or write"),
        ("x: [1gb, 2gb]", "shop.redis.yml:12: {} gives several values where one value belongs; name one of them"),
        ("x:", "shop.redis.yml:12: {} gives nothing where one value belongs; name one of them"),
        (
            "x: '{{ ansible_facts.memtotal_mb }}'",
            "group_vars/all.yml:1: {} 'ansible_facts' is a fact",
        ),
        ("x: '{{ ansible_memtotal_mb }}mb'", "group_vars/all.yml:1: {} 'ansible_memtotal_mb' is a fact of the machine"),
        ("x: [", "group_vars/all.yml:1: {} is not YAML: "),
        ("- x", "group_vars/all.yml:1: {} is not a mapping; write"),
    ],
)
def test_what_cannot_be_worked_out_says_where_and_why(folder: Folder, text: str, words: str) -> None:
    found = folder.beside("group_vars/all.yml", text).describe('maxmemory: "{{ x }}"').said()

    assert found[0].startswith(words.format("services.orders.config.maxmemory:")), found


def test_a_variable_that_nobody_has_names_the_ways(folder: Folder) -> None:
    folder.beside("group_vars/redis.yml", "room: 1gb\n").beside("group_vars/all.yml", "other: 1\n")

    assert (
        folder.describe('maxmemory: "{{ nowhere }}"')
        .said()[0]
        .endswith(
            "'nowhere' is undefined on red1; the variables there are address, inventory_dir, machine, name, other, "
            "port; define it below 'vars:' of red1, or in host_vars/red1.yml or group_vars/all.yml beside this file"
        )
    )
    assert (
        "group_vars/redis has it, but is read for no machine: the groups are all and redis_fleet"
        in folder.describe('maxmemory: "{{ room }}"').said()[0]
    )
    assert (
        "'ansible_memtotal_mb' is a fact of the machine"
        in folder.describe('maxmemory: "{{ (ansible_memtotal_mb * 0.75) | int }}mb"').said()[0]
    )


def test_passwords_that_differ_between_machines_are_refused(folder: Folder) -> None:
    folder.beside("host_vars/red1.yml", "word: one-of-them\n").beside("host_vars/red2.yml", "word: the-other\n")

    found = folder.describe(password="{{ word }}").said()

    assert [each.partition(": ")[2] for each in found] == [
        "services.orders.password: is one password for red1, another one for red2; define it once, in "
        "group_vars/all.yml or group_vars/redis_fleet.yml [E51]"
    ]
    folder.beside("host_vars/red2.yml", "word: one-of-them\n")
    assert folder.fleet.services[0].password.reveal() == "one-of-them"  # type: ignore[union-attr]


def test_a_vault_that_stays_shut_is_named(folder: Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder.describe(password="{{ word }}").beside("group_vars/all/vault.yml", f"word: {HIDDEN}\n", vaulted=True)
    other = tmp_path / "other-key"
    other.write_text("another-key", encoding="utf-8")

    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(other))
    assert folder.said() == [
        "group_vars/all/vault.yml: services.orders.password: cannot be decrypted with the vault password given; "
        "give the right one"
    ]
    monkeypatch.delenv("ANSIBLE_VAULT_PASSWORD_FILE")
    assert folder.said() == [
        "group_vars/all/vault.yml: services.orders.password: is encrypted and there is no vault password; "
        "give --vault-password-file FILE or set ANSIBLE_VAULT_PASSWORD_FILE"
    ]


def test_files_that_nobody_needs_are_told_of_all_the_same(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.describe().beside("group_vars/all/vault.yml", f"word: {HIDDEN}\n", vaulted=True)
    monkeypatch.delenv("ANSIBLE_VAULT_PASSWORD_FILE")

    assert ["is encrypted and there is no vault password" in str(each) for each in folder.fleet.warnings] == [True]


def test_timings_of_sentinels_are_the_same_for_all(folder: Folder) -> None:
    folder.describe()
    text = folder.file.read_text(encoding="utf-8")
    sentinel = (
        "sentinel:\n  machines: [red1, red2]\n  quorum: 1\n  open-to-network: tests\n"
        "  config: {down-after-milliseconds: '{{ ms }}'}\n"
    )
    folder.file.write_text(text + "silence: {E2: two are enough here}\n" + sentinel, encoding="utf-8")

    folder.beside("group_vars/all.yml", "ms: 7000\n")
    assert {each.setting("sentinel down-after-milliseconds").word for each in folder.fleet.sentinels}  # type: ignore[union-attr]
    assert folder.fleet.services[0].watch.down_after == 7000  # type: ignore[union-attr]
    folder.beside("host_vars/red2.yml", "ms: 3000\n")
    assert "differs between the Sentinels: red1 7000, red2 3000; give all of them the same number" in folder.said()[0]
