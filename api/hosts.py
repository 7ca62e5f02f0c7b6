"""By which names the server may be called. A page elsewhere can have its own name lead here (DNS
rebinding), and its browser then takes this server for that page's own."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from kb.access_errors import HostNotTrusted

ANY = "*"


class TrustedHosts:
    """host: the address that is listened on; named: more names, of which `*.example.com` stands for
    all below it, and `*` for every name."""

    def __init__(self, host: str, named: Sequence[str] = ()) -> None:
        self._names = frozenset(name.lower() for name in (host, *named))
        self._below = tuple(name[1:].lower() for name in named if name.startswith("*."))
        self._everywhere = is_address(host) and ip_address(host).is_unspecified

    def check(self, called: str) -> None:
        """called: the Host header. Raises HostNotTrusted."""
        name = name_of(called)
        trusted = (
            is_loopback(name)
            or name in self._names
            or ANY in self._names
            or name.endswith(self._below)
            # no name can be made to lead to an address, which is what the browser then sends
            or (self._everywhere and is_address(name))
        )
        if not name or not trusted:
            raise HostNotTrusted(
                "the server was called by a name that is not its own: call it as 127.0.0.1 or "
                "localhost, or have its operator add the name to KB_TRUSTED_HOSTS"
            )


def name_of(called: str) -> str:
    """Of a Host header, without its port; empty where it is none."""
    try:
        return urlsplit(f"//{called}").hostname or ""
    except ValueError:  # half an IPv6 address
        return ""


def is_loopback(host: str) -> bool:
    return host == "localhost" or (is_address(host) and ip_address(host).is_loopback)


def is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:  # a name
        return False
    return True
