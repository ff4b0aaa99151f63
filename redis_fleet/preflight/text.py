"""The pre-flight table as text, a machine after the other; for people and for ansible-playbook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

Rows = Sequence[Mapping[str, str]]
MARKS = {"pass": "ok    ", "warn": "warn  ", "fail": "failed"}


def lines(found: Rows) -> Iterator[str]:
    """Yield the whole table and its count."""
    for machine, _, text in table(found):
        yield text if machine else ""
    yield ""
    yield count_line(found)


def table(found: Rows) -> Iterator[tuple[str, str, str]]:
    """Yield machine, state and text of each line; the state is empty for a heading and for a fix."""
    width = max((len(row["subject"]) for row in found), default=0)
    for machine in dict.fromkeys(row["machine"] for row in found):
        yield "", "", ""
        yield machine, "title", machine
        for row in found:
            if row["machine"] == machine:
                mark = f" [{row['rule']}]" if row["rule"] and row["state"] != "pass" else ""
                seen = f"{row['subject'].ljust(width)}  {row['seen']}{mark}"
                yield machine, row["state"], f"  {MARKS[row['state']]}  {seen}"
                if row["fix"]:
                    yield machine, "fix", f"          {' ' * width}  → {row['fix']}"


def count_line(found: Rows) -> str:
    """Return ``42 checks: 40 ok, 1 warning, 1 failed``."""
    number = {state: sum(row["state"] == state for row in found) for state in MARKS}
    warnings = f"{number['warn']} warning{'' if number['warn'] == 1 else 's'}"
    return f"{len(found)} checks: {number['pass']} ok, {warnings}, {number['fail']} failed"
