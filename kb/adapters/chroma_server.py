"""A connection to a Chroma server that waits no longer than it is told to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import chromadb
import httpx
from chromadb.api import ClientAPI
from chromadb.config import Settings

_PORTS = {"http": 80, "https": 443}


def connect(url: str, seconds: float) -> ClientAPI:
    """seconds: for any answer of the server. Raises what httpx and Chroma raise."""
    address = httpx.URL(url)
    # Chroma's client asks the server while it is being made, and would wait for ever
    httpx.get(address.join("/api/v2/heartbeat"), timeout=seconds).raise_for_status()
    client = chromadb.HttpClient(
        address.host,
        address.port or _PORTS[address.scheme],
        ssl=address.scheme == "https",
        settings=Settings(anonymized_telemetry=False),
    )
    for session in _sessions(client):
        session.timeout = httpx.Timeout(seconds)
    return client


def disconnect(client: ClientAPI) -> None:
    """Chroma's own `close` leaves the connections open."""
    for session in _sessions(client):
        session.close()


def _sessions(client: Any) -> Iterator[httpx.Client]:
    """Chroma 1.5.9 has no setting for its HTTP session's timeout, and opens a second one in the
    administrating client inside the client. Drop this when it closes both, and has the setting."""
    yield client._server._session
    yield client._admin_client._server._session
