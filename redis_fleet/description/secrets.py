"""Texts of a description that need expanding: ``{{ … }}`` (machine variables, lookups) and ``!vault``.

Lookups are Ansible's own (env, file, password, …), so a value means the same here and in a playbook. Ansible is only
imported when a file uses a lookup other than ``env``, or a vault.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from types import ModuleType
from typing import Any

import jinja2
from jinja2.sandbox import SandboxedEnvironment

from redis_fleet.description.nodes import VaultText
from redis_fleet.problems import UnreadableError


def expand(text: str | VaultText, variables: Mapping[str, Any]) -> str:
    """Return the clear text; raises UnreadableError, whose message never holds a secret."""
    if isinstance(text, VaultText):
        return str(_ansible().decrypt(text.text))
    if "{{" not in text and "{%" not in text:
        return text
    try:
        value = str(_template(text).render(variables))
        # Half of a pair ("\\ud800") cannot be written to a file; a byte that is no UTF-8 ("\\udcff") can: as \\xff.
        value.encode("utf-8", "surrogateescape")
        return value
    except jinja2.UndefinedError as error:
        where = f" on {variables['machine']}" if "machine" in variables else ""
        raise UnreadableError(f"{error.message}{where}", _instead(variables)) from None
    except jinja2.TemplateError:
        # Jinja's own words quote the text, which may be a password with two braces in it.
        raise UnreadableError("is not a template that can be read", "check the braces and quotes") from None
    except (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError) as error:
        remedy = "check it; every variable is a text, so a sum needs '| int'"
        raise UnreadableError(f"cannot be worked out ({type(error).__name__})", remedy) from None


def _instead(variables: Mapping[str, Any]) -> str:
    """Return what to write where a variable is not there: neither facts nor group_vars and host_vars are read."""
    known = f"the variables there are {', '.join(sorted(variables))}"
    if "machine" in variables:
        return f"{known}; write others below 'vars:' of each machine (facts, group_vars and host_vars are not read)"
    ways = "{{ lookup('env', 'NAME') }}, {{ lookup('file', inventory_dir ~ '/NAME') }} or !vault"
    return f"{known}; group_vars and host_vars are not read: write {ways}"


def expand_secret(text: str | VaultText, variables: Mapping[str, Any]) -> str:
    """Expand a password; raises UnreadableError also when nothing is left of it."""
    value = expand(text, variables)
    if value:
        return value
    if isinstance(text, str) and "env" in text:
        raise UnreadableError(f"{text} gives an empty text", "export that environment variable and run again")
    raise UnreadableError("is empty", "write a password, or leave the key out")


@lru_cache(maxsize=1024)
def _template(text: str) -> jinja2.Template:
    # One text stands for all processes of a section; to compile it takes twenty times as long as to fill it in.
    return _environment().from_string(text)


_cached: list[SandboxedEnvironment] = []


def _environment() -> SandboxedEnvironment:
    if not _cached:
        # Nothing here becomes HTML; escaping would change passwords.
        environment = SandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=False)
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
