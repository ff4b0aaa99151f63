"""redis-fleet's command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Annotated, Any

import typer
from typer.main import get_command, get_group

import redis_fleet
from redis_fleet.cli import commands
from redis_fleet.cli.group import Group

# In the order of the help; a command that is not named here comes behind them.
_ORDER = (
    *("init", "check", "render", "import", "explain", "plan", "deploy", "verify", "status", "switchover", "promote"),
    *("repair", "unlock", "journal", "drill", "ca", "ansible-env", "sandbox"),
)
# Modules with more than one command; any other module of cli/commands is the command of its own name.
_SEVERAL = {"deploy": ("plan", "deploy"), "files": ("check", "render"), "locks": ("unlock", "journal")}
# What an operation has for a command says its procedure.
_OPERATIONS = "redis_fleet.cli.operation_commands"


def _found() -> dict[str, tuple[str, str]]:
    """Return module and attribute of each command that is a module of its own, by its name."""
    found = {}
    for module in (each.name for each in iter_modules(commands.__path__)):
        for attribute in _SEVERAL.get(module, (module,)):
            found[attribute.rstrip("_").replace("_", "-")] = (module, attribute)
    return found


class _Imported(Mapping[str, Any]):
    """The commands by name, each imported when it is looked at: all of them cost half of what a short one takes."""

    def __init__(self) -> None:
        self._modules = _found()

    def __getitem__(self, name: str) -> Any:
        app = _app()
        if name not in self._modules:
            app.command(name)(_of_operations()[name])
            return get_command(app)
        module, attribute = self._modules[name]
        found = getattr(import_module(f"{commands.__name__}.{module}"), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
            return get_group(app).commands[name]
        app.command(name)(found)
        return get_command(app)

    def __iter__(self) -> Iterator[str]:
        names = [*self._modules, *_of_operations()]
        return iter(sorted(names, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)))

    def __len__(self) -> int:
        return len(list(iter(self)))


def _of_operations() -> dict[str, Any]:
    """Return the commands for operations, by name; this imports every operation."""
    return dict(import_module(_OPERATIONS).commands())


def _app(**more: Any) -> typer.Typer:
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None, **more)


class _Commands(Group):
    def __init__(self, **attributes: Any) -> None:
        super().__init__(**{**attributes, "commands": _Imported()})


app = _app(
    name="redis-fleet",
    cls=_Commands,
    no_args_is_help=True,
    help="""One YAML file in, a Redis that is deployed, verified and fails over out.

    Try it here:    redis-fleet init, then redis-fleet sandbox up shop.redis.yml

    On machines:    redis-fleet check FILE, then plan, deploy, verify

    Exit codes: 0 fine, 1 failed or refused, 2 usage or invalid file, 3 (plan) something to do.""",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"redis-fleet {redis_fleet.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Hold the options of the program itself."""


def main() -> None:
    """Run the command line."""
    app()
