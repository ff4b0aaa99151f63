"""Changes of running servers and Sentinels: done or not done, known afterwards, and no secret comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from redis_fleet.agent.errors import ChangeError, NotReadyError
from redis_fleet.agent.host.digest import matches
from redis_fleet.agent.inspect.observe import observe
from redis_fleet.agent.login import connect
from redis_fleet.agent.messages.kind import SENTINEL, SERVER
from redis_fleet.agent.messages.observation import Observe
from redis_fleet.agent.messages.orders import Change, Changing, Order
from redis_fleet.agent.process import change as module
from redis_fleet.agent.process.change import change
from redis_fleet.agent.process.passwords import _prove
from redis_fleet.agent.protocol.resp import Connection, ReplyError
from redis_fleet.agent.verbs import perform
from redis_fleet.plan.orders import from_dict
from tests.harness.live.daemons import MONITOR, PASSWORD, Daemons, Request, daemons, managed
from tests.harness.live.processes import eventually

NEW, OTHER = "Draw-Bridge_8", "Moat-Water_5"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Daemons]:
    """A folder for daemons."""
    with daemons(tmp_path) as made:
        yield made


def order(do: str, **words: Any) -> Order:
    """Return an order."""
    return from_dict({"do": do, **words})


def give(process: Request, *orders: Order, dry: bool = False, **more: Any) -> Any:
    """Give orders to one process; no secret may be in what comes back."""
    answer = change(Change((Changing(managed(process), orders, **more),)), dry).to_json()
    clear(answer)
    return answer if dry else {"changed": answer["changed"], **answer["processes"][process["name"]]}


def clear(answer: object) -> None:
    """Assert that no password is in an answer or an error."""
    text = json.dumps(answer, default=str)
    assert [secret for secret in (PASSWORD, NEW, OTHER) if secret in text] == []


def refused(process: Request, *orders: Order, **more: Any) -> str:
    """Give orders that must fail; returns the words of the failure, in which no secret may be."""
    with pytest.raises((ChangeError, NotReadyError)) as caught:
        give(process, *orders, **more)
    clear(str(caught.value))
    return str(caught.value)


def lines(done: dict[str, Any], *names: str) -> list[list[str]]:
    """Return the lines of these directives, in order."""
    return sorted(line for line in done["lines"] if line[0] in names)


def accepted(process: Request, password: str | None) -> bool:
    """Whether a new connection gets in with this password."""
    try:
        with Connection(process["address"], process["port"], password) as connection:
            return bool(connection.call("PING") == "PONG")
    except ReplyError:
        return False


def test_directives_are_set_written_and_told(here: Daemons) -> None:
    server = here.server()
    orders = (order("set", pairs=[["maxmemory", "100mb"], ["appendfsync", "always"]]), order("rewrite"))

    done = give(server, *orders)

    name = server["name"]
    assert done["changed"] == [f"{name}: maxmemory", f"{name}: appendfsync", f"{name}: file"]
    assert done["config"] == {"maxmemory": "104857600", "appendfsync": "always"}
    assert lines(done, "appendfsync", "maxmemory") == [["appendfsync", "always"], ["maxmemory", "100mb"]]
    assert "appendfsync always" in here.lines(server)
    assert give(server, *orders)["changed"] == []


def test_a_value_that_is_refused_changes_nothing(here: Daemons) -> None:
    server = here.server()

    said = refused(server, order("set", pairs=[["masterauth", NEW], ["maxmemory", "1gb"], ["appendfsync", "seldom"]]))

    assert "appendfsync" in said
    assert server["name"] in said
    assert (here.config(server, "masterauth"), here.config(server, "maxmemory")) == (PASSWORD, "0")


def test_one_by_one_it_is_all_or_nothing_too(here: Daemons) -> None:
    """As servers before 7.0 need it; later ones take it all the same."""
    server = here.server()
    before = {"maxmemory": "0", "appendfsync": "everysec", "save": "3600 1"}
    wanted = [("maxmemory", "1gb"), ("save", "60 5"), ("appendfsync", "seldom")]

    connection, _ = connect(managed(server))
    with connection, pytest.raises(ReplyError, match="appendfsync"):
        module._one_by_one(connection, wanted, before)
    assert {name: here.config(server, name) for name in before} == before

    connection, _ = connect(managed(server))
    with connection:
        module._one_by_one(connection, wanted[:2], before)
    assert (here.config(server, "maxmemory"), here.config(server, "save")) == ("1073741824", "60 5")


def test_what_was_done_before_a_failure_is_told(here: Daemons) -> None:
    server = here.server()
    orders = [order("set", pairs=[["maxmemory", "1gb"]]), order("set", pairs=[["no-such", NEW]])]

    with pytest.raises(ChangeError, match="no-such") as caught:
        give(server, *orders)

    assert caught.value.changed == [f"{server['name']}: maxmemory"]


def test_another_role_than_expected_stops_everything_before_the_first_order(here: Daemons) -> None:
    first, second = here.server(), here.server()
    orders = (order("set", pairs=[["maxmemory", "1gb"]]),)
    request = Change((Changing(managed(first), orders, "master"), Changing(managed(second), orders, "replica")))

    with pytest.raises(NotReadyError, match=f"{second['name']} is a master by now, not a replica"):
        change(request)

    assert here.config(first, "maxmemory") == "0"
    assert give(first, *orders, expect="master")["role"][0] == "master"


def test_an_unknown_order_stops_everything_before_the_first_order(here: Daemons) -> None:
    server = here.server()

    secrets: list[str] = []
    asked = Change((Changing(managed(server), (order("set", pairs=[["maxmemory", "1gb"]]), order("flush"))),))
    body = json.dumps(asked.to_json(secrets)).replace("Flush", "explode")
    result = perform("change", body, secrets, dry=False)

    assert result["failed"]
    assert "explode" in result["msg"]
    assert here.config(server, "maxmemory") == "0"


def test_a_dry_run_asks_nobody_and_tells_no_secret() -> None:
    nobody = {
        "name": "orders-1", "address": "127.0.0.1", "port": 1, "password": PASSWORD, "kind": "server",
        "configuration": "", "unit": "", "data": "", "log": "", "pid": "",
    }  # fmt: skip
    orders = [
        order("set", pairs=[["masterauth", NEW], ["maxmemory", "1gb"]]),
        order("masterauth", value=NEW),
        order("command", words=["SENTINEL", "SET", MONITOR, "auth-pass", NEW]),
        order("command", words=["ACL", "SETUSER", "default", "resetpass", ">" + NEW]),
        order("append-only", value="yes", seconds=1),
    ]

    assert give(nobody, *orders, dry=True)["changed"] == [
        "orders-1: CONFIG SET masterauth, maxmemory",
        "orders-1: masterauth",
        "orders-1: SENTINEL SET orders auth-pass ********",
        "orders-1: ACL SETUSER default resetpass ********",
        "orders-1: append-only yes",
    ]


def test_append_only_on_and_off_loses_no_key(here: Daemons) -> None:
    server = here.server()
    here.fill(server)

    done = give(server, order("append-only", value="yes", seconds=20))

    assert done["changed"] == [f"{server['name']}: appendonly"]
    assert done["config"] == {"appendonly": "yes"}
    assert lines(done, "appendonly") == [["appendonly", "yes"]]
    assert give(server, order("append-only", value="yes", seconds=20))["changed"] == []
    here.kill(server)
    here.start(server)
    assert here.call(server, "DBSIZE") == 1000

    here.call(server, "SET", "late", "1")
    done = give(server, order("append-only", value="no", seconds=20))

    assert done["config"] == {"appendonly": "no"}
    assert lines(done, "appendonly") == [["appendonly", "no"]]
    assert give(server, order("append-only", value="no", seconds=20))["changed"] == []
    here.kill(server)
    here.start(server)
    assert here.call(server, "DBSIZE") == 1001
    assert here.info(server)["aof_enabled"] == "0"


@pytest.mark.parametrize("value", ["yes", "no"])
def test_append_only_waits_for_a_save_that_is_under_way(here: Daemons, value: str) -> None:
    """It is slow (a debugging directive, microseconds a key) and lacks what is written after it began."""
    server = here.server("rdb-key-save-delay 1000", f"appendonly {'no' if value == 'yes' else 'yes'}")
    here.fill(server)
    here.call(server, "BGSAVE")
    here.call(server, "SET", "late", "1")
    assert here.info(server)["rdb_bgsave_in_progress"] == "1"

    give(server, order("append-only", value=value, seconds=20))

    here.kill(server)
    here.start(server)
    assert here.call(server, "DBSIZE") == 1001


def test_append_only_that_is_not_ready_in_time_is_taken_back(here: Daemons) -> None:
    server = here.server("rdb-key-save-delay 100000", "aof-use-rdb-preamble yes")
    here.fill(server)

    said = refused(server, order("append-only", value="yes", seconds=0.3))

    assert "append-only yes: the append-only file is not complete after 0.3 s; appendonly is no again" in said
    assert here.config(server, "appendonly") == "no"
    assert "appendonly yes" not in here.lines(server)
    here.call(server, "CONFIG", "SET", "rdb-key-save-delay", "0")
    give(server, order("append-only", value="yes", seconds=20))
    assert here.config(server, "appendonly") == "yes"


def test_append_only_that_cannot_be_written_leaves_things_as_they_were(here: Daemons) -> None:
    server = here.server()
    here.fill(server)
    inside = Path(server["data"])
    # Where its files would go: a file instead of the folder of 7.0, a folder instead of the file before.
    (inside / "appendonlydir").write_text("in the way", encoding="utf-8")
    (inside / "appendonly.aof").mkdir()

    said = refused(server, order("append-only", value="yes", seconds=1))

    assert "append-only yes" in said
    assert here.config(server, "appendonly") == "no"
    here.kill(server)
    assert "appendonly yes" not in here.lines(server)


def test_append_only_stays_on_when_nothing_can_be_saved(here: Daemons) -> None:
    server = here.server("appendonly yes", "dbfilename in-the-way")
    (Path(server["data"]) / "in-the-way").mkdir()
    here.fill(server, 10)

    said = refused(server, order("append-only", value="no", seconds=5))

    assert "saving dump.rdb failed" in said
    assert here.config(server, "appendonly") == "yes"
    here.kill(server)
    here.start(server)
    assert here.call(server, "DBSIZE") == 10


@pytest.mark.parametrize("rewritten", [False, True], ids=["as deployed", "with user default"])
def test_a_password_is_changed_with_an_overlap(here: Daemons, rewritten: bool) -> None:
    server = here.server()
    if rewritten:
        here.call(server, "CONFIG", "REWRITE")
    wanted = {**server, "password": NEW}
    name = server["name"]
    staying, _ = connect(managed(server))

    done = give(wanted, order("password-add"))

    assert done["changed"] == [f"{name}: password"]
    assert (accepted(server, PASSWORD), accepted(server, NEW), accepted(server, None)) == (True, True, False)
    again = give(wanted, order("password-add"))
    assert (again["changed"], again["notes"]) == ([], ["password-add: it takes this password already"])

    done = give(wanted, order("masterauth", value=NEW), order("password-end"), order("rewrite"))

    assert done["changed"] == [f"{name}: masterauth", f"{name}: password", f"{name}: file"]
    assert matches(done["config"]["requirepass"], NEW)
    secret = lines(done, "masterauth", "primaryauth", "requirepass")
    assert [matches(line[1], NEW) for line in secret] == [True, True]
    assert (accepted(server, PASSWORD), accepted(server, NEW), accepted(server, None)) == (False, True, False)
    with staying:
        assert staying.call("PING") == "PONG"
    assert give(wanted, order("masterauth", value=NEW), order("password-end"), order("rewrite"))["changed"] == []
    here.kill(server)
    here.start(wanted)
    assert (accepted(server, PASSWORD), accepted(server, NEW), accepted(server, None)) == (False, True, False)


def test_ending_an_overlap_is_a_change_although_the_directive_is_the_same(here: Daemons) -> None:
    server = here.server()
    here.call(server, "ACL", "SETUSER", "default", ">" + OTHER)

    done = give(server, order("password-end"))

    assert done["changed"] == [f"{server['name']}: password"]
    assert not accepted(server, OTHER)


def test_users_in_a_file_of_their_own_are_saved(here: Daemons) -> None:
    users = here.folder / "users.acl"
    users.write_text(f"user default on >{PASSWORD} ~* +@all\n", encoding="utf-8")
    server = here.server(f"aclfile {users}")
    wanted = {**server, "password": NEW}

    give(wanted, order("password-add"), order("password-end"), order("rewrite"))

    here.kill(server)
    here.start(wanted)
    assert (accepted(server, PASSWORD), accepted(server, NEW), accepted(server, None)) == (False, True, False)


def test_the_first_password_and_none_again(here: Daemons) -> None:
    server = here.server(password="")
    wanted = {**server, "password": NEW}

    done = give(wanted, order("password-add"))
    assert (done["changed"], accepted(server, None)) == ([], True)
    assert "needs no password" in done["notes"][0]

    give(wanted, order("password-end"), order("rewrite"))
    assert (accepted(server, NEW), accepted(server, None)) == (True, False)

    give(server, order("password-end"), order("rewrite"))
    assert accepted(server, None)
    assert not accepted(server, NEW)


def test_the_proof_of_a_new_password_is_one(here: Daemons) -> None:
    server, unlocked = here.server(), here.server(password="")

    with pytest.raises(RuntimeError, match="answers without a password"):
        _prove(managed(unlocked), NEW, set())
    with pytest.raises(RuntimeError, match="still wants a password"):
        _prove(managed(server), "", set())
    with pytest.raises(RuntimeError, match="does not take the new password") as caught:
        _prove(managed(server), NEW, set())
    clear(str(caught.value))
    with pytest.raises(RuntimeError, match="still takes the previous"):
        _prove(managed(server), PASSWORD, {PASSWORD})


def test_what_an_unknown_command_was_given_is_not_repeated(here: Daemons) -> None:
    server = here.server("rename-command ACL hidden")
    long = NEW * 20

    said = refused(server, order("command", words=["ACL", "SETUSER", "default", ">" + long]))

    assert "unknown command" in said
    done = give({**server, "password": NEW}, order("password-add"))
    assert done["notes"] == ["password-add: this version has no ACL, so it cannot take two passwords"]


def test_a_refused_acl_rule_does_not_repeat_a_password(here: Daemons) -> None:
    said = refused(here.server(), order("command", words=["ACL", "SETUSER", "default", "<" + NEW]))

    assert "ACL SETUSER default ********" in said


def test_an_old_master_is_demoted_and_then_unfenced(here: Daemons) -> None:
    old = here.server()
    new = here.server(follows=old)
    here.call(new, "REPLICAOF", "NO", "ONE")
    here.call(old, "CONFIG", "SET", "min-replicas-to-write", "1000")
    demote = order("demote", master=f"127.0.0.1 {new['port']}", value="0")

    done = give(old, demote)

    assert done["changed"] == [
        f"{old['name']}: replica of 127.0.0.1 {new['port']}",
        f"{old['name']}: min-replicas-to-write",
    ]
    assert done["role"][:3] == ["slave", "127.0.0.1", new["port"]]
    assert done["config"] == {"min-replicas-to-write": "0"}
    assert f"replicaof 127.0.0.1 {new['port']}" in here.lines(old)
    assert not [line for line in here.lines(old) if "1000" in line]
    assert give(old, demote)["changed"] == []


def test_a_master_is_not_demoted_for_somebody_who_is_none(here: Daemons) -> None:
    old = here.server()
    replica = here.server(follows=old)
    here.call(old, "CONFIG", "SET", "min-replicas-to-write", "1000")

    for port in (replica["port"], 1):
        refused(old, order("demote", master=f"127.0.0.1 {port}", value="0"))

    assert here.config(old, "min-replicas-to-write") == "1000"
    assert here.call(old, "ROLE")[0] == "master"


def test_a_sentinel_is_told_twice_what_redis_takes_once(here: Daemons) -> None:
    master, other = here.server(), here.server()
    sentinel = here.sentinel(master)
    monitor = ["SENTINEL", "MONITOR", "carts", "127.0.0.1", str(other["port"]), "1"]
    words = [monitor, ["SENTINEL", "SET", "carts", "auth-pass", PASSWORD], ["SENTINEL", "SET", MONITOR, "quorum", "2"]]
    orders = [*(order("command", words=each) for each in words), order("flush")]

    done = give(sentinel, *orders)

    assert len(done["changed"]) == 3  # SENTINEL SET writes the file by itself
    assert (done["masters"]["carts"]["port"], done["masters"][MONITOR]["quorum"]) == (str(other["port"]), "2")
    assert ["sentinel", "monitor", "carts", "127.0.0.1", str(other["port"]), "1"] in done["lines"]
    done = give(sentinel, order("command", words=monitor))
    assert (done["changed"], done["notes"]) == ([], ["command: it watches carts there already"])
    said = refused(sentinel, order("command", words=[*monitor[:4], str(master["port"]), "1"]))
    assert "Duplicate" in said

    remove = order("command", words=["SENTINEL", "REMOVE", "carts"])
    assert give(sentinel, remove)["changed"] == [f"{sentinel['name']}: SENTINEL REMOVE carts"]
    assert give(sentinel, remove)["changed"] == []


def test_a_sentinels_own_password_changes_live(here: Daemons) -> None:
    sentinel = here.sentinel(here.server())
    if here.info(sentinel)["redis_version"].startswith("6.0."):
        pytest.skip("a Sentinel of 6.0 has no ACL")
    wanted = {**sentinel, "password": NEW}
    words = ["ACL", "SETUSER", "default", "resetpass", ">" + NEW]

    give(wanted, order("command", words=words), order("flush"))

    here.kill(sentinel)
    here.start(wanted)
    assert (accepted(sentinel, NEW), accepted(sentinel, PASSWORD), accepted(sentinel, None)) == (True, False, False)


def test_a_replica_that_is_gone_is_forgotten(here: Daemons) -> None:
    master = here.server()
    staying, leaving = here.server(follows=master), here.server(follows=master)
    sentinels = [here.sentinel(master), here.sentinel(master)]
    eventually(lambda: here.settled(2, 1), "the Sentinels know everything")
    forget = order("forget", master=MONITOR, replicas=1, sentinels=1, seconds=30)
    here.kill(leaving)

    for sentinel in sentinels:
        done = give(sentinel, forget)
        assert done["changed"] == [f"{sentinel['name']}: SENTINEL RESET {MONITOR}"]
        assert done["masters"][MONITOR]["num-slaves"] == "1"
        assert give(sentinel, forget)["changed"] == []

    assert here.settled(1, 1)
    said = refused(sentinels[0], order("forget", master=MONITOR, replicas=5, sentinels=1, seconds=0.2))
    assert "not 5, 0.2 s after" in said
    here.kill(master)
    eventually(lambda: "s_down" in give(sentinels[0])["masters"][MONITOR]["flags"], "the master is seen down")
    said = refused(sentinels[0], order("forget", master=MONITOR, replicas=0, sentinels=1, seconds=1))
    assert "cannot be told to forget" in said
    assert here.pid(staying)


def test_the_way_in_is_known_and_no_secret_of_it(here: Daemons) -> None:
    described, unlocked = here.server(), here.server(password="")
    filed, sentinel = {**here.server(), "password": NEW}, {**here.sentinel(described), "password": None}
    user = {**here.server(f"user default on >{OTHER} ~* +@all", password=""), "password": NEW}
    strange = {**here.server(), "password": NEW, "configuration": "/nowhere"}
    processes = [described, {**unlocked, "password": NEW}, filed, sentinel, user, strange]

    answer = observe(Observe(tuple(map(managed, processes))))

    clear(answer.to_json())
    seen = [answer.processes[each["name"]] for each in processes]
    opened = [each.opened_by if each.answers else None for each in seen]
    assert opened == ["described", "none", "filed", "filed", "filed", None]
    assert [each.answers for each in seen] == [True] * 5 + [False]
    assert [each.open for each in seen] == [False, True, False, False, False, False]
    says = None if seen[3].info["redis_version"].startswith("6.0.") else 1  # that Sentinel has no ACL
    assert [each.passwords for each in seen] == [1, 0, 1, says, 1, None]
    assert seen[5].error is not None
    assert "WRONGPASS" in seen[5].error
    assert observe(Observe((managed(unlocked),))).processes[unlocked["name"]].opened_by == "described"


def test_processes_that_are_described_no_more_are_found(here: Daemons) -> None:
    staying, leaving, stopped = here.server(), here.server(), here.server()
    sentinel = here.sentinel(staying)
    here.kill(stopped)

    answer = observe(Observe((managed(staying),), root=str(here.folder), kinds=(SERVER, SENTINEL)))

    clear(answer.to_json())
    found = {each.process.name: each for each in answer.undescribed}
    assert found.keys() == {leaving["name"], stopped["name"], sentinel["name"]}
    one = found[leaving["name"]].process
    assert (one.kind.name, str(one.access.endpoint)) == ("server", f"127.0.0.1:{leaving['port']}")
    assert [one.configuration, one.data, one.log, one.pid, one.unit] == [
        leaving["configuration"], leaving["data"], leaving["log"], leaving["pid"], "",
    ]  # fmt: skip
    assert found[leaving["name"]].enabled is False
    facts = found[leaving["name"]].facts
    assert (facts.answers, facts.opened_by, facts.role[0]) == (True, "filed", "master")
    assert facts.pid == here.pid(leaving)
    assert found[sentinel["name"]].facts.masters.keys() == {MONITOR}
    assert (found[stopped["name"]].facts.pid, found[stopped["name"]].facts.answers) == (0, False)
    assert observe(Observe((managed(staying),))).undescribed == ()
