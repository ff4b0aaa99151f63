"""redis-fleet's command line."""

from __future__ import annotations

from typing import Annotated

import typer

import redis_fleet
from redis_fleet.cli import (
    ansible_env,
    deploy,
    drill,
    explain,
    files,
    import_,
    init,
    locks,
    repair,
    sandbox,
    status,
    switchover,
    verify,
)

app = typer.Typer(
    name="redis-fleet",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="""One YAML file in, a Redis that is deployed, verified and fails over out.

    Try it here:    redis-fleet init, then redis-fleet sandbox up shop.redis.yml

    On machines:    redis-fleet check FILE, then plan, deploy, verify

    Exit codes: 0 fine, 1 failed or refused, 2 usage or invalid file, 3 (plan) something to do.""",
)
app.command()(init.init)
app.command()(files.check)
app.command()(files.render)
app.command("import")(import_.import_)
app.command()(explain.explain)
app.command()(deploy.plan)
app.command()(deploy.deploy)
app.command()(verify.verify)
app.command()(status.status)
app.command()(switchover.switchover)
app.command()(switchover.promote)
app.command()(repair.repair)
app.command()(locks.unlock)
app.command()(locks.journal)
app.command()(drill.drill)
app.command()(ansible_env.ansible_env)
app.add_typer(sandbox.app, name="sandbox")


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
