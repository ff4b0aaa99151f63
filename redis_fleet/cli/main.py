"""redis-fleet's command line."""

from __future__ import annotations

from collections import UserDict
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

import redis_fleet

# Module and function, or app, of each command. What a command needs is imported when it is called: all of them together
# cost half of what a short one takes.
COMMANDS = {
    "init": "init:init",
    "check": "files:check",
    "render": "files:render",
    "import": "import_:import_",
    "explain": "explain:explain",
    "plan": "deploy:plan",
    "deploy": "deploy:deploy",
    "verify": "verify:verify",
    "status": "status:status",
    "switchover": "switchover:switchover",
    "promote": "switchover:promote",
    "repair": "repair:repair",
    "unlock": "locks:unlock",
    "journal": "locks:journal",
    "drill": "drill:drill",
    "ansible-env": "ansible_env:ansible_env",
    "sandbox": "sandbox:app",
}


class _Imported(UserDict[str, Any]):
    """The commands by name, each imported when it is looked at."""

    def __getitem__(self, name: str) -> Any:
        module, _, attribute = self.data[name].partition(":")
        found = getattr(import_module(f"redis_fleet.cli.{module}"), attribute)
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
        super().__init__(**{**attributes, "commands": _Imported(COMMANDS)})


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
