"""For each directive: values other than its default that are legal, and some that are not, made from its row alone.

Where the row does not tell (a file must exist, memory is taken at once ...) the values are here, each with its reason.
Values are what stands in YAML: the text of a scalar, or those of a list. ``@folder@``, ``@port@`` and ``@group@`` stand
for a folder with certificates and the like, a free port and a group of this machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from redis_fleet.catalogue import values
from redis_fleet.catalogue.table import Directive

Texts = list[str]

_A_NAME = "a name; how it must look is tried elsewhere"
_A_FILE = "the file must be there"
_TAKES_MEMORY = "the server reserves room for each at once"
_PROCESSORS = "a list of processors that this machine has"
# Name → its other values, and why the row alone does not tell them.
BY_HAND: Mapping[str, tuple[list[Texts], str]] = {
    "aclfile": ([["@folder@/users.acl"]], _A_FILE),
    "aof-rewrite-cpulist": ([["0"]], _PROCESSORS),
    "aof_rewrite_cpulist": ([["0"]], _PROCESSORS),
    "appenddirname": ([["otherdir"]], _A_NAME),
    "appendfilename": ([["other.aof"]], _A_NAME),
    "bgsave-cpulist": ([["0"]], _PROCESSORS),
    "bgsave_cpulist": ([["0"]], _PROCESSORS),
    "bind-source-addr": ([["127.0.0.1"]], "an address of this machine"),
    "bio-cpulist": ([["0"]], _PROCESSORS),
    "bio_cpulist": ([["0"]], _PROCESSORS),
    "cluster-announce-client-ipv4": ([["10.0.0.7"]], "an address"),
    "cluster-announce-client-ipv6": ([["2001:db8::7"]], "an address"),
    "cluster-databases": ([["17"]], _TAKES_MEMORY),
    "databases": ([["1"], ["17"]], _TAKES_MEMORY),
    "ignore-warnings": ([["ARM64-COW-BUG"]], "the one warning that can be ignored"),
    "io-threads": ([["2"]], "each is a thread, and busy"),
    "locale-collate": ([["C"], ["POSIX"]], "a locale of every machine"),
    "logfile": ([["@folder@/other.log"], ["other.log"]], "the folder must be there"),
    "maxclients": ([["500"]], "more than the limit of open files allows is lowered"),
    "maxmemory-clients": ([["5%"], ["1gb"], ["9223372036854775807"]], "with less the server ends our connection"),
    "pidfile": ([["@folder@/other.pid"]], "the folder must be there"),
    "proc-title-template": ([["{title} {port} other"]], "names in braces must be known ones"),
    "server-cpulist": ([["0"]], _PROCESSORS),
    "server_cpulist": ([["0"]], _PROCESSORS),
    "tls-ca-cert-dir": ([["@folder@"]], _A_FILE),
    "tls-ca-cert-file": ([["@folder@/cert.pem"]], _A_FILE),
    "tls-cert-file": ([["@folder@/cert.pem"]], _A_FILE),
    "tls-ciphers": ([["ECDHE+AESGCM"]], "what the TLS library knows"),
    "tls-ciphersuites": ([["TLS_AES_256_GCM_SHA384"]], "what the TLS library knows"),
    "tls-client-cert-file": ([["@folder@/cert.pem"]], _A_FILE),
    "tls-client-key-file": ([["@folder@/key.pem"]], _A_FILE),
    "tls-dh-params-file": ([["@folder@/dh.pem"]], _A_FILE),
    "tls-key-file": ([["@folder@/key.pem"]], _A_FILE),
    "tls-port": ([["@port@"]], "a free port"),
    "tls-protocols": ([["TLSv1.2 TLSv1.3"], ["TLSv1.3"]], "versions of TLS"),
    "unixsocketgroup": ([["@group@"]], "a group of this machine"),
    "watchdog-period": ([["5000"]], "less than two turns of the clock (hz) is rounded up"),
}

# What a text may look like; for some directives the server has rules of its own.
ODD_TEXTS = ("?", "a/b", "a\\b", "a b", "x" * 300, "{x}", "{title", "10.0.0.1", "größe", "a.b-c", "-", "0-1,3", "..")
_EVENTS = [["KEA"], ["Kg$lshzxe"], ["Ex"]]
_OLD_HOSTS = [["127.0.0.1"], ["127.0.0.1 127.0.0.2"], ["127.0.0.2", "127.0.0.1"], ["*"]]
_HOSTS = [*_OLD_HOSTS, ["127.0.0.1", "-::1"], ["* -::*"]]
_BUFFERS = [
    ["replica 64mb 32mb 60"],
    ["normal 7MB 1m 3", "slave 1gb 0 0", "pubsub 1mb 512kb 9"],
    ["normal 0 0 0 replica 2gb 1gb 7"],
]
_SAVES = [["900 1", "300 10"], ["60 1000"], [], ["900 1 300 10 60 10000"]]
_BY_TYPE: Mapping[str, Callable[[Directive], list[Texts]]] = {
    "integer": lambda directive: [[str(number)] for number in _numbers(directive)],
    "memory": lambda directive: [[str(number)] for number in _numbers(directive)] + _sizes(directive),
    "bool": lambda directive: [["no" if directive.default == "yes" else "yes"]],
    "enum": lambda directive: [[choice] for choice in directive.choices if choice != directive.default],
    "octal": lambda _: [["700"], ["0777"]],
    "string": lambda directive: [["other"], *_odd(directive)],
    "events": lambda _: _EVENTS,
    "save": lambda _: _SAVES,
    "client-buffers": lambda _: _BUFFERS,
    "addresses": lambda directive: _OLD_HOSTS if directive.version == "redis-6.0.16" else _HOSTS,
    "oom-values": lambda _: [["1 20 300"], ["0", "0", "1000"]],
    "percentiles": lambda _: [["50 99.99"], [], ["100", "0.5"]],
    "flags": lambda directive: [[c] for c in directive.choices if c != directive.default] + [["NOW nosave"]],
    "master": lambda _: [["127.0.0.1 1"]],
}


def others(directive: Directive) -> list[Texts]:
    """Return legal values other than the default: every choice, both limits, a neighbour ..."""
    if directive.name in BY_HAND:
        return BY_HAND[directive.name][0]
    return _BY_TYPE[directive.type](directive)


def _odd(directive: Directive) -> list[Texts]:
    """Return the odd texts that the table lets pass."""
    return [[text] for text in ODD_TEXTS if not values.problem(directive, ((text,),))]


def _numbers(directive: Directive) -> list[int]:
    """Return the neighbour of the default, then the limits."""
    assert directive.minimum is not None and directive.maximum is not None, directive.name
    default = int(directive.default or 0)
    neighbour = default + 1 if default < directive.maximum else default - 1
    return [number for number in dict.fromkeys((neighbour, directive.minimum, directive.maximum)) if number != default]


def _sizes(directive: Directive) -> list[Texts]:
    return [["5mb"], ["6M"], ["7340032B"], *([["5%"], ["100%"]] if directive.percent else [])]


_NO_NUMBER = ["x", "1.5", "+1", "1 "]
_WRONG: Mapping[str, list[str]] = {
    "integer": [*_NO_NUMBER, "010", "0x10", "1kb"],
    "memory": [*_NO_NUMBER, "1.5mb", "1tb"],
    "bool": ["true", "on", "1", ""],
    "enum": ["nosuch", ""],
    "octal": ["8", "x", "1000"],
    "events": ["?"],
    "save": ["900", "0 1", "900 x", "-1 5", "900 -1", "900 1 300"],
    "client-buffers": ["normal 0 0", "nosuch 0 0 0", "normal x 0 0", "normal 0 0 -1", "normal 0 0 x"],
    "oom-values": ["1 2", "1 2 3 4", "x 2 3", "0 0 2001"],
    "percentiles": ["101", "x", "-1"],
    "flags": ["nosuch", "default nosuch"],
}
# Refused by the table though a server takes it: names, texts, why.
STRICTER = (
    (r"hz", r"0|1001", "6.0 takes it while it runs, and crashes when it starts with it"),
    (r"unixsocketperm", r"8|x", "6.x reads the digits in front, none too"),
    (r"cluster-blacklist-ttl", r"-1", "becomes the largest number there is"),
    (r"client-query-buffer-limit", r"1048575", "6.0 takes less, and then ends every connection"),
    (r"(append|db).*name", r"\.\.|x{300}", "no file can have that name; the server finds out when it needs it"),
    (r".*", r"9223372036854775808|18446744073709551616", "what the server's number has no room for becomes another"),
)


def illegal(directive: Directive) -> list[str]:
    """Return texts that a directive of this type and with these limits must not take.

    Of one that is read at the start only, few: each costs a start, and the others of its type have shown the rest.
    """
    wrong = list(_WRONG.get(directive.type, ()))
    if directive.live != "config-set":
        del wrong[1:]
    if directive.type in ("integer", "memory"):
        assert directive.minimum is not None and directive.maximum is not None, directive.name
        low, high = directive.takes or (directive.minimum, directive.maximum)
        wrong += [str(low - 1), str(high + 1)]
    if directive.percent:
        wrong += ["101%", "05%", "-1%", "5 %"]
    return wrong + (list(ODD_TEXTS) if directive.type == "string" and directive.form else [])
