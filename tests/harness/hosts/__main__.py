"""The test hosts from a command line: ``python -m tests.harness.hosts up NAME --machines red1,red2,red3``."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from tests.harness.hosts import description, hosts, images
from tests.harness.hosts.engine import EngineError, find


def main(arguments: list[str] | None = None) -> int:
    """Run one command; prints JSON or nothing, and one line on standard error when it fails."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except (EngineError, description.UnexpectedShapeError, OSError, KeyError) as error:
        sys.stderr.write(f"test hosts: {error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    release = os.environ.get("REDIS_FLEET_IMAGE", "12")
    parser = argparse.ArgumentParser(prog="python -m tests.harness.hosts", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    image = verbs.add_parser("image", help="build images, unless they exist")
    image.add_argument("releases", nargs="+", choices=images.SUITES)
    up = verbs.add_parser("up", help="start a set of hosts and print how they are reached")
    up.add_argument("name")
    up.add_argument("--machines", default="red1,red2,red3", help="comma separated (default: %(default)s)")
    up.add_argument("--sample", type=Path, help="a description that names the machines instead")
    up.add_argument("--image", default=release, choices=images.SUITES, help="Debian release (default: %(default)s)")
    up.add_argument("--subnet", help="such as 10.89.7.0/24 (default: one that is free)")
    for verb, text in {"down": "remove a set of hosts", "show": "print how a set of hosts is reached"}.items():
        verbs.add_parser(verb, help=text).add_argument("name")
    for verb, text in {
        "power-off": "stop a host without shutdown",
        "power-on": "start it again",
        "pid": "print its PID 1, for nsenter",
        "ssh": "open a shell, or run a command, there",
    }.items():
        one = verbs.add_parser(verb, help=text)
        one.add_argument("name")
        one.add_argument("machine")
        if verb == "ssh":
            one.add_argument("command", nargs=argparse.REMAINDER)
    describe = verbs.add_parser("describe", help="copy a description with a set's hosts as its machines")
    describe.add_argument("name")
    describe.add_argument("sample", type=Path)
    describe.add_argument("out", type=Path)
    return parser


def _run(options: argparse.Namespace) -> int:
    match options.verb:
        case "image":
            for release in options.releases:
                sys.stdout.write(images.ensure(find(), release) + "\n")
        case "up":
            named = description.machine_names(options.sample.read_text()) if options.sample else None
            _print(hosts.up(options.name, named or options.machines.split(","), options.image, options.subnet))
        case "down":
            hosts.down(options.name)
        case "show":
            _print(hosts.load(options.name))
        case "describe":
            description.describe(options.sample, options.out, hosts.load(options.name))
        case _:
            return _one(options)
    return 0


def _one(options: argparse.Namespace) -> int:
    """Run a verb that concerns one host of a set."""
    host = hosts.load(options.name)[options.machine]
    match options.verb:
        case "power-off":
            hosts.power_off(host)
        case "power-on":
            hosts.power_on(host)
        case "pid":
            sys.stdout.write(f"{hosts.pid(host)}\n")
        case "ssh":
            return subprocess.run([*host.ssh_command, *options.command], check=False).returncode
    return 0


def _print(running: dict[str, hosts.Host]) -> None:
    shown = {machine: {"address": host.address, **host.variables} for machine, host in running.items()}
    sys.stdout.write(json.dumps(shown, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
