"""What Ansible is told to find redis-fleet, and what it keeps of a user's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from redis_fleet.ansible import environment
from redis_fleet.project import MODULE_UTILS, PLAYBOOKS, PLUGINS, ROLES, ROOT, importing

COMMAND = str(Path(sys.executable).with_name("redis-fleet"))


def printed(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run ``redis-fleet ansible-env`` in a folder."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "REDIS_FLEET_"))}
    plain |= {"PATH": f"{Path(COMMAND).parent}:{plain['PATH']}", **more}
    return subprocess.run(
        [COMMAND, "ansible-env", *words], cwd=folder, env=plain, capture_output=True, text=True, check=True
    )


def evaluated(folder: Path, **more: str) -> dict[str, str]:
    """Return the variables that a shell has after evaluating what the command prints."""
    tell = "import json, os; print(json.dumps(dict(os.environ)))"
    script = f'{printed(folder, **more).stdout}\nexec "{sys.executable}" -c "{tell}"'
    done = subprocess.run(["sh", "-euc", script], env={}, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def test_ours_comes_first_and_once() -> None:
    found = environment.paths({"ANSIBLE_ROLES_PATH": ["/mine", str(ROLES)]})
    assert found["ANSIBLE_ROLES_PATH"] == f"{ROLES}:/mine"
    assert found["ANSIBLE_LIBRARY"] == str(PLUGINS / "modules")


def test_what_a_shell_names_already_is_taken_apart() -> None:
    found = environment.of_shell({"ANSIBLE_LIBRARY": "/a:/b", "ANSIBLE_ROLES_PATH": "", "HOME": "/root"})
    assert found == {"ANSIBLE_LIBRARY": ["/a", "/b"]}


def test_a_shell_reads_what_is_printed(tmp_path: Path) -> None:
    found = evaluated(tmp_path)
    assert found["ANSIBLE_INVENTORY_ENABLED"].split(",")[:2] == ["redis_fleet", "host_list"]
    assert found["ANSIBLE_MODULE_UTILS"].split(":")[0] == str(MODULE_UTILS)
    assert found["REDIS_FLEET_PLAYBOOKS"] == str(PLAYBOOKS)
    assert json.loads(printed(tmp_path, "--json").stdout)["environment"].items() <= found.items()


def test_what_the_folders_own_ansible_cfg_says_stays_in_force(tmp_path: Path) -> None:
    (tmp_path / "ansible.cfg").write_text("[defaults]\nroles_path = my roles\n[inventory]\nenable_plugins = ini\n")
    found = evaluated(tmp_path)
    assert found["ANSIBLE_ROLES_PATH"] == f"{ROLES}:{tmp_path / 'my roles'}"
    assert found["ANSIBLE_INVENTORY_ENABLED"] == "redis_fleet,ini"


def test_evaluated_twice_it_is_the_same(tmp_path: Path) -> None:
    once = json.loads(printed(tmp_path, "--json").stdout)["environment"]
    assert json.loads(printed(tmp_path, "--json", **once).stdout)["environment"] == once


def test_quotes_in_a_folders_name_stay_text(tmp_path: Path) -> None:
    odd = tmp_path / 'it\'s $(touch here); `x` "y"'
    assert evaluated(tmp_path, ANSIBLE_LIBRARY=str(odd))["ANSIBLE_LIBRARY"] == f"{PLUGINS / 'modules'}:{odd}"
    assert not list(tmp_path.iterdir())


def test_another_ansible_on_path_is_named(tmp_path: Path) -> None:
    other = tmp_path / "ansible-playbook"
    other.touch(mode=0o755)
    done = printed(tmp_path, PATH=f"{tmp_path}:{os.environ['PATH']}")
    ours = Path(COMMAND).with_name("ansible-playbook")
    assert done.stderr == f"{other} comes first on PATH; start {ours}, whose Python has redis-fleet\n"


def test_a_python_of_ours_finds_the_checkout() -> None:
    assert importing({"HOME": "/root"}) == {"HOME": "/root", "PYTHONPATH": str(ROOT)}
    assert importing({"PYTHONPATH": "/mine"})["PYTHONPATH"] == f"{ROOT}:/mine"
