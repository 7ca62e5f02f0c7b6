"""Turns files into documents."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import trafilatura
from trafilatura.metadata import extract_metadata

from ingest.clean import clean, visible
from ingest.front_matter import FrontMatter, split_front_matter
from ingest.titles import date_of, title_of
from kb.errors import (
    EncodingInvalid,
    FileEmpty,
    FileIsBinary,
    FileMissing,
    FileTooLarge,
    FormatUnsupported,
    UnreadableFile,
)
from kb.types import Document

FORMATS = (".md", ".txt", ".html", ".htm")

_MAGIC = {
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a ZIP archive (or a Word, Excel or EPUB file)",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x7fELF": "a program",
    b"SQLite format 3": "an SQLite database",
    b"\xd0\xcf\x11\xe0": "an old Word or Excel file",
    b"{\\rtf": "an RTF file",
}
_STYLE = "//*[contains(translate(@style, ' ', ''), '{}')]"
_HIDDEN = ["//*[@hidden]", _STYLE.format("display:none"), _STYLE.format("visibility:hidden")]
_SAMPLE = 8192  # bytes looked at to tell text from other data
_CONTROL_SHARE = 0.05  # text has hardly any control characters, other data a tenth and more
_CONTROL = bytes({*range(32), 127} - set(b"\t\n\r\f\x1b"))
_UNSAFE = re.compile(r"[^A-Za-z0-9._/-]")


def find(
    paths: Iterable[Path], within: Path | None = None
) -> tuple[list[tuple[Path, Path]], list[tuple[Path, UnreadableFile]]]:
    """The files to read, each once and in a fixed order, as (path, root), root being the folder
    that its uri counts from: `within`, or else the given folder itself; and those that can't be
    read, with the reason. Hidden files and folders inside the given ones are in neither list."""
    found: dict[str, tuple[Path, Path]] = {}
    refused: list[tuple[Path, UnreadableFile]] = []
    for given in paths:
        if not given.exists():
            refused.append((given, FileMissing(f"{given}: does not exist; check the path")))
            continue
        root = within or (given if given.is_dir() else given.parent)
        for path in _files(given, top=True):
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
    return document(uri, data, max_bytes)


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
    """The document in the bytes of a file, as `read` gives it. Raises UnreadableFile."""
    _check_format(uri)
    if len(data) > max_bytes:
        raise FileTooLarge(f"{uri}: larger than {max_bytes} bytes; split it, or raise KB_FILE_MB")
    if not data.strip():
        raise FileEmpty(f"{uri}: the file is empty; remove it or write something in it")
    text = _decode(uri, data)
    suffix = _suffix(uri)
    facts = FrontMatter()
    if suffix in (".html", ".htm"):
        facts, text = _main_text(uri, text)
    elif suffix == ".md":
        facts, text = split_front_matter(text.replace("\r\n", "\n"), uri)
    text = clean(text).strip("\n")
    if not text.strip():
        raise FileEmpty(f"{uri}: holds no text; remove it or write something in it")
    return Document(
        id=document_id(uri),
        title=facts.title or title_of(text) or Path(uri).stem,
        publisher=facts.publisher,
        uri=uri,
        as_of=facts.as_of or date_of(text),
        text=text,
    )


def document_id(uri: str) -> str:
    """A URL-safe id, another one for every uri: "guides/models.md" is "guides~models.md"; where
    more than "/" has to be replaced, a hash of the uri tells apart what would look the same."""
    slug = _UNSAFE.sub("-", uri)
    if slug != uri:
        # A plain id ends in a format, so "~" and a hash can't make one.
        slug += "~" + hashlib.sha256(uri.encode()).hexdigest()[:12]
    return slug.replace("/", "~")


# -- files ---------------------------------------------------------------------------------------


def _files(path: Path, top: bool = False) -> Iterator[Path]:
    if not top and path.name.startswith("."):
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
    if _suffix(uri) not in FORMATS:
        kinds = ", ".join(FORMATS)
        raise FormatUnsupported(f"{uri}: not one of {kinds}; convert it to one of them")


# -- bytes ---------------------------------------------------------------------------------------


def _decode(uri: str, data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise EncodingInvalid(f"{uri}: is UTF-32; save it as UTF-8")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decoded(uri, data, "utf-16")
    _check_is_text(uri, data)
    return _decoded(uri, data, "utf-8-sig")


def _decoded(uri: str, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        name = "UTF-16" if encoding == "utf-16" else "UTF-8"
        raise EncodingInvalid(
            f"{uri}: not valid {name} at byte {error.start}; save it as UTF-8 "
            "(`iconv -f ENCODING -t UTF-8`, where ENCODING is what it was written in)"
        ) from error


def _check_is_text(uri: str, data: bytes) -> None:
    kind = next((name for magic, name in _MAGIC.items() if data.startswith(magic)), None)
    if kind:
        raise FileIsBinary(f"{uri}: is {kind} in spite of its name; convert it to text first")
    sample = data[:_SAMPLE]
    controls = len(sample) - len(sample.translate(None, _CONTROL))
    if b"\0" in data or controls > _CONTROL_SHARE * len(sample):
        raise FileIsBinary(f"{uri}: holds binary data; convert it to text saved as UTF-8 first")


# -- HTML ----------------------------------------------------------------------------------------


def _main_text(uri: str, html: str) -> tuple[FrontMatter, str]:
    """The page's own text as Markdown, without navigation, comments and what its reader doesn't
    see, and what it says about itself in its head."""
    text = _extracted(html, favor_recall=False) or _extracted(html, favor_recall=True)
    if not text:
        raise FileEmpty(f"{uri}: the page has no main text; save the article itself")
    # No guesses about dates: only what the page's metadata state.
    facts = extract_metadata(html, date_config={"extensive_search": False, "original_date": True})
    return FrontMatter(_tidy(facts.title), _tidy(facts.sitename), facts.date), text


def _extracted(html: str, favor_recall: bool) -> str | None:
    return trafilatura.extract(
        html,
        output_format="markdown",
        include_comments=False,
        prune_xpath=_HIDDEN,
        favor_recall=favor_recall,
    )


def _tidy(value: str | None) -> str | None:
    return " ".join(visible(value or "").split()) or None
