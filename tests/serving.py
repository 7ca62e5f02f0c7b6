"""An application on a real port of this machine."""

from __future__ import annotations

import threading
import time

import uvicorn
from fastapi import FastAPI

from api.heads import BoundedHeads


class serving:  # noqa: N801  # reads as the context manager that it is
    """`with serving(app) as port:`"""

    def __init__(self, app: FastAPI, http: type[BoundedHeads] = BoundedHeads) -> None:
        config = uvicorn.Config(
            app, host="127.0.0.1", port=0, log_config=None, ws="none", http=http
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)

    def __enter__(self) -> int:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        port: int = self._server.servers[0].sockets[0].getsockname()[1]
        return port

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
