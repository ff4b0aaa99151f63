"""Measure what the README claims: ``python -m tests.bench``. Only ratios are judged, each taken within one run.

Exit code 0: every target is met. 1: one is missed, or a run failed. 2: there is no such part.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable

from rich.console import Console

from tests.bench import changing, checking, deploying, failing, planning, rendering, switching
from tests.bench.machines import BenchError
from tests.bench.report import Report
from tests.harness.hosts.engine import EngineError
from tests.harness.prerequisites import provide


def main(arguments: list[str] | None = None) -> int:
    """Run the chosen benchmarks and print what they found."""
    options = _parser().parse_args(arguments)
    # When the time is up the hosts must still go away.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    chosen = set(options.only.split(","))
    for given, known in ((chosen, _PARTS), (set(options.ways.split(",")), failing.WAYS)):
        if unknown := sorted(given.difference(known)):
            _say(f"bench: {', '.join(unknown)}: none of {', '.join(known)}")
            return 2
    missing = provide({"ssh", "hosts", "direct"}, _say) if {"deploy", "failure"} & chosen else {}
    for reason in missing.values():
        _say(f"bench: {reason}")
    if missing:
        return 1
    report = Report()
    try:
        for name, (title, measure) in _PARTS.items():
            if name in chosen:
                _say(title)
                measure(options, report)
    except (BenchError, EngineError) as error:
        _say(f"bench: {error}")
        return 1
    if options.json:
        sys.stdout.write(json.dumps(report.to_dict(), indent=2) + "\n")
    else:
        console = Console(highlight=False, soft_wrap=True)
        if not console.is_terminal:
            console.width = 180
        report.show(console)
    return 0 if report.ok else 1


def _render(options: argparse.Namespace, report: Report) -> None:
    report.comparisons += rendering.measure(options.render_rounds)


def _check(options: argparse.Namespace, report: Report) -> None:
    report.comparisons += checking.measure(options.render_rounds)


def _plan(_: argparse.Namespace, report: Report) -> None:
    report.growth = planning.measure()


def _change(options: argparse.Namespace, report: Report) -> None:
    report.comparisons += changing.measure(options.change_rounds, _say)


def _switch(options: argparse.Namespace, report: Report) -> None:
    report.comparisons += switching.measure(options.switchover_rounds, _say)


def _fail(options: argparse.Namespace, report: Report) -> None:
    report.gaps += failing.measure(options.failure_rounds, options.image, options.ways.split(","), _say)


def _deploy(options: argparse.Namespace, report: Report) -> None:
    found, trips = deploying.measure(options.rounds, options.quick_rounds, options.image, _say)
    report.comparisons += found
    report.trips += trips


_PARTS: dict[str, tuple[str, Callable[[argparse.Namespace, Report], None]]] = {
    "render": ("rendering", _render),
    "check": ("checking", _check),
    "plan": ("planning", _plan),
    "change": ("changes of a sandbox that runs", _change),
    "switchover": ("switchovers of a service under load", _switch),
    "failure": ("failures of a master: three hosts", _fail),
    "deploy": ("deployments: three hosts for each round", _deploy),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--only",
        default="render,check,plan,change,switchover,failure,deploy",
        help="any of these (default: %(default)s)",
    )
    parser.add_argument("--render-rounds", type=int, default=20, help="default: %(default)s")
    parser.add_argument("--change-rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--switchover-rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--failure-rounds", type=int, default=20, help="default: %(default)s")
    parser.add_argument(
        "--ways", default=",".join(failing.WAYS), help="in which a master fails, any of these (default: %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="first deployments on fresh hosts (default: %(default)s)")
    parser.add_argument(
        "--quick-rounds", type=int, default=5, help="deployments with nothing to do (default: %(default)s)"
    )
    parser.add_argument("--image", default="12", help="Debian release of the hosts (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else on standard output")
    return parser


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
