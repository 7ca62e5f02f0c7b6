"""Names match exactly, in every spelling, and ordinary words are none."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.names import is_size, names
from kb.stated import unstated_names

SHAPES = st.sampled_from(
    """
    Llama 3.1 4 GPT-4o gpt-4o mini Scout / Maverick , and Claude Opus 4.7 's DeepSeek-R1 R1 V3.1
    Apache License 2.0 MIT ( ) . : 70B 8x7B SWE-bench Pro - the Companies 2025 80–82% o1 “ |
    """.split()
)


def read(text: str) -> list[tuple[str, ...]]:
    return [(name.family, *sorted(name.marks)) for name in names(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is LLaMA 3.1 70B.", [("llama", "3.1", "70b")]),
        ("They run Llama3.1-70B-Instruct", [("llama", "3.1", "70b", "instruct")]),
        ("They run Qwen2.5-72B", [("qwen", "2.5", "72b")]),
        ("what does gpt-4o mini cost?", [("gpt", "4o", "mini")]),
        ("is llama 3.1 70b free?", [("llama", "3.1", "70b")]),
        ("is opus 4.7 it?", [("claude", "4.7", "opus")]),
        ("what of sonnet 4.6?", [("claude", "4.6", "sonnet")]),
        ("how fast is mistral large 2?", [("mistral", "2", "large")]),
        ("the GPT 4o and the GPT‑4o", [("gpt", "4o"), ("gpt", "4o")]),
        ("R1 and DeepSeek-R1", [("deepseek", "r1"), ("deepseek", "r1")]),
        ("DeepSeek-V3; V3.1 is newer", [("deepseek", "3"), ("deepseek", "3.1")]),
        ("Llama 4 Scout/Maverick", [("llama", "4", "scout"), ("llama", "4", "maverick")]),
        (
            "Llama 4 Scout, Maverick and Behemoth",
            [("llama", "4", "scout"), ("llama", "4", "maverick"), ("llama", "4", "behemoth")],
        ),
        ("Opus 4.7 and Sonnet 4.6", [("claude", "4.7", "opus"), ("claude", "4.6", "sonnet")]),
        ("Claude 3, 3.5, and 4 are old", [("claude", "3"), ("claude", "3.5"), ("claude", "4")]),
        ("Scout with 16 experts", [("llama", "scout")]),
        ("gpt-oss-120b", [("gpt", "120b", "oss")]),
        ("OpenAI's o1", [("openai",), ("openai", "o1")]),
        ("the Apache License, Version 2.0", [("apache", "2.0")]),
        ("the mit license", [("mit",)]),
        ("it is MIT-licensed", [("mit",)]),
        ("two A100s and an H100", [("a100",), ("h100",)]),
        ("on SWE-bench Pro", [("swe",), ("bench", "pro")]),
        ("Claude's price", [("claude",)]),
        ("GPT-4o Pro's price", [("gpt", "4o", "pro")]),
        ("e.g. Stripe does", [("stripe",)]),
    ],
)  # fmt: skip
def test_names_are_read_in_every_spelling(text: str, expected: list[tuple[str, ...]]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Companies should use it.",
        "It works. Developers like it.",
        "- Choose it where it fits.",
        "The model reaches 64.3% and scores 88.7 points above 10M.",
        "As of early 2026, each costs about 5 dollars per 1M tokens.",
        "In May it was July.",
        "Use an API, a GPU or an LLM.",
        "Limited: the options are few.",
    ],
)
def test_ordinary_words_are_no_names(text: str) -> None:
    assert names(text) == ()


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("an MMLU of 80–82%", "mmlu"),
        ("the Llama 700 million cap", "llama"),
        ("Gemini 1M context", "gemini"),
        ("Gemini's 1M context", "gemini"),
        ("Llama 4.5% of it", "llama"),
        ("the Qwen 2025 release", "qwen"),
    ],
)
def test_a_figure_behind_a_name_is_no_version(text: str, family: str) -> None:
    assert read(text) == [(family,)]


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("Llama 4", "LLaMA 4 Scout"),
        ("LLaMA 3.1", "Llama 3.1 70B"),
        ("deepseek r1", "the R1 model"),
        ("Claude", "Claude Opus 4.7"),
        ("Claude Opus 4.7", "Opus 4.7"),
        ("the OSI", "the Open Source Initiative"),
        ("the Open Source Initiative", "the OSI"),
        ("the Technology Innovation Institute", "from TII"),
        ("a Chinese lab", "DeepSeek (China)"),
        ("a MoE model", "a mixture of experts"),
        ("the Acceptable Use Policy", "its acceptable use policy"),
        ("Apache 2.0", "the Apache License 2.0"),
        ("many GPUs by NVIDIA", "NVIDIA's"),
    ],
)
def test_the_source_states_the_name(claim: str, source: str) -> None:
    assert unstated_names(claim, source) == []


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("Llama 3.1", "Llama 4"),
        ("Llama 4", "Llama 3"),
        ("Llama 3.1", "Llama 3"),
        ("the GPT-4o mini", "the GPT-4o"),
        ("the GPT-4o", "the GPT-4o mini"),
        ("the GPT-4o", "the GPT-4o Pro"),
        ("LLaMA 4 Scout", "LLaMA 4 Maverick"),
        ("LLaMA 3.1 70B", "LLaMA 3.1 405B"),
        ("Claude Opus 4.7", "Claude Opus 4.6"),
        ("Apache 2.0", "MIT"),
        ("the MIT license", "the limits of it"),
        ("by Google", "by Meta"),
        ("SWE-bench Pro", "SWE-bench Verified"),
        ("by Zephyrion", "by Meta"),
        ("the H100", "the A100"),
    ],
)
def test_the_source_does_not_state_the_name(claim: str, source: str) -> None:
    assert unstated_names(claim, source)


def test_a_size_does_not_tell_which_model() -> None:
    (name,) = names("LLaMA 70B")

    assert is_size("70b")
    assert not name.is_model
    assert names("LLaMA 3.1 70B")[0].is_model


@given(st.one_of(st.text(max_size=60), st.lists(SHAPES, max_size=14).map(" ".join)))
def test_names_stand_in_order_inside_the_text_and_apart(text: str) -> None:
    found = names(text)

    assert all(0 <= n.start < n.end <= len(text) and n.family for n in found)
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))


@given(st.lists(SHAPES, max_size=14).map(" ".join))
def test_every_text_states_its_own_names(text: str) -> None:
    assert unstated_names(text, text) == []
