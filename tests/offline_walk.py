"""What someone does with a new installation, as commands and over HTTP: ingest, serve, search, ask.

python tests/offline_walk.py FOLDER

Prints, as JSON, what was answered. test_offline.py runs it where there is no network.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

KB = str(Path(sys.executable).with_name("kb"))
READY_SECONDS = 240.0
QUESTION = {"question": "What does Amber 3 cost?"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def call(url: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json"})
    with urlopen(request, timeout=120) as response:
        return json.load(response)


def ready(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            call(f"{url}/readyz")
            return
        except (URLError, OSError):
            time.sleep(0.3)
    sys.exit("the server is not ready")


def main(folder: str) -> None:
    subprocess.run([KB, "ingest", folder, "--json"], check=True, stdout=subprocess.DEVNULL)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([KB, "serve"], env={**os.environ, "KB_PORT": str(port)})
    try:
        ready(url, server)
        hits = call(f"{url}/v1/search", QUESTION)["hits"]
        answer = call(f"{url}/v1/ask", QUESTION)
        with urlopen(f"{url}/widget.js", timeout=30) as widget:
            bytes_ = len(widget.read())
    finally:
        server.send_signal(signal.SIGINT)
        status = server.wait(60)
    told = {"hits": len(hits), "answer": answer, "widget": bytes_, "status": status}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
