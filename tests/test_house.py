"""The house's rules, read off the syntax tree and the files that are not code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest
from house import ROOMS, ROOT, relative

from kb.settings import PREFIX, Settings

# What each room may import of the others. bench measures everything.
MAY_IMPORT = {
    "kb": set(),
    "ingest": {"kb"},
    "api": {"kb", "ingest"},
    "cli": {"kb", "ingest", "api", "bench"},
    "bench": {"kb", "ingest", "api", "cli"},
}


# Inside kb a module imports from its own floor or a lower one; what isn't named here is pure.
FLOORS = (
    {"kb.types", "kb.errors", "kb.reading"},
    {"kb.ports"},
    set(),
    # a question's way, from what is found to what is said
    {
        "kb.retrieve", "kb.evidence", "kb.conflicts", "kb.checking", "kb.events", "kb.answer_cache",
        "kb.remembering", "kb.suggestions", "kb.answering.answer", "kb.answering.confidence",
        "kb.answering.copying",
    },
    set(),
    {"kb.wiring", "kb.llamaindex"},
)  # fmt: skip


PURE, ADAPTERS = 2, 4


HEAVY = {
    "llama_index", "chromadb", "sentence_transformers", "transformers", "torch", "xllamacpp",
    "onnxruntime", "ray",
}  # fmt: skip


HEAVY_ALLOWED = ("kb/adapters/*.py", "ingest/readers.py", "ingest/split.py", "ingest/bulk.py")


MOST_LINES, MOST_FUNCTION_LINES = 400, 60  # a file is as long as its one subject needs


@cache
def product_files() -> tuple[Path, ...]:
    return tuple(path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@cache
def modules() -> frozenset[str]:
    return frozenset(name(path) for path in product_files())


def imported(path: Path) -> Iterator[str]:
    """Dotted names, of modules where the name is one; imports inside functions count too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)} imports by relative name"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules() else str(node.module)


def floor(module: str) -> int:
    if module.startswith("kb.adapters"):
        return ADAPTERS
    return next((i for i, names in enumerate(FLOORS) if module in names), PURE)


# -- what is left out --------------------------------------------------------------------------


def skips(path: Path) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("skip", "skipif", "importorskip")
    ]


def says_why(call: ast.Call) -> bool:
    """An import that fails says only what it could not import."""
    positional = isinstance(call.func, ast.Attribute) and call.func.attr == "skip" and call.args
    return bool(positional) or any(keyword.arg == "reason" for keyword in call.keywords)


def test_whatever_skips_says_why() -> None:
    silent = [
        f"{relative(path)}:{call.lineno}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for call in skips(path)
        if not says_why(call)
    ]

    assert silent == []


def test_reasons_of_skips_are_printed(pytestconfig: pytest.Config) -> None:
    assert "s" in pytestconfig.getoption("reportchars")


# -- imports ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_one_way(room: str) -> None:
    wrong = [
        f"{relative(path)} imports {module}"
        for path in product_files()
        if relative(path).startswith(f"{room}/")
        for module in imported(path)
        if (other := module.partition(".")[0]) in ROOMS
        and other != room
        and other not in MAY_IMPORT[room]
    ]

    assert not wrong


def test_modules_of_kb_import_only_from_their_own_floor_or_lower() -> None:
    wrong = [
        f"{name(path)} imports {module}"
        for path in product_files()
        if name(path).startswith("kb")
        for module in imported(path)
        if module.startswith("kb") and floor(module) > floor(name(path))
    ]

    assert not wrong


def test_no_import_goes_round_in_a_circle() -> None:
    graph = {name(path): set(imported(path)) & modules() for path in product_files()}
    reached: set[str] = set()

    while graph:
        free = {module for module, needs in graph.items() if needs <= reached}
        assert free, f"these import each other: {sorted(graph)}"
        reached |= free
        graph = {module: needs for module, needs in graph.items() if module not in free}


def test_heavy_libraries_stay_in_adapters() -> None:
    wrong = [
        f"{relative(path)} imports {module}"
        for path in product_files()
        if not relative(path).startswith("bench/")
        and not any(fnmatch(relative(path), pattern) for pattern in HEAVY_ALLOWED)
        for module in imported(path)
        if module.partition(".")[0] in HEAVY
    ]

    assert not wrong


def test_only_settings_reads_the_environment() -> None:
    """bench hands its own on to the processes that it measures."""
    wrong = [
        f"{relative(path)}:{node.lineno}"
        for path in product_files()
        if relative(path) != "kb/settings.py" and not relative(path).startswith("bench/")
        for node in reading_the_environment(tree(path))
    ]

    assert not wrong


def reading_the_environment(module: ast.Module) -> Iterator[ast.expr]:
    """Every mention of it but the statements that set a name to a constant, which is how a native
    library is told something before it loads."""
    setting = {
        node
        for statement in ast.walk(module)
        if isinstance(statement, ast.Assign | ast.Expr)
        and re.fullmatch(
            r"os\.environ(\['\w+'\] = '\w+'|\.setdefault\('\w+', '\w+'\))", ast.unparse(statement)
        )
        for node in ast.walk(statement)
    }
    for node in ast.walk(module):
        word = getattr(node, "attr", None) or getattr(node, "id", None)
        if isinstance(node, ast.expr) and word in {"environ", "getenv"} and node not in setting:
            yield node


# -- sizes -----------------------------------------------------------------------------------------


def test_files_and_functions_stay_small() -> None:
    wrong = []
    for path in product_files():
        lines = len(path.read_text().splitlines())
        if lines > MOST_LINES:
            wrong.append(f"{relative(path)} has {lines} lines")
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > MOST_FUNCTION_LINES:
                    wrong.append(f"{relative(path)}: {node.name} has {length} lines")

    assert not wrong


# -- settings --------------------------------------------------------------------------------------


KEYS = tuple(PREFIX + field.upper() for field in Settings.model_fields)


@pytest.mark.parametrize("key", KEYS)
def test_every_setting_is_in_the_readme_and_in_the_example(key: str) -> None:
    field = Settings.model_fields[key.removeprefix(PREFIX).lower()]

    assert re.search(rf"^\| `{key}` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert re.search(rf"^# {key}=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert field.description


def test_defaults_in_the_readme_are_the_real_ones() -> None:
    rows = re.findall(r"^\| `(KB_\w+)` \| ([^|]*) \|", (ROOT / "README.md").read_text(), re.M)

    told = {key: default.strip().strip("`") for key, default in rows}

    for key in KEYS:
        field = Settings.model_fields[key.removeprefix(PREFIX).lower()]
        if field.default_factory is None and field.default is not None:
            assert told[key] == str(field.default), key


def test_example_names_no_setting_that_does_not_exist() -> None:
    text = (ROOT / ".env.example").read_text() + (ROOT / "docker-compose.yml").read_text()

    assert set(re.findall(r"KB_[A-Z_]+", text)) <= set(KEYS)


def test_containers_pass_on_every_setting_that_is_not_theirs() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    fixed = {
        "KB_HOME", "KB_HOST", "KB_PORT", "KB_CORPUS", "KB_DATABASE_URL", "KB_CHROMA_URL",
        "KB_OPEN_TO_EVERYONE", "KB_TRUSTED_HOSTS",
    }  # fmt: skip

    assert set(re.findall(r"^ +- (KB_[A-Z_]+)$", text, re.MULTILINE)) == set(KEYS) - fixed
