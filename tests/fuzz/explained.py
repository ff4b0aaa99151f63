"""Where ``check`` and a binary disagree about a cell of the matrix, each with its reason.

What the catalogue itself knows to be taken and refuses all the same (``Taken``) is not here: that the binary does take
it is tested. An entry that explains nothing any more fails the test.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.fuzz.matrix import Cell
from tests.harness.engines import Binary


class Explained(NamedTuple):
    """Patterns of an engine's name, a directive's name and a value (its texts, one a line); why both disagree there."""

    engines: str
    names: str
    texts: str
    why: str

    @property
    def of_sentinels(self) -> bool:
        """Whether it speaks of a Sentinel's own lines."""
        return self.names.startswith("sentinel ")

    def fits_engine(self, binary: Binary) -> bool:
        """Say whether it speaks of an engine."""
        return bool(re.fullmatch(self.engines, str(binary)))

    def fits(self, binary: Binary, name: str, texts: tuple[str, ...]) -> bool:
        """Say whether it speaks of a value."""
        value = "\n".join(texts)
        return all(
            re.fullmatch(pattern, text, re.DOTALL)
            for pattern, text in ((self.engines, str(binary)), (self.names, name), (self.texts, value))
        )


def about(binary: Binary, cell: Cell, explained: tuple[Explained, ...]) -> Explained | None:
    """Return what explains a cell."""
    name = f"sentinel {cell.lines[0][0]}" if cell.directive.section == "Sentinel" and cell.lines[0] else cell.name
    return next((each for each in explained if each.fits(binary, name, cell.texts)), None)


_SCRIPTS = "sentinel (notification|client-reconfig)-script"
_NOT_HERE = "the file must be there and be a program: the machines are asked"
# Refused by ``check``, taken by the binary.
REFUSED: tuple[Explained, ...] = (
    Explained(".*", _SCRIPTS, ".+\n.+", _NOT_HERE),
    Explained("redis-6.0.*", "client-query-buffer-limit", ".*", "6.0 takes any text, and ends connections below 1mb"),
    Explained("redis-6.0.*", "hz", r"0|\d{4,}", "6.0 reads it, and crashes before it answers (a division by zero)"),
    Explained("redis-6.*", "user", "a.*\na.*", "6.x takes one user twice, later versions do not"),
    Explained("valkey-9.*", "cluster-announce-ip", ".*\0.*", "valkey 9 looks behind the NUL character"),
    Explained(
        "(redis-8|valkey).*", "cluster-announce-human-nodename", ".*\0.*", "the server looks behind the NUL character"
    ),
    Explained("valkey-9.*", "client-output-buffer-limit", r"normal 1\d{19} 0 0", "valkey 9 refuses it itself"),
    Explained("(redis-[78]|valkey-8).*", "latency-.*-percentiles", "0x10|-0", "nobody writes a share so"),
    Explained("valkey.*", "cluster-blacklist-ttl", r"-\d+", "becomes the largest number there is"),
    Explained(
        "(redis-[78]|valkey).*",
        "latency-tracking-info-percentiles|save|client-output-buffer-limit|oom-score-adj-values|shutdown-on-sig.*",
        ".*['\"].*",
        "where a quote is not closed the server reads nothing at all",
    ),
    Explained("redis.*", "dbfilename", "\0?", "no file could be written; valkey refuses it"),
    Explained("redis.*", "cluster-config-file", "\0?", "a cluster could not keep its state; valkey refuses it"),
    Explained("redis-6.*", "appendfilename", "\0?", "there would be no append only file; 7.0 and later refuse it"),
    Explained(".*", "replicaof", ".*", "the description has a key of its own, with ports from 1 to 65535"),
    Explained(".*", "user", "(\"\"|'').*|", "nobody has an empty name"),
    Explained(
        "(redis-[78]|valkey).*", "maxmemory-clients", "184467440737095516.*", "is a share, and one below nothing"
    ),
    Explained("redis-8.*", "rename-command", ".*", "is kept for the modules, and ends the server when none has it"),
)
# Taken by ``check``, refused by the binary.
TAKEN: tuple[Explained, ...] = (
    Explained(".*", _SCRIPTS, ".+", _NOT_HERE),
    Explained(".*", "replicaof", "[\\s'\"]*", "nothing is written where nobody is followed"),
    Explained("redis-6.*", "user", r".*[&%(].*", "rule E15 refuses what this version is too old for"),
    Explained(
        ".*", "rename-command", ".*", "which commands there are depends on modules: a binary is asked, if there is one"
    ),
)
# Both take it, and the binary does not answer what was written.
MEANT: tuple[Explained, ...] = ()


def is_refused_on_purpose(binary: Binary, name: str, texts: tuple[str, ...]) -> bool:
    """Say whether ``check`` has a reason here to refuse what the binary takes; ``sentinel NAME`` for a Sentinel's."""
    return any(each.fits(binary, name, texts) for each in REFUSED)
