"""The interface's description of itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api import jobs, schemas
from api.app import create_app
from api.errors import CODES
from api.requests import AskIn, IngestIn, SearchIn
from api.scopes import scopes_for
from kb.wiring import KnowledgeBase


def operations(app_description: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", operation)
        for path, methods in app_description["paths"].items()
        for method, operation in methods.items()
    ]


def shown(description: dict[str, Any], reference: str) -> Any:
    return description["components"]["schemas"][reference.rsplit("/", 1)[-1]].get("examples")


def test_every_route_is_described_with_examples(kb: KnowledgeBase) -> None:
    described = create_app(kb).openapi()

    assert len(operations(described)) >= 30
    for name, operation in operations(described):
        assert operation["summary"], name
        successes = [one for status, one in operation["responses"].items() if status[0] == "2"]
        assert successes, name
        for part in [*successes, *filter(None, [operation.get("requestBody")])]:
            for kind, content in part.get("content", {}).items():
                if kind == "application/json" and "$ref" in content["schema"]:
                    assert shown(described, content["schema"]["$ref"]), (name, kind)
                else:
                    assert content.get("example") or content.get("schema"), (name, kind)


def test_every_reference_in_the_description_leads_somewhere(kb: KnowledgeBase) -> None:
    described = create_app(kb).openapi()

    references = set(_references(described))
    assert references
    for reference in references:
        place = described
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def needed(name: str) -> object:
    method, path = name.split()
    return scopes_for(method.upper(), path)


def test_every_operation_names_the_statuses_that_it_refuses_with(kb: KnowledgeBase) -> None:
    described = create_app(kb).openapi()

    for name, operation in operations(described):
        refused = {int(status) for status in operation["responses"] if status[0] in "45"}
        assert "default" not in operation["responses"], name
        assert refused <= set(CODES.values()), name
        assert ({400, 408, 413, 415} <= refused) is ("requestBody" in operation), name
        assert ({401, 429, 503} <= refused) is (needed(name) is not None) or ("token" in name), name
    shared = described["components"]["responses"]
    for status in (429, 503):
        assert shared[f"Problem{status}"]["headers"]["Retry-After"]["required"]


def _references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [found for item in node for found in _references(item)]
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for item in node.values() for found in _references(item)]
    return []


EXEMPLARY = [
    *(m for m in vars(schemas).values() if isinstance(m, type) and issubclass(m, schemas._Out)),
    *(m for m in vars(jobs).values() if isinstance(m, type) and issubclass(m, schemas._Out)),
    AskIn,
    IngestIn,
    SearchIn,
]


@pytest.mark.parametrize("model", EXEMPLARY, ids=lambda model: model.__name__)
def test_examples_are_what_the_schema_allows(model: Any) -> None:
    extra = model.model_config.get("json_schema_extra", {})

    for example in extra.get("examples", []):
        assert json.loads(model.model_validate(example).model_dump_json(exclude_unset=True)) == (
            example
        )


def test_the_example_answer_keeps_the_promises_of_answers() -> None:
    answer = schemas.AnswerOut.model_json_schema()["examples"][0]

    citation = answer["citations"][0]
    said = answer["text"][citation["answer_start"] : citation["answer_end"]]
    assert said == citation["quote"]
    assert len(citation["quote"]) == citation["end"] - citation["start"]
