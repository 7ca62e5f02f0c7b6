"""The system's Chromium, headless, driven over its DevTools socket."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
WAIT_SECONDS = 20.0
FLAGS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-sync --hide-scrollbars "
    "--disable-background-networking --disable-component-update --remote-debugging-port=0"
).split()


@contextmanager
def started(folder: Path) -> Iterator[Browser]:
    """A browser with one page; `folder` keeps its profile."""
    assert PROGRAM
    command = [PROGRAM, *FLAGS, f"--user-data-dir={folder}", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with connect(_address(folder / "DevToolsActivePort"), max_size=None) as socket:
            yield Browser(socket)
    finally:
        process.terminate()
        process.wait()


def _address(file: Path) -> str:
    """Chromium writes the port and the path of its socket when it is up."""
    end = time.monotonic() + WAIT_SECONDS
    while not (file.exists() and file.read_text().count("\n")):
        assert time.monotonic() < end, "Chromium did not start"
        time.sleep(0.05)
    port, path = file.read_text().split("\n")
    return f"ws://127.0.0.1:{port}{path}"


class Browser:
    """One page. `complaints` collects uncaught errors and what the security policy refused."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.complaints: list[str] = []
        targets = self.send("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self._session = self.send("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.send(f"{domain}.enable", self._session)

    def send(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        about = {"sessionId": session} if session else {}
        self._socket.send(json.dumps({"id": number, "method": method, "params": params, **about}))
        while True:
            message = json.loads(self._socket.recv(WAIT_SECONDS))
            if message.get("id") == number:
                assert "error" not in message, message
                return dict(message["result"])
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        if message["method"] == "Runtime.exceptionThrown":
            self.complaints.append(str(message["params"]["exceptionDetails"]))
        if message["method"] == "Log.entryAdded":
            entry = message["params"]["entry"]
            if entry["source"] != "network":  # a 422 is logged there and is no complaint
                self.complaints.append(entry["text"])

    def open(self, url: str, width: int = 1200, dark: bool = False) -> None:
        session = self._session
        self.send(
            "Emulation.setDeviceMetricsOverride", session,
            width=width, height=900, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", session, features=[scheme])
        self.send("Page.navigate", session, url="about:blank")
        self.send("Page.navigate", session, url=url)

    def evaluate(self, script: str) -> Any:
        found = self.send("Runtime.evaluate", self._session, expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait_for(self, script: str) -> None:
        end = time.monotonic() + WAIT_SECONDS
        while not self.evaluate(f"Boolean({script})"):
            assert time.monotonic() < end, f"{script} did not come true"
            time.sleep(0.05)
