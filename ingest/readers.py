"""Turns files into documents."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ingest.clean import clean
from ingest.data_uris import without_data
from ingest.formats import FORMATS
from ingest.formats.apart import READERS, reader_of
from ingest.formats.csv import read_csv
from ingest.formats.html import read_html
from ingest.formats.json import read_json
from ingest.formats.markdown import read_markdown, read_text
from ingest.formats.parsed import PAGE_BREAK, Parsed, Reader
from ingest.identity import Known
from ingest.titles import date_of, title_of
from kb.errors import FileEmpty, FileMissing, FileTooLarge, FormatUnsupported, UnreadableFile
from kb.reading import Lost
from kb.types import Document

_READERS: Mapping[str, Reader] = {
    ".md": read_markdown,
    ".txt": read_text,
    ".html": read_html,
    ".htm": read_html,
    ".csv": read_csv,
    ".json": read_json,
    ".jsonl": read_json,
    ".ndjson": read_json,
    ".tsv": read_csv,
    **{suffix: reader_of(suffix) for suffix in READERS},
}
_ARCHIVES = frozenset(".zip .tar .gz .tgz .bz2 .xz .7z .rar .zst".split())
_HIDDEN = (".", "~$")  # the second: what Word keeps beside a file that is open in it
_UNSAFE = re.compile(r"[^A-Za-z0-9._/-]")


def find(
    paths: Iterable[Path], within: Path | None = None, known: Known | None = None
) -> tuple[list[tuple[Path, Path]], list[tuple[Path, UnreadableFile]]]:
    """The files to read, each once and in a fixed order, as (path, root), root being the folder
    that its uri counts from: `within`, or what `known` has of it, or else the given folder itself;
    and those that can't be read, with the reason. Hidden files and folders inside the given ones
    are in neither list."""
    found: dict[str, tuple[Path, Path]] = {}
    refused: list[tuple[Path, UnreadableFile]] = []
    for given in paths:
        if not given.exists():
            refused.append((given, FileMissing(f"{given}: does not exist; check the path")))
            continue
        named = given if given.is_dir() else given.parent
        for path in _files(given, top=True):
            root = within or (known or Known()).root(path, named)
            try:
                uri = _checked_uri(path, root)
                other, _ = found.setdefault(uri, (path, root))
                if not other.samefile(path):
                    raise UnreadableFile(f"{uri}: is in two of the folders; rename one of the two")
            except UnreadableFile as error:
                refused.append((path, error))
    return list(found.values()), refused


def read(path: Path, root: Path, max_bytes: int) -> Document:
    """The document in a file of at most `max_bytes`; its uri is its path relative to `root`.
    Raises UnreadableFile."""
    uri, data = contents(path, root, max_bytes)
    return replace(document(uri, data, max_bytes), origin=os.path.realpath(path))


def contents(path: Path, root: Path, max_bytes: int) -> tuple[str, bytes]:
    """What `document` takes: the uri and the bytes, of a file that is too large one more than
    `max_bytes`. Raises UnreadableFile."""
    uri = _checked_uri(path, root)
    try:
        with path.open("rb") as file:
            return uri, file.read(max_bytes + 1)
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise FileMissing(f"{uri}: can't be opened ({reason}); check its permissions") from error


def document(uri: str, data: bytes, max_bytes: int) -> Document:
    """The document in the bytes of a file, as `read` gives it; the same bytes always give the
    same one. Raises UnreadableFile."""
    _check_format(uri)
    if len(data) > max_bytes:
        raise FileTooLarge(f"{uri}: larger than {max_bytes} bytes; split it, or raise KB_FILE_MB")
    if not data.strip():
        raise FileEmpty(f"{uri}: the file is empty; remove it or write something in it")
    return made_of(uri, _READERS[_suffix(uri)](uri, data))


def made_of(uri: str, parsed: Parsed) -> Document:
    """The document in what its format's reader gave. Raises FileEmpty."""
    facts = parsed.facts
    text, sealed = without_data(_cleaned(parsed))
    reading = parsed.reading
    if sealed:
        reading = replace(reading, lost=(*reading.lost, Lost("embedded file", sealed)))
    if not text.strip():
        raise FileEmpty(f"{uri}: holds no text; remove it or write something in it")
    return Document(
        id=document_id(uri),
        title=facts.title or title_of(text) or Path(uri).stem,
        publisher=facts.publisher,
        uri=uri,
        as_of=facts.as_of or date_of(text),
        text=text,
        reading=reading,
    )


def document_id(uri: str) -> str:
    """A URL-safe id, another one for every uri: "guides/models.md" is "guides~models.md"; where
    more than "/" has to be replaced, a hash of the uri tells apart what would look the same."""
    slug = _UNSAFE.sub("-", uri)
    if slug != uri:
        # A plain id ends in a format, so "~" and a hash can't make one.
        slug += "~" + hashlib.sha256(uri.encode()).hexdigest()[:12]
    return slug.replace("/", "~")


def _cleaned(parsed: Parsed) -> str:
    """Only in a paged text is a form feed more than a blank line."""
    pages = parsed.text.split(PAGE_BREAK) if parsed.paged else [parsed.text]
    return PAGE_BREAK.join(map(clean, pages)).strip("\n")


# -- files ---------------------------------------------------------------------------------------


def _files(path: Path, top: bool = False) -> Iterator[Path]:
    if not top and path.name.startswith(_HIDDEN):
        return
    if not path.is_dir() or (path.is_symlink() and not top):
        yield path  # a link to a folder too: `read` says that it isn't followed
        return
    try:
        inside = sorted(path.iterdir())
    except PermissionError:
        yield path
        return
    for child in inside:
        yield from _files(child)


def _checked_uri(path: Path, root: Path) -> str:
    """The path relative to the root, of a file that may be read."""
    try:
        relative = path.absolute().relative_to(root.absolute())
    except ValueError:
        raise FileMissing(f"{path}: not inside {root}; name the folder that it is in") from None
    # File names needn't be text; what isn't can't be stored or sent.
    uri = relative.as_posix().encode(errors="surrogateescape").decode(errors="replace")
    uri = unicodedata.normalize("NFC", uri)  # one system writes é in two characters, one in one
    if path.is_dir():
        raise FileMissing(f"{uri}: a folder that is a link or can't be opened; put it there itself")
    _check_format(uri)
    if not path.resolve().is_relative_to(root.resolve()):
        raise FileMissing(f"{uri}: a link out of the folder is not followed; put the file there")
    if not path.is_file():
        raise FileMissing(f"{uri}: there is no such file; check the path")
    return uri


def _suffix(uri: str) -> str:
    return Path(uri).suffix.lower()


def _check_format(uri: str) -> None:
    if _suffix(uri) in _ARCHIVES:
        raise FormatUnsupported(f"{uri}: archives aren't opened; unpack it and ingest what it held")
    if _suffix(uri) not in FORMATS:
        kinds = ", ".join(FORMATS)
        raise FormatUnsupported(f"{uri}: not one of {kinds}; convert it to one of them")
