"""`kb mcp`: the knowledge base as tools of desktop assistants."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated

import typer

from cli.screen import note
from cli.serve import bound
from kb.settings import load_settings

LOOPBACK = "127.0.0.1"  # there are no keys here


def mcp(
    http: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            metavar="PORT",
            help="Serve streamable HTTP on this port of this machine, not stdin and stdout.",
        ),
    ] = None,
) -> None:
    """Serve search, ask and read_document over the Model Context Protocol.

    Calls go through the server that owns the index; where none runs, the first one opens it."""
    from cli.mcp_tools import server  # the protocol's library takes a second to load
    from cli.reading import Library

    with ExitStack() as opened:
        serving = server(Library(load_settings(), opened))
        if http is None:
            serving.run("stdio")
            return
        import uvicorn

        with bound(LOOPBACK, http) as listener:
            note(f"MCP at http://{LOOPBACK}:{http}/mcp; Ctrl-C stops it")
            app = serving.streamable_http_app(host=LOOPBACK)
            config = uvicorn.Config(app, log_config=None, access_log=False)
            uvicorn.Server(config).run(sockets=[listener])
