"""How much may be asked: by key and by address, a minute and a day."""

from __future__ import annotations

import pytest

from api.limits import TOKENS_PER_MINUTE, RateLimits, address_of
from kb.access_errors import QuotaUsed, TooManyRequests
from kb.errors import SettingsInvalid, StoreUnavailable


def test_a_minute_s_requests_are_counted_for_each_asker() -> None:
    limits = RateLimits(per_minute=3, per_day=0)
    for _ in range(3):
        limits.count("key:a")

    with pytest.raises(TooManyRequests, match="3 requests") as caught:
        limits.count("key:a")
    limits.count("key:b")

    assert 1 <= caught.value.retry_seconds <= 60


def test_a_day_s_questions_are_counted_and_other_requests_are_not() -> None:
    limits = RateLimits(per_minute=0, per_day=2)
    for question in (True, False, False, True, False):
        limits.count("key:a", question)

    with pytest.raises(QuotaUsed, match="KB_DAILY_QUOTA") as caught:
        limits.count("key:a", question=True)
    limits.count("key:a")
    limits.count("key:b", question=True)

    assert 86_000 < caught.value.retry_seconds <= 86_400


def test_a_request_over_the_minute_s_limit_uses_up_no_question() -> None:
    limits = RateLimits(per_minute=1, per_day=1)
    limits.count("a")
    for _ in range(3):
        with pytest.raises(TooManyRequests):
            limits.count("a", question=True)


def test_without_limits_nothing_is_refused() -> None:
    limits = RateLimits(per_minute=0, per_day=0)

    for _ in range(1000):
        limits.count("a", question=True)


def test_tokens_have_a_limit_of_their_own() -> None:
    limits = RateLimits(per_minute=0, per_day=0)
    for _ in range(TOKENS_PER_MINUTE):
        limits.count_token("address:192.0.2.1")

    with pytest.raises(TooManyRequests):
        limits.count_token("address:192.0.2.1")
    limits.count_token("address:192.0.2.2")


@pytest.mark.parametrize(
    ("host", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:0:1::5", "2001:db8:0:1:ffff::9", True),
        ("2001:db8:0:1::5", "2001:db8:0:2::5", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("somewhere", "elsewhere", False),
    ],
)
def test_an_ipv6_network_is_one_asker(host: str, other: str, same: bool) -> None:
    assert (address_of((host, 1)) == address_of((other, 2))) is same


@pytest.mark.parametrize("url", ["", "nothing://x", "redis", "async+memory://"])
def test_a_store_that_can_not_be_is_told_by_its_setting(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="KB_LIMITS_URL"):
        RateLimits(1, 1, url)


def test_a_dead_store_is_told() -> None:
    pytest.importorskip("redis", reason="needs redis, which a KB_LIMITS_URL of redis:// takes")
    with pytest.raises(StoreUnavailable, match="KB_LIMITS_URL"):
        RateLimits(1, 1, "redis://127.0.0.1:1").count("a")
