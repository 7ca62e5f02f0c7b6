"""A private PostgreSQL for tests, from the machine's own binaries; a database of its own a test."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

DEBIAN = Path("/usr/lib/postgresql")  # Debian keeps servers of several versions side by side
ACCOUNT = "postgres"  # PostgreSQL refuses to run as root
WAIT_SECONDS = 60.0
PLAIN = "C.UTF-8"
AMERICAN, AMERICAN_BY_ICU = "en_US.UTF-8", "en-US"
CLUSTERS = ("C", PLAIN, AMERICAN, AMERICAN_BY_ICU)  # by the library that sorts: libc, libc, …, ICU


def binaries() -> Path | None:
    """The folder with initdb and postgres; None where no server is installed."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(DEBIAN.glob("*/bin"), key=lambda bin: int(bin.parent.name), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


class PostgresServer:
    """One server on a free port of this machine, with its files in a folder that goes with it."""

    def __init__(self, bin: Path, cluster: str = PLAIN) -> None:
        """cluster: one of CLUSTERS. Skips the test where that can't be made here."""
        self._bin = bin
        self._as_root = os.geteuid() == 0
        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        if self._as_root:
            shutil.chown(self._folder, ACCOUNT)
        self._environment = dict(os.environ)
        self._initialize(cluster)
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Raises TimeoutError when it takes no connections by then."""
        command = [self._bin / "postgres", "-D", self._folder / "data", "-k", self._folder]
        command += ["-h", "127.0.0.1", "-p", str(self.port), "-F", "-c", "max_connections=60"]
        as_account = self._as_account(command)
        self._process = subprocess.Popen(as_account, env=self._environment, **_QUIET)
        last = time.monotonic() + WAIT_SECONDS
        ready = [self._bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while time.monotonic() < last:
            if subprocess.run(ready, check=False, **_QUIET).returncode == 0:
                return
            time.sleep(0.1)
        raise TimeoutError("PostgreSQL takes no connections")

    def stop(self) -> None:
        """Ends running sessions, as a restart of the server would."""
        if self._process is not None:
            pid = int((self._folder / "data" / "postmaster.pid").read_text().split()[0])
            os.kill(pid, signal.SIGINT)
            self._process.wait(WAIT_SECONDS)
            self._process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def execute(self, statement: str, database: str = "postgres") -> None:
        command = [self._bin / "psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1"]
        command += ["-p", str(self.port), "-U", "kb", "-d", database, "-c", statement]
        subprocess.run(command, check=True, **_QUIET)

    @contextmanager
    def database(self) -> Iterator[str]:
        """The SQLAlchemy URL of an empty database, which is dropped at the end."""
        name = f"kb_{uuid4().hex}"
        self.execute(f"CREATE DATABASE {name}")
        try:
            yield f"postgresql+psycopg://kb@127.0.0.1:{self.port}/{name}"
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _initialize(self, cluster: str) -> None:
        """Makes the cluster's files."""
        command = [self._bin / "initdb", "-D", self._folder / "data", "-U", "kb", "-A", "trust"]
        command += ["--no-sync", "-E", "UTF8"]
        if cluster == AMERICAN:
            self._environment["LOCPATH"] = str(_american(self._folder / "locales"))
        if cluster == AMERICAN_BY_ICU:
            command += [f"--locale={PLAIN}", "--locale-provider=icu", f"--icu-locale={cluster}"]
        else:
            command += [f"--locale={cluster}"]
        done = subprocess.run(
            self._as_account(command), env=self._environment, capture_output=True, cwd="/"
        )
        if done.returncode:
            shutil.rmtree(self._folder, ignore_errors=True)
            said = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            pytest.skip(f"initdb makes no cluster with the locale {cluster} here: {said}")

    def _as_account(self, command: Sequence[str | Path]) -> list[str | Path]:
        return ["runuser", "-u", ACCOUNT, "--", *command] if self._as_root else [*command]


_QUIET: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}


def _american(folder: Path) -> Path:
    """A folder of locales with that one in it: few machines have made it for themselves."""
    folder.mkdir()
    folder.chmod(0o755)
    command = ["localedef", "--no-archive", "-i", "en_US", "-f", "UTF-8", folder / AMERICAN]
    try:
        subprocess.run(command, check=True, **_QUIET)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"{AMERICAN} can't be made ({error}); Debian's package is `locales`")
    return folder


@contextmanager
def running(cluster: str = PLAIN) -> Iterator[PostgresServer]:
    """Skips the test where no server is installed."""
    bin = binaries()
    if bin is None:
        pytest.skip("no PostgreSQL server is installed here; Debian's package is `postgresql`")
    server = PostgresServer(bin, cluster)
    try:
        yield server
    finally:
        server.remove()
