"""A writer on a machine: started in a folder of its own, looked at, ended."""

from __future__ import annotations

import shutil
import tempfile

from ..messages.client import ClientLook, ClientStart, ClientStarted, ClientStop, ClientStopped, Look
from . import writer


def start(request: ClientStart) -> ClientStarted:
    """Start a writer that goes on when this process has ended; returns its folder."""
    folder = tempfile.mkdtemp(prefix="redis-fleet-drill-")
    writer.start_detached(request.service, folder, request.seconds, request.patience)
    return ClientStarted(folder)


def look(request: ClientLook) -> Look:
    """Return what is new since ``offset``."""
    return writer.look(request.service, request.folder, request.offset)


def stop(request: ClientStop) -> ClientStopped:
    """End the writer, whatever it left, and remove its folder."""
    try:
        return ClientStopped(writer.stop(request.folder))
    finally:
        shutil.rmtree(request.folder, ignore_errors=True)
