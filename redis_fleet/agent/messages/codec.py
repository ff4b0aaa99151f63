"""The codec under its former name, for messages that still import it from here."""

from __future__ import annotations

from ..codec import Message, Request

__all__ = ["Message", "Request"]
