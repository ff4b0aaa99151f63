"""Hold configurations against the very binary that will run them: in folders of their own, and nothing else notices.

Each text gets two looks. First it is *read*, as it is but for ``dir`` and ``logfile``: a line behind it that no server
takes ends the process before it opens anything, so that whatever it says about an earlier line is the text's own, with
its number. Then it is *started*, without what would reach others (ports, masters, what a Sentinel watches), and must
answer on a Unix socket: that shows what is only found later, such as ACL files, modules and certificates.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeVar

from ..access import Access, connect
from ..endpoint import Endpoint
from ..host.interrupts import held_back
from ..host.scratch import launch, made, sweep
from ..messages.config_test import SAYS_NOTHING, Complaint, ConfigsTested, ConfigTest, ConfigTested, ConfigText
from ..messages.kind import SERVER, Kind
from ..protocol.resp import ReplyError
from .config_text import in_place, masked, readable, startable

T = TypeVar("T")
Waiting = Generator[None, None, T]
SECONDS = 10.0
_PAUSE = 0.002
# So many wrong lines of one text are told at once.
_MOST = 20
_LAST_BYTES = 65536
_FATAL = re.compile(
    r"\*\*\* FATAL CONFIG FILE ERROR.*\nReading the configuration file, at line (\d+)\n>>> .*\n(.*)", re.MULTILINE
)
_UNRESOLVED = re.compile(r">>> '(.*)'$")
_VERSION = re.compile(r"(\w+) server v=(\S+)")
# A line of level warning, which is also that of errors: "1234:M 23 Nov 2026 18:21:21.546 # Failed to load certificate".
_LOGGED = re.compile(r"^\d+:\w .*? # (.*)$", re.MULTILINE)
_NOISE = re.compile(r"WARNING|Warning:|Server initialized|You requested maxclients|Increased maximum|Current maximum")
# What only says that it ends now; the reason stands before it.
_GENERIC = re.compile(r"(Check logs for more info|[Ee]xiting|aborting|bye bye\.\.)\.?$")


class _Looked(NamedTuple):
    """What a process left: its exit code (None: it had to be killed) and what it printed."""

    code: int | None
    said: str


class _Trial(NamedTuple):
    """A text that is being tried, the binary's path, the folder that it has for itself, and the bound of each look."""

    wanted: ConfigText
    binary: str
    folder: Path
    seconds: float


def run_tests(request: ConfigTest, tick: Callable[[], None] = lambda: None) -> ConfigsTested:
    """Try every text and return what came of each, in their order; raises only what ends the caller.

    So many run side by side as there are cores; whatever happens, processes and folders are gone after, also when
    this process is told to end. ``tick`` is called again and again meanwhile.
    """
    wanted = list(enumerate(request.texts))
    answers: dict[int, ConfigTested] = {}
    active: dict[int, Waiting[ConfigTested]] = {}
    sweep()
    with held_back() as let_in, _cleared_up_after(active):
        while wanted or active:
            let_in()
            while wanted and len(active) < _side_by_side():
                number, each = wanted.pop(0)
                active[number] = _tested(each, request.seconds or SECONDS)
            for number in list(active):
                try:
                    next(active[number])
                except StopIteration as end:
                    answers[number] = end.value
                    del active[number]
            tick()
            time.sleep(_PAUSE)
    return ConfigsTested(tuple(answers[number] for number in sorted(answers)))


def run_test(
    binary: str, text: str | None, kind: Kind = SERVER, user: str = "", seconds: float = SECONDS
) -> ConfigTested:
    """Try one text, see ``run_tests``."""
    return run_tests(ConfigTest((ConfigText("", binary, kind, user, text),), seconds)).results[0]


def program(binary: str, seconds: float = SECONDS) -> tuple[str, str]:
    """Return engine and version of a binary (``redis 7.0.15``), and what is wrong with it: one of them is empty."""
    answer = run_test(binary, None, seconds=seconds)
    wrong = answer.untried or "".join(each.said for each in answer.complaints)
    return ("", wrong) if wrong else (answer.version, "")


@contextmanager
def _cleared_up_after(active: dict[int, Waiting[ConfigTested]]) -> Iterator[None]:
    """End what is under way whatever happens."""
    try:
        yield
    finally:
        for each in active.values():
            each.close()


def _side_by_side() -> int:
    return max(2, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2)


def _tested(wanted: ConfigText, seconds: float) -> Waiting[ConfigTested]:
    found = ConfigTested(wanted.name)
    binary = shutil.which(wanted.binary)
    if not binary:
        return replace(found, untried=f"there is no {wanted.binary}")
    try:
        folder = made(wanted.user)
    except KeyError:
        return replace(found, untried=f"there is no user {wanted.user}")
    trial = _Trial(_with_files(wanted, folder), binary, folder, seconds)
    try:
        version, complaints = yield from _looked_at_twice(trial)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    said = [masked(each.said, wanted.text or "").replace(str(folder), "") for each in complaints]
    told = tuple(replace(each, said=words) for each, words in zip(complaints, said))
    return replace(found, version=version, complaints=told)


def _with_files(wanted: ConfigText, folder: Path) -> ConfigText:
    """Put what stands for files that are not there yet, and let the text name that."""
    text, owner = wanted.text, folder.stat()
    for number, (path, content) in enumerate(wanted.files.items()):
        file = folder / f"file{number}"
        file.write_text(content, encoding="utf-8")
        os.chown(str(file), owner.st_uid, owner.st_gid)
        text = text.replace(path, str(file)) if text else text
    return replace(wanted, text=text)


def _looked_at_twice(trial: _Trial) -> Waiting[tuple[str, list[Complaint]]]:
    """Return the binary's version, and what it says against the text: when it reads it, else when it starts."""
    looked = yield from _run(trial, [trial.binary, "--version"])
    found = _VERSION.search(looked.said)
    if found is None:
        return trial.binary, [_unexpected(looked, trial.seconds)]
    complaints: list[Complaint] = []
    if trial.wanted.text is not None:
        text, complaints = yield from _read(trial, trial.wanted.text)
        complaints = complaints or (yield from _started(trial, text))
    return f"{found[1].lower()} {found[2]}", complaints


def _read(trial: _Trial, text: str) -> Waiting[tuple[str, list[Complaint]]]:
    """Return the text without the lines that the server does not take, and what it said about each of these."""
    complaints: list[Complaint] = []
    while len(complaints) < _MOST:
        given, end = readable(text, trial.wanted.kind, str(trial.folder))
        looked = yield from _run(trial, _command(trial, given))
        found = _FATAL.search(looked.said)
        if found is None:
            return text, [*complaints, _unexpected(looked, trial.seconds)]
        if int(found[1]) >= end:
            break
        complaints.append(Complaint(int(found[1]), found[2].strip()))
        text = in_place(text, {int(found[1]): ""})
    return text, complaints


def _started(trial: _Trial, text: str) -> Waiting[list[Complaint]]:
    """Return what the server says against the text when it starts; nothing when it answers."""
    given = startable(text, str(trial.folder), trial.wanted.unstarted)
    command = _command(trial, given)
    deadline = time.monotonic() + trial.seconds
    answered = False
    with launch(command, trial.folder, trial.wanted.user) as process:
        while process.poll() is None and not answered and time.monotonic() < deadline:
            answered = _answers(trial.folder)
            yield
        code = process.poll()
    if answered:
        return []
    said = _log(trial.folder)
    found = _FATAL.search(said)
    if found:
        return [Complaint(int(found[1]), found[2].strip())]
    logged = [line.strip() for line in _LOGGED.findall(said) if not _NOISE.search(line)]
    while len(logged) > 1 and _GENERIC.search(logged[-1]) and not _UNRESOLVED.match(logged[-2]):
        logged.pop()
    if code is None or code < 0 or not logged:
        return [_unexpected(_Looked(code, said), trial.seconds)]
    named = _UNRESOLVED.match(logged[-2]) if len(logged) > 1 else None
    lines = given.split("\n")
    line = lines.index(named[1]) + 1 if named and named[1] in lines else 0
    return [Complaint(line, logged[-1])]


def _unexpected(looked: _Looked, seconds: float) -> Complaint:
    return Complaint(0, _ending(looked, seconds), SAYS_NOTHING)


def _ending(looked: _Looked, seconds: float) -> str:
    """Say how a process ended that should have said what is wrong, and did not."""
    if looked.code is None:
        return f"it does not answer within {seconds:g} s"
    if looked.code < 0:
        return f"it was ended by {signal.Signals(-looked.code).name}"
    if looked.code == 0 and not looked.said:
        return "it is no server: it ended at once, without a word"
    last = [line for line in looked.said.splitlines() if line.strip()][-1:]
    return f"it ended with exit code {looked.code}" + (f" ({last[0].strip()[:200]})" if last else "")


def _command(trial: _Trial, text: str) -> list[str]:
    file = trial.folder / "conf"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    # A Sentinel does not start with a file that it may not write.
    owner = trial.folder.stat()
    os.chown(str(file), owner.st_uid, owner.st_gid)
    return [trial.binary, str(file), *trial.wanted.kind.arguments]


def _run(trial: _Trial, command: list[str]) -> Waiting[_Looked]:
    """Run a command to its end, in bounded time."""
    deadline = time.monotonic() + trial.seconds
    with launch(command, trial.folder, trial.wanted.user) as process:
        while process.poll() is None and time.monotonic() < deadline:
            yield
        code = process.poll()
    return _Looked(code, _log(trial.folder))


def _log(folder: Path) -> str:
    return (folder / "log").read_bytes()[-_LAST_BYTES:].decode("utf-8", "replace")


def _answers(folder: Path) -> bool:
    """Say whether the server is there; that it wants a password, or knows no PING, is an answer as well."""
    # A socket's path may have 107 bytes only, and the folder for temporary files may have a long one.
    way = os.open(str(folder), os.O_RDONLY)
    try:
        with connect(Access(Endpoint(f"/proc/self/fd/{way}/socket", 0)), timeout=0.5) as connection:
            connection.call("PING")
    except ReplyError:
        return True
    except OSError:
        return False
    finally:
        os.close(way)
    return True
