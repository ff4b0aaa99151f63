"""``group_vars`` and ``host_vars`` beside a description, by Ansible's own code. Imported when a text names one of them.

Their order is Ansible's: ``group_vars/all``, those of the group, what the description says of a machine, ``host_vars``.
Only a machine's ``vars:`` in the description stand above all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError, AnsibleTemplateSyntaxError, AnsibleUndefinedVariable
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import EncryptedString, is_encrypted
from ansible.template import Templar, trust_as_template
from ansible.utils.vars import combine_vars

from redis_fleet.description import ansible_texts
from redis_fleet.description.nodes import Document, VaultText, read
from redis_fleet.description.outer import FOLDERS, GROUP, Outer, refuse_fact
from redis_fleet.description.template_names import names_in
from redis_fleet.problems import InvalidDescriptionError, Position, UnreadableError

# What reaches variables without naming them.
_ROUNDABOUT = frozenset({"vars", "hostvars", "lookup", "query", "q"})


@dataclass(frozen=True)
class _Said:
    """A variable as it is written: where, whether a vault holds it, and its text where it is one plain scalar."""

    position: Position
    vaulted: bool
    text: object = None


@dataclass(frozen=True)
class _File:
    """One file with what it says, by name."""

    values: Mapping[str, Any]
    said: Mapping[str, _Said]


class AnsibleVariables:
    """What Ansible knows of the machines of one description."""

    def __init__(self, file: str, own: Mapping[str, Mapping[str, Any]]) -> None:
        """Take the path of the description, and what it says itself of each machine."""
        self._folder = Path(file).resolve().parent
        self._shown = Path(file).parent
        self._own = own
        ansible_texts.plugins()
        self._loader = DataLoader()
        self._loader.set_vault_secrets(ansible_texts.vault_secrets())
        self._files: dict[str, _File] = {}
        self._machines: dict[str, tuple[dict[str, Any], dict[str, _Said]]] = {}

    def names(self, machine: str) -> tuple[str, ...]:
        """Return the names of all that files say of a machine; raises UnreadableError."""
        return tuple(self._machine(machine)[1])

    def place(self, machine: str, name: str) -> Position | None:
        """Return where a file gives a machine a variable; raises UnreadableError."""
        said = self._machine(machine)[1].get(name)
        return said.position if said else None

    def find(self, machine: str, name: str) -> Outer | None:
        """Return a variable of a machine, filled in; raises UnreadableError."""
        variables, said = self._machine(machine)
        if name not in variables:
            return None
        at = said[name].position if name in said else None
        secret = self._is_secret(machine, name)
        try:
            value = _plain(Templar(self._loader, variables=variables).template(variables[name]))
        except AnsibleUndefinedVariable as error:
            remedy = "define it beside this one, or write the value itself; a description's own names do not count here"
            raise UnreadableError(f"'{name}' cannot be worked out on {machine}: {error.message}", remedy, at) from None
        except AnsibleTemplateSyntaxError:
            # Ansible's own words quote the text, which may be a password with two braces in it.
            what = f"'{name}' is not a template that can be read"
            raise UnreadableError(what, "check its braces, quotes and filters", at) from None
        except AnsibleError as error:
            cause = type(error.__cause__ or error).__name__
            remedy = "try it with 'ansible -m debug -a var=NAME'"
            raise UnreadableError(f"'{name}' cannot be worked out on {machine} ({cause})", remedy, at) from None
        return Outer(name, value, secret, at)

    def contradictions(self, machine: str) -> list[tuple[str, Position]]:
        """Return what ``host_vars`` say otherwise than the description; raises UnreadableError."""
        own = self._own[machine]
        self._machine(machine)
        return [
            (name, file.said[name].position)
            for file in self._read_all("host_vars", machine)
            for name, value in file.values.items()
            if name in own and (isinstance(value, EncryptedString) or str(value) != str(own[name]))
        ]

    def for_nobody(self, name: str) -> str:
        """Return a file that has a variable and belongs to none of our groups and machines, as it is shown."""
        known = {"group_vars": {"all", GROUP}, "host_vars": set(self._own)}
        for folder in FOLDERS:
            path = self._folder / folder
            entries = sorted(path.iterdir()) if path.is_dir() else []
            for entity in dict.fromkeys(each.name.partition(".")[0] for each in entries):
                if entity and entity not in known[folder] and self._has(folder, entity, name):
                    return str(self._shown / folder / entity)
        return ""

    def _has(self, folder: str, entity: str, name: str) -> bool:
        try:
            return any(name in each.values for each in self._read_all(folder, entity))
        except UnreadableError:
            return False

    def _machine(self, machine: str) -> tuple[dict[str, Any], dict[str, _Said]]:
        if machine not in self._machines:
            groups = [*self._read_all("group_vars", "all"), *self._read_all("group_vars", GROUP)]
            hosts = list(self._read_all("host_vars", machine))
            own = {name: _native(value) for name, value in self._own[machine].items()}
            variables: dict[str, Any] = {}
            for values in (*(each.values for each in groups), own, *(each.values for each in hosts)):
                variables = combine_vars(variables, values)
            kept = {name: value for name, value in own.items() if not name.startswith("ansible_")}
            variables = {**variables, **kept, **self._magic(machine)}
            said = {name: said for file in (*groups, *hosts) for name, said in file.said.items()}
            self._machines[machine] = variables, {name: each for name, each in said.items() if name not in kept}
        return self._machines[machine]

    def _magic(self, machine: str) -> dict[str, Any]:
        everyone = list(self._own)
        return {
            "inventory_hostname": machine,
            "inventory_hostname_short": machine.partition(".")[0],
            "inventory_dir": str(self._folder),
            "group_names": [GROUP],
            "groups": {"all": everyone, "ungrouped": [], GROUP: everyone},
        }

    def _is_secret(self, machine: str, name: str) -> bool:
        """Follow what a variable is made of: whether a vault had part in it; refuses facts and misread numbers."""
        variables, said = self._machine(machine)
        seen, waiting, secret = set[str](), [name], False
        while waiting:
            each = waiting.pop()
            if each in seen:
                continue
            seen.add(each)
            value, place = variables.get(each), said.get(each)
            secret = secret or _is_encrypted(value)
            if place is not None:
                secret = secret or place.vaulted
                _refuse_misread(each, value, place)
            for text in _texts(value):
                found = names_in(text)
                for unknown in sorted(found - variables.keys() - _ROUNDABOUT):
                    refuse_fact(unknown, place.position if place else None)
                if found & _ROUNDABOUT and "vars" in text:
                    found |= variables.keys()
                waiting.extend(found & variables.keys())
        return secret

    def _read_all(self, folder: str, entity: str) -> Iterator[_File]:
        path = self._folder / folder
        if path.is_dir():
            for found in self._loader.find_vars_files(str(path), entity):
                if found not in self._files:
                    self._files[found] = self._read(found)
                yield self._files[found]

    def _read(self, path: str) -> _File:
        shown = str(self._shown / Path(path).relative_to(self._folder))
        try:
            vaulted = bool(is_encrypted(Path(path).read_bytes()))
        except OSError as error:
            raise UnreadableError(f"cannot be read: {error.strerror}", "check its mode", Position(shown)) from None
        if vaulted and not self._vault:
            raise UnreadableError(*ansible_texts.NO_VAULT_PASSWORD, Position(shown))
        try:
            text = str(self._loader.get_text_file_contents(path))
        except AnsibleError:
            raise UnreadableError(*ansible_texts.WRONG_VAULT_PASSWORD, Position(shown)) from None
        try:
            values = self._loader.load_from_file(path, cache="all", unsafe=True, trusted_as_template=True)
        except AnsibleError as error:
            raise _not_yaml(shown, text, "" if vaulted else str(error.message)) from None
        if not isinstance(values or {}, dict):
            raise UnreadableError("is not a mapping", "write 'name: value' lines", Position(shown, 1))
        return _File(values or {}, _said(shown, text, values or {}, vaulted=vaulted))

    @cached_property
    def _vault(self) -> bool:
        return bool(ansible_texts.vault_secrets())


def _native(value: Any) -> Any:
    """Return a value of the description as Ansible is told it: with templates, and what is encrypted still so."""
    if isinstance(value, VaultText):
        return EncryptedString(ciphertext=value.text)
    return trust_as_template(value) if isinstance(value, str) else value


def _not_yaml(shown: str, text: str, said: str) -> UnreadableError:
    try:
        read(shown, text)
    except InvalidDescriptionError as error:
        first = error.problems[0]
        return UnreadableError(first.what, first.remedy, first.position)
    return UnreadableError(f"cannot be read by Ansible{said and ': '}{said}", "correct it", Position(shown))


def _said(shown: str, text: str, values: Mapping[str, Any], *, vaulted: bool) -> dict[str, _Said]:
    try:
        document = read(shown, text)
    except InvalidDescriptionError:
        document = Document(shown, {}, {})  # an empty file, or JSON of a kind that Ansible alone reads
    return {
        name: _Said(
            document.position((name,)),
            vaulted or _is_encrypted(value),
            document.tree.get(name),
        )
        for name, value in values.items()
    }


def _refuse_misread(name: str, value: Any, said: _Said) -> None:
    """Refuse a number that YAML reads otherwise than it is written: 0770 is 504, 7.10 is 7.1, 1:30 is 90."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and isinstance(said.text, str) and str(value) != said.text and not said.vaulted:
        what = f"'{name}' is {said.text}, which YAML reads as {value}"
        raise UnreadableError(what, "put it in quotes, or write what is meant", said.position)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _leaves(each)
    else:
        yield value


def _is_encrypted(value: Any) -> bool:
    return any(isinstance(each, EncryptedString) for each in _leaves(value))


def _texts(value: Any) -> Iterator[str]:
    return (str(each) for each in _leaves(value) if isinstance(each, str))


def _plain(value: Any) -> Any:
    """Return a value without Ansible's marks on it."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    return str(value)
