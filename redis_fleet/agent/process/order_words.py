"""What an order says: in a few words, which secrets it carries, which directives it touches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..login import secret_words
from ..messages.orders import (
    AppendOnly,
    CloseDefault,
    Command,
    DeleteUser,
    Demote,
    Disconnect,
    Forget,
    MasterAuth,
    Order,
    PasswordAdd,
    PasswordEnd,
    SetDirectives,
    SetUser,
    Value,
    clear,
)
from ..replication.fence import MIN_REPLICAS
from ..secret import Secret
from . import sentinel_commands

_OWN: dict[type, str] = {
    AppendOnly: "appendonly",
    MasterAuth: "masterauth",
    PasswordAdd: "requirepass",
    PasswordEnd: "requirepass",
    Demote: MIN_REPLICAS,
}


def told(order: Order) -> str:
    """Return an order in a few words, without any value that could be a secret."""
    if isinstance(order, SetDirectives):
        return "CONFIG SET " + ", ".join(name for name, _ in order.pairs)
    if isinstance(order, Command):
        return sentinel_commands.told(order.words)
    if isinstance(order, (SetUser, DeleteUser)):
        return f"ACL {'SETUSER' if isinstance(order, SetUser) else 'DELUSER'} {order.user}"
    if isinstance(order, (CloseDefault, Disconnect)):
        return f"{order.do} {', '.join(order.users)}" if isinstance(order, Disconnect) else order.do
    if isinstance(order, (Demote, Forget)):
        return f"{order.do} {order.master}"
    return f"{order.do} {order.value}" if isinstance(order, AppendOnly) else order.do


def secrets_in(order: Order, sensitive: frozenset[str]) -> set[str]:
    """Return the secrets that an order carries, also where a text is one by its place."""
    # (An ACL rule is a secret with a sign before it, and an error may repeat it without.)
    marked = {bare for value in _values(order) if isinstance(value, Secret) for bare in _with_bare(value.reveal())}
    if isinstance(order, Command):
        return marked | secret_words(map(clear, order.words), sensitive)
    if isinstance(order, SetDirectives):
        return marked | {clear(value) for name, value in order.pairs if name.lower() in sensitive}
    return marked


def touched(orders: Iterable[Order]) -> Iterator[str]:
    """Yield the directives that orders set."""
    for order in orders:
        if isinstance(order, SetDirectives):
            yield from (name.lower() for name, _ in order.pairs)
        elif type(order) in _OWN:
            yield _OWN[type(order)]


def _values(order: Order) -> Iterator[Value]:
    if isinstance(order, SetDirectives):
        yield from (value for _, value in order.pairs)
    elif isinstance(order, MasterAuth):
        yield order.value
    elif isinstance(order, Command):
        yield from order.words
    elif isinstance(order, SetUser):
        yield from order.rules


def _with_bare(word: str) -> set[str]:
    return {word, *secret_words([word])}
