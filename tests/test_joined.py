"""Tables whose cells ran together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.joined import separate

THREE_COLUMNS = """\
CategoryOpen modelsClosed models
Representative namesLlama, Qwen, MistralGPT, Claude
Initial costHigh (GPUs, staffing)Low (API key)
WeightsPublicPrivate"""


def test_cells_get_their_separators_back() -> None:
    assert separate(f"Before it.\n\n{THREE_COLUMNS}\n\nAfter it.").split("\n") == [
        "Before it.",
        "",
        "| Category | Open models | Closed models |",
        "|---|---|---|",
        "| Representative names | Llama, Qwen, Mistral | GPT, Claude |",
        "| Initial cost | High (GPUs, staffing) | Low (API key) |",
        "| Weights | Public | Private |",
        "",
        "After it.",
    ]


def test_names_with_a_capital_inside_are_not_cut() -> None:
    table = """\
ProviderOpen modelsClosed models
DeepSeek teamDeepSeek, LoRA adaptersChatGPT
Microsoft groupGitHub CopilotPowerPoint Designer
OpenAI the companyLLaMA on macOSChatGPT"""

    assert separate(table).split("\n")[2:] == [
        "| DeepSeek team | DeepSeek, LoRA adapters | ChatGPT |",
        "| Microsoft group | GitHub Copilot | PowerPoint Designer |",
        "| OpenAI the company | LLaMA on macOS | ChatGPT |",
    ]


def test_a_name_that_the_prose_knows_is_not_cut() -> None:
    table = "ModelMaker in full\nFirst modelBy AcmeSoft\nSecond modelBy Other"

    assert "| First model | By AcmeSoft |" in separate(f"We asked AcmeSoft about it.\n\n{table}")


def test_an_acronym_may_end_a_cell() -> None:
    table = (
        "AspectOpen sideClosed side\nAccess wayVia APIRequires login\nPrice tagFree to useCostly"
    )

    assert "| Access way | Via API | Requires login |" in separate(table)


def test_prices_end_cells() -> None:
    table = "ModelInputOutput\nFirst model$5.00$30.00\nSecond one$0.50$3.00"

    assert separate(table).split("\n")[2:] == [
        "| First model | $5.00 | $30.00 |",
        "| Second one | $0.50 | $3.00 |",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "GitHub Actions\nGitHub Pages\nGitHub Copilot",
        "Install PostgreSQL\nInstall MySQL\nInstall MariaDB",
        "JavaScript basics\nTypeScript basics\nCoffeeScript basics",
        "getUserName\nsetUserName\ndropUserName",
        "NameOpen sideClosed side\nOne rowOnly two\nSome rowThree cellsHere itIs",
        "A tableIs this\nWith twoLines",
        "We use modelsLike these.\nThey areFine here.\nAnd thoseToo are.",
        f"```\n{THREE_COLUMNS}\n```",
        "One\nTwo\nThree",
        "",
    ],
)
def test_lines_that_agree_on_no_columns_stay(text: str) -> None:
    assert separate(text) == text


@given(st.text(alphabet="abcXYZ()$9 .\n|", max_size=80))
def test_no_character_but_white_space_is_lost(text: str) -> None:
    kept = [c for c in separate(text) if not c.isspace() and c not in "|-"]

    assert kept == [c for c in text if not c.isspace() and c not in "|-"]


CELLS = st.sampled_from(
    ["public weights", "a private one", "some models", "many costs", "its users"]
)


@given(
    st.integers(2, 4).flatmap(lambda n: st.lists(st.tuples(*[CELLS] * n), min_size=3, max_size=6))
)
def test_a_table_of_plain_words_is_restored_whole(rows: list[tuple[str, ...]]) -> None:
    rows = [
        (f"Label {number} thing", *(c.capitalize() for c in r[1:])) for number, r in enumerate(rows)
    ]
    joined = "\n".join("".join(row) for row in rows)

    lines = ["| " + " | ".join(row) + " |" for row in rows]
    assert separate(joined) == "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])
