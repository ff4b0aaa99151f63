"""What a machine can be asked for, by name. Each verb imports what it needs itself: a machine compiles nothing else."""

# ruff: noqa: PLC0415 (see above)

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

from .codec import Message
from .errors import AgentError
from .inspect.verbs import INSPECTIONS
from .performing import Asked, Done, Verbs, perform_among


def _prepare(asked: Asked) -> Done:
    from .host.packages.install import install
    from .messages.files import Prepare

    answer = install(Prepare.from_json(asked.body, asked.secrets), asked.dry)
    return Done(bool(answer.written or answer.installed), answer)


def _start(asked: Asked) -> Done:
    from .messages.running import Start
    from .process.start import start

    answer = start(Start.from_json(asked.body, asked.secrets), asked.dry)
    return Done(bool(answer.written or answer.started), answer)


def _restart(asked: Asked) -> Done:
    from .messages.running import Restart
    from .process.restart import restart

    return Done(True, restart(Restart.from_json(asked.body, asked.secrets), asked.dry))


def _change(asked: Asked) -> Done:
    from .messages.orders import Change
    from .process.change import change

    answer = change(Change.from_json(asked.body, asked.secrets), asked.dry)
    return Done(bool(answer.changed), answer)


def _wait_in_sync(asked: Asked) -> Done:
    from .messages.running import WaitInSync
    from .process.wait_in_sync import wait_in_sync

    answer = wait_in_sync(WaitInSync.from_json(asked.body, asked.secrets))
    return Done(bool(answer.restored), answer)


def _decommission(asked: Asked) -> Done:
    from .messages.running import Decommission
    from .process.decommission import decommission

    answer = decommission(Decommission.from_json(asked.body, asked.secrets), asked.dry)
    return Done(bool(answer.done), answer)


def _repair(asked: Asked) -> Done:
    from .messages.running import Repair
    from .process.repair import repair

    return Done(True, repair(Repair.from_json(asked.body, asked.secrets), asked.dry))


def _begin(asked: Asked) -> Done:
    from .messages.runs import Begin
    from .runs.lock import begin

    return _unchanged(begin(Begin.from_json(asked.body, asked.secrets)))


def _end(asked: Asked) -> Done:
    from .messages.runs import End
    from .runs.lock import end

    return _unchanged(end(End.from_json(asked.body, asked.secrets)))


def _show_lock(asked: Asked) -> Done:
    from .messages.runs import Held, ShowLock
    from .runs.lock import holder

    return _unchanged(Held(holder(ShowLock.from_json(asked.body, asked.secrets).lock)))


def _verify(asked: Asked) -> Done:
    from .messages.client import Checks, Verify
    from .replication.verification import verify

    return _unchanged(Checks(tuple(verify(Verify.from_json(asked.body, asked.secrets).service))))


def _client_start(asked: Asked) -> Done:
    from .load_client.serving import start
    from .messages.client import ClientStart

    return _unchanged(start(ClientStart.from_json(asked.body, _for_good(asked))))


def _client_look(asked: Asked) -> Done:
    from .load_client.serving import look
    from .messages.client import ClientLook

    return _unchanged(look(ClientLook.from_json(asked.body, asked.secrets)))


def _client_stop(asked: Asked) -> Done:
    from .load_client.serving import stop
    from .messages.client import ClientStop

    return _unchanged(stop(ClientStop.from_json(asked.body, asked.secrets)))


def _prefer(asked: Asked) -> Done:
    from .messages.handover import Prefer, Priorities
    from .replication.promotion_priority import prefer

    asks = Prefer.from_json(asked.body, _for_good(asked))
    return _told(lambda: Priorities(prefer(asks.service, asks.new, asks.described, elect=asks.elect)))


def _hand_over(asked: Asked) -> Done:
    from .messages.handover import HandOver
    from .replication.handover import hand_over

    asks = HandOver.from_json(asked.body, _for_good(asked))
    return _told(lambda: hand_over(asks.service, asks.old, asks.new, asks.described, elect=asks.elect))


def _may_elect(asked: Asked) -> Done:
    from .messages.handover import Elective, MayElect
    from .replication.election import why_not

    asks = MayElect.from_json(asked.body, asked.secrets)
    return _unchanged(Elective(why_not(asks.service, asks.old)))


def _restore_priorities(asked: Asked) -> Done:
    from .messages.handover import Restored, RestorePriorities
    from .replication.promotion_priority import restore

    asks = RestorePriorities.from_json(asked.body, _for_good(asked))
    return _told(lambda: Restored(tuple(restore(asks.service, asks.priorities))))


def _promote(asked: Asked) -> Done:
    from .messages.handover import Promote
    from .replication.promotion import promote

    asks = Promote.from_json(asked.body, _for_good(asked))
    return _told(lambda: promote(asks.service, asks.new))


def _manual_masters(asked: Asked) -> Done:
    from .messages.handover import AskManualMasters, ManualMasters
    from .runs.manual_masters import read

    asks = AskManualMasters.from_json(asked.body, asked.secrets)
    return _unchanged(_told(lambda: ManualMasters(read(asks.path))).answer)


def _note_manual_master(asked: Asked) -> Done:
    from .messages.handover import ManualMasters, NoteManualMaster
    from .runs.manual_masters import note

    asks = NoteManualMaster.from_json(asked.body, _for_good(asked))
    return _told(lambda: ManualMasters(note(asks.path, asks.service, asks.master, asks.number)))


def _hold(asked: Asked) -> Done:
    from .messages.holding import Hold, KeptDown
    from .process.holding import hold

    return Done(True, KeptDown(hold(Hold.from_json(asked.body, _for_good(asked)))))


def _release(asked: Asked) -> Done:
    from .messages.holding import Release, Released
    from .process.holding import release

    release(Release.from_json(asked.body, _for_good(asked)))
    return Done(True, Released())


def _for_good(asked: Asked) -> Sequence[str]:
    """Return the secrets of what can only be done, not tried; raises RefusedError when nothing may be touched."""
    from .errors import RefusedError

    if asked.dry:
        raise RefusedError("this cannot be tried, only done")
    return asked.secrets


def _told(do: Callable[[], Message]) -> Done:
    """Do it; what went wrong with a connection is told in the words of an operator."""
    from .replication.view import CONNECTION_ERRORS, describe_error

    try:
        return Done(True, do())
    except CONNECTION_ERRORS as error:
        raise AgentError(describe_error(error)) from error


def _unchanged(answer: Message) -> Done:
    """Return a result that is no change: it is no part of what the description asks for."""
    return Done(False, answer)


VERBS: Verbs = {
    **INSPECTIONS,
    "prepare": _prepare,
    "start": _start,
    "restart": _restart,
    "change": _change,
    "wait-in-sync": _wait_in_sync,
    "decommission": _decommission,
    "repair": _repair,
    "begin": _begin,
    "end": _end,
    "show-lock": _show_lock,
    "verify": _verify,
    "client-start": _client_start,
    "client-look": _client_look,
    "client-stop": _client_stop,
    "prefer": _prefer,
    "hand-over": _hand_over,
    "may-elect": _may_elect,
    "restore-priorities": _restore_priorities,
    "promote": _promote,
    "manual-masters": _manual_masters,
    "note-manual-master": _note_manual_master,
    "hold": _hold,
    "release": _release,
}


def perform(verb: str, request: str, secrets: Sequence[str], *, dry: bool) -> dict[str, Any]:
    """Do what a verb says and return the result as Ansible has it, see performing.py."""
    return perform_among(VERBS, verb, request, secrets, dry=dry)
