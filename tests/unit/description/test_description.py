"""Reading a description: what is written arrives as written, secrets open and stay secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from redis_fleet.description.load import load
from redis_fleet.description.nodes import read
from redis_fleet.description.secrets import Variables, expand, expand_secret
from redis_fleet.description.shape import known_keys
from redis_fleet.loading import load_fleet
from redis_fleet.problems import InvalidDescriptionError, Position, Problem, UnreadableError

HEAD = "plugin: redis_fleet\nname: shop\nmachines:\n  red1: {address: 10.0.0.11, ansible_password: ansible-word}\n"
SERVICE = HEAD + "services:\n  orders:\n    master: red1\n    password: {password}\n"


def written(folder: Path, text: str) -> str:
    """Write a description and return its path."""
    file = folder / "shop.redis.yml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def tree(text: str) -> Any:
    """Return the tree of a YAML text."""
    return read("x.yml", text).tree


@pytest.mark.parametrize(
    "scalar", ["yes", "no", "on", "True", "0700", "64mb", "1e3", "0x10", "1_000", "12:30:45", "2026-11-23", ".5", "~x"]
)
def test_scalars_stay_as_they_were_written(scalar: str) -> None:
    assert tree(f"key: {scalar}") == {"key": scalar}
    assert tree(f"key: [{scalar}, '{scalar}']") == {"key": [scalar, scalar]}


@pytest.mark.parametrize("scalar", ["", "~", "null"])
def test_only_an_empty_scalar_is_nothing(scalar: str) -> None:
    assert tree(f"key: {scalar}") == {"key": None}


def test_an_empty_text_is_a_text() -> None:
    assert tree("key: ''") == {"key": ""}


def test_aliases_and_merges_are_filled_in_and_what_stands_there_wins() -> None:
    text = """
base: &base {a: 1, b: 1}
more: &more {b: 2, c: 2, list: &list [x, y]}
one: {<<: *base, b: own}
both: {<<: [*base, *more], d: 4}
again: *list
"""
    document = read("x.yml", text)
    found = document.tree

    assert document.problems == ()
    assert found["one"] == {"a": "1", "b": "own"}
    assert found["both"] == {"a": "1", "b": "1", "c": "2", "d": "4", "list": ["x", "y"]}
    assert found["again"] == ["x", "y"]


def test_every_path_has_its_position() -> None:
    document = read("x.yml", "a:\n  b:\n    - one\n    - two\n")

    assert document.position(("a",)) == Position("x.yml", 1, 1)
    assert document.position(("a", "b", 1)) == Position("x.yml", 4, 7)
    assert document.position(("a", "b", 7)) == Position("x.yml", 2, 3)
    assert document.position(("z", "y")) == Position("x.yml", 1, 1)


def test_directives_reach_the_fleet_as_they_were_written(tmp_path: Path) -> None:
    config = (
        "    config: {appendonly: yes, unixsocketperm: 0700, maxmemory: 64mb, dbfilename: 1e3, save: [900 1, 300 10]}\n"
    )
    fleet = load_fleet(written(tmp_path, SERVICE.replace("{password}", "a") + config))

    found = {setting.name: setting.reveal() for setting in fleet.processes[0].settings}
    assert found["appendonly"] == (("yes",),)
    assert found["unixsocketperm"] == (("0700",),)
    assert found["maxmemory"] == (("64mb",),)
    assert found["dbfilename"] == (("1e3",),)
    assert found["save"] == (("900", "1"), ("300", "10"))


def password_of(folder: Path, text: str) -> str:
    """Return the password that a description's service gets."""
    service = load_fleet(written(folder, SERVICE.replace("{password}", text))).services[0]
    assert service.password is not None
    return service.password.reveal()


def test_a_password_may_look_like_anything(tmp_path: Path) -> None:
    assert password_of(tmp_path, "0123") == "0123"
    assert password_of(tmp_path, "'yes'") == "yes"
    assert password_of(tmp_path, "'ä \"quoted\" # {x}'") == 'ä "quoted" # {x}'


def test_lookups_of_ansible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_ORDERS_PASSWORD", "from-the-environment")
    (tmp_path / "secret").write_text("from-a-file\n", encoding="utf-8")
    (tmp_path / "kept").write_text("kept-password\n", encoding="utf-8")

    assert password_of(tmp_path, """"{{ lookup('env', 'SHOP_ORDERS_PASSWORD') }}\"""") == "from-the-environment"
    assert password_of(tmp_path, """"{{ lookup('file', inventory_dir ~ '/secret') }}\"""") == "from-a-file"
    assert password_of(tmp_path, """"{{ lookup('password', inventory_dir ~ '/kept length=9') }}\"""") == "kept-password"


def test_a_password_that_is_looked_up_is_not_escaped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_ORDERS_PASSWORD", "<a>&'b\"")

    assert password_of(tmp_path, """"{{ lookup('env', 'SHOP_ORDERS_PASSWORD') }}\"""") == "<a>&'b\""


def test_a_password_that_is_made_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    text = """"{{ lookup('password', inventory_dir ~ '/made chars=ascii_letters,digits length=32') }}\""""

    first = password_of(tmp_path, text)

    assert len(first) == 32
    assert password_of(tmp_path, text) == first
    assert (tmp_path / "made").stat().st_mode & 0o077 == 0


def test_a_default_for_an_unset_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOP_ORDERS_PASSWORD", raising=False)
    text = """"{{ lookup('env', 'SHOP_ORDERS_PASSWORD') or 'fall-back' }}\""""

    assert password_of(tmp_path, text) == "fall-back"


@pytest.fixture
def vaulted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a ``!vault`` scalar, and name the file that opens it in the environment."""
    (tmp_path / "vault-password").write_text("open sesame\n", encoding="utf-8")
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(tmp_path / "vault-password"))
    cipher = VaultLib([("default", VaultSecret(b"open sesame"))]).encrypt("hidden-password").decode()
    return "!vault |\n" + "".join(f"      {line}\n" for line in cipher.splitlines())


def test_a_vault_opens_with_the_password_file(tmp_path: Path, vaulted: str) -> None:
    assert password_of(tmp_path, vaulted) == "hidden-password"


def test_a_vault_does_not_open_with_another_password(tmp_path: Path, vaulted: str) -> None:
    (tmp_path / "vault-password").write_text("open barley\n", encoding="utf-8")

    with pytest.raises(InvalidDescriptionError, match="cannot be decrypted with the vault password given; give the"):
        password_of(tmp_path, vaulted)


def test_a_vault_password_file_that_is_not_there(tmp_path: Path, vaulted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(tmp_path / "elsewhere"))

    with pytest.raises(InvalidDescriptionError, match=r"the vault password file cannot be read: .*elsewhere"):
        password_of(tmp_path, vaulted)


def test_a_vault_may_stand_in_config(tmp_path: Path, vaulted: str) -> None:
    text = SERVICE.replace("{password}", "plain") + f"    config:\n     masteruser: {vaulted}"
    setting = load_fleet(written(tmp_path, text)).processes[0].setting("masteruser")

    assert setting is not None
    assert setting.reveal() == (("hidden-password",),)
    assert setting.secret


def test_no_secret_is_in_what_a_fleet_prints(tmp_path: Path, vaulted: str) -> None:
    text = (
        SERVICE.replace("{password}", vaulted)
        + "    config: {masteruser: hidden-user}\n    silence: {E44: made by hand}\n"
    )
    text += "sentinel: {machines: [red1], silence: {E2: one does}, password: hidden-sentinel,\n"
    text += "           config: {sentinel-pass: hidden-sentinel}}\n"
    text = text.replace("    master: red1\n", "    master: red1\n    replicas: ['red1:6380']\n")
    fleet = load_fleet(written(tmp_path, text))

    assert fleet.sentinels[0].setting("sentinel auth-pass") is not None
    for shown in (repr(fleet), str(fleet), f"{fleet}", repr(fleet.processes), repr(fleet.sentinels[0].settings)):
        assert "hidden" not in shown
        assert "ansible-word" not in shown
    assert "requirepass" in repr(fleet)


def test_texts_without_braces_are_left_alone() -> None:
    assert expand("{ not a template }", Variables({})).text == "{ not a template }"
    assert expand("{{ address }}:{{ port }}", Variables({"address": "::1", "port": "1"})).text == "::1:1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ nobody }}", "'nobody' is undefined on red1; the variables there are machine"),
        ("{{ machine", "is not a template that can be read; check the braces and quotes"),
        ("{{ machine + 1 }}", r"cannot be worked out \(TypeError\); check it; every variable is a text"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ ''.__class__.__mro__ }}", "is not a template that can be read|undefined"),
    ],
)
def test_texts_that_cannot_be_expanded_say_why(text: str, words: str) -> None:
    with pytest.raises(UnreadableError, match=words):
        expand(text, Variables({"machine": "red1"}, "red1"))


def test_a_secret_that_becomes_empty_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOP_NOTHING", raising=False)
    with pytest.raises(UnreadableError, match="export that environment variable"):
        expand_secret("{{ lookup('env', 'SHOP_NOTHING') }}", Variables({}))
    with pytest.raises(UnreadableError, match="is empty; write a password"):
        expand_secret("{{ '' }}", Variables({}))


def test_what_fits_is_kept_when_something_else_does_not(tmp_path: Path) -> None:
    text = SERVICE.replace("{password}", "a") + "    port: many\n  sessions: 7\n"
    description = load(written(tmp_path, text))

    assert list(description.deployment.services) == ["orders"]
    assert description.deployment.services["orders"].port == 6379
    assert [problem.path for problem in description.problems] == ["services.orders.port", "services.sessions"]
    assert ("services", "orders", "port") in description.document.faulty


def test_one_scalar_stands_for_a_list_of_one(tmp_path: Path) -> None:
    text = HEAD + "services:\n  orders: {master: red1, replicas: 'red1:6380', bind: 10.0.0.11, password: a}\n"
    service = load(written(tmp_path, text)).deployment.services["orders"]

    assert (service.replicas, service.bind) == (("red1:6380",), ("10.0.0.11",))


def test_problems_come_in_the_order_of_the_file_and_once_each() -> None:
    late, early = Problem(Position("a", 10), "x", "w", "r"), Problem(Position("a", 9), "y", "w", "r")

    error = InvalidDescriptionError([late, early, late])

    assert str(error) == "a:9: y: w; r\na:10: x: w; r"


def test_the_keys_that_messages_offer_are_those_that_are_read() -> None:
    assert "open-to-network" in known_keys(("services", "orders"))
    assert known_keys(("machines", "red1")) == ["address", "ansible_…", "memory", "vars"]
    assert "watched" not in known_keys(("services", "orders", "sentinel"))
    assert "quorum" in known_keys(("sentinel",))
    assert "machines" in known_keys(())
