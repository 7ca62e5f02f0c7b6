"""PowerPoint: the text of its slides from the top to the foot, tables, and the speaker's notes."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from pptx import Presentation
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.exc import PythonPptxError

from ingest.formats.grid import named_rows
from ingest.formats.office import opened
from ingest.formats.parsed import LONGEST, PAGE_BREAK, Parsed
from ingest.front_matter import FrontMatter
from ingest.titles import stated_title
from kb.errors import FileDamaged, FileTooComplex

_MAIN = "ppt/presentation.xml"
_MOST_SLIDES = 3000
_DEEPEST = 20  # groups in groups
_FURNITURE = (PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.DATE)
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_A_ROW = 300_000  # English Metric Units, a third of an inch: shapes as high stand side by side


def read_pptx(uri: str, data: bytes) -> Parsed:
    """A page for each slide that is shown. Raises FileDamaged, FileEncrypted, FileTooComplex; a
    damaged file makes python-pptx raise anything."""
    data = opened(uri, data, _MAIN, "a PowerPoint presentation (.pptx)")
    try:
        deck = Presentation(BytesIO(data))
    except (PythonPptxError, ValueError, KeyError) as error:
        raise FileDamaged(f"{uri}: is no presentation that can be read; save it again") from error
    if len(deck.slides) > _MOST_SLIDES:
        raise FileTooComplex(f"{uri}: has more than {_MOST_SLIDES} slides; split it")
    pages = ["\n\n".join(_slide(slide)) for slide in deck.slides]
    if sum(map(len, pages)) > LONGEST:
        raise FileTooComplex(f"{uri}: holds more than {LONGEST} characters; split it")
    title = stated_title(deck.core_properties.title)
    return Parsed(FrontMatter(title), f"\n{PAGE_BREAK}\n".join(pages), paged=True)


def _slide(slide: Any) -> Iterator[str]:
    """Nothing of a slide that is passed over when it is shown; its number counts."""
    if slide.element.get("show") == "0":
        return
    title = slide.shapes.title
    if title is not None and title.has_text_frame and title.text_frame.text.strip():
        yield f"## {_on_one_line(title.text_frame.text)}"
    for shape in _in_order(slide.shapes):
        if title is None or shape.shape_id != title.shape_id:
            yield from _shape(shape)
    if slide.has_notes_slide:
        frame = slide.notes_slide.notes_text_frame
        if frame is not None and frame.text.strip():
            yield f"Notes: {_on_one_line(frame.text)}"


def _in_order(shapes: Any) -> list[Any]:
    def place(shape: Any) -> tuple[int, int]:
        return (shape.top or 0) // _A_ROW, shape.left or 0

    return sorted((shape for shape in shapes if not _is_furniture(shape)), key=place)


def _is_furniture(shape: Any) -> bool:
    return bool(shape.is_placeholder and shape.placeholder_format.type in _FURNITURE)


def _shape(shape: Any, depth: int = 0) -> Iterator[str]:
    if hasattr(shape, "shapes") and depth < _DEEPEST:
        for inner in _in_order(shape.shapes):
            yield from _shape(inner, depth + 1)
    elif getattr(shape, "has_table", False):
        rows = [[_cell(row, at) for at in range(len(row.cells))] for row in shape.table.rows]
        yield "\n".join(named_rows(_filled(shape.table, rows)))
    elif getattr(shape, "has_chart", False):
        yield from _chart(shape.chart)
    elif shape.has_text_frame:
        yield from _paragraphs(shape)


def _cell(row: Any, at: int) -> str:
    return "\n".join(p.text for p in row.cells[at].text_frame.paragraphs).replace("\v", "\n")


def _filled(table: Any, rows: list[list[str]]) -> list[list[str]]:
    """What a merged cell says in each of the cells that it covers."""
    for down, row in enumerate(table.rows):
        for across, cell in enumerate(row.cells):
            if cell.is_merge_origin:
                for r in range(down, down + cell.span_height):
                    for c in range(across, across + cell.span_width):
                        rows[r][c] = rows[down][across]
    return rows


def _chart(chart: Any) -> Iterator[str]:
    """Its title and its figures, which are those of a sheet behind it."""
    if chart.has_title and chart.chart_title.has_text_frame:
        yield _on_one_line(chart.chart_title.text_frame.text)
    series = list(chart._chartSpace.iter(f"{_CHART}ser"))  # python-pptx knows only flat ones
    names = next((_points(one, "cat", "xVal") for one in series), {})
    columns = [_points(one, "val", "yVal") for one in series]
    heads = ["", *(_on_one_line(" ".join(_points(one, "tx").values())) for one in series)]
    places = sorted({at for points in (names, *columns) for at in points})
    rows = [[points.get(at, "") for points in (names, *columns)] for at in places]
    if rows:
        yield "\n".join(named_rows([heads, *rows]))


def _points(series: Any, *kinds: str) -> dict[int, str]:
    """What is kept of a series' cells, by their number."""
    found = (series.find(f"{_CHART}{kind}") for kind in kinds)
    part = next((one for one in found if one is not None), None)
    points = part.iter(f"{_CHART}pt") if part is not None else ()
    return {int(one.get("idx", "0")): one.findtext(f"{_CHART}v") or "" for one in points}


def _paragraphs(shape: Any) -> Iterator[str]:
    """Those of a body are items, unless there is one alone."""
    filled = [p for p in shape.text_frame.paragraphs if p.text.strip()]
    listed = shape.is_placeholder and len(filled) > 1
    for paragraph in filled:
        text = _on_one_line(paragraph.text)
        listed_here = listed or paragraph.level > 0
        yield f"{'  ' * paragraph.level}- {text}" if listed_here else text


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
