"""The command `kb`, from its first moment on."""

from __future__ import annotations

import os
import sys

# Threads that wait by spinning slow a second busy process tenfold. The OpenMP runtimes inside
# native libraries read this when they load, so it comes before every import that loads one.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

INTERRUPTED = 130  # what shells give to a command that Ctrl-C ended


def main() -> None:
    try:
        from cli.commands import run  # takes half a second, in which Ctrl-C is to be quiet too

        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
