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
from pathlib import Path
from typing import Any, NamedTuple

from ..host.interrupts import held_back
from ..host.scratch import launch, made, sweep
from ..protocol.resp import Connection, ReplyError
from .config_text import in_place, masked, readable, startable

Answer = dict[str, Any]
Waiting = Generator[None, None, Any]
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


def trials(request: Answer, tick: Callable[[], None] = lambda: None) -> list[Answer]:
    """Try every text of ``trials`` and return an answer each, in their order; raises only what ends the caller.

    A trial is ``name``, ``binary``, ``kind``, ``user`` (who runs it where this is root; empty: whoever this is) and
    ``text`` (None: only the version is asked for), and may name the numbers of lines that are read and not started
    (``unstarted``); ``seconds`` bounds each look. An answer is the trial's ``name``, the ``version``
    (``redis 7.0.15``), ``complaints`` (``line``, from 1, or 0 where the server names none, and what it ``said``), and
    ``untried``: why there was no trial. So many run side by side as there are cores; whatever happens, processes and
    folders are gone after, also when this process is told to end. ``tick`` is called again and again meanwhile.
    """
    wanted = list(enumerate(request["trials"]))
    answers: dict[int, Answer] = {}
    active: dict[int, Waiting] = {}
    sweep()
    with held_back() as let_in, _cleared_up_after(active):
        while wanted or active:
            let_in()
            while wanted and len(active) < _side_by_side():
                number, each = wanted.pop(0)
                active[number] = _tried(each, float(request.get("seconds") or SECONDS))
            for number in list(active):
                try:
                    next(active[number])
                except StopIteration as end:
                    answers[number] = end.value
                    del active[number]
            tick()
            time.sleep(_PAUSE)
    return [answers[number] for number in sorted(answers)]


def trial(binary: str, text: str, kind: str = "server", user: str = "", seconds: float = SECONDS) -> Answer:
    """Try one text, see ``trials``."""
    wanted = {"name": "", "binary": binary, "kind": kind, "user": user, "text": text}
    return trials({"trials": [wanted], "seconds": seconds})[0]


def program(binary: str, seconds: float = SECONDS) -> tuple[str, str]:
    """Return engine and version of a binary (``redis 7.0.15``), and what is wrong with it: one of them is empty."""
    wanted = {"name": "", "binary": binary, "kind": "server", "user": "", "text": None}
    answer = trials({"trials": [wanted], "seconds": seconds})[0]
    wrong = answer["untried"] or "".join(each["said"] for each in answer["complaints"])
    return ("", wrong) if wrong else (answer["version"], "")


@contextmanager
def _cleared_up_after(active: dict[int, Waiting]) -> Iterator[None]:
    """End what is under way whatever happens."""
    try:
        yield
    finally:
        for each in active.values():
            each.close()


def _side_by_side() -> int:
    return max(2, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2)


def _tried(wanted: Answer, seconds: float) -> Waiting:
    answer: Answer = {"name": wanted["name"], "version": "", "complaints": [], "untried": ""}
    binary = shutil.which(wanted["binary"])
    if not binary:
        answer["untried"] = f"there is no {wanted['binary']}"
        return answer
    try:
        folder = made(wanted["user"])
    except KeyError:
        answer["untried"] = f"there is no user {wanted['user']}"
        return answer
    wanted = {**wanted, "binary": binary, "folder": folder, "seconds": seconds}
    try:
        looked = yield from _run(wanted, [binary, "--version"])
        found = _VERSION.search(looked.said)
        answer["version"] = f"{found[1].lower()} {found[2]}" if found else wanted["binary"]
        if found is None:
            answer["complaints"] = [{"line": 0, "said": _unexpected(looked, seconds)}]
        elif wanted["text"] is not None:
            text, complaints = yield from _read(wanted)
            answer["complaints"] = complaints or (yield from _started(wanted, text))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for each in answer["complaints"]:
        each["said"] = masked(each["said"], wanted["text"] or "").replace(str(folder), "")
    return answer


def _read(wanted: Answer) -> Waiting:
    """Return the text without the lines that the server does not take, and what it said about each of these."""
    text = wanted["text"]
    complaints: list[Answer] = []
    while len(complaints) < _MOST:
        given, end = readable(text, wanted["kind"], str(wanted["folder"]))
        looked = yield from _run(wanted, _command(wanted, given))
        found = _FATAL.search(looked.said)
        if found is None:
            return text, [*complaints, {"line": 0, "said": _unexpected(looked, wanted["seconds"])}]
        if int(found[1]) >= end:
            break
        complaints.append({"line": int(found[1]), "said": found[2].strip()})
        text = in_place(text, {int(found[1]): ""})
    return text, complaints


def _started(wanted: Answer, text: str) -> Waiting:
    """Return what the server says against the text when it starts; nothing when it answers."""
    given = startable(text, str(wanted["folder"]), wanted.get("unstarted", ()))
    command = _command(wanted, given)
    deadline = time.monotonic() + wanted["seconds"]
    answered = False
    with launch(command, wanted["folder"], wanted["user"]) as process:
        while process.poll() is None and not answered and time.monotonic() < deadline:
            answered = _answers(wanted["folder"])
            yield
        code = process.poll()
    if answered:
        return []
    said = _log(wanted["folder"])
    found = _FATAL.search(said)
    if found:
        return [{"line": int(found[1]), "said": found[2].strip()}]
    logged = [line.strip() for line in _LOGGED.findall(said) if not _NOISE.search(line)]
    while len(logged) > 1 and _GENERIC.search(logged[-1]) and not _UNRESOLVED.match(logged[-2]):
        logged.pop()
    if code is None or code < 0 or not logged:
        return [{"line": 0, "said": _unexpected(_Looked(code, said), wanted["seconds"])}]
    named = _UNRESOLVED.match(logged[-2]) if len(logged) > 1 else None
    lines = given.split("\n")
    line = lines.index(named[1]) + 1 if named and named[1] in lines else 0
    return [{"line": line, "said": logged[-1]}]


def _unexpected(looked: _Looked, seconds: float) -> str:
    """Say how a process ended that should have said what is wrong, and did not."""
    if looked.code is None:
        return f"it does not answer within {seconds:g} s"
    if looked.code < 0:
        return f"it was ended by {signal.Signals(-looked.code).name}"
    if looked.code == 0 and not looked.said:
        return "it is no server: it ended at once, without a word"
    last = [line for line in looked.said.splitlines() if line.strip()][-1:]
    return f"it ended with exit code {looked.code}" + (f" ({last[0].strip()[:200]})" if last else "")


def _command(wanted: Answer, text: str) -> list[str]:
    file = wanted["folder"] / "conf"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    # A Sentinel does not start with a file that it may not write.
    owner = wanted["folder"].stat()
    os.chown(str(file), owner.st_uid, owner.st_gid)
    return [wanted["binary"], str(file), *(["--sentinel"] if wanted["kind"] == "sentinel" else [])]


def _run(wanted: Answer, command: list[str]) -> Waiting:
    """Run a command to its end, in bounded time."""
    deadline = time.monotonic() + wanted["seconds"]
    with launch(command, wanted["folder"], wanted["user"]) as process:
        while process.poll() is None and time.monotonic() < deadline:
            yield
        code = process.poll()
    return _Looked(code, _log(wanted["folder"]))


def _log(folder: Path) -> str:
    return (folder / "log").read_bytes()[-_LAST_BYTES:].decode("utf-8", "replace")


def _answers(folder: Path) -> bool:
    """Say whether the server is there; that it wants a password, or knows no PING, is an answer as well."""
    # A socket's path may have 107 bytes only, and the folder for temporary files may have a long one.
    way = os.open(str(folder), os.O_RDONLY)
    try:
        with Connection(f"/proc/self/fd/{way}/socket", 0, timeout=0.5) as connection:
            connection.call("PING")
    except ReplyError:
        return True
    except OSError:
        return False
    finally:
        os.close(way)
    return True
