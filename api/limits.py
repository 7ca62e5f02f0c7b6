"""How much may be asked: requests a minute, in a moving window, and questions a day."""

from __future__ import annotations

import math
import time
from ipaddress import IPv6Address, ip_address, ip_network

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute
from limits.errors import ConfigurationError, StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, RateLimiter

from kb.access_errors import QuotaUsed, TooManyRequests
from kb.errors import SettingsInvalid, StoreUnavailable

PER_MINUTE = 120  # on a server that others reach, unless the settings say something else
TOKENS_PER_MINUTE = 60  # widget tokens for one address, behind which may be an office
NETWORK_BITS = 64  # of an IPv6 address: what one customer has for himself


class RateLimits:
    """Of whoever asks. 0: no limit. url: where the counts are kept, as the library `limits` writes
    it; in memory each server counts for itself, and from zero after a restart. Raises
    SettingsInvalid."""

    def __init__(self, per_minute: int, per_day: int, url: str = "memory://") -> None:
        storage = _storage(url)
        self._minute, self._day = RateLimitItemPerMinute(per_minute), RateLimitItemPerDay(per_day)
        self._tokens = RateLimitItemPerMinute(TOKENS_PER_MINUTE, namespace="TOKENS")
        self._moving = MovingWindowRateLimiter(storage)
        # a day's every request is more than need be remembered
        self._fixed = FixedWindowRateLimiter(storage)

    def count(self, asker: str, question: bool = False) -> None:
        """One more request of this asker. Raises TooManyRequests, QuotaUsed, StoreUnavailable."""
        if (wait := _wait(self._moving, self._minute, asker)) is not None:
            raise TooManyRequests(
                f"more than {self._minute.amount} requests in a minute: wait {wait} seconds", wait
            )
        if question and (wait := _wait(self._fixed, self._day, asker)) is not None:
            raise QuotaUsed(
                f"the {self._day.amount} questions of this day are used up: ask again in "
                f"{wait} seconds, or have the operator raise KB_DAILY_QUOTA",
                wait,
            )

    def count_token(self, address: str) -> None:
        """One more widget token for this address. Raises TooManyRequests, StoreUnavailable."""
        if (wait := _wait(self._moving, self._tokens, address)) is not None:
            raise TooManyRequests(f"too many tokens in a minute: wait {wait} seconds", wait)


def address_of(client: tuple[str, int] | None) -> str:
    """Whom an address stands for."""
    host = client[0] if client else "unknown"
    try:
        address = ip_address(host)
    except ValueError:  # a test's, or a socket without addresses
        return f"address:{host}"
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return f"address:{ip_network((address, NETWORK_BITS), strict=False)}"
    return f"address:{host}"


def _wait(limiter: RateLimiter, limit: RateLimitItem, asker: str) -> int | None:
    """Seconds to wait; None where the request may be carried out."""
    if limit.amount == 0:
        return None
    try:
        if limiter.hit(limit, asker):
            return None
        until = limiter.get_window_stats(limit, asker).reset_time
    except StorageError as error:
        raise StoreUnavailable(
            f"the store of KB_LIMITS_URL failed ({error.storage_error}); check its server"
        ) from error
    return max(1, math.ceil(until - time.time()))


def _storage(url: str) -> Storage:
    try:
        storage = storage_from_string(url, wrap_exceptions=True)
    except ConfigurationError as error:  # a scheme that it does not know, or a missing package
        raise SettingsInvalid(
            f"KB_LIMITS_URL: {error}; it is like redis://host:6379, which needs: pip install redis"
        ) from error
    if not isinstance(storage, Storage):
        raise SettingsInvalid("KB_LIMITS_URL: leave async+ out, as in redis://host:6379")
    return storage
