"""PDF: the text layer of its pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

from pypdf import Configuration, PageObject, PasswordType, PdfReader, apply_configuration
from pypdf.errors import DependencyError, LimitReachedError, PyPdfError
from pypdfium2 import PdfDocument, PdfiumError, PdfPage

from ingest.formats.parsed import LONGEST, Parsed
from ingest.formats.pdf_fields import fields_of
from ingest.formats.pdf_fonts import name_their_letters
from ingest.formats.pdf_layout import Layout
from ingest.formats.pdf_lines import flowing
from ingest.formats.pdf_words import words_of
from ingest.formats.text import check_is
from ingest.front_matter import FrontMatter
from ingest.titles import stated_title
from kb.errors import (
    FileDamaged,
    FileEncrypted,
    FileTooComplex,
    FileWithoutText,
)

MOST_PAGES = 3000
_FEWEST_SIGNS, _MOST_UNMAPPED = 10, 0.3  # on a page: signs without letters are rare elsewhere
_NO_TITLES = {"(anonymous)", "(unspecified)"}  # what ReportLab writes where nobody named one
_HEAD, _TAIL = 1024, 4096  # where a PDF begins and ends, bytes; some have a little around them
_STREAM = 20_000_000  # bytes that a stream may unpack to; a page of a book has some thousand
_LIMITS = Configuration(
    zlib_maximum_output_length=_STREAM,
    lzw_maximum_output_length=_STREAM,
    run_length_maximum_output_length=_STREAM,
    brotli_maximum_output_length=_STREAM,
    array_based_stream_maximum_output_length=_STREAM,
    stream_decoding_work_maximum_length=3 * _STREAM,
    jbig2dec_binary=None,  # pictures aren't looked at
)


@dataclass(frozen=True, slots=True)
class _Page:
    """unreadable: there is text that nobody can tell the letters of."""

    lines: tuple[str, ...]
    unreadable: bool = False


def read_pdf(uri: str, data: bytes) -> Parsed:
    """The pages' text in the order of reading. The dates in a PDF are those of its export and not
    of what it says, so none is taken. Raises FileDamaged, FileEncrypted, FileTooComplex,
    FileWithoutText; a damaged file makes pypdf raise anything."""
    check_is(uri, data, b"%PDF-", "a PDF", _HEAD)
    if b"%%EOF" not in data[-_TAIL:]:
        raise FileDamaged(f"{uri}: is cut off: a PDF ends with %%EOF; fetch or export it again")
    with apply_configuration(_LIMITS):
        try:
            reader = _opened(uri, data)
            pages = list(_pages(uri, data, reader))
            title = _title(reader)
        except LimitReachedError as error:
            raise FileTooComplex(
                f"{uri}: unpacks to more than a PDF may ({error}); print it to a new PDF"
            ) from error
        except PyPdfError as error:
            raise FileDamaged(
                f"{uri}: is damaged ({error}); export it again, or repair it with qpdf"
            ) from error
    if not any(line for page in pages for line in page.lines):
        raise _without_text(uri, pages)
    return Parsed(
        FrontMatter(title), flowing(["\n".join(page.lines) for page in pages]), paged=True
    )


def _without_text(uri: str, pages: Sequence[_Page]) -> FileWithoutText:
    if any(page.unreadable for page in pages):
        return FileWithoutText(
            f"{uri}: its text layer can't be read, since its fonts don't say which letters they "
            "are; run OCR over it (for instance ocrmypdf --force-ocr) and ingest the result"
        )
    return FileWithoutText(
        f"{uri}: its {len(pages)} pages are images without a text layer; "
        "run OCR over it (for instance ocrmypdf) and ingest the result"
    )


def _opened(uri: str, data: bytes) -> PdfReader:
    """Many PDFs are encrypted with an empty password, which anyone may use to read them."""
    try:
        reader = PdfReader(BytesIO(data))
        if not reader.is_encrypted or reader.decrypt("") != PasswordType.NOT_DECRYPTED:
            return reader
        reason = "asks for a password"
    except (DependencyError, NotImplementedError) as error:
        reason = f"is encrypted in a way that can't be read ({error})"
    raise FileEncrypted(f"{uri}: {reason}; save a copy without a password and ingest that")


def _pages(uri: str, data: bytes, reader: PdfReader) -> Iterator[_Page]:
    """pypdf looks first: it bounds what a stream unpacks to, and knows the forms."""
    count = len(reader.pages)
    if count > MOST_PAGES:
        raise FileTooComplex(f"{uri}: has {count} pages; split it into parts of {MOST_PAGES}")
    layout, total = Layout(), 0
    with _drawn(uri, data) as drawn:
        for page, picture in zip(reader.pages, drawn, strict=False):
            _check_unpacks(page)
            read = _page(layout, page, picture)
            total += sum(map(len, read.lines))
            if total > LONGEST:
                raise FileTooComplex(f"{uri}: holds more than {LONGEST} characters; split it")
            yield read


def _drawn(uri: str, data: bytes) -> PdfDocument:
    try:
        return PdfDocument(data)
    except PdfiumError as error:
        raise FileDamaged(
            f"{uri}: is damaged ({error}); export it again, or repair it with qpdf"
        ) from error


def _check_unpacks(page: PageObject) -> None:
    contents = page.get_contents()
    if contents is not None:
        contents.get_data()  # raises LimitReachedError


def _page(layout: Layout, page: PageObject, picture: PdfPage) -> _Page:
    found = words_of(picture)
    picture.close()
    if found.drawn >= _FEWEST_SIGNS and found.unmapped > _MOST_UNMAPPED * found.drawn:
        # pypdf reads letters by the names of their glyphs; pdfium doesn't in every kind of font.
        if name_their_letters(page):
            return _Page(tuple(page.extract_text().split("\n")))
        return _Page((), unreadable=True)
    lines = layout.lines([*found.words, *fields_of(page)])
    return _Page((*lines, "", " ".join(found.slanted)) if found.slanted else tuple(lines))


def _title(reader: PdfReader) -> str | None:
    title = stated_title(reader.metadata.title if reader.metadata else None)
    return None if title in _NO_TITLES else title
