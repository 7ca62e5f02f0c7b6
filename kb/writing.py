"""The model writes; what passes its check is kept, and the sources' own words complete it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from kb.catalog import Catalog
from kb.checking import Checker
from kb.citations import Composer
from kb.completing import left_out, settles
from kb.conflicts import Disagreement
from kb.context import leans_on
from kb.errors import ModelError
from kb.events import ConflictFound, SentencePassed, SentenceWithheld
from kb.evidence import Gathered
from kb.expected import bearing
from kb.ports import ChatModel
from kb.prompt import write_messages
from kb.sentences import Written as Sentence
from kb.sentences import completed, read
from kb.types import Conflict, Evidence, Position, Source

QUOTED = 3  # pieces shown where no sentence of the model's could be

Written = SentencePassed | SentenceWithheld | ConflictFound


class Writer:
    """Composes one answer's text. What a reader sees goes through `composer`, with its quotes."""

    def __init__(self, model: ChatModel, catalog: Catalog, answer_tokens: int) -> None:
        self._model = model
        self._catalog = catalog
        self._answer_tokens = answer_tokens

    def sentences(
        self,
        question: str,
        gathered: Gathered,
        checker: Checker,
        composer: Composer,
        cancelled: Callable[[], bool],
    ) -> Iterator[Written]:
        """The model's sentences as they pass, then quotes of what they leave out. Ends early,
        without an error, when the model can't go on: what was checked stands."""
        settled, before, missed = False, tuple[Evidence, ...](), list[Evidence]()
        messages = write_messages(question, gathered.evidence)
        pieces = _Counted(self._model.write(messages, self._answer_tokens, cancelled))
        try:
            for sentence in completed(pieces):
                written = read(sentence)
                ended = cancelled() or pieces.count >= self._answer_tokens
                if ended and _broken_off(written):
                    break  # half a sentence may say the opposite of the whole
                if not written.text or written.text in composer.text:
                    continue
                checked = checker.check(written, before)
                if checked.failure:
                    missed += checked.pieces if checked.failure == "meaning" else ()
                    yield SentenceWithheld(
                        checked.sentence, checked.failure, checked.pieces, checked.quotable
                    )
                    continue
                yield _passed(composer, checked.sentence, checked.pieces, checked.support)
                before = checked.pieces
                settled |= checked.sure and settles(question, checked.sentence, checked.pieces)
        except ModelError:
            pass
        if composer.citations and not settled:
            further = left_out(question, composer.text, gathered.evidence, missed)
            yield from self.quotes(further, composer)

    def quotes(self, pieces: Sequence[Evidence], composer: Composer) -> Iterator[Written]:
        """Verbatim: a sentence as it stands, a row with its headers."""
        for piece in pieces:
            yield _passed(composer, piece.statement, self._whole(piece), 1.0)

    def positions(
        self, question: str, found: Sequence[Disagreement], composer: Composer
    ) -> Iterator[Written]:
        """Each side in its source's words, with where and when it was said; nothing is picked."""
        sides = list(dict.fromkeys(side for pair in found for side in (pair.first, pair.second)))
        positions = []
        for number, side in enumerate(sides):
            lead = "The sources disagree. " if number == 0 else ""
            sentence = f"{lead}{_place(side.source)}: {side.statement}"
            passed = _passed(composer, sentence, self._whole(side), 1.0)
            yield passed
            positions.append(Position(side.statement, tuple(c.marker for c in passed.citations)))
        yield ConflictFound(Conflict(question, tuple(positions)))

    def _whole(self, piece: Evidence) -> list[Evidence]:
        """A row with the header line that its statement repeats."""
        if piece.kind != "row":
            return [piece]
        text = self._catalog.document(piece.source.document_id, piece.source.revision).text
        return [piece, *leans_on(piece, text)[:1]]


class _Counted:
    """The model's pieces, counted as they come."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self.count = 0

    def __iter__(self) -> Iterator[str]:
        for piece in self._pieces:
            self.count += 1
            yield piece


def _broken_off(written: Sentence) -> bool:
    return not written.text.rstrip("\"'”’)*").endswith((".", "!", "?"))


def to_quote(
    question: str, withheld: Sequence[SentenceWithheld], evidence: Sequence[Evidence]
) -> list[Evidence]:
    """What answers by itself under a withheld sentence, else the best evidence on what was asked
    of, that which the model took its words from first; each piece once. None where all of it is on
    something else."""
    answering = [piece for one in withheld if one.quotable for piece in one.rests_on]
    if answering:
        return list(dict.fromkeys(answering))[:QUOTED]
    fitting = bearing(question, evidence)
    taken = [piece for one in withheld for piece in one.rests_on if piece in fitting]
    return list(dict.fromkeys([*taken, *fitting]))[:QUOTED]


def _passed(
    composer: Composer, sentence: str, pieces: Sequence[Evidence], support: float
) -> SentencePassed:
    return SentencePassed(sentence, tuple(composer.add(sentence, pieces, support)))


def _place(source: Source) -> str:
    dated = f", {source.as_of}" if source.as_of else ""
    by = f"{source.publisher}, " if source.publisher else ""
    return f"“{source.title}” ({by}{source.as_of})" if by and dated else f"“{source.title}”{dated}"
