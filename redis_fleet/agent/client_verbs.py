"""What a client can be asked to do on a machine, by name; for the module that is shipped there."""

from __future__ import annotations

import shutil
import tempfile
from typing import Any, Callable

from .load_client import writer
from .replication import verification
from .replication.view import Target

Given = dict[str, Any]


def _verify(target: Target, given: Given) -> Any:  # noqa: ARG001
    return verification.verify(target)


def _start(target: Target, given: Given) -> Any:
    folder = tempfile.mkdtemp(prefix="redis-fleet-drill-")
    writer.start_detached(target, folder, given["seconds"])
    return folder


def _look(target: Target, given: Given) -> Any:
    return writer.look(target, given["folder"], given["offset"])


def _stop(target: Target, given: Given) -> Any:  # noqa: ARG001
    try:
        return writer.stop(given["folder"])
    finally:
        shutil.rmtree(given["folder"], ignore_errors=True)


VERBS: dict[str, Callable[[Target, Given], Any]] = {
    "verify": _verify,
    "start": _start,
    "look": _look,
    "stop": _stop,
}
