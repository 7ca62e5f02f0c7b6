"""Each item that a sentence lists stands in its quotes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quotes import quote, row

from kb.enumerated import unlisted

GROK = row("Family: Grok; Modalities: Text, vision; Access: X (Twitter)")


@pytest.mark.parametrize(
    ("sentence", "invented"),
    [
        ("Grok takes text, vision, and sound.", ["sound"]),
        ("Grok takes text, vision and X.", []),
        ("Grok takes text, vision or moving pictures.", ["moving pictures"]),
        ("Grok takes texts, visions and Twitter.", []),  # another form of the word
        ("Grok takes text and sound.", []),  # two of a kind may be one thing in other words
        ("Sounds, smells, and texts.", ["Sounds", "smells"]),
        ("With sounds, smells and visions are taken.", []),
        ("With texts, sounds, smells and visions are taken.", ["sounds", "smells"]),
        ("Grok, from xAI, takes text.", []),
        ("", []),
    ],
)
def test_what_is_listed_is_stated(sentence: str, invented: list[str]) -> None:
    assert list(unlisted(sentence, [GROK])) == invented


def test_a_heading_states_it_too() -> None:
    piece = replace(quote("They take text and vision."), heading="Sound")
    assert list(unlisted("They take text, vision and sound.", [piece])) == []


@given(st.lists(st.sampled_from("amber birch cedar dahlia elder".split()), min_size=3, unique=True))
def test_what_the_quote_lists_can_be_listed(items: list[str]) -> None:
    listed = f"There are {', '.join(items[:-1])} and {items[-1]}."
    assert list(unlisted(listed, [quote(listed)])) == []
    assert set(items[1:]) <= set(unlisted(listed, [quote("Nothing is here.")]))
