"""A secret is opened where it is written, sent, compared or judged: each module that does is named here, with why."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from redis_fleet.project import ROOT

PACKAGE = ROOT / "redis_fleet"
WRITTEN, SENT, COMPARED, JUDGED = "writes a file", "logs in or sends it", "compares", "judges it"
OPENED = {
    "adoption/loading.py": SENT,
    "adoption/merging.py": COMPARED,
    "adoption/secrets.py": COMPARED,
    "adoption/sentinel_section.py": COMPARED,
    "adoption/servers.py": COMPARED,
    "adoption/texts.py": JUDGED,
    "adoption/yaml_text.py": COMPARED,
    "agent/access.py": SENT,
    "agent/codec.py": SENT,
    "agent/host/put.py": WRITTEN,
    "agent/inspect/certificates.py": "opens a key with it",
    "agent/login.py": SENT,
    "agent/messages/orders.py": SENT,
    "agent/messages/process.py": SENT,
    "agent/process/order_words.py": "takes it out of what an engine says",
    "agent/tls.py": SENT,
    "agent/replication/view.py": "takes it out of what an engine says",
    "ansible/action/redis_fleet_start.py": "shows the difference of two files, secrets masked",
    "ansible/requests.py": SENT,
    "ansible/runs.py": "takes it out of what is reported",
    "certificates/authority.py": "signs with it",
    "certificates/leaf.py": JUDGED,
    "certificates/store.py": WRITTEN,
    "config_test/complaints.py": COMPARED,
    "config_test/texts.py": "puts dummies of the same length in its place, and a key of nobody",
    "drills/application_access.py": SENT,
    "kinds/kind.py": JUDGED,
    "model.py": "opens a setting's words for those here",
    "observe/logins.py": COMPARED,
    "plan/closing.py": COMPARED,
    "plan/diff.py": COMPARED,
    "plan/passwords.py": COMPARED,
    "plan/sentinel_changes.py": COMPARED,
    "plan/users.py": COMPARED,
    "render/files.py": WRITTEN,
    "render/tls_files.py": WRITTEN,
    "rules/described_users.py": JUDGED,
    "rules/hosts/fit.py": JUDGED,
    "settings/tls.py": "a certificate is none, and comes as one",
    "topology/identity.py": "names the one that opens a key",
    "rules/security.py": JUDGED,
    "rules/users.py": JUDGED,
    "rules/versions.py": JUDGED,
    "settings/users.py": "makes hashes and other passwords of it",
}


def _opens(file: Path) -> bool:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.Attribute) and node.attr == "reveal" for node in ast.walk(tree))


def test_nobody_else_opens_a_secret() -> None:
    found = {str(file.relative_to(PACKAGE)) for file in PACKAGE.rglob("*.py") if _opens(file)}
    assert found == OPENED.keys()


def test_nobody_reaches_into_one() -> None:
    inside = [file.name for file in PACKAGE.rglob("*.py") if re.search(r"\._value\b", file.read_text(encoding="utf-8"))]
    assert inside == ["secret.py"]
