"""Restarts of one process, and processes that leave: checked on the spot, in step afterwards, or as before."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.errors import NotReadyError
from redis_fleet.agent.host.proc import running_pid
from redis_fleet.agent.messages.files import Edit, File, Files
from redis_fleet.agent.messages.running import Decommission, Leaving, Peers, Restart
from redis_fleet.agent.process.decommission import decommission
from redis_fleet.agent.process.restart import restart
from redis_fleet.agent.process.stop import stop
from redis_fleet.agent.replication import restart_fitness
from redis_fleet.agent.secret import Secret
from tests.harness.live.daemons import MONITOR, PASSWORD, Daemons, Request, daemons, managed
from tests.harness.live.processes import eventually, server_binary

NEW = "Draw-Bridge_8"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Daemons]:
    """A folder for daemons."""
    with daemons(tmp_path) as made:
        yield made


def databases(value: str) -> Edit:
    """Return an edit."""
    return Edit(("databases",), ((value,),))


def asked(process: Request, expect: str, *edits: Edit, others: Sequence[Endpoint] = (), **more: Any) -> Restart:
    """Return a request."""
    given = {"server": server_binary(), "timeout": 20.0, **more}
    return Restart(managed(process), expect, edits, others=tuple(others), **given)


def spot(process: Request) -> Endpoint:
    """Return where a process listens."""
    return Endpoint(process["address"], process["port"])


def refused(request: Restart) -> str:
    """Restart what must not be; returns the words of the refusal, in which no secret may be."""
    with pytest.raises(NotReadyError) as caught:
        restart(request)
    assert PASSWORD not in str(caught.value)
    assert NEW not in str(caught.value)
    return str(caught.value)


def test_a_replica_is_restarted_and_in_step_again(here: Daemons) -> None:
    master = here.server()
    replica = here.server("# kept", follows=master)
    other = here.server(follows=master)
    here.fill(master)
    before = here.pid(replica)

    answer = restart(asked(replica, "replica", databases("32"), others=[spot(master), spot(other)], needed=1))

    assert answer.changed == (f"{replica['name']}: restarted", replica["configuration"])
    assert 0 < answer.seconds < 15
    assert here.pid(replica) != before
    assert here.config(replica, "databases") == "32"
    assert "# kept" in here.lines(replica)
    assert here.call(replica, "DBSIZE") == 1000
    assert here.info(replica)["master_link_status"] == "up"


def test_its_master_sends_the_data_without_waiting_for_more_replicas(here: Daemons) -> None:
    delay = "repl-diskless-sync-delay"
    master = here.server(f"{delay} 30", "repl-diskless-sync yes", "dbfilename master.rdb")
    here.call(master, "CONFIG", "SET", delay, "0")
    replica = here.server("appendonly yes", follows=master)
    eventually(lambda: here.info(replica)["master_link_status"] == "up", "it has its data")
    here.call(master, "CONFIG", "SET", delay, "30")
    restart(asked(replica, "replica", databases("32"), others=[spot(master)], patience=20.0))
    assert here.info(replica)["master_link_status"] == "up"
    assert here.config(master, delay) == "30"
    said = Path(master["log"]).read_text(encoding="utf-8")
    assert "Delay next BGSAVE" not in said, said


def test_a_server_that_writes_its_first_file_drops_the_signal_and_is_stopped_all_the_same(here: Daemons) -> None:
    server = here.server()
    here.fill(server, 20)
    here.call(server, "CONFIG", "SET", "rdb-key-save-delay", "100000")
    here.call(server, "CONFIG", "SET", "appendonly", "yes")
    assert stop(managed(server), 30)
    assert "can't exit" in Path(server["log"]).read_text(encoding="utf-8")
    assert not running_pid(server["pid"], server["data"])


def test_who_writes_its_file_anew_is_not_told_to_stop(here: Daemons) -> None:
    server = here.server()
    here.fill(server, 20)
    here.call(server, "CONFIG", "SET", "rdb-key-save-delay", "100000")
    here.call(server, "CONFIG", "SET", "appendonly", "yes")
    assert "it writes its append-only file anew" in refused(asked(server, "master", databases("32")))
    restart(asked(server, "master", databases("32"), patience=30.0))
    assert "can't exit" not in Path(server["log"]).read_text(encoding="utf-8")


def test_a_dry_run_touches_nothing(here: Daemons) -> None:
    server = here.server()
    before, lines = here.pid(server), here.lines(server)

    answer = restart(asked(server, "master", databases("32")), dry=True)

    assert answer.changed == (f"{server['name']}: restarted",)
    assert (here.pid(server), here.lines(server)) == (before, lines)


def test_nothing_is_touched_where_it_may_not_go_down(here: Daemons) -> None:
    master = here.server()
    replica, other = here.server(follows=master), here.server(follows=master)
    before = {name: (here.pid(each), here.lines(each)) for name, each in here.processes.items()}
    around = [spot(other)]

    assert "is a replica, not a master; run again" in refused(asked(replica, "master", databases("32")))
    assert "is a master, not a replica" in refused(asked(master, "replica", databases("32")))
    said = refused(asked(replica, "replica", databases("32"), others=around, needed=2))
    assert "1 of 2 other replicas are in step" in said
    said = refused(asked(master, "master", databases("32"), others=[*around, spot(replica)], needed=3))
    assert "2 of 3 replicas are in step with it" in said
    here.kill(other)
    eventually(lambda: here.info(master)["connected_slaves"] == "1", "the master has noticed")
    assert "0 of 1 other replicas" in refused(asked(replica, "replica", databases("32"), others=around, needed=1))

    del before[other["name"]]
    assert {name: (here.pid(here.processes[name]), here.lines(here.processes[name])) for name in before} == before
    here.kill(master)
    eventually(lambda: here.info(replica)["master_link_status"] == "down", "the link is down")
    assert "its link to 127.0.0.1" in refused(asked(replica, "replica", databases("32")))
    assert "does not answer" in refused(asked(master, "master", databases("32")))
    assert "databases 32" not in here.lines(master)


def test_a_replica_that_is_not_heard_of_does_not_count(here: Daemons, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection is still there, as it is when its machine or the network is gone."""
    monkeypatch.setattr(restart_fitness, "SILENCE", 1)
    master = here.server()
    replica, other = here.server(follows=master), here.server(follows=master)
    pid = here.pid(other)
    os.kill(pid, signal.SIGSTOP)
    try:
        eventually(lambda: "lag=2" in here.info(master)["slave1"], "the master misses it")
        said = refused(asked(replica, "replica", others=[spot(other)], needed=1))
    finally:
        os.kill(pid, signal.SIGCONT)

    assert "0 of 1 other replicas" in said
    assert here.info(master)["connected_slaves"] == "2"


def test_a_replica_of_a_replica_is_not_restarted(here: Daemons) -> None:
    master = here.server()
    middle = here.server(follows=master)
    last = here.server(follows=middle)

    assert "is a replica itself" in refused(asked(last, "replica"))


def test_a_file_that_the_server_does_not_read_is_taken_back(here: Daemons) -> None:
    server = here.server()
    here.fill(server, 10)
    before = here.pid(server)
    changes = [databases("many"), Edit(("masterauth",), ((NEW,),))]

    said = refused(asked(server, "master", *changes))

    assert "does not start with what is new" in said
    assert "databases many" in said
    assert said.endswith("it runs again as before")
    assert here.pid(server) not in (0, before)
    assert here.call(server, "DBSIZE") == 10
    assert here.config(server, "masterauth") == PASSWORD
    assert "databases many" not in here.lines(server)


def test_the_line_that_a_server_complains_of_may_be_a_password(here: Daemons) -> None:
    server = here.server()

    said = refused(asked(server, "master", Edit(("requirepass",), ((NEW, "and", "more"),))))

    assert "********" in said
    assert said.endswith("it runs again as before")


def test_a_server_that_ends_after_its_start_is_started_as_before(here: Daemons) -> None:
    """It only finds out as a daemon: nobody but its log hears why."""
    server, other = here.server(), here.server()

    said = refused(asked(server, "master", Edit(("port",), ((str(other["port"]),),))))

    assert "it ended right after its start; its log ends" in said
    assert said.endswith("it runs again as before")
    assert here.info(server)["tcp_port"] == str(server["port"])


def test_a_file_that_cannot_be_put_leaves_the_process_running(here: Daemons) -> None:
    server = here.server()
    files = tuple(File(str(here.folder / name), Secret("x"), "", 0o600) for name in ("made", "no/such"))

    said = refused(asked(server, "master", databases("32"), parts=Files(False, files=files)))

    assert said.endswith("it runs again as before")
    assert not (here.folder / "made").exists()
    assert here.config(server, "databases") == "16"


def test_a_replica_comes_back_with_the_master_that_it_is_told(here: Daemons) -> None:
    old = here.server()
    replica, new = here.server(follows=old), here.server(follows=old)
    here.call(new, "REPLICAOF", "NO", "ONE")
    here.fill(new, 10)

    restart(asked(replica, "replica", follow=f"127.0.0.1 {new['port']}"))

    assert here.call(replica, "ROLE")[:3] == ["slave", "127.0.0.1", new["port"]]
    assert here.call(replica, "DBSIZE") == 10
    restart(asked(replica, "replica", follow="none"))
    assert here.call(replica, "ROLE")[0] == "master"


def test_a_restarted_master_has_its_replicas_back(here: Daemons) -> None:
    master = here.server()
    replica = here.server(follows=master)
    here.fill(master, 10)

    restart(asked(master, "master", databases("32"), others=[spot(replica)], needed=1))

    assert here.info(master)["connected_slaves"] == "1"
    assert (here.call(master, "DBSIZE"), here.call(replica, "DBSIZE")) == (10, 10)


def test_a_process_that_became_open_is_not_called_well(here: Daemons) -> None:
    server = here.server()

    assert "answers without a password" in refused(asked(server, "master", Edit(("requirepass",))))


def test_a_password_that_was_filed_opens_what_is_restarted(here: Daemons) -> None:
    """With a rewritten file, whose ``user default`` would go on with the old one."""
    server = here.server()
    here.call(server, "CONFIG", "REWRITE")
    wanted = {**server, "password": NEW}

    restart(asked(wanted, "master", Edit(("requirepass",), ((NEW,),))))

    assert here.call({**wanted, "configuration": "/nowhere"}, "PING") == "PONG"


def test_a_process_that_does_not_stop_is_not_killed(here: Daemons) -> None:
    server = here.server()
    pid = here.pid(server)
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(NotReadyError, match=r"was told to stop and is still there after 0\.3 s"):
            stop(managed(server), 0.3)
        assert here.pid(server) == pid
    finally:
        os.kill(pid, signal.SIGCONT)
    eventually(lambda: not here.pid(server), "it ends")
    assert not stop(managed(server), 1)


def test_sentinels_are_restarted_where_the_others_suffice(here: Daemons) -> None:
    master = here.server()
    here.server(follows=master)
    sentinels = [here.sentinel(master, quorum=2) for _ in range(3)]
    eventually(lambda: here.settled(1, 2), "the Sentinels know everything")
    script = Edit(("loglevel",), (("verbose",),))
    masters = {MONITOR: Peers(1, 2)}
    identity = [line for line in here.lines(sentinels[0]) if "myid" in line]

    restart(asked(sentinels[0], "sentinel", script, masters=masters))

    assert "loglevel verbose" in here.lines(sentinels[0])
    assert [line for line in here.lines(sentinels[0]) if "myid" in line] == identity
    eventually(lambda: here.settled(1, 2), "the Sentinels know everything again")
    here.kill(sentinels[2])
    pid = here.pid(sentinels[0])
    eventually(lambda: not here_settled(here, sentinels[0]), "it is missed")
    assert "1 of 2 other Sentinels" in refused(asked(sentinels[0], "sentinel", masters=masters))
    missing = {"carts": Peers(0, 0)}
    assert "does not watch carts" in refused(asked(sentinels[0], "sentinel", masters=missing))
    assert here.pid(sentinels[0]) == pid


def here_settled(here: Daemons, sentinel: Request) -> bool:
    """Whether a Sentinel is in contact with all others."""
    rows = here.call(sentinel, "SENTINEL", "SENTINELS", MONITOR)
    return not any("s_down" in flags for row in rows for flags in row)


def leaving(process: Request, purge: bool) -> Decommission:
    """Return a request."""
    return Decommission((Leaving(managed(process), purge),), 20.0)


def test_a_process_that_leaves_is_stopped_once_and_keeps_its_data(here: Daemons) -> None:
    server = here.server()
    here.fill(server, 10)

    assert decommission(leaving(server, False), dry=True).done == (f"{server['name']}: stopped",)
    assert here.pid(server)
    assert decommission(leaving(server, False)).done == (f"{server['name']}: stopped",)

    assert not here.pid(server)
    assert decommission(leaving(server, False)).done == ()
    here.start(server)
    assert here.call(server, "DBSIZE") == 10


def test_a_purged_process_leaves_nothing(here: Daemons) -> None:
    """With data and logs of its own, as on a machine, and rotated logs; what is another's stays."""
    data, logs = here.folder / "lib", here.folder / "log"
    for each in (data, logs):
        each.mkdir()
    server, staying = here.server(), here.server()
    (data / server["name"]).mkdir()
    names = ["redis.log", "redis.log.1", "redis.log.2.gz", "redis.logs", "other.log"]
    for name in names:
        (logs / name).write_text("", encoding="utf-8")
    here.call(server, "CONFIG", "SET", "maxmemory", "1gb")
    away = {**server, "log": str(logs / "redis.log")}

    planned = decommission(leaving(away, True), dry=True)
    assert (here.folder / server["name"]).is_dir()
    done = decommission(leaving(away, True))

    assert done == planned
    assert sorted(path.name for path in here.folder.iterdir()) == sorted(["lib", "log", staying["name"]])
    assert sorted(path.name for path in logs.iterdir()) == ["other.log", "redis.logs"]
    assert decommission(leaving(away, True)).done == ()
    decommission(leaving({**away, "data": str(data / server["name"])}, True))
    assert list(data.iterdir()) == []
    assert here.pid(staying)


def test_no_folder_is_removed_that_is_not_of_the_process_alone(here: Daemons) -> None:
    server = here.server()
    shared = here.folder / "shared"
    shared.mkdir()

    for wrong in (
        {**server, "data": str(shared)},
        {**server, "configuration": str(here.folder / "redis.conf")},
        {**server, "configuration": "/redis.conf"},
        {**server, "data": "relative/" + server["name"]},
    ):
        with pytest.raises(ValueError, match="is not the folder of"):
            decommission(leaving(wrong, True))

        with pytest.raises(ValueError, match="is not the folder of"):
            decommission(Decommission((Leaving(managed(server)), Leaving(managed(wrong), purge=True)), 20.0))

    assert here.pid(server)
    assert shared.is_dir()
