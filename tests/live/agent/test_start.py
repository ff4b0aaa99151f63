"""Processes that are started: one that ends at once is not waited for."""

from __future__ import annotations

from pathlib import Path

import pytest

from redis_fleet.agent.errors import NotReadyError
from redis_fleet.agent.messages.files import Edit, Files
from redis_fleet.agent.messages.running import Start, Starting
from redis_fleet.agent.process.start import start
from tests.harness.live.daemons import daemons, managed
from tests.harness.live.processes import server_binary

NOWHERE = Edit(("unixsocket",), (("/not/there/redis.sock",),))


def test_one_that_ended_is_told_with_what_it_said_last(tmp_path: Path) -> None:
    with daemons(tmp_path) as here:
        server = here.server()
        here.kill(server)
        starting = Starting(managed(server), "master", (NOWHERE,))
        with pytest.raises(NotReadyError, match=r"ended right after its start; its log ends: .*opening Unix socket"):
            start(Start(Files(False), (starting,), server_binary(), timeout=60.0))
        assert not here.pid(server)
