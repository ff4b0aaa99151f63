"""What a directive of free text must look like, where the server says more than "a text". Each form is a function.

Tried letter by letter on every engine of the tests. Where versions differ the strictest is asked for: the same value
then starts everywhere.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping

from redis_fleet.catalogue.faults import Fault, Taken

_HOST_NAME = re.compile(r"[A-Za-z0-9.-]{0,255}\Z")  # cluster.c:isValidAnnouncedHostname
# cluster.c:isValidAuxString, which valkey 8 lets have a colon, and which valkey 9 is stricter about.
_NODE_NAME = re.compile(r"[^\x00!#$%&()*+:;<>?@\[\]^{|}~]*\Z")
_NODE_NAME_8 = re.compile(r"[^\x00!#$%&()*+;<>?@\[\]^{|}~]*\Z")
_AUXILIARY = re.compile(r"""[^\x00-\x20!"#$%&'()*+,;<=>?@\[\\\]^{|}~\x7f]*\Z""")
_VARIABLE = re.compile(r"\{([^}]*)(\}?)")
_VARIABLES = ("title", "listen-addr", "server-mode", "port", "tls-port", "unixsocket", "config-file")
# These stand for nothing while a file is read, and a title must not be empty then (server.c:validateProcTitleTemplate).
_EMPTY_AT_FIRST = ("title", "server-mode", "unixsocket")


def _file_name(word: str) -> str | None:
    if not word:
        return Fault("is empty", "it is the name of a file")
    if word in (".", "..") or len(word.encode("utf-8", "surrogatepass")) > 255:
        return Taken(f"'{word}' cannot be the name of a file", "the server would find out when it needs it")
    return f"'{word}' is a path, not the name of a file in 'dir'" if "/" in word or "\\" in word else None


def _not_empty(word: str) -> str | None:
    return None if word else Fault("is empty", "it is the name of a file")


def _host_name(word: str) -> str | None:
    if _HOST_NAME.match(word):
        return None
    return f"'{word}' is not a host name: letters, digits, hyphens and dots, 255 at most"


def _node_name(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    return lambda word: None if pattern.match(word) else f"'{word}' has more than letters, digits, '-', '_' and '.'"


def _announced(word: str) -> str | None:
    good = _AUXILIARY.match(word) and len(word.encode("utf-8", "surrogatepass")) <= 45
    return None if good else f"'{word}' is not an address"


def _address(family: socket.AddressFamily, name: str) -> Callable[[str], str | None]:
    def problem(word: str) -> str | None:
        try:
            socket.inet_pton(family, word or ("::" if family == socket.AF_INET6 else "0.0.0.0"))  # noqa: S104
        except (OSError, ValueError):
            return f"'{word}' is not an {name} address"
        return None

    return problem


def _title(word: str) -> str | None:
    # Two are a brace that is meant (sds.c: sdstemplate).
    word = word.replace("{{", "_")
    wrong = next((name for name, end in _VARIABLE.findall(word) if not end or name not in _VARIABLES), None)
    if wrong is not None:
        return f"'{{{wrong}' is none of the variables {', '.join(f'{{{name}}}' for name in _VARIABLES)}"
    left = _VARIABLE.sub(lambda found: "" if found[1] in _EMPTY_AT_FIRST else found[1], word)
    return None if left.strip(" ") else Fault("is empty when the server starts", "add a word or {port}")


def _short(word: str) -> str | None:
    return "is longer than 256 bytes" if len(word.encode("utf-8", "surrogatepass")) > 256 else None


FORMS: Mapping[str, Callable[[str], str | None]] = {
    "": lambda _: None,
    "file-name": _file_name,
    "not-empty": _not_empty,
    "host-name": _host_name,
    "node-name": _node_name(_NODE_NAME),
    "node-name-8": _node_name(_NODE_NAME_8),
    "node-name-9": _node_name(_AUXILIARY),
    "announced": _announced,
    "ipv4": _address(socket.AF_INET, "IPv4"),
    "ipv6": _address(socket.AF_INET6, "IPv6"),
    "title": _title,
    "short": _short,
}
