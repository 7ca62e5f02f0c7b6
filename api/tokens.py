"""Short-lived tokens for the widget, so that no key stands in a page. Nothing is stored for them:
they are signed with a secret that all servers on one catalog share."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property

import jwt

from kb.access_errors import OriginNotAllowed, TokenInvalid

LIFETIME_SECONDS = 600
LONGEST = 1000  # characters: the parts are parsed before the signature is checked
_ALGORITHM = "HS256"
_EXPIRED = "this token has expired, or is none of this server's: get one with POST /v1/widget/token"


class WidgetTokens:
    """secret: gives what is signed with. origins: as browsers send them."""

    def __init__(
        self,
        secret: Callable[[], str],
        origins: Sequence[str],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._read_secret = secret
        self._origins = frozenset(origins)
        self._now = now

    @cached_property
    def _secret(self) -> str:
        return self._read_secret()

    def issue(self, origin: str) -> str:
        """For pages of this origin only. Raises OriginNotAllowed."""
        if origin not in self._origins:
            raise OriginNotAllowed(
                "pages of this site may not ask here: the server's operator can add it to "
                "KB_ALLOWED_ORIGINS"
            )
        told = {"origin": origin, "exp": int(self._now()) + LIFETIME_SECONDS}
        return jwt.encode(told, self._secret, _ALGORITHM)

    def origin_of(self, token: str) -> str:
        """The origin that the token was made for. Raises TokenInvalid."""
        try:
            told = jwt.decode(token[:LONGEST], self._secret, [_ALGORITHM], {"verify_exp": False})
        except jwt.InvalidTokenError as error:
            raise TokenInvalid(_EXPIRED) from error
        # looked at even where it was allowed when the token was made
        if told["exp"] <= self._now() or told["origin"] not in self._origins:
            raise TokenInvalid(_EXPIRED)
        return str(told["origin"])
