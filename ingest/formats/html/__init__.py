"""Web pages: which part of one is its text, and that part as Markdown."""

from ingest.formats.html.reader import read_html

__all__ = ["read_html"]
