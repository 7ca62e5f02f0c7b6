"""Python loads this by itself where its folder is on PYTHONPATH: notes every attempt to leave the
machine in the file that OFFLINE_SEEN names."""

from __future__ import annotations

import ipaddress
import os
import sys

HERE = {"", "localhost", "ip6-localhost", "0.0.0.0", "::"}


def _leaves(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else str(host or "")
    try:
        return not ipaddress.ip_address(name.partition("%")[0]).is_loopback and name not in HERE
    except ValueError:
        return name not in HERE


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]
        if not isinstance(address, tuple) or not _leaves(address[0]):  # unix sockets, netlink
            return
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        if not _leaves(arguments[0]):
            return
        address = arguments[0]
    else:
        return
    with open(os.environ["OFFLINE_SEEN"], "a") as seen:
        seen.write(f"{event} {address!r} by {' '.join(sys.argv)[:200]}\n")


if "OFFLINE_SEEN" in os.environ:
    sys.addaudithook(_watch)
