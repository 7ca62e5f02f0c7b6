"""Connections to PostgreSQL: how long they wait, and what they make of text that it can't hold."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Engine, create_engine, event


def engine(url: URL, wait_seconds: float) -> Engine:
    """wait_seconds: for the server to answer, and for a lock. Raises ImportError where the driver
    isn't installed."""
    from psycopg import Connection  # an optional dependency
    from psycopg.types.string import StrDumperUnknown

    class Storable(StrDumperUnknown):
        """PostgreSQL takes neither NUL nor a lone surrogate. No text that was read from a file has
        one; an id that somebody asks for may, and is found nowhere."""

        def dump(self, obj: str) -> bytes:
            return obj.replace("\0", "\ufffd").encode("utf-8", "replace")

    milliseconds = round(wait_seconds * 1000)
    made = create_engine(
        url,
        pool_pre_ping=True,  # a connection from before the server's restart is replaced
        connect_args={
            "connect_timeout": max(2, round(wait_seconds)),  # 2: the least that libpq takes
            "tcp_user_timeout": milliseconds,
            "client_encoding": "utf8",
            "options": f"-c lock_timeout={milliseconds} {url.query.get('options', '')}",
        },
    )

    @event.listens_for(made, "connect")
    def _configure(connection: Connection[Any], _record: object) -> None:
        connection.adapters.register_dumper(str, Storable)

    return made
