"""A server's statements as the server reads them: which lines are in force, and what the description says for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from posixpath import join

from redis_fleet.adoption import saving, users
from redis_fleet.adoption.found import Found, Refusals, RefusedError, Statement
from redis_fleet.adoption.knowledge import Knowledge, taken_apart
from redis_fleet.adoption.notes import Notes, at
from redis_fleet.adoption.texts import Hidden, Text, Value, of_words, plain, word_of
from redis_fleet.adoption.without_port import refuse_undescribable
from redis_fleet.agent.secret import Secret
from redis_fleet.catalogue import acl, multi_word, values
from redis_fleet.catalogue.multi_word import Lines
from redis_fleet.catalogue.one_word import clamped
from redis_fleet.catalogue.table import Directive
from redis_fleet.model import Words
from redis_fleet.rules.replication import unformed_cluster

# The description has keys of its own for these (``port:``, ``password:`` ...); primaryauth is Valkey's masterauth.
_OWN = {"port": "port", "bind": "bind", "requirepass": "requirepass", "replicaof": "replicaof"} | {
    "masterauth": "masterauth",
    "primaryauth": "masterauth",
}
# The servers hide them from logs, and they are no secrets: who logs in, not with what.
_NAMES = frozenset({"masteruser", "primaryuser"})


@dataclass(frozen=True)
class Server:
    """One server as its file sets it up; ``port`` is 0 where it listens on its socket alone.

    ``bind`` is None without such a line; ``password`` and ``upstream`` (masterauth) are None where there is none;
    ``follows`` is host and port of its master. ``values`` are all other directives, by key.
    """

    found: Found
    port: int
    bind: Words | None
    password: Hidden | None
    upstream: Hidden | None
    follows: tuple[str, int] | None
    values: Mapping[str, Value]
    statements: Mapping[str, Statement] = field(default_factory=dict)

    def word(self, name: str) -> str:
        """Return a directive's value when it is one clear word; else nothing."""
        return word_of(self.values, name)


def server(found: Found, knowledge: Knowledge, notes: Notes) -> Server:
    """Read a server's statements; raises RefusedError for what the server would not start with."""
    own: dict[str, Statement] = {}
    given: dict[str, Value] = {}
    users_ = [each for each in found.statements if each.name == "user"]
    refusals = Refusals()
    for key, statements in _by_directive(found, knowledge, notes, refusals).items():
        with refusals.gathering():
            if key in _OWN:
                own[_OWN[key]] = _last(statements, knowledge, notes)
            elif key != "user":
                given[key] = _value(key, statements, knowledge, notes)
    password = _one(own, "requirepass", "password")
    with refusals.gathering():
        kept, password = _users(users_, password, knowledge, notes)
        if kept:
            given["user"] = kept
    follows = None
    with refusals.gathering():
        follows = _master(own.get("replicaof"), knowledge)
        refuse_undescribable(own.get("port"), given, follows=follows is not None)
    refusals.end()
    if "aclfile" in given and given["aclfile"].form:
        password = _of_acl_file(given["aclfile"], found.users, password, knowledge, notes)
    if "cluster-enabled" in given and given["cluster-enabled"].form == "yes":
        notes.add(given["cluster-enabled"].position, f"is a node of a cluster: {unformed_cluster.reason}")
    return Server(
        found,
        int(own["port"].words[0]) if "port" in own else 6379,
        taken_apart(knowledge.directive("bind"), own["bind"].words) if "bind" in own else None,
        password,
        _one(own, "masterauth", "master password"),
        follows,
        given,
        own,
    )


def _by_directive(found: Found, knowledge: Knowledge, notes: Notes, refusals: Refusals) -> dict[str, list[Statement]]:
    """Gather the statements of each directive under all its names; what has no effect becomes a remark."""
    together: dict[str, list[Statement]] = {}
    modules = any(each.name == "loadmodule" for each in found.statements)
    for each in found.statements:
        if knowledge.ignored(each.name):
            notes.add(each, f"{each.name} is read and ignored by {knowledge.engine}; left out")
            continue
        with refusals.gathering():
            if (modules or "." in each.name) and knowledge.of_a_module(each):
                _check_module(each, notes, loaded=modules)
                together.setdefault(each.name, []).append(each)
            else:
                knowledge.check_known(each)
                together.setdefault(knowledge.key(each.name), []).append(each)
    return together


def _check_module(statement: Statement, notes: Notes, *, loaded: bool) -> None:
    if not loaded:
        what = f"{statement.name} belongs to a module, and there is no loadmodule line"
        raise RefusedError(statement.position, f"{what}; the server does not start with it")
    notes.add(statement, f"{statement.name} belongs to a module: carried over as it is, nobody here can check it")


def _value(key: str, statements: list[Statement], knowledge: Knowledge, notes: Notes) -> Value:
    last = statements[-1]
    if not knowledge.knowing(last.name):
        return Value(key, key, plain(of_words(last.words)), last.words, last.position)
    directive = knowledge.directive(last.name)
    name = knowledge.written(last.name)
    if directive.clamped:
        statements = [_within_limits(directive, each, notes) for each in statements]
    if directive.type == "save":
        return saving.save(name, key, statements, knowledge, notes)
    if directive.type == "client-buffers":
        return _buffers(name, key, statements, knowledge, notes)
    if directive.repeatable:
        lines = tuple(each.words for each in statements)
        for count, each in enumerate(statements, start=1):
            knowledge.check(each, lines[:count])
        return Value(name, key, plain(*map(of_words, lines)), lines, last.position)
    last = _entered(statements, notes) if key == "dir" else _last(statements, knowledge, notes)
    words = taken_apart(directive, last.words)
    form = values.canonical(knowledge.check(last, (words,)), (words,))
    if directive.sensitive and key not in _NAMES and words != ("",):
        return Value(name, key, (Text((Hidden(name, Secret(words[0]), last.position),)),), form, last.position)
    text = of_words(words) if directive.many_words and words != ("",) else words[0] if words else ""
    return Value(name, key, plain(text), form, last.position)


def _within_limits(directive: Directive, statement: Statement, notes: Notes) -> Statement:
    """Return a statement with the number that the server takes its own for."""
    word = statement.words[0] if len(statement.words) == 1 else ""
    if not word.isdecimal() or (taken := str(clamped(directive, int(word)))) == word:
        return statement
    notes.add(statement, f"{statement.name} {word} is {taken} for the server; described as that")
    return replace(statement, words=(taken,))


def _entered(statements: list[Statement], notes: Notes) -> Statement:
    """Return where the server is after all ``dir`` lines: it enters each at once, a relative one from the last."""
    if len(statements) == 1 or any(len(each.words) != 1 for each in statements):
        return statements[-1]
    whole = join(*(each.words[0] for each in statements))
    for each in statements:
        notes.add(each, f"{len(statements)} dir lines, each entered from the one before: together 'dir {whole}'")
    return replace(statements[-1], words=(whole,))


def _last(statements: list[Statement], knowledge: Knowledge, notes: Notes) -> Statement:
    """Return the statement that counts, the last; every one must be fine, and those that differ from it are told."""
    forms = []
    for each in statements:
        lines: Lines = (taken_apart(knowledge.directive(each.name), each.words),)
        forms.append(values.canonical(knowledge.check(each, lines), lines))
    for each, form in zip(statements[:-1], forms, strict=False):
        if form != forms[-1]:
            notes.add(each, f"this {each.name} has no effect: {at(statements[-1], each)} sets it again; left out")
    return statements[-1]


def _buffers(name: str, key: str, statements: list[Statement], knowledge: Knowledge, notes: Notes) -> Value:
    """Each class has its own limits, the last ones given count."""
    directive = knowledge.directive(name)
    limits: dict[str, tuple[Words, Statement]] = {}
    for each in statements:
        words = taken_apart(directive, each.words)
        taking = knowledge.check(each, (words,))
        for start in range(0, len(words), 4):
            group = words[start : start + 4]
            class_ = values.canonical(taking, (group,)), group[0].lower().replace("replica", "slave")
            earlier = limits.pop(class_[1], None)
            if earlier and values.canonical(taking, (earlier[0],)) != class_[0]:
                text = f"{name} {of_words(earlier[0])} has no effect: {at(each, earlier[1])} sets it again; left out"
                notes.add(earlier[1], text)
            limits[class_[1]] = group, each
    lines = tuple(group for group, _ in limits.values())
    return Value(name, key, plain(*map(of_words, lines)), values.canonical(directive, lines), statements[-1].position)


def _one(own: Mapping[str, Statement], name: str, purpose: str) -> Hidden | None:
    statement = own.get(name)
    if statement is None or statement.words in ((), ("",)):
        return None
    return Hidden(purpose, Secret(statement.words[0]), statement.position)


def _master(statement: Statement | None, knowledge: Knowledge) -> tuple[str, int] | None:
    if statement is None:
        return None
    words = multi_word.master(knowledge.directive("replicaof"), (statement.words,))
    return (words[0], int(words[1])) if len(words) == 2 else None


def _users(
    statements: list[Statement], password: Hidden | None, knowledge: Knowledge, notes: Notes
) -> tuple[Value | None, Hidden | None]:
    """Return the ACL lines to write and the password in truth: a line for ``default`` overrides requirepass."""
    if knowledge.engine == "redis" and (knowledge.version or "").startswith("6."):
        statements = _last_of_each_user(statements, notes)
    if statements:
        knowledge.check(statements[-1], tuple(each.words for each in statements))
    kept = []
    for each in statements:
        if each.words[0] != "default":
            kept.append(each)
            continue
        known, password = default_line(each, password, knowledge, notes)
        if not known:
            kept.append(each)
    if not kept:
        return None, password
    texts = tuple(users.hidden(each.words, each.position) for each in kept)
    return Value("user", "user", texts, tuple(each.words for each in kept), kept[0].position), password


def _last_of_each_user(statements: list[Statement], notes: Notes) -> list[Statement]:
    """Return the lines that count before 7.0, which does not start with two for one user: the second starts anew."""
    last = {each.words[:1]: each for each in statements}
    for each in statements:
        if each is not last[each.words[:1]]:
            text = f"this user {each.words[0]} has no effect: {at(last[each.words[:1]], each)} sets it anew; left out"
            notes.add(each, text)
    return [each for each in statements if each is last[each.words[:1]]]


def _of_acl_file(
    aclfile: Value, lines: tuple[Statement, ...] | None, password: Hidden | None, knowledge: Knowledge, notes: Notes
) -> Hidden | None:
    """Return the password in truth of a server whose users stand in a file of their own."""
    text = f"the users in {aclfile.texts[0].clear} stay there; the description knows nothing of them"
    if lines is None:
        text += ". redis-fleet logs in as the user 'default': if that file switches it off, nothing but import works"
    notes.add(aclfile.position, text)
    for each in lines or ():
        if each.words[0] == "default":
            _, password = default_line(each, password, knowledge, notes)
    return password


def default_line(
    statement: Statement, password: Hidden | None, knowledge: Knowledge, notes: Notes
) -> tuple[bool, Hidden | None]:
    """Return whether ``password:`` says all that a line for the user ``default`` says, and the password in truth."""
    old = knowledge.engine == "redis" and (knowledge.version is None or knowledge.version.startswith("6."))
    user = users.default_user(statement.words[1:], old=old)
    if not acl.login(statement.words[1:]).on:
        what = "the user 'default' is switched off, and redis-fleet logs in as that user"
        notes.add(statement, f"{what}: nothing but import works until it is on, with 'password:'")
        return False, password
    if not user.whole or len(user.hashes) > 1 or not (user.open or user.hashes):
        what = "the user 'default' is off, restricted or has several passwords; its line is kept and overrides"
        notes.add(statement, f"{what} 'password:'. redis-fleet itself comes in as this user, with that password")
        return False, password
    if old and knowledge.version is None and not any(each[:1] == "&" for each in statement.words):
        text = "the user 'default' is told of no channels: this is read as redis 6 writes it; from 7.0 on it has none"
        notes.add(statement, f"{text} (see --engine-version)")
    if user.open and password is None:
        notes.add(statement, "the user 'default' is open here, as it is without this line; left out")
        return True, None
    if user.open:
        where = password.position if password else ""
        what = f"OPEN IN TRUTH: this 'user default ... nopass' overrides requirepass ({where})"
        notes.add(statement, f"{what}; anybody comes in without a password. Described as it is, without 'password:'")
        return True, None
    (hash_,) = user.hashes
    if password and acl.password_hash(password.value.reveal()) == hash_:
        notes.add(statement, "the user 'default' has the password of requirepass; 'password:' says both")
        return True, password
    where = f"; requirepass ({password.position}) is not it and has no effect" if password else ""
    notes.add(statement, f"the password in force is the one with this SHA-256, which only its owner knows{where}")
    return True, Hidden("password", Secret(""), statement.position)
