"""What a command may do to an index that lies on servers, or half on one."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.local import check_rebuild, owned_unless_shared
from kb.errors import StoreError, StoreInUse
from kb.ownership import owned
from kb.settings import Settings

CATALOG, VECTORS = "postgresql+psycopg://kb@db/kb", "http://chroma:8000"


def settings(tmp_path: Path, **given: str) -> Settings:
    return Settings(home=tmp_path, **given)  # type: ignore[arg-type]  # pydantic makes URLs of them


def test_index_on_servers_only_is_not_held_by_one_process(tmp_path: Path) -> None:
    shared = settings(tmp_path, database_url=CATALOG, chroma_url=VECTORS)

    with owned_unless_shared(shared), owned_unless_shared(shared):
        assert not shared.index.exists()


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"database_url": CATALOG},
        {"chroma_url": VECTORS},
        {"database_url": "sqlite:////tmp/catalog", "chroma_url": VECTORS},
    ],
)
def test_index_with_anything_in_the_folder_has_one_owner(
    tmp_path: Path, given: dict[str, str]
) -> None:
    here = settings(tmp_path, **given)

    with owned(here.index), pytest.raises(StoreInUse), owned_unless_shared(here):
        pass


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"database_url": CATALOG}, "KB_DATABASE_URL"),
        ({"chroma_url": VECTORS}, "KB_CHROMA_URL"),
        ({"database_url": CATALOG, "chroma_url": VECTORS}, "KB_DATABASE_URL and KB_CHROMA_URL"),
    ],
)
def test_rebuild_deletes_nothing_that_lies_elsewhere(
    tmp_path: Path, given: dict[str, str], named: str
) -> None:
    with pytest.raises(StoreError, match=f"{named} put it.*kb migrate"):
        check_rebuild(settings(tmp_path, **given))

    check_rebuild(settings(tmp_path))
