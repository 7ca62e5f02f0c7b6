"""Gives tables whose cells ran together ("WeightsPublicPrivate") their separators back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LONGEST_LINE = 200  # characters; table rows in scraped pages are short, paragraphs are not
FEWEST_LINES = 3  # a header and two rows; fewer agree by chance
MOST_COLUMNS = 8

# Names with a capital inside. A document's own prose names others.
_NAMES = frozenset(
    "OpenAI DeepSeek ChatGPT LoRA QLoRA DoRA GitHub GitLab HuggingFace EleutherAI MosaicML "
    "PowerPoint JavaScript TypeScript PostgreSQL MySQL NoSQL GraphQL YouTube LinkedIn WhatsApp "
    "PyTorch TensorFlow LangChain LlamaIndex BigQuery DevOps MLOps OpenRAIL OpenRouter LLaMA "
    "OLMo MoE SaaS PaaS IaaS IoT iPhone iPad iOS macOS vLLM xAI eBay DeepMind StarCoder CodeLlama "
    "BlackRock McKinsey McDonald SageMaker OpenSearch ElasticSearch MongoDB DynamoDB ClickHouse "
    "FastAPI NumPy JSONL WordPress WooCommerce PayPal FedEx AutoGPT BabyAGI StabilityAI OpenStack "
    "LMArena AlphaGo AlphaFold GitOps WebSocket WebGPU OneDrive SharePoint".split()
)
_WORD = re.compile(r"[A-Za-z0-9]+")
_CAMEL = re.compile(r"[a-z][A-Z]")
_NOT_A_ROW = re.compile(r"[a-z\s#>|*+\-–—←•]|\d{1,3}[.)]\s")  # how rows of a table don't start
_WORD_BEFORE = re.compile(r"[^\W\d_]+$")


@dataclass(frozen=True, slots=True)
class _Joints:
    """Where cells of a line may meet: sure, likely (sure or any lower-Upper), possible."""

    sure: tuple[int, ...]
    likely: tuple[int, ...]
    possible: tuple[int, ...]

    def making(self, columns: int) -> tuple[int, ...] | None:
        """The best joints that give exactly this many columns."""
        choices = (self.likely, self.sure, self.possible)
        return next((c for c in choices if len(c) == columns - 1), None)


def separate(text: str) -> str:
    """The text with run-together tables as Markdown tables; where the lines of a block don't
    agree on their columns, the block stays as it is."""
    lines = text.split("\n")
    prose = {word for line in lines if not _short(line) for word in _WORD.findall(line)}
    names = _any_of(_NAMES | {word for word in prose if _CAMEL.search(word)})
    out: list[str] = []
    for block in _blocks(lines, names):
        out.extend(_markdown(block, names) or block)
    return "\n".join(out)


def _any_of(names: frozenset[str]) -> re.Pattern[str]:
    """Matches the names, longest first; "xAI" not inside "LinuxAI"."""
    longest = sorted(names, key=lambda name: (-len(name), name))
    return re.compile(
        "|".join(f"(?<![a-z]){re.escape(n)}" if n[0].islower() else re.escape(n) for n in longest)
    )


def _blocks(lines: Sequence[str], names: re.Pattern[str]) -> Iterator[list[str]]:
    """The lines in order, those next to each other that may be rows of a table together."""
    block: list[str] = []
    fenced = False
    for line in lines:
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        if not fenced and _short(line) and _joints(line, names).possible:
            block.append(line)
            continue
        yield block
        yield [line]
        block = []
    yield block


def _short(line: str) -> bool:
    """Whether a line has the shape of a table row: short, capitalised, not a sentence."""
    return (
        0 < len(line) <= LONGEST_LINE
        and not _NOT_A_ROW.match(line)
        and "|" not in line
        and line.rstrip()[-1:] not in ".!?:;,"
    )


def _markdown(block: Sequence[str], names: re.Pattern[str]) -> list[str] | None:
    """The block as a Markdown table, or None when it isn't one."""
    if len(block) < FEWEST_LINES:
        return None
    joints = [_joints(line, names) for line in block]
    head = joints[0]
    for columns in dict.fromkeys((len(head.likely) + 1, len(head.possible) + 1)):
        cuts = [j.making(columns) for j in joints]
        if not 2 <= columns <= MOST_COLUMNS or None in cuts:
            continue
        rows = [_cells(line, cut or ()) for line, cut in zip(block, cuts, strict=True)]
        proven = any(set(j.sure) & set(cut or ()) for j, cut in zip(joints, cuts, strict=True))
        labels = {row[0] for row in rows}
        if proven and len(labels) == len(rows):
            return [_row(rows[0]), "|" + "---|" * columns, *map(_row, rows[1:])]
    return None


def _cells(line: str, cuts: Sequence[int]) -> list[str]:
    ends = [*cuts, len(line)]
    return [line[a:b].strip() for a, b in zip([0, *cuts], ends, strict=True)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _joints(line: str, names: re.Pattern[str]) -> _Joints:
    kept = [m.span() for m in names.finditer(line)]
    places = [i for i in range(1, len(line)) if not any(a < i < b for a, b in kept)]
    sure = tuple(i for i in places if _is_sure(line, i))
    likely = tuple(i for i in places if _is_sure(line, i) or _is_likely(line, i))
    possible = tuple(i for i in places if i in likely or _is_possible(line, i))
    return _Joints(sure, likely, possible)


def _is_sure(line: str, i: int) -> bool:
    """A closing bracket, a price, or an ordinary lower-case word right before a capital."""
    before, after = line[i - 1], line[i]
    if after == "$":
        return before.isalnum() or before == ")"
    if before in ")”%":
        return after.isupper() or after.isdigit()
    word = _WORD_BEFORE.search(line, 0, i)
    plain = word is not None and len(word[0]) >= 4 and word[0].islower()
    return plain and after.isupper()


def _is_likely(line: str, i: int) -> bool:
    return line[i - 1].islower() and line[i].isupper()


def _is_possible(line: str, i: int) -> bool:
    """An acronym or a figure right before a capitalised word ("APIRequires"); a word right
    before a figure."""
    before, after, rest = line[i - 1], line[i], line[i + 1 : i + 4]
    if before.islower() and after.isdigit():
        word = _WORD_BEFORE.search(line, 0, i)
        return word is not None and len(word[0]) >= 4
    acronym = before.isupper() and i >= 2 and (line[i - 2].isupper() or line[i - 2].isdigit())
    return after.isupper() and len(rest) == 3 and rest.islower() and (acronym or before.isdigit())
