"""What ``check`` refuses on purpose though the binary would take it, each with its reason."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from redis_fleet.catalogue.check import OWN_KEYS
from redis_fleet.catalogue.sentinel import SentinelDirective
from redis_fleet.catalogue.table import Directive
from redis_fleet.problems import Problem

# The description says these in other words, see OWN_KEYS for where.
OWN = frozenset(OWN_KEYS)
# Directive or type, and what the refusal says: why it is refused though the server would take it.
REASONS: Sequence[tuple[str, str, str]] = (
    ("dir", "is not an absolute path", "a relative one would lie in /, others systemd would read as something else"),
    (
        "logfile",
        "is not an absolute path",
        "a relative one would lie in /, others systemd would read as something else",
    ),
    ("", r"takes one value, not \d+", "the server keeps the last of several lines and drops the others in silence"),
    ("", "is the same directive as", "the server keeps the last of several lines and drops the others in silence"),
    (
        "",
        "is not a template|cannot be worked out|is undefined",
        "braces are the description's own; a literal can be quoted",
    ),
    ("", "NUL character", "the server stops reading there in silence"),
    ("", "cannot be the name of a file", "nothing could be written under that name"),
    ("dbfilename", "is empty", "without a name no RDB file can be written; valkey refuses it"),
    ("appendfilename", "is empty", "without a name there is no append only file; 7.0 and newer refuse it"),
    ("cluster-config-file", "is empty", "without a name a cluster cannot keep its state; valkey refuses it"),
    ("cluster-announce-human-nodename", "has more than", "valkey 9 refuses it, and one name shall do for all"),
    ("cluster-announce-ip", "is not an address", "valkey 9 refuses it, and no older one can reach it"),
    ("rdma-bind", "is not an address", "control characters are in no address"),
    ("client-query-buffer-limit", "is less than", "6.0 takes it, and then ends every connection at its first command"),
    ("client-output-buffer-limit", "is not between", "no machine has that much memory"),
    ("user", "takes a user's name", "control characters in a name cannot be told apart in logs and commands"),
    ("user", "names one user twice", "6.0 takes it, later ones do not"),
    (
        "user",
        "has an ACL rule",
        "6.2 reads channels by acl-pubsub-default; with resetchannels in front they mean the same",
    ),
)
# What only the binary can tell, which ``check`` asks where one is at hand: the complaint, and why the table cannot.
LEFT_TO_THE_BINARY: Mapping[str, str] = {
    "No such command in rename-command": "which commands there are depends on modules",
    "Unknown command or category name in ACL": "which commands and categories there are depends on modules",
    "Target command name already exists": "which commands there are depends on modules",
}


def reason(directive: Directive, problem: Problem) -> str:
    """Return why it is right to refuse a value that the server takes; nothing when there is no reason."""
    if problem.rule:
        return f"rule {problem.rule}"
    if directive.name in OWN:
        return problem.remedy
    return next(
        (
            why
            for name, said, why in REASONS
            if name in ("", directive.name, directive.type) and re.search(said, problem.what)
        ),
        "",
    )


SENTINEL_REASONS: Sequence[tuple[str, str, str]] = (
    ("", "is not a template|cannot be worked out|is undefined", "braces are the description's own"),
    ("", "NUL character", "Sentinel stops reading there in silence"),
    ("", "is state that", "only Sentinel itself may write it"),
    (
        "",
        "is not a whole number|is not between|is less than 0",
        "Sentinel takes what a text begins with for the number, or 0, in silence",
    ),
    ("parallel-syncs", "is less than 0", "Sentinel takes any number"),
)


def sentinel_reason(directive: SentinelDirective, problem: Problem) -> str:
    """Return why it is right to refuse what a Sentinel takes; nothing when there is no reason."""
    if problem.rule:
        return f"rule {problem.rule}"
    return next(
        (why for name, said, why in SENTINEL_REASONS if name in ("", directive.name) and re.search(said, problem.what)),
        "",
    )
