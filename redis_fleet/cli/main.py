"""redis-fleet's command line."""

from __future__ import annotations

from collections import UserDict
from importlib import import_module
from pkgutil import iter_modules
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

import redis_fleet
from redis_fleet.cli import commands

# In the order of the help; a command that is not named here comes behind them.
_ORDER = (
    *("init", "check", "render", "import", "explain", "plan", "deploy", "verify", "status", "switchover", "promote"),
    *("repair", "unlock", "journal", "drill", "ansible-env", "sandbox"),
)
# Modules with more than one command; any other module of cli/commands is the command of its own name.
_SEVERAL = {
    "deploy": ("plan", "deploy"),
    "files": ("check", "render"),
    "locks": ("unlock", "journal"),
    "switchover": ("switchover", "promote"),
}


def _found() -> dict[str, tuple[str, str]]:
    """Return module and attribute of each command, by its name."""
    found = {}
    for module in (each.name for each in iter_modules(commands.__path__)):
        for attribute in _SEVERAL.get(module, (module,)):
            found[attribute.rstrip("_").replace("_", "-")] = (module, attribute)
    names = sorted(found, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))
    return {name: found[name] for name in names}


class _Imported(UserDict[str, Any]):
    """The commands by name, each imported when it is looked at: all of them cost half of what a short one takes."""

    def __getitem__(self, name: str) -> Any:
        module, attribute = self.data[name]
        found = getattr(import_module(f"{commands.__name__}.{module}"), attribute)
        app = _app()
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
            return get_group(app).commands[name]
        app.command(name)(found)
        return get_command(app)


def _app(**more: Any) -> typer.Typer:
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None, **more)


class _Commands(TyperGroup):
    def __init__(self, **attributes: Any) -> None:
        super().__init__(**{**attributes, "commands": _Imported(_found())})


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
