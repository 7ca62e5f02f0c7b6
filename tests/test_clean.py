"""What cleaning repairs, and that it leaves alone what isn't damaged."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.clean import clean, is_furniture
from ingest.mojibake import reads_as_damaged


def damaged(text: str) -> str:
    """UTF-8 read as ISO-8859-7 and stripped of control characters, as scrapers do it."""
    letters = (bytes([byte]).decode("iso8859_7", errors="ignore") for byte in text.encode())
    return "".join(c for c in letters if not "\x80" <= c <= "\x9f")


# Two lines whose damage is beyond doubt, so that the rest is judged as part of a damaged document.
PROOF = "The gap is 7–8 points (≤200K context).\nIt costs $0.50–2.00 — the vendor decides."

REPAIRABLE = [
    "Open-weights models are cheap — they scale.",
    "About 2–4× more throughput at ≥1M tokens.",
    "2.5M × $5/1M + 2.5M × $25/1M is 15× cheaper.",
    "It’s what they don’t say.",
    "OpenAI Pricing · Anthropic Pricing",
    "The “frontier lite” band.",
    "More to come… soon.",
    "It costs €5 a month.",
    "A naïve café in São Paulo.",
    "| Cost | $0.15–5.00 per 1M | 80–82% MMLU |",
    "- • is a bullet".replace("- • ", "• "),
]

UNDAMAGED = [
    "Alpha βήτα γάμμα, ένα ελληνικό κείμενο.",
    "β-carotene and TGF-β are molecules.",
    "π ≈ 3.14 and 2π r",
    "Γ(n) = (n-1)!",
    "The β coefficient is 0.5, and β is estimated.",
    "inhaled β agonists and β blockers",
    "naïve café – a dash — and “quotes”, it’s ≤ 5×",
    "Η Αθήνα είναι η πρωτεύουσα.",
    "GitHub, OpenAI and LoRA",
    "中文和日本語、مرحبا",
    "می‌خواهم",
    "👩‍💻 writes 🚀 code",
    "| a | b |",
    "- item",
    "",
    "    indented code()",
]


@pytest.mark.parametrize("line", REPAIRABLE)
def test_what_iso_8859_7_did_to_utf_8_is_undone(line: str) -> None:
    text = f"{PROOF}\n{line}"
    assert damaged(text) != text

    assert clean(damaged(text)) == text


def test_an_emoji_that_became_a_greek_letter_goes() -> None:
    text = f"{PROOF}\n📌 In One Sentence\n💬 In Plain Terms\n⚠️ Warning\n❌ Vague"

    assert clean(damaged(text)) == f"{PROOF}\nIn One Sentence\nIn Plain Terms\nWarning\nVague"


def test_bullets_inside_list_items_become_a_nested_list() -> None:
    text = f"{PROOF}\n- Choose it if:\n- • Privacy matters\n- • You lack GPUs"

    assert clean(damaged(text)).endswith(
        "\n- Choose it if:\n  - Privacy matters\n  - You lack GPUs"
    )


@given(st.lists(st.sampled_from(UNDAMAGED), max_size=12).map("\n".join))
def test_a_text_without_damage_is_returned_unchanged(text: str) -> None:
    assert clean(unicodedata.normalize("NFC", text)) == unicodedata.normalize("NFC", text)


@given(st.lists(st.sampled_from(REPAIRABLE), max_size=8).map("\n".join))
def test_every_mix_of_damaged_lines_is_undone(text: str) -> None:
    assert clean(damaged(f"{PROOF}\n{text}")) == f"{PROOF}\n{text}"


@pytest.mark.parametrize(
    "text",
    [
        "The slope β measures change. The intercept α is fixed. As β grows, α falls.",
        "We give β blockers. Selective β blockers help. Long-acting β agonists too.",
        "With β = 2 and 3 β 4 it diverges; β1 and β2 are bounded, 7β8 is not.",
        "Η τιμή είναι 7β8 και β€ 5",
        "One β the rest unclear",
    ],
)
def test_greek_letters_that_mean_themselves_stay(text: str) -> None:
    assert not reads_as_damaged(text)
    assert clean(text) == text


def test_dashes_are_evidence_where_no_letter_could_stand() -> None:
    text = "It wins β the vendor says so. It loses β the users disagree. Costs scale β always."

    assert clean(text) == text.replace("β", "—")


def test_utf_8_read_as_latin_1_is_undone_without_straightening_quotes() -> None:
    mangled = "It’s open — café".encode().decode("cp1252")

    assert clean(mangled + "\nA ‘plain’ line") == "It’s open — café\nA ‘plain’ line"


def test_newlines_and_invisible_characters_are_normalised() -> None:
    text = "\ufeffa\r\nb\rc\u2028d\x00\x07 e\u200b\u00adf \u202eg\u2066 \U000e0041h i\u200dj"

    assert clean(text) == "a\nb\nc\nd ef g h ij"


def test_text_is_composed() -> None:
    assert clean("cafe\u0301") == "café"


@given(
    st.lists(
        st.sampled_from(
            [*REPAIRABLE, *UNDAMAGED, *map(damaged, REPAIRABLE), damaged(PROOF), "- • x"]
        )
        | st.text(alphabet="aZ9 βπΓΒ€·-—.\n|$(\u200b", max_size=20),
        max_size=10,
    ).map("\n".join)
)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)


def test_questions_that_lost_their_line_breaks_are_list_items_again() -> None:
    text = "- Is it open?\nYes, it is. - Is it free?\nNo."

    assert clean(text) == "- Is it open?\nYes, it is.\n- Is it free?\nNo."


@pytest.mark.parametrize(
    "line",
    [
        "← All posts",
        "« Previous post",
        "Next →",
        "4 min read",
        "2026-06-08 · 4 min read",
        "See also: LLMs, GPT-4",
        "---",
        "|---|",
        "",
    ],
)
def test_what_surrounds_a_text_is_furniture(line: str) -> None:
    assert is_furniture(line)


@pytest.mark.parametrize(
    "line",
    [
        "It takes 4 minutes to read this.",
        "We see also that it works.",
        "2026-06-08",
        "A",
        "« C’est vrai »",
    ],
)
def test_what_belongs_to_a_text_is_no_furniture(line: str) -> None:
    assert not is_furniture(line)
