"""PDF: the text layer of its pages."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from pypdf import Configuration, PasswordType, PdfReader, apply_configuration
from pypdf.errors import DependencyError, LimitReachedError, PyPdfError

from ingest.formats.parsed import LONGEST, Parsed
from ingest.formats.pdf_lines import flowing
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


def read_pdf(uri: str, data: bytes) -> Parsed:
    """The pages' text in pypdf's order, which is that of a column after the other. The dates in
    a PDF are those of its export and not of what it says, so none is taken. Raises FileDamaged,
    FileEncrypted, FileTooComplex, FileWithoutText; a damaged file makes pypdf raise anything."""
    check_is(uri, data, b"%PDF-", "a PDF", _HEAD)
    if b"%%EOF" not in data[-_TAIL:]:
        raise FileDamaged(f"{uri}: is cut off: a PDF ends with %%EOF; fetch or export it again")
    with apply_configuration(_LIMITS):
        try:
            reader = _opened(uri, data)
            pages = list(_pages(uri, reader))
            title = _title(reader)
        except LimitReachedError as error:
            raise FileTooComplex(
                f"{uri}: unpacks to more than a PDF may ({error}); print it to a new PDF"
            ) from error
        except PyPdfError as error:
            raise FileDamaged(
                f"{uri}: is damaged ({error}); export it again, or repair it with qpdf"
            ) from error
    if not any(page.strip() for page in pages):
        raise FileWithoutText(
            f"{uri}: its {len(pages)} pages are images without a text layer; "
            "run OCR over it (for instance ocrmypdf) and ingest the result"
        )
    return Parsed(FrontMatter(title), flowing(pages), paged=True)


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


def _pages(uri: str, reader: PdfReader) -> Iterator[str]:
    count = len(reader.pages)
    if count > MOST_PAGES:
        raise FileTooComplex(f"{uri}: has {count} pages; split it into parts of {MOST_PAGES}")
    total = 0
    for page in reader.pages:
        text = page.extract_text()
        total += len(text)
        if total > LONGEST:
            raise FileTooComplex(f"{uri}: holds more than {LONGEST} characters; split it")
        yield text


def _title(reader: PdfReader) -> str | None:
    return stated_title(reader.metadata.title if reader.metadata else None)
