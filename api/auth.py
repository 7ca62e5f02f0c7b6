"""Who a request comes from, and whether it may be carried out: decided before its body is read."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from anyio import CapacityLimiter, to_thread
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import response_to
from api.hosts import TrustedHosts, is_loopback, name_of
from api.limits import PER_MINUTE, RateLimits, address_of
from api.matching import leads_somewhere
from api.scopes import is_question, scopes_for
from api.tokens import WidgetTokens
from kb.access_errors import AccessError, KeyMissing, ScopeMissing, TokenInvalid
from kb.errors import WeighbridgeError
from kb.keys import EVERYTHING, KeyBook, looks_like_a_key
from kb.keys import Scope as Allowed
from kb.settings import Settings

AT_ONCE = 8  # threads that look keys up; requests that hold all others can't keep anyone out
PROBES = ("/livez", "/readyz")  # balancers call them by any name
FOR_EVERYONE = frozenset({Allowed.ASK, Allowed.READ})
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host")


@dataclass(frozen=True, slots=True)
class Caller:
    """id: whose requests are counted together, key:ID or address:ADDRESS. named: has shown who it
    is, by a key or a token."""

    id: str
    scopes: frozenset[Allowed]
    named: bool


class Access:
    """The rules of one server."""

    def __init__(
        self, settings: Settings, keys: KeyBook, tokens: WidgetTokens, limits: RateLimits
    ) -> None:
        self._local = is_loopback(settings.host)
        self._open = bool(settings.open_to_everyone)
        self.hosts = TrustedHosts(settings.host, settings.trusted_names)
        self._keys = keys
        self.tokens = tokens
        self.limits = limits

    @classmethod
    def of(cls, settings: Settings, keys: KeyBook) -> Access:
        """Raises SettingsInvalid."""
        rate = settings.rate_per_minute
        if rate is None:
            rate = 0 if is_loopback(settings.host) else PER_MINUTE
        limits = RateLimits(rate, settings.daily_quota, settings.limits_url)
        tokens = WidgetTokens(lambda: keys.secret("widget"), settings.origins)
        return cls(settings, keys, tokens, limits)

    def admit(self, request: Request, needed: frozenset[Allowed]) -> Caller:
        """Raises AccessError, StoreUnavailable. Those who are refused are counted, too."""
        address = address_of(request.client)
        try:
            caller = self._caller(request, address)
            if not caller.scopes & needed:
                raise _missing(needed) if caller.named else KeyMissing(_HOW)
        except AccessError:
            self.limits.count(f"refused {address}")
            raise
        self.limits.count(caller.id, is_question(request.method, request.url.path))
        return caller

    def _caller(self, request: Request, address: str) -> Caller:
        sent = _bearer(request.headers.get("authorization", ""))
        if not sent or not self._keys.exist():  # some clients always send something
            return self._without(request, address)
        if looks_like_a_key(sent):
            key = self._keys.holder(sent)
            return Caller(f"key:{key.id}", key.scopes, named=True)
        if not _comes_from(self.tokens.origin_of(sent), request.headers):
            raise TokenInvalid("this token was made for pages of another site")
        return Caller(address, FOR_EVERYONE, named=True)

    def _without(self, request: Request, address: str) -> Caller:
        """A caller without a key."""
        if self._local and not self._keys.exist():
            everything = _of_this_machine(request.headers)
            return Caller(address, EVERYTHING if everything else FOR_EVERYONE, named=False)
        if self._open:
            return Caller(address, FOR_EVERYONE, named=False)
        raise KeyMissing(_HOW)


_HOW = (
    "this needs a key: send it as `Authorization: Bearer KEY` (kb's own commands: set KB_KEY). The "
    "server's operator makes one with kb keys create"
)


def _missing(needed: frozenset[Allowed]) -> AccessError:
    named = " or ".join(sorted(needed))
    return ScopeMissing(f"this needs a key with the scope {named}: kb keys create --scopes …")


class Guarded:
    """ASGI middleware: what is refused never reaches a route."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access
        self._threads = CapacityLimiter(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                await self._check(scope)
            except WeighbridgeError as error:
                await response_to(error, scope["path"])(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _check(self, scope: Scope) -> None:
        if scope["path"] not in PROBES:
            self._access.hosts.check(Headers(scope=scope).get("host", ""))
        needed = scopes_for(scope["method"], scope["path"])
        if needed is None or not leads_somewhere(scope):
            return
        caller = await to_thread.run_sync(
            self._access.admit, Request(scope), needed, limiter=self._threads
        )
        scope.setdefault("state", {})["caller"] = caller


def _bearer(header: str) -> str:
    scheme, _, sent = header.partition(" ")
    return sent.strip() if scheme.lower() == "bearer" else ""


def _of_this_machine(headers: Headers) -> bool:
    """Whether the request is no other site's, and nothing that is in between has handed it on."""
    called = headers.get("host", "")
    origin = headers.get("origin")
    return (
        is_loopback(name_of(called))
        and (origin is None or urlsplit(origin).netloc == called)
        and not any(name in headers for name in _FORWARDED)
    )


def _comes_from(origin: str, headers: Headers) -> bool:
    """A browser names the page's origin, but not to GET from the very server of the page."""
    sent = headers.get("origin")
    return sent == origin if sent else urlsplit(origin).netloc == headers.get("host")
