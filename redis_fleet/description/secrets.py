"""Texts of a description that need expanding: ``{{ … }}`` (variables, lookups) and ``!vault``.

Lookups are Ansible's own (env, file, password, …), so a value means the same here and in a playbook. Ansible is only
imported when a file uses a lookup other than ``env``, or a vault.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import ModuleType
from typing import Any

import jinja2
from jinja2.sandbox import SandboxedEnvironment

from redis_fleet.description.nodes import VaultText
from redis_fleet.description.outer import GROUP, Outer, refuse_fact
from redis_fleet.description.outside import Outside
from redis_fleet.description.template_names import is_template, names_in
from redis_fleet.problems import UnreadableError


@dataclass(frozen=True)
class Variables:
    """What a text may name: ``own`` before all else, then what ``outside`` says of ``machine``.

    ``common``: the text has to say the same of several machines.
    """

    own: Mapping[str, Any]
    machine: str = ""
    outside: Outside | None = None
    common: bool = False


@dataclass(frozen=True)
class Expanded:
    """A text filled in. ``secret``: something out of a vault is in it. ``outer``: what came from outside."""

    text: str = field(repr=False)
    secret: bool = False
    outer: tuple[Outer, ...] = ()


def expand(text: str | VaultText, variables: Variables) -> Expanded:
    """Return the clear text; raises UnreadableError, whose message never holds a secret."""
    if isinstance(text, VaultText):
        return Expanded(str(_ansible().decrypt(text.text)), secret=True)
    if not is_template(text):
        return Expanded(text)
    try:
        outer = _outer(text, variables)
        known = {**variables.own, **{each.name: each.value for each in outer}}
        value = str(_template(text).render(known))
        # Half of a pair ("\\ud800") cannot be written to a file; a byte that is no UTF-8 ("\\udcff") can: as \\xff.
        value.encode("utf-8", "surrogateescape")
        return Expanded(value, any(each.secret for each in outer), outer)
    except jinja2.UndefinedError as error:
        where = f" on {variables.machine}" if variables.machine else ""
        raise UnreadableError(f"{error.message}{where}", _instead(text, variables)) from None
    except jinja2.TemplateError:
        # Jinja's own words quote the text, which may be a password with two braces in it.
        raise UnreadableError("is not a template that can be read", "check the braces and quotes") from None
    except (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError) as error:
        remedy = "check it; every variable is a text, so a sum needs '| int'"
        raise UnreadableError(f"cannot be worked out ({type(error).__name__})", remedy) from None


def _outer(text: str, variables: Variables) -> tuple[Outer, ...]:
    """Return what a text names and only the files beside the description know, or Ansible can fill in."""
    if variables.outside is None or not variables.machine:
        return ()
    found = []
    for name in sorted(names_in(text)):
        own = variables.own.get(name)
        if own is None or isinstance(own, VaultText) or is_template(own):
            outer = variables.outside.find(variables.machine, name) if name != "lookup" else None
            found += [outer] if outer else []
    return tuple(found)


def _instead(text: str, variables: Variables) -> str:
    """Return what to write where a variable is not there."""
    known = f"the variables there are {', '.join(_known(variables))}"
    machine, outside = variables.machine, variables.outside
    if not machine or outside is None:
        return f"{known}; {_ways('')}"
    for name in sorted(names_in(text) - {"lookup"}):
        if outside.find(machine, name) is None and name not in variables.own:
            refuse_fact(name)
            if file := outside.for_nobody(name):
                return f"{file} has it, but is read for no machine: the groups are all and {GROUP}"
    return f"{known}; {_ways('' if variables.common else machine)}"


def _ways(machine: str) -> str:
    if machine:
        files = f"host_vars/{machine}.yml or group_vars/all.yml"
        return f"define it below 'vars:' of {machine}, or in {files} beside this file"
    ways = "{{ lookup('env', 'NAME') }}, {{ lookup('file', inventory_dir ~ '/NAME') }} or !vault"
    return f"define it in group_vars/all.yml beside this file, or write {ways}"


def _known(variables: Variables) -> list[str]:
    outer = variables.outside.names(variables.machine) if variables.outside and variables.machine else ()
    return sorted({*variables.own, *outer})


def expand_secret(text: str | VaultText, variables: Variables) -> Expanded:
    """Expand a password; raises UnreadableError also when nothing is left of it."""
    expanded = expand(text, variables)
    if expanded.text:
        return expanded
    if isinstance(text, str) and "env" in text:
        raise UnreadableError(f"{text} gives an empty text", "export that environment variable and run again")
    raise UnreadableError("is empty", "write a password, or leave the key out")


@lru_cache(maxsize=1024)
def _template(text: str) -> jinja2.Template:
    # One text stands for all processes of a section; to compile it takes twenty times as long as to fill it in.
    return _environment().from_string(text)


def _one_value(value: Any) -> Any:
    if value is None or isinstance(value, dict | list | tuple):
        seen = "nothing" if value is None else "several values"
        raise UnreadableError(f"gives {seen} where one value belongs", "name one of them, or write them out here")
    return value


_cached: list[SandboxedEnvironment] = []


def _environment() -> SandboxedEnvironment:
    if not _cached:
        # Nothing here becomes HTML; escaping would change passwords.
        environment = SandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=False, finalize=_one_value)
        environment.globals["lookup"] = _lookup
        _cached.append(environment)
    return _cached[0]


def _lookup(name: str, *terms: str, **options: Any) -> str:
    if name == "env" and not options:
        return ",".join(os.environ.get(term, "") for term in terms)
    return str(_ansible().lookup(name, terms, options))


def _ansible() -> ModuleType:
    # Half a second of import that most files do not need.
    from redis_fleet.description import ansible_texts  # noqa: PLC0415

    return ansible_texts
