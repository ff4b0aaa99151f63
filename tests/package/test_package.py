"""The wheel alone does what a checkout does, and holds nothing that is not for everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import redis_fleet
from redis_fleet.project import ROOT
from tests.harness.done import Done
from tests.package.installing import DECOYS, Installed, build, checkout, contents, install, unpacked

SAMPLES = ("replication", "sentinel", "shared-machines", "standalone")
BESIDE = (
    "ansible.cfg",
    *(f"inventory/{name}.redis.yml" for name in SAMPLES),
    "playbooks",
    "roles",
    "templates",
    "tests/apps",
)
SHIPPED = ("redis_fleet/__init__.py", "redis_fleet/agent")
FILE = "shop.redis.yml"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of this checkout."""
    return checkout(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def sdist(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the source distribution, unpacked."""
    file = build(source, tmp_path_factory.mktemp("sdist"), "sdist")
    return unpacked(file, tmp_path_factory.mktemp("unpacked"))


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the wheel."""
    return build(source, tmp_path_factory.mktemp("wheel"), "wheel")


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Give the wheel installed, with a description in its folder."""
    made = install(wheel, tmp_path_factory.mktemp("installed"))
    succeeded(made.fleet("init", FILE))
    return made


@pytest.fixture(scope="module")
def sandbox(installed: Installed) -> Iterator[str]:
    """Give the folder of a sandbox that is up."""
    done = succeeded(installed.fleet("sandbox", "up", FILE))
    (root,) = re.findall(r"^up: 6 processes in (\S+)$", done.out, re.MULTILINE)
    yield root
    down = succeeded(installed.fleet("sandbox", "down", FILE))
    assert down.out == f"stopped 6 processes and removed {root}\n"


def succeeded(done: Done) -> Done:
    """Return what a command did; it must have ended well, and without a word of Python's."""
    assert done.code == 0, done.both
    assert "Traceback" not in done.both
    return done


def files(source: Path, *names: str) -> set[str]:
    """Return the files below some names of a checkout."""
    found = [
        each
        for name in names
        for each in ([source / name] if (source / name).is_file() else (source / name).rglob("*"))
    ]
    return {str(each.relative_to(source)) for each in found if each.is_file() and "__pycache__" not in each.parts}


def test_the_wheel_holds_the_package_and_what_stands_beside_it(source: Path, wheel: Path) -> None:
    packed = {name for name in contents(wheel) if ".dist-info/" not in name}
    data = {f"redis_fleet/data/{name}" for name in files(source, *BESIDE, *SHIPPED)}
    assert packed == files(source, "redis_fleet") | data


def test_every_file_is_what_it_is_in_the_checkout(source: Path, wheel: Path) -> None:
    for name, content in contents(wheel).items():
        if ".dist-info/" not in name:
            assert content == (source / name.removeprefix("redis_fleet/data/")).read_bytes(), name


def test_what_people_leave_in_a_checkout_is_not_for_others(sdist: Path, wheel: Path) -> None:
    names = [*contents(wheel), *(str(file.relative_to(sdist)) for file in sdist.rglob("*"))]
    assert not [name for name in names if name.endswith(DECOYS) or ".secrets" in name or "__pycache__" in name]


def test_a_wheel_made_from_the_sdist_is_the_same(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    assert contents(build(sdist, tmp_path, "wheel")) == contents(wheel)


def test_the_installed_package_is_the_one_that_runs(installed: Installed) -> None:
    where = succeeded(installed.run("python", "-c", "import redis_fleet; print(redis_fleet.__file__)")).out
    assert Path(where.strip()).is_relative_to(installed.home)
    assert succeeded(installed.fleet("--version")).out == f"redis-fleet {redis_fleet.__version__}\n"


def test_its_metadata_has_the_same_version(wheel: Path) -> None:
    assert wheel.name.split("-")[1] == redis_fleet.__version__


@pytest.mark.parametrize("topology", SAMPLES)
def test_what_init_writes_is_checked_and_rendered(installed: Installed, topology: str) -> None:
    file = f"{topology}.redis.yml"
    said = succeeded(installed.fleet("init", "--topology", topology, file, "--json")).json()
    assert said["name"] == topology
    assert said["next"][0] == f"redis-fleet check {file}"
    assert f"{file}: ok" in succeeded(installed.fleet("check", "--strict", file)).out
    rendered = succeeded(installed.fleet("render", file, "-o", f"files-{topology}", "--json")).json()["files"]
    assert [name for name in rendered if name.endswith("redis-orders-6379.service")] or topology == "shared-machines"


def test_deployed_verified_and_failed_over_in_a_sandbox(installed: Installed, sandbox: str) -> None:  # noqa: ARG001
    done = succeeded(
        installed.fleet("verify", "--sandbox", "--drill", "failover", "--yes", FILE, "--report", "page.html")
    )
    assert "the failover is as it should be" in done.out
    assert "</html>" in (installed.work / "page.html").read_text(encoding="utf-8")
    assert "3 of 3" not in succeeded(installed.fleet("status", "--sandbox", FILE)).err


def test_plain_ansible_finds_all_of_it(installed: Installed, sandbox: str) -> None:
    script = f'eval "$(redis-fleet ansible-env)"; ansible-playbook -i {FILE} "$REDIS_FLEET_PLAYBOOKS/deploy.yml"'
    done = succeeded(installed.shell(script, REDIS_FLEET_SANDBOX=sandbox))
    assert re.search(r"^red1 .* failed=0 ", done.out, re.MULTILINE), done.both
    assert not re.search(r"unreachable=[1-9]|Gathering Facts", done.out)


def test_a_playbook_of_the_users_own_imports_ours_and_keeps_what_it_has_configured(
    installed: Installed, sandbox: str
) -> None:
    own = installed.work / "own"
    (own / "my roles" / "greeting" / "tasks").mkdir(parents=True)
    task = "- name: Say something\n  ansible.builtin.debug:\n    msg: hello from {{ inventory_hostname }}\n"
    (own / "my roles" / "greeting" / "tasks" / "main.yml").write_text(task)
    (own / "ansible.cfg").write_text("[defaults]\nroles_path = my roles\n")
    (own / "site.yml").write_text(
        "- name: Ours first\n  hosts: redis_fleet\n  gather_facts: false\n  roles: [greeting]\n\n"
        "- name: Then theirs\n  ansible.builtin.import_playbook: "
        "\"{{ lookup('env', 'REDIS_FLEET_PLAYBOOKS') }}/verify.yml\"\n"
    )
    script = f'cd own; eval "$(redis-fleet ansible-env)"; ansible-playbook -i ../{FILE} site.yml'
    done = succeeded(installed.shell(script, REDIS_FLEET_SANDBOX=sandbox))
    assert "hello from red3" in done.out
    assert "Verify replication, passwords and Sentinels" in done.out


def test_a_faulty_description_stops_plain_ansible(installed: Installed) -> None:
    (installed.work / "faulty.redis.yml").write_text("plugin: redis_fleet\nname: faulty\nmachine: {}\n")
    script = (
        'eval "$(redis-fleet ansible-env)"; ansible-playbook -i faulty.redis.yml "$REDIS_FLEET_PLAYBOOKS/status.yml"'
    )
    done = installed.shell(script)
    assert done.code != 0
    assert "faulty.redis.yml:3: machine" in done.both


def test_no_foreign_package_can_become_a_module_util(installed: Installed) -> None:
    folders = succeeded(installed.fleet("ansible-env", "--json")).json()["environment"]["ANSIBLE_MODULE_UTILS"]
    ours = Path(folders.split(":")[0])
    assert ours.is_relative_to(installed.home)
    assert [each.name for each in ours.iterdir() if each.suffix == ".py" or (each / "__init__.py").exists()] == [
        "redis_fleet"
    ]
    assert (ours / "redis_fleet" / "agent").is_dir()


@pytest.mark.long
def test_drills_bring_their_own_sandbox(installed: Installed) -> None:
    before = sorted(installed.work.rglob("*"))
    (drill,) = succeeded(installed.fleet("drill", "lock", "--json")).json()["drills"]
    assert drill["ok"] and not drill["skipped"]
    assert sorted(installed.work.rglob("*")) == before
    assert not list(installed.home.rglob(".secrets"))


def test_the_checkout_is_not_a_wheel() -> None:
    assert not (ROOT / "redis_fleet" / "data").exists()
