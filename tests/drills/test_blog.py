"""The drill with a blog, its database and two application servers."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from redis_fleet.drills import blog, blog_site, mariadb
from redis_fleet.drills.blog_site import Answer, Round
from redis_fleet.drills.context import Place
from redis_fleet.drills.drill import find, perform
from redis_fleet.drills.lab import LabError
from redis_fleet.drills.report import DrillReport
from tests.drills.breaking import differs
from tests.drills.commanding import drilled
from tests.drills.deployments import of_group, performed_on, small
from tests.harness.live.processes import PASSWORD, Group, eventually, running_group, server_binary
from tests.harness.live.sandboxes import COMMAND, Running, _all_processes, box

needs_mariadb = pytest.mark.skipif(
    not shutil.which("/usr/sbin/mariadbd") or not shutil.which("my_print_defaults"),
    reason=f"no MariaDB; install {' '.join(mariadb.PACKAGES)}",
)


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """Give a healthy group of one master, two replicas and three Sentinels."""
    with running_group(tmp_path_factory.mktemp("group")) as running:
        yield running


@contextmanager
def open_folder() -> Iterator[Path]:
    """Give a folder that every account can come to, unlike pytest's own: the database runs as somebody else."""
    with tempfile.TemporaryDirectory(prefix="rf-test-", dir="/tmp") as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path


def test_a_round_counts_who_failed_and_who_tried_again() -> None:
    done = Round(28, (Answer(200, 1, 0.5), Answer(200, 4, 7.5), Answer(503, 20, 60.0), Answer(0, 0, 1.0)), 60.0)
    assert (done.failed, done.retried, done.longest) == (2, 2, 60.0)


@needs_mariadb
def test_it_passes_twice_and_leaves_nothing(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_folder() as folder:
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        for disturb in (True, False):
            deployment = of_group(group, disturb=disturb)
            old = deployment.master().name
            report = performed_on("blog", deployment)
            assert report.ok, report.problems
            assert (deployment.master().name != old) == disturb
            assert list(folder.iterdir()) == []
            assert [argv for _, argv in _all_processes(str(folder))] == []
    numbers = {each.name: each.value for each in report.measures}
    assert 0 < numbers["lost without a lock"] < 100
    (chart,) = report.charts
    assert [value for _, value in chart.series[0].points][-10:] == [30.0] * 10
    assert "left out: it would disturb" in report.steps[-1].seen


@needs_mariadb
def test_it_says_when_the_view_has_no_lock(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blog, "LOCKED", blog.OPEN)
    code, said = drilled(monkeypatch, of_group(group, disturb=False), "blog")
    assert code == 1
    assert said["ok"] is False
    problems = said["drills"][0]["problems"]
    assert problems
    assert all("(expected: 30, every request answered)" in each for each in problems), problems


@pytest.mark.long
@needs_mariadb
def test_it_says_when_the_servers_do_not_come_to_the_sentinels(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    told = blog_site._told
    monkeypatch.setattr(blog_site, "_told", lambda *words: {**told(*words), "BLOG_MONITOR": "nobody"})
    monkeypatch.setattr(blog, "_WITH", 1)
    monkeypatch.setenv("BLOG_PATIENCE", "1")
    report = performed_on("blog", of_group(group, disturb=False))
    differs(report, "30 requests failed")


@pytest.mark.long
@needs_mariadb
def test_a_server_that_is_named_gets_its_database_back_clean(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blog, "_WITH", 1)
    with mariadb._private() as url:
        before = mariadb.query(url, "SHOW DATABASES")
        monkeypatch.setenv(mariadb.GIVEN, url)
        report = performed_on("blog", of_group(group, disturb=False))
        assert report.ok, report.problems
        assert mariadb.query(url, "SHOW DATABASES") == before


def test_a_server_that_cannot_be_reached_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(mariadb.GIVEN, f"mysql://me:{PASSWORD}@127.0.0.1:1/")
    with pytest.raises(LabError) as caught, mariadb.database("nothing"):
        pass
    assert "127.0.0.1" in str(caught.value)
    assert PASSWORD not in str(caught.value)


def skipped(group: Group) -> DrillReport:
    """Run the drill where something is missing."""
    drill = find("blog")
    assert drill
    report = perform(drill, Place("", lambda: of_group(group, disturb=False)), lambda _: None)
    assert report.steps == ()
    return report


def test_what_is_missing_is_named_with_the_command_that_brings_it(
    group: Group, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small(server_binary()) as (deployment, _):
        assert "no Sentinel watches orders" in performed_on("blog", deployment).skipped
    with monkeypatch.context() as without:
        without.delenv(mariadb.GIVEN, raising=False)
        without.setenv("PATH", str(tmp_path))
        without.setattr(mariadb, "_BESIDE", str(tmp_path))
        said = skipped(group).skipped
        assert "apt-get install --no-install-recommends mariadb-server-core mariadb-client-core" in said
        assert f"{mariadb.GIVEN}=mysql://" in said
    with monkeypatch.context() as without:
        without.setattr(blog_site, "find_spec", lambda name: None if name == "django" else name)
        assert skipped(group).skipped == "Python packages are not here; pip install 'django>=5.2,<5.3'"
    monkeypatch.setattr(blog_site, "APP", tmp_path)
    assert "run the drill in a checkout" in skipped(group).skipped


@pytest.mark.long
@needs_mariadb
def test_ctrl_c_in_the_middle_leaves_nothing() -> None:
    with open_folder() as folder, box(folder / "box", "sentinel") as made:
        before = set(made.processes())
        files = made.leftovers()
        for name, moment in (("lock", "redis-py's Lock"), ("blog", "With a lock"), ("blog", "was killed")):
            running = Running(made, COMMAND, "drill", name, "--sandbox", made.file)
            running.read_until(moment)
            running.interrupt()
            assert running.end() == 130, running.said
            assert "Traceback" not in running.said
            # What the interrupt left of a failover may still be going on.
            eventually(lambda: len(made.pids()) == len(made.fleet.processes), "every process answers")
            new = [argv for pid, argv in made.processes().items() if pid not in before and "redis-server" not in argv]
            assert new == []
            eventually(lambda: made.settled("orders"), "one master, all linked")
            left = [each for each in set(made.leftovers()) - set(files) if not each.startswith("run/")]
            assert left == []
            with made.server(made.master("orders")) as client:
                assert client.keys("redis-fleet:*") == []
