"""The Sentinels: one set that watches every replicated service of the file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, ClassVar

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.kind import SENTINEL
from redis_fleet.agent.replication.agreement import majority
from redis_fleet.agent.secret import Secret
from redis_fleet.catalogue import check, table
from redis_fleet.catalogue import sentinel as sentinel_table
from redis_fleet.description.load import Description
from redis_fleet.description.members import Member, external_master, is_host_name, is_number, master_of, member
from redis_fleet.description.nodes import VaultText
from redis_fleet.description.schema import Deployment, SentinelDescription, WatchDescription
from redis_fleet.description.secrets import Variables
from redis_fleet.description.template_names import names_in
from redis_fleet.kinds.kind import Kind, Start
from redis_fleet.model import Fleet, Process, Service, Setting, Watch
from redis_fleet.platform import installation
from redis_fleet.settings import tls, users
from redis_fleet.settings.adopted import is_adopted
from redis_fleet.settings.announced import announced
from redis_fleet.settings.builder import Config, SettingsBuilder
from redis_fleet.settings.common import moved, own_settings, variables
from redis_fleet.settings.layout import Layout
from redis_fleet.settings.loopback_only import leave_out, own_places
from redis_fleet.settings.passwords import secret

_SECTION = "sentinel"
_TIMINGS = ("down-after-milliseconds", "failover-timeout", "parallel-syncs")


class RedisSentinel(Kind):
    """A Sentinel. Its package brings only a link: the binary that it leads to is the server's."""

    name = SENTINEL.name
    machine = SENTINEL
    order = 20
    slots = ("server", "sentinel")
    binary = "sentinel"
    configuration_file = "sentinel.conf"
    template = "sentinel.conf.j2"
    starts: ClassVar[Mapping[str, Start]] = {"start_sentinels": Start("sentinel", "as a Sentinel")}
    watches = True
    notes_in_file = True
    announce = "sentinel announce-ip"

    def title(self, engine: str) -> str:  # noqa: ARG002
        """Return ``Sentinel``, of whichever engine."""
        return "Sentinel"

    def heading(self, engine: str, setting: Setting) -> str:  # noqa: ARG002
        """Return the service that a line is about, or the one heading for all others."""
        about = setting.name.startswith("sentinel ") and len(setting.held[0]) > 1
        return f"Watching {setting.names[0]}" if about else "Sentinel"

    def takes(self, engine: str, version: str, setting: Setting) -> bool:
        """Say whether a version has a line of Sentinel's own; what it shares with a server it takes as that does."""
        if setting.name.startswith("sentinel "):
            return sentinel_table.find(engine, version, setting.name.removeprefix("sentinel ")) is not None
        return super().takes(engine, version, setting)

    def places(self, deployment: Deployment) -> Iterator[str]:
        """Yield the places of the ``sentinel`` section."""
        if deployment.sentinel:
            for text in deployment.sentinel.machines:
                yield from own_places(deployment.sentinel, member(text, deployment.sentinel.port))

    def place(self, description: Description, layout: Layout, fleet: Fleet) -> Fleet:
        """Return the fleet with its Sentinels; they watch services, which must be there."""
        return replace(fleet, sentinels=_place(description, layout, fleet.services))


KIND = RedisSentinel()


def watch(description: Description, name: str) -> Watch | None:
    """Return how the Sentinels watch a service; None when there is nobody to watch it or nothing to fail over to.

    Sentinels that were adopted may watch a master without replicas: the service's ``sentinel:`` then says how.
    """
    deployment = description.deployment
    service, sentinel = deployment.services[name], deployment.sentinel
    own = service.sentinel
    if sentinel is None or not own.watched or master_of(service, deployment) is None:
        return None
    if external_master(service, deployment):  # named beside a master of this file, which is reported
        return None
    if not service.replicas and not (sentinel.adopted and own.model_fields_set - {"watched"}):
        return None
    timings = {key: _timing(description, sentinel, own, key) for key in _TIMINGS}
    return Watch(
        service=name,
        name=own.name or name,
        quorum=own.quorum or sentinel.quorum or majority(len(sentinel.machines)),
        down_after=timings["down-after-milliseconds"],
        failover_timeout=timings["failover-timeout"],
        parallel_syncs=timings["parallel-syncs"],
    )


def _timing(description: Description, sentinel: SentinelDescription, own: WatchDescription, key: str) -> int:
    mine = getattr(own, key.replace("-", "_"))
    if mine is not None:
        return int(mine)
    for name, raw in sentinel.config.items():
        if name.lower() == key and (number := _same_everywhere(description, sentinel, name, raw)):
            return number
    deployment = description.deployment
    version = table.versions(deployment.engine)[-1]
    directive = sentinel_table.find(deployment.engine, version, key)
    return int(directive.value.default or 0) if directive else 0


def _same_everywhere(
    description: Description, sentinel: SentinelDescription, name: str, raw: tuple[str | VaultText, ...]
) -> int | None:
    """Return a number that all Sentinels must go by; None (and a problem) where they would not, or it is none."""
    path = (_SECTION, "config", name)
    common = {"inventory_dir": description.folder}
    machines = dict.fromkeys(member(text, 0).machine for text in sentinel.machines)
    found = {}
    for machine in machines if any(map(names_in, raw)) else [""]:
        if machine and machine not in description.deployment.machines:
            continue
        known = Variables(common, machine, description.outside, common=True)
        texts = SettingsBuilder(description, known).texts(path, raw)
        if texts is None:
            return None
        found[machine] = texts[0] if texts and is_number(texts[0]) else ""
    if len(set(found.values())) > 1:
        each = ", ".join(f"{machine} {value}" for machine, value in found.items())
        description.report(path, f"differs between the Sentinels: {each}", "give all of them the same number")
    number = next(iter(found.values()), "")
    return int(number) if number else None


def _place(description: Description, layout: Layout, services: tuple[Service, ...]) -> tuple[Process, ...]:
    """Return the Sentinel processes; empty without a ``sentinel`` section."""
    sentinel = description.deployment.sentinel
    if sentinel is None:
        return ()
    password = secret(description, ("sentinel", "password"), sentinel.password)
    given = users.of_section(description, (_SECTION,), sentinel, password, users.of_sentinels(description))
    places = [member(text, sentinel.port) for text in sentinel.machines]
    known = [each for each in places if each.machine in description.deployment.machines]
    alone = tuple(_process(description, layout, sentinel, each, password, services, given) for each in known)
    return tuple(_acquainted(description, each, alone, services) for each in alone)


def _process(
    description: Description,
    layout: Layout,
    sentinel: SentinelDescription,
    place_: Member,
    password: Secret | None,
    services: tuple[Service, ...],
    given: users.Given,
) -> Process:
    deployment = description.deployment
    path = (_SECTION,)
    address = deployment.machines[place_.machine].address
    endpoint = layout.endpoint(place_.machine, address, place_.port)
    title = f"sentinel-{place_.port}"
    paths = layout.paths(installation(deployment.engine), KIND, place_.machine, title)
    builder = SettingsBuilder(description, variables(description, place_.machine, endpoint, title))
    own_settings(builder, path, sentinel, layout, endpoint, paths)
    tls.set_lines(builder, path, sentinel, layout, endpoint, paths)
    taken_over = is_adopted(sentinel.adopted, layout)
    if is_host_name(endpoint.address) and not taken_over:
        # Else the others know it by the address that its connection comes from.
        builder.set(KIND.announce, (endpoint.address,))
    users.log_in(builder, sentinel, password, given.users)
    as_ = partial(check.sentinel, adopted=sentinel.adopted is not None)
    builder.add_described((*path, "config"), _process_wide(description, sentinel), as_)
    given.put(builder)
    per_master = SettingsBuilder(description, builder.variables)
    per_master.add_described((*path, "config"), _per_master(description, sentinel), check.sentinel)
    if not layout.supervised:
        leave_out(per_master)
    paths = moved(builder, path, sentinel, place_, paths, layout)
    settings = [*builder.settings.values()]
    for service in services:
        if service.watch:
            own = SettingsBuilder(description, builder.variables)
            watched = deployment.services[service.name].sentinel
            own.add_described(("services", service.name, "sentinel", "config"), watched.config, _of_one_master)
            if not layout.supervised:
                leave_out(own)
            settings += _watching(service, service.watch, {**per_master.settings, **own.settings})
    announces = announced(endpoint, KIND.announce, builder.word)
    return Process(
        *(title, KIND.name, place_.machine, "", endpoint, tuple(settings), paths),
        password=password if given.users.default == "on" else None,
        adopted=taken_over,
        announces=announces,
        tls=tls.of_process(builder, layout, endpoint, announces, paths),
        users=given.users,
    )


def _acquainted(
    description: Description, process: Process, sentinels: tuple[Process, ...], services: tuple[Service, ...]
) -> Process:
    """Give a Sentinel its own id and let it know all others and all replicas from its first second.

    Left to themselves they learn each other within 2 s and replicas within 10 s, and until then no failover succeeds
    (measured). From the first start on these lines are Sentinel's own.
    """
    name = description.deployment.name
    settings = [_line("myid", _myid(name, process)), *process.settings]
    for service in services:
        if service.watch:
            monitor = service.watch.name
            replicas = [each.announced for each in service.processes if each.follows]
            settings += [_line("known-replica", monitor, each.address, each.port) for each in replicas]
            for other in sentinels:
                if other is not process:
                    where = (other.announced.address, other.announced.port)
                    settings.append(_line("known-sentinel", monitor, *where, _myid(name, other)))
    return replace(process, settings=tuple(settings))


def joining(process: Process, masters: Mapping[str, Endpoint]) -> Process:
    """Return a Sentinel that comes to others which run already: told today's masters, it learns all else from them.

    ``masters`` are by monitor name.
    """
    kept = [each for each in process.settings if each.name not in ("sentinel known-replica", "sentinel known-sentinel")]
    return replace(process, settings=tuple(_named_today(each, masters) for each in kept))


def _named_today(setting: Setting, masters: Mapping[str, Endpoint]) -> Setting:
    name, *rest = setting.lines[0] if setting.name == "sentinel monitor" else ("",)
    if name not in masters:
        return setting
    master = masters[name]
    return replace(setting, held=((name, master.address, str(master.port), rest[-1]),))


def _myid(deployment: str, process: Process) -> str:
    """Return 40 hexadecimal digits that no other Sentinel of this deployment has; not a secret, only a name."""
    return hashlib.sha1(f"{deployment}/{process.id}".encode(), usedforsecurity=False).hexdigest()


def _scope(description: Description, name: str) -> str | None:
    deployment = description.deployment
    return check.is_sentinel_directive(deployment.engine, deployment.version, name)


def _process_wide(description: Description, sentinel: SentinelDescription) -> Config:
    return {name: raw for name, raw in sentinel.config.items() if _scope(description, name) != "master"}


def _per_master(description: Description, sentinel: SentinelDescription) -> Config:
    return {name: raw for name, raw in sentinel.config.items() if _scope(description, name) == "master"}


def _of_one_master(engine: str, version: str | None, name: str, texts: tuple[str, ...]) -> check.DirectiveCheck:
    """Judge a directive below a service's ``sentinel: config:``: one that Sentinel has for each master."""
    if name in _TIMINGS:
        return check.DirectiveCheck(what="is not set here", remedy=f"write '{name}:' beside 'config:'")
    checked = check.sentinel(engine, version, name, texts)
    if checked.name and check.is_sentinel_directive(engine, version, name) != "master":
        what = "is not of one service: a Sentinel has it once for all"
        return check.DirectiveCheck(what=what, remedy="write it below 'config:' of the 'sentinel:' section")
    return checked


def _watching(service: Service, own: Watch, per_master: Mapping[str, Setting]) -> Iterator[Setting]:
    first = service.first_master
    assert first is not None
    yield _line("monitor", own.name, first.announced.address, first.announced.port, own.quorum)
    login = None if "sentinel auth-user" in per_master else service.sentinel_login
    if login:
        yield _line("auth-user", own.name, login.user)
    if password := login.password if login else service.password:
        yield Setting("sentinel auth-pass", ((own.name, password),), True)
    yield _line("down-after-milliseconds", own.name, own.down_after)
    yield _line("failover-timeout", own.name, own.failover_timeout)
    yield _line("parallel-syncs", own.name, own.parallel_syncs)
    for setting in per_master.values():
        if setting.name.removeprefix("sentinel ") not in _TIMINGS:
            yield replace(setting, held=tuple((own.name, *words) for words in setting.held))


@lru_cache(maxsize=16384)
def _line(name: str, *words: Any) -> Setting:
    # All Sentinels have most of their lines in common.
    return Setting(f"sentinel {name}", (tuple(map(str, words)),))
