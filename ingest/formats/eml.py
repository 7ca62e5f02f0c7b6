"""E-mail as it was saved: who wrote to whom, when and about what, its text and its attachments'
names."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from email.utils import parsedate_to_datetime

from ingest.formats.html import read_html
from ingest.formats.parsed import Parsed
from ingest.front_matter import FrontMatter
from kb.errors import FileDamaged, FileEmpty

_HEADS = ("From", "To", "Cc", "Date", "Subject")


def read_eml(uri: str, data: bytes) -> Parsed:
    """The message is dated by when it was sent. Raises FileDamaged."""
    message = message_from_bytes(data, policy=policy.default)
    heads = [(name, " ".join(str(message[name]).split())) for name in _HEADS if message[name]]
    if not heads:
        raise FileDamaged(f"{uri}: is no e-mail: it names no sender and no subject")
    subject = dict(heads).get("Subject")
    lines = [f"- {name}: {value}" for name, value in heads if name != "Subject"]
    blocks = [f"# {subject}"] if subject else []
    blocks += ["\n".join(lines), *_body(uri, message)]
    names = [part.get_filename() for part in message.iter_attachments()]
    if attached := ", ".join(name for name in names if name):
        blocks.append(f"Attached, not read: {attached}")
    return Parsed(FrontMatter(subject, None, _date(message)), "\n\n".join(blocks))


def _date(message: EmailMessage) -> str | None:
    try:
        return parsedate_to_datetime(str(message["Date"])).date().isoformat()
    except ValueError:
        return None


def _body(uri: str, message: EmailMessage) -> Iterator[str]:
    """The plain text; where there is none, that of the page that was sent instead."""
    part = message.get_body(("plain", "html"))
    if part is None:
        return
    text = _text(part)
    if part.get_content_type() == "text/html":
        try:
            text = read_html(uri, text.encode()).text
        except FileEmpty:
            return
    yield text.strip()


def _text(part: MIMEPart) -> str:
    try:
        return str(part.get_content())
    except (LookupError, UnicodeDecodeError):  # a charset that is unknown, or isn't that
        return bytes(part.get_payload(decode=True) or b"").decode("utf-8", "replace")
