"""Runs a command where there is no network but loopback, and tells what tried to leave.

    python make/offline.py COMMAND…

Linux only: a network namespace of its own, by util-linux's `unshare`. Python's attempts to leave
are told with their addresses (make/watched), those of compiled code by the kernel's count of
packets for which there was no route. The exit status is the command's, or 3 where there is no such
namespace.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

WATCHED = Path(__file__).resolve().parent / "watched"
INSIDE = "--inside"
NO_NAMESPACE = 3
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def command_inside(command: Sequence[str]) -> list[str]:
    """Without root's rights `unshare` takes them from a user namespace; with them it must not, or
    PostgreSQL could not be started as somebody else."""
    mapped = [] if os.geteuid() == 0 else ["--map-root-user"]
    here = [sys.executable, str(Path(__file__).resolve()), INSIDE]
    return ["unshare", *mapped, "--net", "--", *here, *command]


def available() -> bool:
    if shutil.which("unshare") is None:
        return False
    mapped = [] if os.geteuid() == 0 else ["--map-root-user"]
    done = subprocess.run(["unshare", *mapped, "--net", "--", "true"], capture_output=True)
    return done.returncode == 0


# -- inside --------------------------------------------------------------------------------------


def flags(name: str, new: int | None = None) -> int:
    """An interface's flags, once they are `new`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        if new is not None:
            fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", name.encode(), new))
        answer = fcntl.ioctl(any_socket, SIOCGIFFLAGS, struct.pack("16sH14x", name.encode(), 0))
        return int(struct.unpack("16sH14x", answer)[1])


def interfaces_up() -> list[str]:
    return sorted(name for _, name in socket.if_nameindex() if flags(name) & IFF_UP)


def without_route() -> int:
    """Packets and connections for which there was no way out, since the namespace was made."""
    names, values = re.findall(r"^Ip: (.+)$", Path("/proc/net/snmp").read_text(), re.MULTILINE)
    old = dict(zip(names.split(), map(int, values.split()), strict=True))["OutNoRoutes"]
    new = re.search(r"^Ip6OutNoRoutes\s+(\d+)$", _text("/proc/net/snmp6"), re.MULTILINE)
    return old + (int(new[1]) if new else 0)


def _text(path: str) -> str:
    return Path(path).read_text() if Path(path).exists() else ""  # no IPv6 in this kernel


def run_inside(command: Sequence[str]) -> int:
    flags("lo", flags("lo") | IFF_UP)
    up = interfaces_up()
    assert up == ["lo"], up
    with TemporaryDirectory() as folder:
        seen = Path(folder) / "seen"
        seen.touch()
        path = os.pathsep.join(filter(None, [str(WATCHED), os.environ.get("PYTHONPATH", "")]))
        environment = {**os.environ, "PYTHONPATH": path, "OFFLINE_SEEN": str(seen)}
        before = without_route()
        status = subprocess.run(command, env=environment).returncode
        attempts = seen.read_text().splitlines()
    for line in attempts:
        sys.stderr.write(f"tried to leave: {line}\n")
    sys.stderr.write(
        f"interfaces: {' '.join(up)}; seen by Python: {len(attempts)}; "
        f"without a route: {without_route() - before}\n"
    )
    return status


def main(arguments: Sequence[str]) -> int:
    if arguments[:1] == [INSIDE]:
        return run_inside(arguments[1:])
    if not available():
        sys.stderr.write("no network namespace can be made here: Linux, and the right to, needed\n")
        return NO_NAMESPACE
    return subprocess.run(command_inside(arguments)).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
