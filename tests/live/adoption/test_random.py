"""Files that nobody wrote: legal lines at random, spelled in every way, come back through import as well."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from redis_fleet.agent.conf.text import quote
from redis_fleet.catalogue import values
from redis_fleet.catalogue.table import Directive, catalogue
from redis_fleet.model import Words
from redis_fleet.render.files import configuration
from tests.harness.engines import Binary, available
from tests.harness.live import legal
from tests.harness.live.importing import imported, started
from tests.live.adoption.test_identity import both, settings

BINARIES = available()
pytestmark = pytest.mark.skipif(not BINARIES, reason="no engines here: python -m tests.harness.engines")
FILES = int(os.environ.get("REDIS_FLEET_RANDOM_FILES", "4"))

# What a scratch server on a Unix socket cannot be given, each for its reason.
_NOT_HERE = {
    **dict.fromkeys(["port", "unixsocket", "unixsocketgroup", "daemonize", "supervised", "pidfile", "logfile"], "ours"),
    **dict.fromkeys(["dir", "aclfile", "locale-collate", "syslog-enabled"], "of the machine"),
    **dict.fromkeys(["requirepass", "cluster-enabled", "replicaof", "rdma-port", "rdma-bind"], "tried by hand"),
    **dict.fromkeys(["maxclients", "maxmemory", "maxmemory-clients", "io-threads", "databases"], "takes memory"),
    **dict.fromkeys(["cluster-announce-hostname", "cluster-announce-human-nodename", "bind-source-addr"], "has a form"),
    **dict.fromkeys(["activedefrag", "watchdog-period"], "not in every build, not in files"),
    **dict.fromkeys(["replica-announce-ip", "replica-announce-port"], "only as described"),
    **dict.fromkeys(["masteruser", "primaryuser"], "only with a password"),
}


class Writer:
    """Writes lines of a redis.conf in one of the ways that mean the same."""

    def __init__(self, binary: Binary, seed: int) -> None:
        self.random = random.Random(f"{binary}/{seed}")
        self.table = catalogue(binary.engine, binary.version)
        self.version = tuple(map(int, binary.version.split(".")))[:2]

    def directives(self, count: int, *without: str) -> list[Directive]:
        known = [
            each
            for each in self.table
            if not (each.file_only or each.hidden or each.name in _NOT_HERE or each.name.startswith(("tls-", "lua.")))
            and each.name not in without
            and legal.others(each)
            and not any("@" in text for texts in legal.others(each) for text in texts)
        ]
        return self.random.sample(known, min(count, len(known)))

    def lines(self, directive: Directive) -> list[str]:
        texts = self.random.choice(legal.others(directive))
        return [self.line(directive, words) for words in values.lines(directive, texts)]

    def line(self, directive: Directive, words: Words) -> str:
        name = self.random.choice([directive.name, directive.alias or directive.name])
        name = self.random.choice([name, name.upper(), name.title()])
        gap = self.random.choice([" ", "  ", "\t", " \t "])
        if directive.many_words and len(words) > 1 and self.version >= (7, 0) and self.random.random() < 0.2:
            words = (" ".join(words),)
        text = gap.join([name, *map(self.word, words)])
        return self.random.choice(["", "  ", "\t"]) + text + self.random.choice(["", " ", "\t"])

    def word(self, word: str) -> str:
        ways = [quote(word), '"' + "".join(f"\\x{byte:02X}" for byte in word.encode()) + '"']
        if "'" not in word and "\n" not in word:
            ways.append(f"'{word}'")
        return self.random.choice([ways[0], *ways])

    def files(self, folder: Path) -> Path:
        """Write a redis.conf with an included file or two; all names are relative to the folder."""
        chosen = self.directives(25)
        lines = [line for each in chosen for line in self.lines(each)]
        again = [line for each in self.random.sample(chosen, 5) for line in self.lines(each)]
        lines += [*again, "# a comment", "", "   #indented"]
        self.random.shuffle(lines)
        end = self.random.choice(["\n", "\r\n"])
        for count in range(self.random.choice([0, 0, 1, 2])):
            cut = self.random.randrange(len(lines))
            part = lines[cut : cut + 6]
            (folder / f"part{count}.conf").write_text(end.join(part), newline="")
            lines[cut : cut + 6] = [f"include part{count}.conf"]
        file = folder / "redis.conf"
        file.write_text(end.join(lines) + self.random.choice(["", end]), newline="")
        return file


@pytest.mark.parametrize("seed", range(FILES))
@pytest.mark.parametrize("binary", BINARIES, ids=str)
def test_a_random_file_comes_back(binary: Binary, seed: int, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    file = Writer(binary, seed).files(tmp_path / "in")
    both(binary, file, tmp_path, binary.version)


@pytest.mark.parametrize("seed", range(max(1, FILES // 4)))
@pytest.mark.parametrize("binary", BINARIES, ids=str)
def test_three_random_files_come_back_as_one_service(binary: Binary, seed: int, tmp_path: Path) -> None:
    writer = Writer(binary, seed)
    # A service has one masterauth; a replica without its master answers nothing when it must not be stale.
    without = ("bind", "replica-announce-ip", "replica-announce-port", "masterauth", "primaryauth")
    chosen = writer.directives(25, *without, "replica-serve-stale-data")
    files = {}
    for number in (1, 2, 3):
        lines = [line for each in writer.random.sample(chosen, 15) for line in writer.lines(each)]
        lines += [f"bind 10.0.0.{number}", *(["replicaof 10.0.0.1 6379"] if number > 1 else [])]
        files[f"red{number}"] = tmp_path / f"red{number}" / "redis.conf"
        files[f"red{number}"].parent.mkdir()
        files[f"red{number}"].write_text("\n".join(lines))
    fleet, _ = imported([file.parent for file in files.values()], tmp_path / "out", binary.engine, binary.version)
    (service,) = fleet.services
    for process in service.processes:
        again = tmp_path / f"{process.machine}.conf"
        again.write_text(nowhere(configuration(fleet, process)))
        file = files[process.machine]
        file.write_text(nowhere(file.read_text()))
        with started(binary.server, file) as connection:
            before = settings(connection)
        with started(binary.server, again, folder=file.parent) as connection:
            assert settings(connection) == before


def nowhere(text: str) -> str:
    """Let replicas follow a loopback port where nobody listens."""
    assert "10.0.0.1" in text
    return text.replace("replicaof 10.0.0.1 6379", "replicaof 127.0.0.1 1")
