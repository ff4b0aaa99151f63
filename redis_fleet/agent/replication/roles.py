"""Roles changed by hand, one member at a time: made the master, made to follow, a fence lifted that was left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ..messages.usual_values import Described, UsualValues
from ..protocol.resp import ReplyError
from .connections import Servers
from .fence import FENCE, FENCE_LAG, MAX_LAG, MIN_REPLICAS
from .view import CONNECTION_ERRORS, describe_error
from .voter import NotElectedError


class GaveUpError(Exception):
    """A step before the promotion did not succeed; the text says which and why."""


def why(error: Exception) -> str:
    """Return why a step did not succeed, in the words of an operator; never carries a secret."""
    return str(error) if isinstance(error, (GaveUpError, NotElectedError)) else describe_error(error)


def lift(servers: Servers, name: str, described: Described) -> None:
    """Take away a fence that a killed run left on a member (id)."""
    if servers.get(name, MIN_REPLICAS) == str(FENCE):
        usual = described.get(name, UsualValues())
        servers.set(name, MIN_REPLICAS, said_or(usual.min_replicas, "0"))
        servers.set(name, MAX_LAG, said_or(usual.max_lag, str(FENCE_LAG)))
        servers.rewrite(name)


def said_or(value: str | None, default: str) -> str:
    """Return what the description says, where it says something."""
    return default if value is None else value


def promote(servers: Servers, name: str, old: str) -> str:
    """Make a member the master in the place of another (ids); returns why its file could not be saved, else nothing.

    Raises GaveUpError, OSError, ReplyError where it is none.
    """
    try:
        return servers.repoint(name, "", cut=False)
    except OSError:
        # The answer was lost, perhaps not the order: only the server itself knows.
        if not _was_promoted(servers, name, old):
            raise GaveUpError(f"{name} did not become the master") from None
        return f"{name} may not have saved that it is the master"


def _was_promoted(servers: Servers, name: str, old: str) -> bool:
    try:
        return servers.is_master(name)
    except CONNECTION_ERRORS as error:
        what = f"{name} was told to become the master and does not answer since ({describe_error(error)})"
        place = str(servers.node(old).announced).rpartition(":")
        remedy = f"should it come back as one: REPLICAOF {place[0]} {place[2]}"
        raise GaveUpError(f"{what}; {remedy}") from None


def promote_one(servers: Servers, names: Iterable[str], old: str) -> tuple[str, list[str], list[str]]:
    """Make the first of some members that can be it the master in the place of another (ids).

    Returns its id, what did not succeed with it, and why those before it could not, each a sentence. Raises GaveUpError
    where none could.
    """
    failed: list[str] = []
    for name in names:
        try:
            unsaved = promote(servers, name, old)
        except (GaveUpError, *CONNECTION_ERRORS) as error:
            failed.append(f"{name}: {why(error)}")
        else:
            return name, [unsaved] if unsaved else [], failed
    raise GaveUpError("; ".join(failed))


def announcing(names: Iterable[str], about_to: Callable[[str], None]) -> Iterator[str]:
    """Yield names, each after somebody was told of it."""
    for name in names:
        about_to(name)
        yield name


def follow(servers: Servers, name: str, master: str) -> list[str]:
    """Make a member follow a master (ids) by hand; returns what did not succeed, each a sentence."""
    try:
        unsaved = servers.repoint(name, master, cut=False)
    except (OSError, ReplyError) as error:
        return [f"{name} was not told to follow {master}: {describe_error(error)}"]
    return [unsaved] if unsaved else []
