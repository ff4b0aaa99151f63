"""Take any one command away from any internal user, on any engine: the check of the file or the verification names it.

A test of its own for each engine; what is taken away is generated from what each user has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.inspect.users import with_users
from redis_fleet.agent.messages.observation import ProcessFacts
from redis_fleet.agent.messages.service import Instance, Login, ServiceAccess
from redis_fleet.agent.protocol.resp import Connection, ReplyError, info, pairs
from redis_fleet.agent.replication.permissions import lacking
from redis_fleet.catalogue.acl import hashed
from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet, Process, Words
from redis_fleet.observe.facts import MachineFacts, Observed
from redis_fleet.observe.logins import of_sentinels, of_service
from redis_fleet.plan import users
from redis_fleet.problems import InvalidDescriptionError
from redis_fleet.topology.service_access import target
from tests.harness.engines import Binary, available
from tests.harness.live.daemons import Daemons, daemons
from tests.harness.live.processes import SERVER

pytestmark = pytest.mark.skipif(not available(), reason="no engines here; python -m tests.harness.engines builds them")
BINARIES = {str(each): each for each in available()}
CLOSED = "    default-user: off\n"
TEXT = """
plugin: redis_fleet
name: shop
engine: {engine}
version: "{version}"
internal-users: yes
machines:
  red1: {{address: 10.0.0.11}}
  red2: {{address: 10.0.0.12}}
  red3: {{address: 10.0.0.13}}
services:
  orders:
    master: red1
    replicas: [red2, red3]
    password: Sand-Castle_7-of-servers
{service}    config: {{maxmemory: 1gb, appendonly: yes}}
sentinel:
  machines: [red1, red2, red3]
  password: Look-Out_9-of-sentinels
{sentinel}
"""


def described(folder: Path, binary: Binary, service: str = "", sentinel: str = "", *, closed: bool = False) -> Fleet:
    """Return a fleet with internal users for an engine."""
    version = ".".join(binary.version.split(".")[:2])
    file = folder / "shop.redis.yml"
    below = f"    users: {{{service}}}\n" if service else CLOSED if closed else ""
    more = {"service": below, "sentinel": f"  users: {{{sentinel}}}" if sentinel else ""}
    file.write_text(TEXT.format(engine=binary.engine, version=version, **more), encoding="utf-8")
    return load_fleet(str(file))


@pytest.fixture(scope="module", params=list(BINARIES))
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Binary, Daemons]]:
    binary = BINARIES[request.param]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(SERVER, str(binary.server))
        with daemons(tmp_path_factory.mktemp("internal")) as made:
            yield binary, made


def without(process: Process, login: Login, command: str) -> Words:
    """Return the rules of a user without one command, spelt so that every version takes them."""
    rules = users.described(process)[login.user]
    fewer = tuple(each for each in rules if each != f"+{command}")
    given = "+@all" in fewer or ("|" not in command and any(each.startswith("+@") for each in fewer))
    return (*fewer, f"-{command}") if given or fewer == rules else fewer


class Lab:
    """One process of an engine in which the users of a fleet are made."""

    def __init__(self, fleet: Fleet, process: Process, connection: Connection, endpoint: Endpoint) -> None:
        self.fleet, self.process, self.connection = fleet, process, connection
        node = Instance(process.id, process.machine, endpoint)
        watches = process in fleet.sentinels
        aim = target(fleet, fleet.services[0])
        self.logins = [each for each in aim.logins if each.on_sentinels == watches]
        self.target, self.node = (
            ServiceAccess("orders", members=() if watches else (node,), sentinels=(node,) if watches else ()),
            node,
        )

    def put(self, name: str, rules: Words) -> None:
        self.connection.call("ACL", "SETUSER", name, "reset", *map(hashed, rules))

    def named(self, login: Login) -> str:
        """Return what 'verify' says: what it tries, and what it reads."""
        facts = ProcessFacts(info=info(self.connection.call("INFO", "server")), answers=True, lines=())
        try:
            facts = replace(facts, config=pairs(self.connection.call("CONFIG", "GET", "acl-pubsub-default")))
        except ReplyError:
            assert self.process in self.fleet.sentinels
        facts = with_users(facts, self.connection)
        seen = Observed({self.process.machine: MachineFacts(processes={self.process.name: facts})})
        found = (*of_service(self.fleet, self.fleet.services[0], seen), *of_sentinels(self.fleet, seen))
        read = [each.what for each in found if each.subject == self.process.id and login.who in each.what]
        return "; ".join([lacking(self.target, self.node, login), *read])


def tried(lab: Lab) -> None:
    for login in lab.logins:
        lab.put(login.user, users.described(lab.process)[login.user])
    for login in lab.logins:
        whole = users.described(lab.process)[login.user]
        assert lab.named(login).strip("; ") == "", f"{login.user} lacks nothing"
        for command in login.commands:
            lab.put(login.user, without(lab.process, login, command))
            assert command in lab.named(login), f"{login.user} without {command}"
        deaf = "" if lab.fleet.version == "6.0" else "resetchannels"
        lab.put(login.user, (*(each for each in whole if not each.startswith("&")), *filter(None, [deaf])))
        if login.channels and any(each.startswith("&") for each in whole):
            assert login.channels[0] in lab.named(login), f"{login.user} without its channel"
        lab.put(login.user, ("off", *whole[1:]))
        assert lab.named(login) != "; ", f"{login.user} switched off"
        lab.put(login.user, whole)


def test_verify_names_any_one_command_that_a_user_of_a_server_lacks(
    engine: tuple[Binary, Daemons], tmp_path: Path
) -> None:
    binary, made = engine
    server = made.server(password="")
    with Connection(server["address"], server["port"]) as connection:
        fleet = described(tmp_path, binary)
        tried(Lab(fleet, fleet.services[0].processes[0], connection, Endpoint(server["address"], server["port"])))


def test_verify_names_any_one_command_that_a_user_of_a_sentinel_lacks(
    engine: tuple[Binary, Daemons], tmp_path: Path
) -> None:
    binary, made = engine
    fleet = described(tmp_path, binary)
    if binary.version.startswith("6.0."):
        assert fleet.sentinels[0].users.internal == {}, "its Sentinels have none"
        return
    sentinel = made.sentinel(made.server())
    with Connection(sentinel["address"], sentinel["port"], sentinel["password"]) as connection:
        connection.call("ACL", "SETUSER", "default", "nopass")
        tried(Lab(fleet, fleet.sentinels[0], connection, Endpoint(sentinel["address"], sentinel["port"])))


def test_a_closed_default_user_costs_no_transaction_of_the_append_only_file(
    engine: tuple[Binary, Daemons], tmp_path: Path
) -> None:
    """Servers load the file as the default user: what that may not run in a transaction is dropped (7.0 to 8.1)."""
    binary, made = engine
    process = described(tmp_path, binary, closed=True).services[0].processes[0]
    lines = [f"user default {' '.join(users.described(process)['default'])}", "user root on >root ~* +@all"]
    server = made.server("appendonly yes", *lines, password="root", user="root")
    with Connection(server["address"], server["port"]) as stranger, pytest.raises(ReplyError, match="NOAUTH"):
        stranger.call("PING")
    with Connection(server["address"], server["port"], "root", user="root") as root:
        root.calls(("MULTI",), ("SET", "one", "1"), ("SET", "two", "2"), ("EXEC",))
        root.call("EVAL", "redis.call('SET', KEYS[1], 1) redis.call('SET', KEYS[2], 2)", 2, "three", "four")
    made.stop(server)
    made.start(server)
    with Connection(server["address"], server["port"], "root", user="root") as root:
        assert root.call("EXISTS", "one", "two", "three", "four") == 4


def test_check_names_any_one_command_that_an_override_takes(tmp_path: Path) -> None:
    binary = next(each for each in BINARIES.values() if not each.version.startswith("6."))
    fleet = described(tmp_path, binary)
    for login in target(fleet, fleet.services[0]).logins:
        for command in login.commands:
            user = f"{login.user}: {{rules: '-{command}'}}"
            with pytest.raises(InvalidDescriptionError) as refused:
                described(tmp_path, binary, *(("", user) if login.on_sentinels else (user,)))
            (problem,) = refused.value.problems
            assert (problem.rule, command in problem.what) == ("E63", True), f"{login.user} without {command}"
