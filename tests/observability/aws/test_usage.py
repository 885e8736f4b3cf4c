"""What we asked of an account, and what that costs its owner."""

import pytest
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError

from observability.aws import usage
from observability.aws.quotas import RATES, connection
from observability.aws.usage import Family


def test_calls_are_counted_by_family_and_day() -> None:
    for _ in range(3):
        usage.count(account="111122223333", family="lambda_reads")
    usage.count(account="111122223333", family="GetMetricData", metrics=500)
    usage.count(account="111122223333", family="GetMetricData", metrics=20)
    usage.count(account="444455556666", family="lambda_reads")
    before, today = usage.of_account("111122223333", days=2, now=timezone.now())
    assert today.day == timezone.now().date()
    assert today.calls == {"GetMetricData": 2, "lambda_reads": 3}
    assert (today.total, today.metrics) == (5, 520)
    assert today.cost_usd == pytest.approx(0.0052)
    assert (before.total, before.cost_usd) == (0, 0)


def test_counts_are_kept_for_forty_days() -> None:
    usage.count(account="111122223333", family="lambda_reads")
    (key,) = connection().keys("aws:usage:111122223333:*")
    assert 39 < connection().ttl(key) / 86_400 <= 40


def test_a_count_is_not_worth_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**kwargs: object) -> None:
        raise RedisConnectionError

    monkeypatch.setattr(usage, "_script", lambda: away)
    usage.count(account="111122223333", family="lambda_reads")


def test_families_are_named_for_people_the_busiest_first() -> None:
    for family in ("lambda_reads", "lambda_reads", "GetMetricData", "of_long_ago"):
        usage.count(account="111122223333", family=family, metrics=500 * (family == "GetMetricData"))
    usage.count_throttled(account="111122223333", family="lambda_reads")
    (today,) = usage.of_account("111122223333", days=1, now=timezone.now())
    assert (today.total, today.total_throttled) == (4, 1)
    assert today.families == [
        Family("Lambda reads", 2, 1, 0.0),
        Family("CloudWatch metrics", 1, 0, 500 * usage.USD_PER_METRIC),
        Family("of_long_ago", 1, 0, 0.0),
    ]


def test_every_family_has_a_name() -> None:
    titles = [rate.title for rate in RATES.values()]
    assert all(titles)
    assert len(set(titles)) == len(titles)
