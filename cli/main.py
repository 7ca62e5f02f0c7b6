"""The command `kb`, from its first moment on."""

from __future__ import annotations

import os
import sys

from cli.interrupts import INTERRUPTED

# Threads that wait by spinning slow a second busy process tenfold. The OpenMP runtimes inside
# native libraries read this when they load, so it comes before every import that loads one.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# A search multiplies small matrices: threads for them cost more than they bring, and with eight
# askers on two cores far more.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def main() -> None:
    try:
        from cli.commands import run  # takes half a second, in which Ctrl-C is to be quiet too

        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
