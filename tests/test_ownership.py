"""One process owns an index; another is told where to go, and a dead one lets go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kb.errors import StoreInUse, StoreUnavailable
from kb.ownership import LOCK_FILE, owned, owner_url

URL = "http://127.0.0.1:8000"
OWNER = """
import sys, time
from pathlib import Path
from kb.ownership import owned
with owned(Path(sys.argv[1]), sys.argv[2] or None):
    print("mine", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_owner(index: Path, url: str = URL) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(index), url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "mine\n"
        yield process
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


def test_second_process_is_refused_and_told_where_the_first_serves(tmp_path: Path) -> None:
    with another_owner(tmp_path):
        assert owner_url(tmp_path) == URL
        with pytest.raises(StoreInUse, match=URL), owned(tmp_path):
            pass


def test_owner_that_serves_nothing_is_another_command(tmp_path: Path) -> None:
    with another_owner(tmp_path, url=""):
        assert owner_url(tmp_path) is None
        with pytest.raises(StoreInUse, match="another command"), owned(tmp_path):
            pass


def test_index_is_free_when_its_owner_ends(tmp_path: Path) -> None:
    with another_owner(tmp_path):
        pass

    assert owner_url(tmp_path) is None
    with owned(tmp_path):
        pass


def test_index_is_free_when_its_owner_is_killed(tmp_path: Path) -> None:
    with another_owner(tmp_path) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait(20)

        assert URL in (tmp_path / LOCK_FILE).read_text()  # it had no time to tidy up
        assert owner_url(tmp_path) is None
        with owned(tmp_path, "http://127.0.0.1:9000"):
            assert owner_url(tmp_path) == "http://127.0.0.1:9000"


def test_same_process_can_not_own_an_index_twice(tmp_path: Path) -> None:
    with owned(tmp_path, URL), pytest.raises(StoreInUse, match=URL), owned(tmp_path):
        pass


def test_failure_inside_lets_go(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), owned(tmp_path):
        raise RuntimeError("the work failed")

    with owned(tmp_path):
        assert owner_url(tmp_path) is None


def test_nobody_owns_what_does_not_exist(tmp_path: Path) -> None:
    assert owner_url(tmp_path / "never made") is None


def test_looking_who_owns_it_keeps_nobody_out(tmp_path: Path) -> None:
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            owner_url(tmp_path)
            time.sleep(0.001)

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(60):
            with owned(tmp_path):
                pass
    finally:
        done.set()
        for looker in lookers:
            looker.join()


def test_index_that_can_not_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StoreUnavailable, match="KB_HOME"), owned(tmp_path / "file"):
        pass
    assert owner_url(tmp_path / "file" / "index") is None
