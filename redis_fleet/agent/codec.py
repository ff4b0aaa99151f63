"""A message is a frozen dataclass; on the way it is JSON, its secrets apart so that Ansible can hide each of them.

Fields are ``str``, ``int``, ``float``, ``bool``, ``Any`` (JSON as it is), other messages, ``Secret``, and ``Optional``,
``tuple[…, ...]``, ``tuple[…, …]`` or ``Mapping[str, …]`` of these. A union of messages is written with the name of the
class (``is``).
Annotations are read at run time by Python 3.9: ``Optional[X]`` and ``Union[X, Y]``, never ``X | Y``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, MutableSequence, Sequence
from functools import lru_cache
from typing import Any, ClassVar, Generic, Optional, TypeVar, Union, get_args, get_origin, get_type_hints

from .secret import Secret

M = TypeVar("M", bound="Message")
A = TypeVar("A", bound="Message")
_PLAIN = (str, int, float, bool)
_APART = "$secret"
_CLASS = "is"


class Message:
    """What every message inherits; subclasses are frozen dataclasses."""

    def to_json(self, secrets: Optional[MutableSequence[str]] = None) -> dict[str, Any]:
        """Return the message as JSON-able values; its secrets are appended to ``secrets``.

        Raises ValueError when it holds a secret and nobody takes it: an answer never has one.
        """
        kind: Any = type(self)
        hints = _hints(kind)
        return {
            field.name: _encoded(hints[field.name], getattr(self, field.name), secrets)
            for field in dataclasses.fields(self)  # type: ignore[arg-type]
        }

    @classmethod
    def from_json(cls: type[M], body: Mapping[str, Any], secrets: Sequence[str] = ()) -> M:
        """Read what ``to_json`` made; a field that is missing has its default. Raises ValueError for anything else."""
        kind: Any = cls
        hints = _hints(kind)
        unknown = body.keys() - hints.keys()
        if unknown:
            raise ValueError(f"{cls.__name__} has no field {', '.join(sorted(unknown))}")
        try:
            return cls(**{name: _decoded(hints[name], value, secrets) for name, value in body.items()})
        except TypeError as error:
            raise ValueError(f"{cls.__name__}: {error}") from None


class Request(Message, Generic[A]):
    """A message that asks a machine for something; ``verb`` says what, and the parameter is the class of the answer."""

    verb: ClassVar[str] = ""

    @classmethod
    def answer(cls) -> type[A]:
        """Return the class of the answer."""
        bases: Any = cls.__orig_bases__  # type: ignore[attr-defined]
        found: type[A] = get_args(bases[0])[0]
        return found


@lru_cache(maxsize=None)
def _hints(kind: Any) -> dict[str, Any]:
    names = {field.name for field in dataclasses.fields(kind)}
    return {name: hint for name, hint in get_type_hints(kind).items() if name in names}


def _encoded(hint: Any, value: Any, secrets: Optional[MutableSequence[str]]) -> Any:
    if value is None or hint in _PLAIN:
        return value
    if isinstance(value, Secret):
        return _put_apart(value, secrets)
    if isinstance(value, Message):
        body = value.to_json(secrets)
        return {_CLASS: type(value).__name__, **body} if len(_messages(hint)) > 1 else body
    if places := _places(hint):
        return [_encoded(place, each, secrets) for place, each in zip(places, value)]
    return _encoded_all(_inner(hint), value, secrets)


def _encoded_all(inner: Any, value: Any, secrets: Optional[MutableSequence[str]]) -> Any:
    if isinstance(value, Mapping):
        return {str(key): each if inner in _PLAIN else _encoded(inner, each, secrets) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return list(value) if inner in _PLAIN else [_encoded(inner, each, secrets) for each in value]
    return value


def _put_apart(value: Secret, secrets: Optional[MutableSequence[str]]) -> dict[str, int]:
    if secrets is None:
        raise ValueError("a secret must not be part of an answer")
    clear = value.reveal()
    if clear not in secrets:
        secrets.append(clear)
    return {_APART: secrets.index(clear)}


def _decoded(hint: Any, value: Any, secrets: Sequence[str]) -> Any:
    if value is None or hint is Any or hint in _PLAIN:
        return value
    if isinstance(value, Mapping) and value.keys() == {_APART}:
        return Secret(secrets[value[_APART]])
    if isinstance(value, Mapping) and _messages(hint) and not _is_mapping(hint):
        return _message(_messages(hint), value, secrets)
    if places := _places(hint):
        if len(places) != len(value):
            raise ValueError(f"{len(value)} values in place of {len(places)}")
        return tuple(_decoded(place, each, secrets) for place, each in zip(places, value))
    return _decoded_all(_inner(hint), value, secrets)


def _decoded_all(inner: Any, value: Any, secrets: Sequence[str]) -> Any:
    if isinstance(value, Mapping):
        return {key: each if inner in _PLAIN else _decoded(inner, each, secrets) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(value) if inner in _PLAIN else tuple(_decoded(inner, each, secrets) for each in value)
    return value


def _message(among: tuple[type[Message], ...], value: Mapping[str, Any], secrets: Sequence[str]) -> Message:
    if len(among) == 1:
        return among[0].from_json(value, secrets)
    named = next((each for each in among if each.__name__ == value.get(_CLASS)), None)
    if named is None:
        raise ValueError(f"'{value.get(_CLASS)}' is none of {', '.join(each.__name__ for each in among)}")
    return named.from_json({key: each for key, each in value.items() if key != _CLASS}, secrets)


@lru_cache(maxsize=None)
def _messages(hint: Any) -> tuple[type[Message], ...]:
    """Return the classes of messages that a value itself, not something in it, may be."""
    if isinstance(hint, type) and not get_origin(hint):
        return (hint,) if issubclass(hint, Message) else ()
    if get_origin(hint) is Union:
        return tuple(each for part in get_args(hint) for each in _messages(part))
    return ()


@lru_cache(maxsize=None)
def _places(hint: Any) -> tuple[Any, ...]:
    """Return what each place of a tuple of fixed length holds; nothing for any other hint."""
    arguments = get_args(hint)
    return arguments if get_origin(hint) is tuple and arguments and arguments[-1] is not Ellipsis else ()


@lru_cache(maxsize=None)
def _inner(hint: Any) -> Any:
    """Return what a tuple or mapping holds, ``Any`` for anything else."""
    if get_origin(hint) is Union:
        return next((inner for part in get_args(hint) if (inner := _inner(part)) is not Any), Any)
    arguments = get_args(hint)
    if not arguments:
        return Any
    return arguments[1] if _is_mapping(hint) else arguments[0]


@lru_cache(maxsize=None)
def _is_mapping(hint: Any) -> bool:
    if get_origin(hint) is Union:
        return any(_is_mapping(part) for part in get_args(hint))
    origin = get_origin(hint)
    return isinstance(origin, type) and issubclass(origin, Mapping)
