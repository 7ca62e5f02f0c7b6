"""What every embedder promises: the shipped fake and the real encoder."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kb.adapters.minilm import WEIGHTS_FILE, WEIGHTS_NAME, MiniLmEncoder, ensure_encoder
from kb.fakes import WordEmbedder
from kb.settings import load_settings
from kb.types import Encoding

LICENCE = "The model is released under the Apache licence, so anyone may sell it."
WEATHER = "Heavy rain fell over the northern coast during the whole of August."
PRICE = "Hosted access costs three dollars for every million tokens that are read."


def minilm() -> MiniLmEncoder:
    weights = load_settings().weights / WEIGHTS_NAME
    if not (weights / WEIGHTS_FILE).is_file():
        pytest.skip(f"no {WEIGHTS_FILE} in {weights}: run `kb models pull {WEIGHTS_NAME}`")
    ensure_encoder(weights, weights / "onnx")
    return MiniLmEncoder(weights, weights / "onnx")


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(WordEmbedder, id="words"),
        pytest.param(minilm, id="minilm", marks=pytest.mark.model),
    ],
)
def embedder(request: pytest.FixtureRequest) -> WordEmbedder | MiniLmEncoder:
    build: Callable[[], WordEmbedder | MiniLmEncoder] = request.param
    return build()


def unit(encoding: Encoding) -> np.ndarray:
    vectors = encoding.tokens.vectors.astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_embedder_names_itself_and_the_hash_of_its_weights(embedder) -> None:
    assert embedder.name
    assert re.fullmatch(r"[0-9a-f]{64}", embedder.weights_sha256)


def test_pooled_vector_is_a_float32_unit_vector_of_the_stated_dimension(embedder) -> None:
    pooled = embedder.embed_query(LICENCE).pooled

    assert pooled.shape == (embedder.dimension,)
    assert pooled.dtype == np.float32
    assert np.linalg.norm(pooled) == pytest.approx(1, abs=1e-5)


def test_token_arrays_have_the_shapes_and_types_that_the_catalog_stores(embedder) -> None:
    tokens = embedder.embed_query(LICENCE).tokens

    assert len(tokens.ids) == embedder.token_count(LICENCE) >= len(LICENCE.split())
    assert tokens.vectors.shape == (len(tokens.ids), 64)
    assert (tokens.ids.dtype, tokens.starts.dtype) == (np.uint16, np.uint16)
    assert tokens.vectors.dtype == np.int8
    norms = np.linalg.norm(tokens.vectors.astype(np.float32), axis=1)
    assert norms == pytest.approx(np.full(len(norms), 127), abs=2.5)


def test_every_word_starts_where_a_token_starts_counted_in_code_points(embedder) -> None:
    text = "  Größe, 模 🙂🙂 naïve\u00a0e\u0301té (ok)"

    starts = set(embedder.embed_query(text).tokens.starts.tolist())

    # Decomposed accents may or may not be split off, so the word with one only has to begin right.
    words = ("Größe", ",", "模", "🙂🙂", "naïve", "e\u0301té", "(", "ok", ")")
    assert {text.index(word) for word in words} <= starts
    assert all(not text[start].isspace() for start in starts)


def test_encodings_come_back_in_the_order_of_the_texts(embedder) -> None:
    texts = [LICENCE * 4, "short", WEATHER, "", PRICE * 2, *(f"{n} tokens" for n in range(20))]

    together = embedder.embed_passages(texts)
    alone = [embedder.embed_query(text) for text in texts]

    assert len(together) == len(texts)
    for one, other in zip(together, alone, strict=True):
        assert one.pooled == pytest.approx(other.pooled, abs=1e-5)
        assert np.array_equal(one.tokens.ids, other.tokens.ids)
        assert np.array_equal(one.tokens.starts, other.tokens.starts)
        assert np.abs(one.tokens.vectors - other.tokens.vectors.astype(int)).max(initial=0) <= 1


def test_no_texts_give_no_encodings(embedder) -> None:
    assert embedder.embed_passages([]) == []


@pytest.mark.parametrize("text", ["", "  \n\t"])
def test_text_without_words_has_a_unit_vector_and_no_tokens(embedder, text: str) -> None:
    encoding = embedder.embed_query(text)

    assert np.linalg.norm(encoding.pooled) == pytest.approx(1, abs=1e-5)
    assert encoding.tokens.vectors.shape == (0, 64)
    assert embedder.token_count(text) == 0


def test_question_is_nearest_to_the_passage_that_shares_its_words(embedder) -> None:
    passages = [WEATHER, LICENCE, PRICE]
    encodings = embedder.embed_passages(passages)

    question = embedder.embed_query("Under which licence is the model released?")

    cosines = [float(question.pooled @ e.pooled) for e in encodings]
    late = [float((unit(question) @ unit(e).T).max(axis=1).mean()) for e in encodings]
    assert passages[int(np.argmax(cosines))] == LICENCE
    assert passages[int(np.argmax(late))] == LICENCE


def test_word_is_found_again_by_its_token_vector(embedder) -> None:
    question = embedder.embed_query("licence")
    last = unit(question)[-1]

    inside, outside = (unit(e) for e in embedder.embed_passages([LICENCE, WEATHER]))

    assert (inside @ last).max() > (outside @ last).max() + 0.1


def test_token_ids_are_equal_exactly_where_words_are(embedder) -> None:
    one, two, three = embedder.embed_passages(["Model", "the model", "the whale"])

    assert one.tokens.ids[0] == two.tokens.ids[1]
    assert two.tokens.ids[0] == three.tokens.ids[0]
    assert two.tokens.ids[1] != three.tokens.ids[1]


def test_text_past_the_window_is_cut_there(embedder) -> None:
    long = "word " * (embedder.window + 50)

    cut, same = embedder.embed_passages([long, "word " * embedder.window])

    assert embedder.token_count(long) == embedder.window + 50
    assert len(cut.tokens.ids) == embedder.window
    assert cut.pooled == pytest.approx(same.pooled, abs=1e-5)


def test_words_too_far_out_for_an_offset_are_cut_not_misplaced(embedder) -> None:
    tokens = embedder.embed_query("near " + " " * 70_000 + "far").tokens

    assert tokens.starts.tolist() == [0]


def test_threads_sharing_an_embedder_get_what_one_alone_gets(embedder) -> None:
    texts = [f"{PRICE} {n} {'again ' * n}" for n in range(12)]
    alone = [embedder.embed_query(text) for text in texts]

    with ThreadPoolExecutor(4) as pool:
        shared = list(pool.map(embedder.embed_query, texts))

    for one, other in zip(shared, alone, strict=True):
        assert one.pooled == pytest.approx(other.pooled, abs=1e-5)
        assert np.array_equal(one.tokens.starts, other.tokens.starts)


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(exclude_categories=()), max_size=300))
@example("a lone \ud800 surrogate")
def test_any_string_at_all_has_a_valid_encoding(embedder, text: str) -> None:
    encoding = embedder.embed_query(text)

    assert np.linalg.norm(encoding.pooled) == pytest.approx(1, abs=1e-5)
    starts = encoding.tokens.starts.tolist()
    assert starts == sorted(starts)
    assert all(start < len(text) for start in starts)
    assert len(starts) == min(embedder.token_count(text), embedder.window)
