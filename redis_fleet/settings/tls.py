"""TLS of one process: the lines of its configuration, and the files that they name."""

from __future__ import annotations

from posixpath import dirname

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.secret import Secret
from redis_fleet.certificates import store
from redis_fleet.certificates.leaf import UnreadableError as UnreadableCertificateError
from redis_fleet.description.load import Description
from redis_fleet.description.nodes import Path, VaultText
from redis_fleet.description.schema import SentinelDescription, ServiceDescription, TlsDescription
from redis_fleet.description.secrets import Variables, expand_secret
from redis_fleet.model import Given, Paths, ProcessTls
from redis_fleet.problems import UnreadableError
from redis_fleet.settings.builder import SettingsBuilder
from redis_fleet.settings.layout import Layout

_SECTION = "tls"
_CLIENTS = {"required": "yes", "optional": "optional", "no": "no"}
_OURS = frozenset(
    {"port", "tls-port", "tls-cert-file", "tls-key-file", "tls-key-file-pass", "tls-ca-cert-file", "tls-ca-cert-dir"}
    | {"tls-auth-clients", "tls-replication", "tls-cluster"}
)
_LOCAL = ("127.0.0.1", "localhost")
"""What a process is called by whoever is on its own machine."""


def described(description: Description) -> TlsDescription | None:
    """Return what a file says of TLS; None where nothing speaks it."""
    found = description.deployment.tls
    return found if found and found.mode != "off" else None


def _given_texts(found: TlsDescription) -> dict[str, str | VaultText]:
    texts = {"certificate": found.certificate, "key": found.key, "authorities": found.authorities}
    return {name: text for name, text in texts.items() if text is not None}


def files(paths: Paths) -> tuple[str, str, str]:
    """Return where a process has its certificate, its key and its authorities."""
    folder = f"{dirname(paths.configuration)}/tls"
    return f"{folder}/certificate.pem", f"{folder}/key.pem", f"{folder}/authorities.pem"


def set_lines(
    builder: SettingsBuilder,
    path: Path,
    section: ServiceDescription | SentinelDescription,
    layout: Layout,
    endpoint: Endpoint,
    paths: Paths,
) -> None:
    """Let a process speak TLS where it would speak plain, and nothing else."""
    found = described(builder.description)
    if found is None:
        return
    for name in section.config:
        if name.lower() in _OURS:
            builder.description.report((*path, "config", name), "is what 'tls:' sets", "take it out")
    if section.adopted:
        what = "was set up by somebody else, and redis-fleet cannot look after TLS of such processes yet"
        builder.description.report((*path, "adopted"), what, "leave 'tls:' out of this file")
    if not endpoint.port:
        builder.description.report((*path, "port"), "is 0, and a socket has no TLS", "leave 'tls:' out, or give a port")
        return
    certificate, key, authorities = files(paths)
    builder.set("port", ("0",))
    builder.set("tls-port", (endpoint.port,))
    builder.set("tls-cert-file", (certificate,))
    builder.set("tls-key-file", (key,))
    password = _password(builder, found) if layout.supervised else None
    if password:
        builder.set("tls-key-file-pass", (password,), secret=True)
    builder.set("tls-ca-cert-file", (authorities,))
    builder.set("tls-auth-clients", (_CLIENTS[found.clients],))
    builder.set("tls-replication", ("yes",))


def of_process(
    builder: SettingsBuilder, layout: Layout, endpoint: Endpoint, announces: Endpoint | None, paths: Paths
) -> ProcessTls | None:
    """Return what a process needs for the lines, and what its certificate must be good for."""
    found = described(builder.description)
    if found is None or endpoint.on_socket:
        return None
    places = [endpoint.address, *([announces.address] if announces else []), *_LOCAL]
    names = tuple(dict.fromkeys(places))
    if _given_texts(found) and layout.supervised:
        given = _given(builder, found)
        return ProcessTls(*files(paths), names, given, believed=given.authorities if given else "")
    folder = f"{builder.description.folder}/{found.authority or builder.description.deployment.name + '.authority'}"
    folder = folder if layout.supervised else f"{layout.root}/authority"
    return ProcessTls(*files(paths), names, authority=folder, believed=_believed(builder.description, folder))


def _believed(description: Description, folder: str) -> str:
    try:
        known = store.read(folder)
    except UnreadableCertificateError as error:
        if not any(each.what == str(error) for each in description.problems):
            description.report((_SECTION,), str(error), "put it back from a copy")
        return ""
    return known.believed if known else ""


def _given(builder: SettingsBuilder, found: TlsDescription) -> Given | None:
    texts = _given_texts(found)
    if not texts:
        return None
    read = {name: _read(builder.description, name, text, builder.variables) for name, text in texts.items()}
    for name in ("certificate", "key", "authorities"):
        if name not in texts:
            what = f"is missing beside {' and '.join(texts)}"
            builder.description.report((_SECTION,), f"{name} {what}", f"add '{name}:', or take the others out")
            return None
    certificate, key, authorities = read["certificate"], read["key"], read["authorities"]
    if certificate is None or key is None or authorities is None:
        return None
    return Given(certificate.reveal(), key, authorities.reveal(), _password(builder, found))


def _password(builder: SettingsBuilder, found: TlsDescription) -> Secret | None:
    text = found.key_password
    return None if text is None else _read(builder.description, "key-password", text, builder.variables)


def _read(description: Description, name: str, text: str | VaultText, variables: Variables) -> Secret | None:
    try:
        return Secret(expand_secret(text, variables).text)
    except UnreadableError as error:
        description.report((_SECTION, name), error.what, error.remedy, position=error.position)
        return None
