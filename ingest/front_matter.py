"""Reads the fields at the head of a Markdown file: YAML between ---, or TOML between +++."""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dateutil import parser as dates  # type: ignore[import-untyped]  # its stubs are a package of their own
from frontmatter.default_handlers import YAMLHandler
from yaml import YAMLError  # type: ignore[import-untyped]  # likewise

from ingest.clean import visible

_ISO = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_MONTH = re.compile(r"[a-z]{3,}", re.IGNORECASE)
_LONGEST = 20_000  # characters; a title, a publisher and a date need fewer
_LONGEST_LINE = 300
_TOML = re.compile(r"\+\+\+[ \t]*\n(.*?)^\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_FIELD = re.compile(r"^(\w[\w-]*)[ \t]*:[ \t]*(.*)$", re.MULTILINE)
_TEMPLATE = re.compile(r"\{\{.*\}\}|\{%.*%\}|<%.*%>")
_DAYS_APART = datetime.datetime(2000, 1, 1), datetime.datetime(2001, 2, 2)


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What a document says about itself; fields that it doesn't state are None."""

    title: str | None = None
    publisher: str | None = None
    as_of: str | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """text: what stands after the front matter; notes: what of it could not be used, and why."""

    facts: FrontMatter
    text: str
    notes: tuple[str, ...] = ()


def split_front_matter(text: str) -> Split:
    """A text without front matter comes back whole, and one whose block can't be read as fields
    loses nothing: what is written there line by line counts."""
    block, content, load = _parts(text)
    if load is None:
        return Split(FrontMatter(), text)
    if len(block) > _LONGEST:
        note = f"a front matter of more than {_LONGEST} characters was read as text"
        return Split(FrontMatter(), text, (note,))
    notes: list[str] = []
    fields = _fields(block, load, notes)
    if fields is None:
        return Split(FrontMatter(), text, tuple(notes))
    facts = FrontMatter(
        title=_line(fields, "title", notes),
        publisher=_line(fields, "publisher", notes),
        as_of=_as_of(fields.get("as_of"), notes),
    )
    return Split(facts, content.strip("\n"), tuple(notes))


def iso_date(value: object) -> str | None:
    """ISO 8601 as precise as the value is: 2026, 2026-05 or 2026-05-01, also of "May 2026" and
    "1 May 2026"; None for what is no date, or not surely one: 03/04/2026 is two."""
    if isinstance(value, datetime.datetime):
        value = value.date()
    text = "" if value is None or isinstance(value, bool | float) else str(value).strip()
    parts = _ISO.fullmatch(text)
    if parts and _exists(*(int(part) if part else 1 for part in parts.groups())):
        return text
    return _in_words(text) if not parts and _MONTH.search(text) else None


def _in_words(text: str) -> str | None:
    """Read twice, on two different days: what isn't stated differs between the two."""
    try:
        one, other = (dates.parse(text, default=day) for day in _DAYS_APART)
    except (ValueError, OverflowError):
        return None
    if one.year != other.year or one.month != other.month or not re.search(r"\d{4}", text):
        return None
    return f"{one:%Y-%m-%d}" if one.day == other.day else f"{one:%Y-%m}"


def _exists(year: int, month: int, day: int) -> bool:
    try:
        return datetime.date(year, month, day).year >= 1000
    except ValueError:
        return False


def _parts(text: str) -> tuple[str, str, Callable[[str], object] | None]:
    """The block, what is after it, and what reads it; None where there is no block."""
    if found := _TOML.match(text):
        return found[1], text[found.end() :], tomllib.loads
    yaml = YAMLHandler()
    if not yaml.detect(text):
        return "", text, None
    try:
        block, content = yaml.split(text)
    except ValueError:
        return "", text, None  # a rule at the head of a text, and no block
    return block, content, yaml.load


def _fields(
    block: str, load: Callable[[str], object], notes: list[str]
) -> Mapping[str, object] | None:
    """None where the block holds no fields at all."""
    try:
        fields = load(block)
    except (YAMLError, ValueError, RecursionError, TypeError) as error:  # ValueError: 2026-13-01
        fields = _line_by_line(block)
        reason = " ".join(str(error).split())[:200]
        notes.append(f"the front matter is not valid ({reason}): its lines were read one by one")
    if fields is None:
        return {}
    if isinstance(fields, dict) and fields:
        return fields
    notes.append("the block at the head holds no fields, and was read as text")
    return None


def _line_by_line(block: str) -> dict[str, object]:
    return {found[1]: found[2].strip().strip("\"'") for found in _FIELD.finditer(block)}


def _line(fields: Mapping[str, object], field: str, notes: list[str]) -> str | None:
    value = fields.get(field)
    if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        value = ", ".join(str(one) for one in value)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float | datetime.date):
        notes.append(f"{field} is no text and was left out: write one line in quotes")
        return None
    text = " ".join(visible(str(value)).split())
    if _TEMPLATE.search(text):
        notes.append(f"{field} is a template ({text[:80]}) and was left out")
        return None
    if len(text) > _LONGEST_LINE or text.startswith(("!!", "[[")):
        notes.append(f"{field} ({text[:80]}…) is no line of text and was left out")
        return None
    return text or None


def _as_of(value: object, notes: list[str]) -> str | None:
    found = iso_date(value)
    if found is None and value not in (None, ""):
        notes.append(
            f"as_of {str(value)[:80]!r} is no date and was left out: write 2026, 2026-05 or "
            "2026-05-01"
        )
    return found
