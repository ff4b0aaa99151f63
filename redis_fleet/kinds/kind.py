"""What a kind of process is: all that differs between a server, a Sentinel, and whatever may come beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from redis_fleet.agent.messages.kind import Kind as MachineKind
from redis_fleet.catalogue import table, values
from redis_fleet.description.load import Description
from redis_fleet.description.nodes import Path
from redis_fleet.description.schema import Deployment
from redis_fleet.model import Fleet, Process, Setting
from redis_fleet.settings.layout import Layout


@dataclass(frozen=True)
class Start:
    """A way to start a process: the role that it is ready in (``expect``), and what a plan calls it."""

    expect: str
    title: str


class Kind:
    """One kind of process. Where a subclass says nothing, it is one that holds no data and watches nothing.

    ``order`` tells which kind is placed before which. ``machine`` is what the code on a machine is told of it.
    ``slots`` are the packages that it needs and ``binary`` the program that it runs, by the names that a platform's
    variables file gives them. ``configuration_file`` and ``log_file`` are patterns in which ``{engine}`` and ``{name}``
    stand for themselves. ``starts`` has a way to start it for each stage of a plan that starts one.

    ``keeps_data``: it is a member of a service, master or replica. ``watches``: it watches the services' masters.
    ``notes_in_file``: it writes what it knows into its own configuration file. ``versioned``: its settings are held
    against the catalogue of the very version that a machine runs. ``announce`` is the directive that says what address
    others know it by.
    """

    name: ClassVar[str]
    machine: ClassVar[MachineKind]
    order: ClassVar[int] = 100
    slots: ClassVar[tuple[str, ...]]
    binary: ClassVar[str]
    configuration_file: ClassVar[str]
    log_file: ClassVar[str] = "{engine}-{name}.log"
    template: ClassVar[str]
    unit_template: ClassVar[str] = "process.service.j2"
    unit_type: ClassVar[str] = "notify"
    starts: ClassVar[Mapping[str, Start]]
    keeps_data: ClassVar[bool] = False
    watches: ClassVar[bool] = False
    notes_in_file: ClassVar[bool] = False
    versioned: ClassVar[bool] = False
    announce: ClassVar[str] = ""

    def title(self, engine: str) -> str:
        """Return what one of an engine is called in headings."""
        return f"{engine.capitalize()} {self.name}"

    def unit_name(self, engine: str, instance: str = "") -> str:
        """Return the unit that the packages run one with; ``instance`` is what they tell several apart by."""
        return f"{engine}-{self.name}{f'@{instance}' if instance else ''}.service"

    def headings(self) -> Iterable[str]:
        """Return the headings of its configuration file that have a place of their own, in order."""
        return ()

    def heading(self, engine: str, setting: Setting) -> str:  # noqa: ARG002
        """Return the heading that a setting stands under in its configuration file."""
        return "Settings"

    def section(self, process: Process) -> Path:  # noqa: ARG002
        """Return the section of the description that a process comes from."""
        return (self.name,)

    def service_of(self, name: str) -> str:  # noqa: ARG002
        """Return the service that a process of a name (``orders-6379``) belongs to; empty where to none."""
        return ""

    def takes(self, engine: str, version: str, setting: Setting) -> bool:
        """Say whether a version of an engine takes a setting as it is."""
        directive = table.catalogue(engine, version).meant(setting.name)
        return directive is not None and values.problem(directive, setting.reveal()) is None

    def places(self, deployment: Deployment) -> Iterator[str]:
        """Yield ``machine:port`` of all that a description has of it, before anything else is known of them."""
        raise NotImplementedError

    def place(self, description: Description, layout: Layout, fleet: Fleet) -> Fleet:
        """Return the fleet with the processes of this kind; what is wrong is added to ``description.problems``."""
        raise NotImplementedError
