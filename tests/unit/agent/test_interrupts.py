"""Signals that are held back: none is lost, none comes between, and the handlers of before stand again."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from redis_fleet.agent.host.interrupts import held_back, temporary_folder
from redis_fleet.cli.playbook_runner import Interrupts


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Whatever a test does to them, the handlers are those of before."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number: int) -> None:
    """Send a signal to this process."""
    os.kill(os.getpid(), number)


def test_ctrl_c_comes_at_the_end() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), held_back():
        send(signal.SIGINT)
        done.append("the work")

    assert done == ["the work"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_or_where_it_is_let_in() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), held_back() as let_in:
        let_in()
        send(signal.SIGINT)
        done.append("the work")
        let_in()
        done.append("more")

    assert done == ["the work"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_would_end_the_process_at_once_lets_it_tidy_up(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_DFL)

    with pytest.raises(SystemExit) as raised, held_back():
        send(number)

    assert raised.value.code == 128 + number
    assert signal.getsignal(number) is signal.SIG_DFL


def test_a_handler_that_only_notes_ends_nothing() -> None:
    noted: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: noted.append(number))

    with held_back() as let_in:
        send(signal.SIGTERM)
        assert noted == []
        let_in()
        assert noted == [signal.SIGTERM]

    assert noted == [signal.SIGTERM]


def test_what_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with held_back():
        send(signal.SIGHUP)


def test_one_within_another_hands_it_on() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), held_back():
        with held_back():
            send(signal.SIGINT)
        done.append("the outer work")

    assert done == ["the outer work"]


def test_in_another_thread_nothing_changes() -> None:
    def work() -> None:
        with held_back() as let_in:
            let_in()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_a_folder_is_removed_when_ctrl_c_comes_as_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = tempfile.mkdtemp

    def interrupted(prefix: str) -> str:
        made = real(prefix=prefix, dir=tmp_path)
        send(signal.SIGINT)
        return made

    monkeypatch.setattr(tempfile, "mkdtemp", interrupted)
    with pytest.raises(KeyboardInterrupt), temporary_folder("some-"):
        raise AssertionError("it began all the same")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_was_interrupted_before_it_was_there_is_told(number: signal.Signals) -> None:
    with Interrupts() as interrupts:
        send(number)
        process = subprocess.Popen(["sleep", "60"])
        interrupts.pass_on_to(process)
        assert process.wait(10) == -signal.SIGINT

    assert interrupts.come
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_one_to_this_process_alone_is_passed_on_once() -> None:
    with Interrupts() as interrupts:
        process = subprocess.Popen(["sleep", "60"])
        interrupts.pass_on_to(process)
        send(signal.SIGTERM)
        assert process.wait(10) == -signal.SIGINT
        send(signal.SIGTERM)

    assert interrupts.come
