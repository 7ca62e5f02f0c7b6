"""Keys: made once, stored as hashes, refused in every other shape, ended at once."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

import kb.keys
from cli.commands import run
from kb.access_errors import KeyInvalid, KeyNotFound
from kb.database import Database
from kb.keys import DAY_SECONDS, KeyBook, Scope
from kb.schema import access_keys

TODAY = 1_800_000_000.0


@dataclass
class Clock:
    at: float = TODAY

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(f"sqlite:///{tmp_path / 'catalog.sqlite3'}")) as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(database: Database, clock: Clock) -> KeyBook:
    return KeyBook(database, clock)


def test_a_key_opens_what_it_was_made_for(book: KeyBook) -> None:
    made, text = book.create("reader", {Scope.ASK, Scope.READ})

    found = book.holder(text)

    assert found == made
    assert (found.name, found.scopes) == ("reader", {Scope.ASK, Scope.READ})


def test_the_key_itself_is_not_stored(book: KeyBook, database: Database, tmp_path: Path) -> None:
    _, text = book.create("reader", {Scope.ASK})
    secret = text.split("_", 2)[2]

    with database.reading() as connection:
        row = connection.execute(select(access_keys)).one()
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert row.id.encode() in files
    assert secret.encode() not in files
    assert len(row.digest) == 64


def test_two_keys_are_never_the_same(book: KeyBook) -> None:
    assert len({book.create("one", {Scope.ASK})[1] for _ in range(20)}) == 20


def test_a_key_ends_when_it_expires(book: KeyBook, clock: Clock) -> None:
    _, text = book.create("guest", {Scope.ASK}, days=2)

    clock.at += 2 * DAY_SECONDS - 1
    assert book.holder(text).state(clock.at) == "active"
    clock.at += 1
    with pytest.raises(KeyInvalid, match="expired"):
        book.holder(text)
    assert not book.active()


def test_a_revoked_key_opens_nothing_and_stays_listed(book: KeyBook, clock: Clock) -> None:
    key, text = book.create("lost", {Scope.ADMIN})

    book.revoke(key.id)
    clock.at += 5
    again = book.revoke(key.id)

    with pytest.raises(KeyInvalid, match="revoked"):
        book.holder(text)
    assert [one.id for one in book.listed()] == [key.id]
    assert again.revoked_at == TODAY


def test_a_server_that_has_had_a_key_goes_on_asking_for_one(
    book: KeyBook, database: Database
) -> None:
    assert not book.exist()
    key, _ = book.create("only", {Scope.ADMIN})

    book.revoke(key.id)

    assert book.exist()
    assert KeyBook(database).exist()


def test_what_was_never_made_can_not_be_revoked(book: KeyBook) -> None:
    with pytest.raises(KeyNotFound, match="kb keys list"):
        book.revoke("nothing")


def test_every_server_on_a_catalog_signs_with_the_same_secret(
    book: KeyBook, database: Database
) -> None:
    made = book.secret("widget")

    assert KeyBook(database).secret("widget") == made
    assert book.secret("another") != made
    assert len(made) >= 43


# -- what gets in --------------------------------------------------------------------------------

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
fixed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@fixed
@given(text=st.text(st.characters()) | st.from_regex(r"\Akb_[0-9a-f]{8}_.*\Z"))
def test_no_text_of_any_shape_gets_in(book: KeyBook, text: str) -> None:
    book.create("someone", {Scope.ASK})

    with pytest.raises(KeyInvalid):
        book.holder(text)


@fixed
@given(data=st.data())
def test_a_key_with_one_character_changed_gets_nobody_in(
    book: KeyBook, data: st.DataObject
) -> None:
    _, text = book.create("someone", {Scope.ASK})
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from(ALPHABET).filter(lambda one: one != text[at]))

    with pytest.raises(KeyInvalid):
        book.holder(text[:at] + other + text[at + 1 :])


@pytest.mark.parametrize(
    "change", [str.upper, str.lower, lambda key: key[:-1], lambda key: key * 2]
)
def test_a_key_that_was_copied_badly_gets_nobody_in(
    book: KeyBook, change: Callable[[str], str]
) -> None:
    _, text = book.create("someone", {Scope.ASK})

    with pytest.raises(KeyInvalid):
        book.holder(change(text))


def test_one_key_s_secret_does_not_open_another(book: KeyBook) -> None:
    (_, one), (_, other) = (book.create(name, {Scope.ASK}) for name in "ab")

    with pytest.raises(KeyInvalid):
        book.holder(one[:12] + other[12:])


def test_digests_are_compared_in_constant_time() -> None:
    """No == or `in` touches one, in Python or in SQL."""
    tree = ast.parse(Path(kb.keys.__file__).read_text())
    compared = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Compare)]
    called = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]

    assert called.count("hmac.compare_digest") == 1
    assert not [one for one in compared if "digest" in one or "stored" in one]


# -- by command ----------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KB_HOME", str(tmp_path))
    return tmp_path


def test_keys_are_made_listed_and_revoked_by_command(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["keys", "create", "reader", "--scopes", "ask, read", "--days", "30"]) == 0
    text, told = capsys.readouterr()
    with closing(Database(f"sqlite:///{home / 'index' / 'catalog.sqlite3'}")) as database:
        key = KeyBook(database).holder(text.strip())
    assert run(["keys", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["keys"]
    assert run(["keys", "revoke", key.id]) == 0
    assert "revoked" in capsys.readouterr().out
    assert run(["keys", "list"]) == 0

    assert "not shown again" in told
    assert "KB_KEY" in told
    assert [(one["id"], one["scopes"], one["state"]) for one in listed] == [
        (key.id, ["ask", "read"], "active")
    ]
    shown = capsys.readouterr().out
    assert "revoked" in shown
    assert text.strip() not in shown


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["create", "x", "--scopes", "ask,everything"], 2),
        (["create", "x", "--scopes", ""], 2),
        (["create", " "], 2),
        (["create", "x", "--days", "0"], 2),
        (["revoke", "nothing"], 1),
    ],
)
def test_what_can_not_be_made_or_revoked_is_told(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int
) -> None:
    assert run(["keys", *arguments]) == status
    assert capsys.readouterr().err
