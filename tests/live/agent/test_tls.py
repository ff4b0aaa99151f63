"""TLS with servers of every engine that has it: who is believed, who is let in, and who speaks none."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from redis_fleet.agent.access import Access, connect
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.protocol.resp import ReplyError
from redis_fleet.agent.secret import Secret
from redis_fleet.agent.tls import Tls
from redis_fleet.certificates.authority import Pair, found, issue
from redis_fleet.loopback import free_ports
from tests.harness.engines.lab import available
from tests.harness.live.daemons import Daemons, daemons
from tests.harness.live.processes import SERVER

BINARIES = {str(each): str(each.server) for each in available() if each.stock}  # of wheels none has TLS
AUTHORITY, OTHER = found("an authority"), found("another authority")
CLIENT = issue(AUTHORITY, "a client", ())
USER = "user web on >web-Password_1 ~* +@all"


def tls(pair: Pair | None = CLIENT, authority: Pair = AUTHORITY) -> Tls:
    return Tls(authority.certificate, pair.certificate if pair else "", pair.key if pair else None)


@pytest.fixture(scope="module", params=list(BINARIES.values()), ids=list(BINARIES))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Access]:
    folder = tmp_path_factory.mktemp("tls")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(SERVER, request.param)
        with daemons(folder) as made:
            yield _begun(made, folder)


def _begun(made: Daemons, folder: Path) -> Access:
    own = issue(AUTHORITY, "a server", ("127.0.0.1",))
    for name, text in (("cert", own.certificate), ("key", own.key.reveal()), ("ca", AUTHORITY.certificate)):
        (folder / f"{name}.pem").write_text(text)
    (port,) = free_ports(1)
    lines = [f"tls-port {port}", f"tls-ca-cert-file {folder}/ca.pem", USER]
    lines += [f"tls-cert-file {folder}/cert.pem", f"tls-key-file {folder}/key.pem"]
    made.server(*lines, password="")
    return Access(Endpoint("127.0.0.1", port), tls=tls())


def test_both_know_each_other(server: Access) -> None:
    with connect(server) as connection:
        assert connection.call("PING") == "PONG"
        big = "x" * 300_000
        assert connection.calls(("SET", "big", big), ("GET", "big"), ("PING",)) == ["OK", big, "PONG"]


def test_a_user_logs_in(server: Access) -> None:
    with connect(replace(server, user="web", secret=Secret("web-Password_1"))) as connection:
        assert connection.call("ACL", "WHOAMI") == "web"
    with pytest.raises(ReplyError) as refused:
        connect(replace(server, user="web", secret=Secret("another")))
    assert refused.value.code == "WRONGPASS"


def test_paths_in_the_place_of_texts(server: Access, tmp_path: Path) -> None:
    names = {"ca": AUTHORITY.certificate, "cert": CLIENT.certificate, "key": CLIENT.key.reveal()}
    for name, text in names.items():
        (tmp_path / name).write_text(text)
    ways = Tls(str(tmp_path / "ca"), str(tmp_path / "cert"), Secret(str(tmp_path / "key")))
    with connect(replace(server, tls=ways)) as connection:
        assert connection.call("PING") == "PONG"


def test_whom_we_do_not_believe(server: Access) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"unable to get local issuer|self.signed"):
        connect(replace(server, tls=tls(authority=OTHER)))
    with pytest.raises(ssl.SSLCertVerificationError, match=r"is not valid for 'red1.example.com'|doesn't match"):
        connect(replace(server, name="red1.example.com"))


@pytest.mark.parametrize("pair", [None, issue(OTHER, "a stranger", ())])
def test_who_does_not_believe_us(server: Access, pair: Pair | None) -> None:
    with pytest.raises(OSError):
        # With TLS 1.3 that is heard of only by the first answer.
        connect(replace(server, tls=tls(pair))).call("PING")


def test_neither_speaks_what_the_other_does(server: Access, tmp_path: Path) -> None:
    with pytest.raises(OSError):
        connect(replace(server, tls=None), timeout=1.0).call("PING")
    with daemons(tmp_path) as made:
        plain = made.server(password="")
        with pytest.raises(OSError):
            connect(replace(server, endpoint=Endpoint(plain["address"], plain["port"])))
