"""Who may ask, read, ingest and administer: keys that are shown once and stored as hashes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from sqlalchemy import Row, insert, select, update

from kb.access_errors import KeyInvalid, KeyNotFound
from kb.database import Database
from kb.schema import access_keys, access_secrets

PREFIX = "kb"  # a key is kb_ID_SECRET: recognised by people, and by programs that look for leaks
SECRET_BYTES = 32  # of chance, so that a plain hash of it can't be searched through
DAY_SECONDS = 86_400.0

_NOBODY = hashlib.sha256(b"").hexdigest()  # compared with where no key has the id


class Scope(StrEnum):
    ASK = "ask"
    READ = "read"
    INGEST = "ingest"
    ADMIN = "admin"  # everything


EVERYTHING = frozenset(Scope)


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key; not the key. Times are seconds since the epoch."""

    id: str
    name: str
    scopes: frozenset[Scope]
    created_at: float
    expires_at: float | None
    revoked_at: float | None

    def state(self, now: float) -> Literal["active", "expired", "revoked"]:
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


class KeyBook:
    """The keys of one catalog, shared by every server on it. None is ever removed from it: a server
    whose last key was revoked must not become one that needs none."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now
        self._some = False

    def create(
        self, name: str, scopes: Collection[Scope], days: float | None = None
    ) -> tuple[Key, str]:
        """The key's entry, and the key itself, which can't be had again."""
        now = self._now()
        expires = None if days is None else now + days * DAY_SECONDS
        key = Key(secrets.token_hex(4), name, frozenset(scopes), now, expires, None)
        secret = secrets.token_urlsafe(SECRET_BYTES)
        with self._database.writing() as connection:
            connection.execute(
                insert(access_keys).values(
                    id=key.id,
                    name=name,
                    digest=_digest(secret),
                    scopes=" ".join(sorted(key.scopes)),
                    created_at=now,
                    expires_at=expires,
                )
            )
        return key, f"{PREFIX}_{key.id}_{secret}"

    def listed(self) -> list[Key]:
        """Oldest first, with those that are revoked or have expired."""
        query = select(access_keys).order_by(access_keys.c.created_at, access_keys.c.id)
        with self._database.reading() as connection:
            return [_key(row) for row in connection.execute(query)]

    def revoke(self, key_id: str) -> Key:
        """Takes effect with the next request. Raises KeyNotFound."""
        chosen = access_keys.c.id == key_id
        with self._database.writing() as connection:
            connection.execute(
                update(access_keys)
                .where(chosen, access_keys.c.revoked_at.is_(None))
                .values(revoked_at=self._now())
            )
            row = connection.execute(select(access_keys).where(chosen)).one_or_none()
        if row is None:
            raise KeyNotFound(f"no key has the id {key_id!r}; kb keys list shows them all")
        return _key(row)

    def exist(self) -> bool:
        """Whether there has ever been a key: from then on one is needed."""
        if not self._some:
            with self._database.reading() as connection:
                found = connection.scalar(select(access_keys.c.id).limit(1))
            self._some = found is not None
        return self._some

    def active(self) -> bool:
        """Whether there is a key that opens anything."""
        return any(key.state(self._now()) == "active" for key in self.listed())

    def holder(self, text: str) -> Key:
        """The entry of the key that this is. Raises KeyInvalid."""
        key_id, secret = parts(text)
        query = select(access_keys).where(access_keys.c.id == key_id)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        stored = _NOBODY if row is None else row.digest
        same = hmac.compare_digest(stored, _digest(secret))
        if row is None or not same:
            raise KeyInvalid(
                "no key is like this: look for a part that was lost when it was copied"
            )
        key = _key(row)
        state = key.state(self._now())
        if state != "active":
            raise KeyInvalid(f"the key {key.id} ({state}) opens nothing: ask for a new one")
        return key

    def secret(self, name: str) -> str:
        """Made with the first call, and from then on the same for every server on this catalog."""
        query = select(access_secrets.c.value).where(access_secrets.c.name == name)
        with self._database.reading() as connection:
            found = connection.scalar(query)
        if found is None:
            found = self._made(name)
        return str(found)

    def _made(self, name: str) -> str:
        query = select(access_secrets.c.value).where(access_secrets.c.name == name)
        made = secrets.token_urlsafe(SECRET_BYTES)
        with self._database.writing() as connection:
            found = connection.scalar(query)  # the other's, who was first
            if found is None:
                connection.execute(insert(access_secrets).values(name=name, value=made))
        return made if found is None else str(found)


def looks_like_a_key(text: str) -> bool:
    return text.startswith(f"{PREFIX}_")


def parts(text: str) -> tuple[str, str]:
    """Id and secret. Raises KeyInvalid."""
    split = text.split("_", 2)
    if len(split) != 3 or split[0] != PREFIX or not text.isascii() or not text.isprintable():
        raise KeyInvalid(f"a key is like {PREFIX}_ID_SECRET, as kb keys create printed it")
    return split[1], split[2]


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: Row[tuple[object, ...]]) -> Key:
    found = row._mapping
    return Key(
        found["id"],
        found["name"],
        frozenset(Scope(scope) for scope in found["scopes"].split()),
        found["created_at"],
        found["expires_at"],
        found["revoked_at"],
    )
