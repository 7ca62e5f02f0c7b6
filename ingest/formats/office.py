"""The ZIP archives that Office files are: what may be opened, and the strict ones in the ordinary
names, which are all that the libraries know."""

from __future__ import annotations

import re
from io import BytesIO
from zipfile import BadZipFile, ZipFile

from ingest.formats.text import check_is
from kb.errors import FileDamaged, FileEncrypted, FileTooComplex

MOST_UNPACKED = 200_000_000  # bytes, pictures included
MOST_PARTS = 10_000
_OLE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_ENCRYPTED_FLAG = 1
# "Strict Open XML" (ISO/IEC 29500) has the same elements in namespaces of its own.
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/")
_ORDINARY = rb"http://schemas.openxmlformats.org/\1/2006/"
_XML = (".xml", ".rels")


def opened(uri: str, data: bytes, main: str, what: str) -> bytes:
    """The archive, fit for the libraries. main: the part that makes it what its name says; what:
    "a Word document (.docx)". Raises FileDamaged, FileEncrypted, FileTooComplex."""
    if data.startswith(_OLE) and _ENCRYPTED in data:
        raise _with_password(uri)
    check_is(uri, data, b"PK\x03\x04", what, within=4)
    names = check_parts(uri, data)
    if main not in names:
        raise FileDamaged(
            f"{uri}: is a ZIP archive and not {what}; archives aren't opened: unpack it"
        )
    return _in_ordinary_names(data)


def check_parts(uri: str, data: bytes) -> frozenset[str]:
    """The names of the parts. What the archive says that they unpack to is what zipfile unpacks
    at most. Raises FileDamaged, FileEncrypted, FileTooComplex."""
    try:
        with ZipFile(BytesIO(data)) as archive:
            parts = archive.infolist()
    except (BadZipFile, NotImplementedError) as error:
        raise FileDamaged(f"{uri}: is damaged or cut off ({error}); save it again") from error
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise FileTooComplex(f"{uri}: unpacks to more than a document may; save it without media")
    if any(part.flag_bits & _ENCRYPTED_FLAG for part in parts):
        raise _with_password(uri)
    return frozenset(part.filename for part in parts)


def _with_password(uri: str) -> FileEncrypted:
    return FileEncrypted(f"{uri}: asks for a password; save a copy without one and ingest that")


def _in_ordinary_names(data: bytes) -> bytes:
    """The archive as it is, unless its relations say that it is a strict one."""
    with ZipFile(BytesIO(data)) as archive:
        relations = [name for name in archive.namelist() if name == "_rels/.rels"]
        if not any(_STRICT.search(archive.read(name)) for name in relations):
            return data
        out = BytesIO()
        with ZipFile(out, "w") as made:
            for name in archive.namelist():
                part = archive.read(name)
                ours = name.endswith(_XML)
                made.writestr(name, _STRICT.sub(_ORDINARY, part) if ours else part)
    return out.getvalue()
