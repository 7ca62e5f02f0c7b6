"""Many may use what one may change: neither keeps the other out for good."""

from __future__ import annotations

import threading

from kb.adapters.gate import Gate


def test_whoever_wants_to_be_alone_gets_in_between_readers_without_end() -> None:
    gate, done, inside = Gate(), threading.Event(), []

    def read() -> None:
        while not done.is_set():
            with gate.using():
                inside.append(1)
                inside.pop()

    readers = [threading.Thread(target=read, daemon=True) for _ in range(3)]
    for reader in readers:
        reader.start()
    changed = threading.Event()

    def change() -> None:
        for _ in range(50):
            with gate.alone():
                assert not inside
        changed.set()

    threading.Thread(target=change, daemon=True).start()
    assert changed.wait(20)
    done.set()
    for reader in readers:
        reader.join(20)
        assert not reader.is_alive()
