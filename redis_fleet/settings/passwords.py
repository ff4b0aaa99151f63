"""Passwords of a description: one for all machines that use it, wherever it is kept."""

from __future__ import annotations

from collections.abc import Iterator

from redis_fleet.agent.secret import Secret
from redis_fleet.description.load import Description
from redis_fleet.description.members import member, members
from redis_fleet.description.nodes import Path, VaultText
from redis_fleet.description.secrets import Variables, expand_secret
from redis_fleet.description.template_names import names_in
from redis_fleet.problems import UnreadableError
from redis_fleet.rulebook import decides, declare

_LONGEST = 512  # redis 6.0 does not start with a longer one (CONFIG_AUTHPASS_MAX_LEN)
# What a password may name without being a machine's.
_COMMON = frozenset({"inventory_dir", "lookup"})

UNEQUAL = declare(
    "E51",
    "a password that is not the same on all its machines",
    reason="replicas log in at their master, and Sentinels at both, with the service's one password",
    source="redis.conf: requirepass, masterauth; sentinel.conf: auth-pass",
    remedy="define it once, in group_vars/all.yml or group_vars/redis_fleet.yml",
    directives=("requirepass", "masterauth", "sentinel auth-pass"),
    firm="they could not log in at each other",
)


def secret(description: Description, path: Path, raw: str | VaultText | None) -> Secret | None:
    """Read a password of the file; None when there is none, or (with a problem) when it cannot be read."""
    if path not in description.secrets:
        description.secrets[path] = None if raw is None else _read(description, path, raw)
    return description.secrets[path]


@decides(UNEQUAL)
def _read(description: Description, path: Path, raw: str | VaultText) -> Secret | None:
    found: dict[str, list[str]] = {}
    try:
        for variables in _variables(description, path, raw):
            found.setdefault(_checked(expand_secret(raw, variables).text), []).append(variables.machine)
    except UnreadableError as error:
        description.report(path, error.what, error.remedy, position=error.position)
        return None
    if len(found) > 1:
        groups = ", another one for ".join(" and ".join(machines) for machines in found.values())
        description.report(path, f"is one password for {groups}", UNEQUAL.remedy, UNEQUAL.id)
        return None
    return Secret(next(iter(found)))


def _checked(value: str) -> str:
    if "\0" in value or len(value.encode("utf-8", "surrogateescape")) > _LONGEST:
        what = f"has a NUL character, or more than {_LONGEST} bytes"
        raise UnreadableError(what, "use one that every version reads")
    return value


def _variables(description: Description, path: Path, raw: str | VaultText) -> Iterator[Variables]:
    """Yield what the password may name: once where that is no machine's, else once a machine that uses it."""
    common = {"inventory_dir": description.folder}
    using = _using(description, path) if names_in(raw) - _COMMON else ()
    if not using:
        yield Variables(common)
    for machine in using:
        entry = description.deployment.machines[machine]
        yield Variables({**entry.vars, **common}, machine, description.outside, common=True)


def _using(description: Description, path: Path) -> tuple[str, ...]:
    """Return the machines that a password is for: those of its service, or of the Sentinels."""
    deployment = description.deployment
    if path[0] == "services":
        return tuple(dict.fromkeys(each.machine for each in members(deployment.services[str(path[1])], deployment)))
    names = deployment.sentinel.machines if deployment.sentinel else ()
    return tuple(dict.fromkeys(name for each in names if (name := member(each, 0).machine) in deployment.machines))
