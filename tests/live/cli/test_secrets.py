"""No password is ever where somebody else could read it: arguments, output, logs, caches, files for others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from redis_fleet.sandbox import binary
from tests.harness.done import Done
from tests.harness.live.processes import eventually
from tests.harness.live.sandboxes import COMMAND, PLAYBOOK, Box, box, config
from tests.harness.live.watching import ArgumentsWatcher

# Made anew by each run: the arguments of another run on this machine are none of this one's.
FROM_ENVIRONMENT, FROM_VAULT, VAULT_KEY, UPSTREAM, ROTATED = (token_hex(12) for _ in range(5))
VARIABLE = "ORDERS_SECRET"
_LOUD = {"ANSIBLE_VERBOSITY": "3", "ANSIBLE_CACHE_PLUGIN": "jsonfile"}


@dataclass
class Watched:
    """A box whose passwords come from everywhere that they can come from, and what its commands printed."""

    box: Box
    vault: Path
    output: list[Done] = field(default_factory=list)

    @property
    def secrets(self) -> set[str]:
        """Return every password in clear, and the key of the vault."""
        looked_up = {path.read_text(encoding="ascii").strip() for path in (self.box.folder / ".secrets").iterdir()}
        return {FROM_ENVIRONMENT, FROM_VAULT, VAULT_KEY} | looked_up

    @property
    def loud(self) -> dict[str, str]:
        """Return an environment in which Ansible tells and keeps all it can."""
        folder = self.box.folder
        cache = {"ANSIBLE_CACHE_PLUGIN_CONNECTION": str(folder / "cache")}
        return {**_LOUD, **cache, "ANSIBLE_LOG_PATH": str(folder / "ansible.log")}

    def command(self, *words: object, code: int = 0, first: bool = False) -> None:
        """Run ``redis-fleet WORDS FILE`` (the file behind the ``first`` word) and keep what it printed."""
        if first:
            word, *rest = words
            self._keep(self.box.run(COMMAND, word, self.box.file, *rest, environment=self.loud), code)
        else:
            self._keep(self.box.fleet_command(*words, environment=self.loud), code)

    def play(self, name: str, *words: object) -> None:
        """Run a playbook with plain ansible-playbook and keep what it printed."""
        self._keep(self.box.play(name, *words, environment=self.loud), 0)

    def inventory(self) -> None:
        """Run ``ansible-inventory --list`` and keep what it printed."""
        self._keep(
            self.box.run(Path(PLAYBOOK).with_name("ansible-inventory"), "-i", self.box.file, "--list", "-vvv"), 0
        )

    def _keep(self, done: Done, code: int) -> None:
        assert done.code == code, done.both
        self.output.append(done)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Give a description with an env lookup, a vault and password lookups; nothing is deployed yet."""
    folder = tmp_path_factory.mktemp("secrets")
    key = folder / "vault-key"
    key.touch(mode=0o600)
    key.write_text(VAULT_KEY, encoding="ascii")
    closed = VaultLib([("default", VaultSecret(VAULT_KEY.encode()))]).encrypt(FROM_VAULT.encode()).decode()
    block = "!vault |\n" + "".join(f"      {line}\n" for line in closed.splitlines())
    lookup = "\"{{{{ lookup('password', inventory_dir ~ '/.secrets/{} chars=ascii_letters,digits length=32') }}}}\""
    changes = {
        lookup.format("payments"): f"\"{{{{ lookup('env', '{VARIABLE}') }}}}\"",
        lookup.format("sessions"): block,
    }
    with box(folder / "box", "shared-machines", changes, up=False) as made:
        made.environment |= {VARIABLE: FROM_ENVIRONMENT, "ANSIBLE_VAULT_PASSWORD_FILE": str(key)}
        yield Watched(made, key)


def exposed(folder: Path, secrets: set[str]) -> list[str]:
    """Return the files below a folder that hold a secret and can be read by others; a closed folder above counts."""
    found = []
    for path in folder.rglob("*"):
        if not path.is_file() or path.is_symlink() or not path.stat().st_mode & 0o077:
            continue
        content = path.read_bytes()
        found += [str(path) for secret in secrets if secret.encode() in content]
    return found


def holding(folder: Path, secrets: set[str]) -> set[Path]:
    """Return the files below a folder that hold a secret."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path for path in paths if any(secret.encode() in path.read_bytes() for secret in secrets)}


def drive(watched: Watched) -> None:
    """Run everything there is: a dry run, a deployment, looks, a drill, and a refusal."""
    made = watched.box
    made.prepare(binary.find("redis").path)
    watched.play("deploy", "--check", "--diff", "-vvv")
    watched.play("deploy", "--diff", "-vvv")
    watched.inventory()
    for word in ("verify", "status"):
        watched.command(word, "--sandbox", "--json")
    # A failover makes the servers rewrite their files.
    watched.command("verify", "--sandbox", "--drill", "failover", "--yes", "--service", "payments", "--json")
    watched.command("render", "--output", made.folder / "output")
    client = made.server("payments-6379@red1")
    client.config_set("masterauth", UPSTREAM)
    watched.command("plan", "--sandbox", "--json", code=3)
    assert '"directive": "masterauth"' in watched.output[-1].out
    # Another password, from the environment: the servers run with the old one.
    made.environment[VARIABLE] = ROTATED
    watched.command("plan", "--sandbox", code=3)
    watched.command("deploy", "--sandbox", "--json")
    watched.play("deploy", "-vvv")
    watched.command("journal", "--sandbox", "--json")
    watched.command("switchover", "payments", "--sandbox", "--yes", "--json", first=True)
    watched.command("verify", "--sandbox", "--json")


@pytest.mark.long
def test_no_password_is_shown_or_kept_for_others(watched: Watched) -> None:
    # The lookups make their passwords when they are first read.
    watched.command("check")
    secrets = watched.secrets | {UPSTREAM, ROTATED}
    assert len(secrets) == 7
    with ArgumentsWatcher(secrets) as watcher:
        # Proof that the watcher works: a process that shows one for a moment.
        planted = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()", FROM_VAULT], stdin=subprocess.PIPE
        )
        eventually(lambda: bool(watcher.caught), "the planted process is caught")
        planted.communicate(timeout=60)
        assert len(watcher.caught) == 1

        drive(watched)

        assert len(watcher.caught) == 1, watcher.caught
        assert watcher.rounds > 100
        assert any(b"redis_fleet.agent.load_client.writer" in argv for argv in watcher.seen)

    made = watched.box
    printed = "".join(done.both for done in watched.output)
    assert len(printed) > 10_000
    assert [secret for secret in secrets if secret in printed] == []
    log = (made.folder / "ansible.log").read_text(encoding="utf-8")
    assert "EXEC" in log
    assert [secret for secret in secrets if secret in log] == []
    # They are in effect, and where they have to be: in the configuration files, for the owner alone.
    passwords = {config(process)["requirepass"] for process in made.fleet.processes if process.kind == "server"}
    assert {ROTATED, FROM_VAULT} < passwords
    assert exposed(made.folder, secrets) == []
    files = {Path(process.paths.configuration) for process in made.fleet.processes}
    assert holding(made.root, secrets) == files
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    rendered = holding(made.folder / "output", secrets)
    assert len(rendered) == len(files)
    assert {path.stat().st_mode & 0o777 for path in rendered} == {0o600}
    outside = holding(made.folder, secrets) - files - rendered
    assert {path.parent for path in outside} == {made.folder / ".secrets"}


def test_a_secret_in_a_file_for_others_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "open").write_text(f"x{FROM_VAULT}x")
    (tmp_path / "closed").write_text(FROM_VAULT)
    (tmp_path / "open").chmod(0o640)
    (tmp_path / "closed").chmod(0o600)

    assert exposed(tmp_path, {FROM_VAULT}) == [str(tmp_path / "open")]
