"""Reads the YAML block at the head of a Markdown file."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from frontmatter.default_handlers import YAMLHandler
from yaml import YAMLError  # type: ignore[import-untyped]  # its stubs are a package of their own

from ingest.clean import visible
from kb.errors import FrontMatterInvalid

_ISO = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_LONGEST = 20_000  # characters; a title, a publisher and a date need fewer


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What a document says about itself; fields that it doesn't state are None."""

    title: str | None = None
    publisher: str | None = None
    as_of: str | None = None


def split_front_matter(text: str, name: str) -> tuple[FrontMatter, str]:
    """The front matter and the text after it; a text without any comes back whole. `name` is
    the file's, for messages. Raises FrontMatterInvalid."""
    yaml = YAMLHandler()
    if not yaml.detect(text):
        return FrontMatter(), text
    try:
        block, content = yaml.split(text)
    except ValueError:
        return FrontMatter(), text  # a rule at the head of a text, and no block
    fields = _load(yaml, block, name)
    return FrontMatter(
        title=_line(fields, "title", name),
        publisher=_line(fields, "publisher", name),
        as_of=iso_date(fields.get("as_of"), name),
    ), content.strip("\n")


def iso_date(value: object, name: str) -> str | None:
    """ISO 8601 as precise as the value is: 2026, 2026-05 or 2026-05-01; None for nothing."""
    if isinstance(value, datetime.datetime):
        value = value.date()
    text = "" if value is None or isinstance(value, bool | float) else str(value).strip()
    parts = _ISO.fullmatch(text)
    if parts and _exists(*(int(part) if part else 1 for part in parts.groups())):
        return text
    if value is None or value == "":
        return None
    raise FrontMatterInvalid(
        f"{name}: as_of {value!r} is no date; write 2026, 2026-05 or 2026-05-01, or leave it out"
    )


def _exists(year: int, month: int, day: int) -> bool:
    try:
        return datetime.date(year, month, day).year >= 1000
    except ValueError:
        return False


def _load(yaml: YAMLHandler, block: str, name: str) -> dict[str, object]:
    if len(block) > _LONGEST:
        raise FrontMatterInvalid(
            f"{name}: the front matter has more than {_LONGEST} characters; close it with ---"
        )
    try:
        fields = yaml.load(block)
    except (YAMLError, ValueError, RecursionError) as error:  # ValueError: the date 2026-13-01
        reason = " ".join(str(error).split())[:200]
        raise FrontMatterInvalid(
            f"{name}: the front matter is not valid YAML ({reason}); quote texts that hold a colon"
        ) from error
    if fields is None:
        return {}
    if not isinstance(fields, dict):
        raise FrontMatterInvalid(
            f"{name}: the front matter holds no fields; write lines such as `title: …` or remove it"
        )
    return fields


def _line(fields: dict[str, object], field: str, name: str) -> str | None:
    value = fields.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float | datetime.date):
        raise FrontMatterInvalid(f"{name}: {field} {value!r} is no text; write one line in quotes")
    return " ".join(visible(str(value)).split()) or None
