"""`kb serve`: the HTTP interface, on an index of which this process is the only owner."""

from __future__ import annotations

import errno
import signal
import socket
from contextlib import closing
from types import FrameType
from typing import Annotated

import typer

from api.hosts import is_loopback
from cli.local import answering
from cli.remote import Server
from cli.screen import note, notes
from kb.database import Database
from kb.errors import PortTaken, SettingsInvalid
from kb.keys import KeyBook
from kb.ownership import owner_url
from kb.settings import OPEN_WORDS, Settings, load_settings

COULD_BE_SERVED = 3  # exit status of --probe

GRACE_SECONDS = 10  # for answers that are under way when the server is told to stop
ALIVE_SECONDS = 3.0


def serve(
    probe: Annotated[
        bool,
        typer.Option(
            "--probe", help="Serve nothing: exit status 0 says it is served already, 3 it could be."
        ),
    ] = False,
) -> None:
    """Serve the API and the page on KB_HOST and KB_PORT until interrupted."""
    settings = load_settings()
    url = url_of(settings)
    if served_at(settings, url):
        note(f"Weighbridge is already served at {url}")
        return
    check_access(settings)
    with bound(settings.host, settings.port) as listener:
        if probe:
            raise typer.Exit(COULD_BE_SERVED)
        _run(settings, url, listener)


def check_access(settings: Settings) -> None:
    """Raises SettingsInvalid where others would reach a server that asks nobody for a key."""
    if is_loopback(settings.host) or settings.open_to_everyone:
        return
    with closing(Database(settings.catalog_url, settings.store_seconds)) as database:
        if KeyBook(database).active():
            return
    raise SettingsInvalid(
        f"KB_HOST={settings.host} lets others reach this server, and there is no key yet: make one "
        "with kb keys create; or, if whoever reaches it may ask and read, say so with "
        f'KB_OPEN_TO_EVERYONE="{OPEN_WORDS}"'
    )


def url_of(settings: Settings) -> str:
    """Where a browser on this machine reaches the server."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def served_at(settings: Settings, url: str) -> bool:
    """Whether this very index is being served at `url`."""
    if owner_url(settings.index) != url:
        return False
    with Server(url, ALIVE_SECONDS) as server:
        return server.alive()


def bound(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything is loaded. Raises PortTaken, SettingsInvalid."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise SettingsInvalid(f"KB_HOST: {host!r} is no address of this machine") from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        raise _refused(host, port, error) from error
    return listener


def _refused(host: str, port: int, error: OSError) -> PortTaken | SettingsInvalid:
    if error.errno == errno.EADDRINUSE:
        return PortTaken(
            f"port {port} on {host} is taken: stop what listens there, or choose another port "
            f"with KB_PORT, as in KB_PORT={port % 65535 + 1}"
        )
    if error.errno == errno.EACCES:
        return PortTaken(f"port {port} needs more rights; choose one above 1023 with KB_PORT")
    return SettingsInvalid(f"KB_HOST: can't listen on {host!r}: {error.strerror}")


def _run(settings: Settings, url: str, listener: socket.socket) -> None:
    import uvicorn

    from api import logs
    from api.app import create_app
    from api.heads import BoundedHeads

    logs.configure(settings.log_format)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with notes.status("opening the index") as opening, answering(settings, url) as kb:
            opening.stop()
            note(f"Weighbridge serves {url} (API: {url}/docs); Ctrl-C stops it")
            config = uvicorn.Config(
                create_app(kb),
                http=BoundedHeads,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
            uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        note("stopped")


def _interrupt(signum: int, frame: FrameType | None) -> None:
    """SIGTERM ends the way Ctrl-C does. Uvicorn raises the signal once more when it is done, and
    the default handler would end the process before the store is closed."""
    raise KeyboardInterrupt
