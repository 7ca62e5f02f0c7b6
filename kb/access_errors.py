"""The part of the error tree that is about who asks, and how much."""

from __future__ import annotations

from kb.errors import NotFound, WeighbridgeError


class KeyNotFound(NotFound):
    code = "key_not_found"


class AccessError(WeighbridgeError):
    """Whoever sent the request may not have it carried out, or not at this time."""

    code = "access_error"


class KeyMissing(AccessError):
    code = "key_missing"


class KeyInvalid(AccessError):
    """Unknown, revoked or expired."""

    code = "key_invalid"


class TokenInvalid(AccessError):
    """A widget's token that has expired, or was made for another site."""

    code = "token_invalid"


class ScopeMissing(AccessError):
    """The key is good, for other things."""

    code = "scope_missing"


class OriginNotAllowed(AccessError):
    """Pages of this site may not use the widget."""

    code = "origin_not_allowed"


class HostNotTrusted(AccessError):
    """The server was called by a name that is not its own."""

    code = "host_not_trusted"


class TooSoon(AccessError):
    """retry_seconds: after which the same request may be carried out."""

    code = "too_soon"

    def __init__(self, message: str, retry_seconds: int = 60) -> None:
        super().__init__(message)
        self.retry_seconds = retry_seconds


class TooManyRequests(TooSoon):
    code = "too_many_requests"


class QuotaUsed(TooSoon):
    """The day's questions have been asked."""

    code = "quota_used"
