"""Web pages: their main text, as Markdown."""

from __future__ import annotations

from ingest.clean import visible
from ingest.formats.parsed import Parsed
from ingest.formats.text import decoded
from ingest.front_matter import FrontMatter
from kb.errors import FileEmpty

_STYLE = "//*[contains(translate(@style, ' ', ''), '{}')]"
_HIDDEN = ["//*[@hidden]", _STYLE.format("display:none"), _STYLE.format("visibility:hidden")]


def read_html(uri: str, data: bytes) -> Parsed:
    """The page's own text, without navigation, comments and what its reader doesn't see, and
    what it says about itself in its head. Raises FileIsBinary, EncodingInvalid, FileEmpty."""
    html = decoded(uri, data)
    text = _extracted(html, favor_recall=False) or _extracted(html, favor_recall=True)
    if not text:
        raise FileEmpty(f"{uri}: the page has no main text; save the article itself")
    from trafilatura.metadata import extract_metadata

    # No guesses about dates: only what the page's metadata state.
    facts = extract_metadata(html, date_config={"extensive_search": False, "original_date": True})
    return Parsed(FrontMatter(_tidy(facts.title), _tidy(facts.sitename), facts.date), text)


def _extracted(html: str, favor_recall: bool) -> str | None:
    import trafilatura  # a quarter of a second of a server's start: only where a page is read

    return trafilatura.extract(
        html,
        output_format="markdown",
        include_comments=False,
        prune_xpath=_HIDDEN,
        favor_recall=favor_recall,
    )


def _tidy(value: str | None) -> str | None:
    return " ".join(visible(value or "").split()) or None
