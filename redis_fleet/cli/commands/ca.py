"""ca show, export, rotate: the authority that makes a deployment's certificates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import typer

from redis_fleet.certificates import leaf, store
from redis_fleet.certificates.leaf import UnreadableError
from redis_fleet.certificates.store import ALONE, BELIEVED, SIGNING, Authority
from redis_fleet.cli.common import FAILED, INVALID, File, InSandbox, Json, Vault, Yes, confirm, options, placed, read
from redis_fleet.cli.group import Group
from redis_fleet.cli.screen import Screen
from redis_fleet.model import Fleet

ca = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    help="Show, export or replace the authority that makes a deployment's certificates ('tls:' in its description).",
)

_NEXT = {
    ALONE: "one authority; 'redis-fleet ca rotate' begins to replace it",
    BELIEVED: "a next authority is to be believed by all: deploy, then 'redis-fleet ca rotate' lets it sign",
    SIGNING: "the next authority signs: deploy, then 'redis-fleet ca rotate' forgets the previous one",
}
_DONE = {
    BELIEVED: "a next authority was made; deploy, so that everything believes it beside the present one",
    SIGNING: "the next authority signs from now on; deploy, so that every certificate is made anew",
    ALONE: "the previous authority is forgotten; deploy, so that nothing believes it any more",
}


@ca.command()
def show(file: File, in_sandbox: InSandbox = False, vault: Vault = None, as_json: Json = False) -> None:
    """Show who signs, until when, and how far a replacement has come.

    Exit code 1 where there is no authority: none was made yet, or certificates are described.
    """
    screen = Screen(as_json=as_json)
    fleet = _fleet(file, screen, vault, in_sandbox)
    known, folder = _known(fleet, screen)
    rows = [_row(text) for text in leaf.split(known.believed)]
    screen.json({"ok": True, "folder": folder, "phase": known.phase, "authorities": rows})
    for number, row in enumerate(rows):
        role = "signs" if number == 0 else "is believed"
        screen.say(f"{row['name']}  {role}, until {row['ends'][:10]}, serial {row['serial']}")
    screen.say(f"in {folder}: {_NEXT[known.phase]}")


@ca.command()
def export(file: File, in_sandbox: InSandbox = False, vault: Vault = None) -> None:
    """Print the certificates that clients have to believe (PEM); no key is in them."""
    screen = Screen()
    known, _ = _known(_fleet(file, screen, vault, in_sandbox), screen)
    typer.echo(known.believed, nl=False)


@ca.command()
def rotate(
    file: File, yes: Yes = False, in_sandbox: InSandbox = False, vault: Vault = None, as_json: Json = False
) -> None:
    """Take the next of three steps to another authority; deploy after each one.

    First everything believes both, then the next one signs, then the previous one is forgotten. Clients need the new
    one (redis-fleet ca export) before the second step. Deploying refuses what would cut anybody off.
    """
    screen = Screen(as_json=as_json)
    fleet = _fleet(file, screen, vault, in_sandbox)
    known, folder = _known(fleet, screen)
    confirm(screen, f"{_NEXT[known.phase].partition(';')[0]}; go on?", yes)
    after = store.rotate(folder, fleet.name)
    screen.json({"ok": True, "folder": folder, "phase": after.phase})
    screen.say(_DONE[after.phase])


def _fleet(file: Any, screen: Screen, vault: Any, in_sandbox: bool) -> Fleet:
    fleet = read(file, screen, vault)
    return placed(fleet, options(file, screen, sandbox=in_sandbox, vault=vault))


def _known(fleet: Fleet, screen: Screen) -> tuple[Authority, str]:
    folder = next((each.tls.authority for each in fleet.processes if each.tls), "")
    if not folder:
        said = f"{fleet.source} has no authority of its own: write 'tls: require', without certificates of another one"
        raise _refused(screen, said, INVALID)
    try:
        known = store.read(folder)
    except UnreadableError as error:
        raise _refused(screen, str(error), FAILED) from None
    if known is None:
        raise _refused(screen, f"there is no authority in {folder} yet: the first deployment makes it", FAILED)
    return known, folder


def _refused(screen: Screen, said: str, code: int) -> typer.Exit:
    screen.fail(said)
    screen.json({"ok": False, "failures": [said]})
    return typer.Exit(code)


def _row(pem: str) -> dict[str, Any]:
    found = leaf.read(pem)
    left = (found.ends - datetime.now(UTC)).days
    return {"name": found.name, "serial": found.serial, "ends": found.ends.isoformat(), "days": left}
