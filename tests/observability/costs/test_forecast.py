"""What a month will have cost: with enough days a good guess, with too few none."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from observability.costs.forecast import Forecast, forecast, usual
from observability.telemetry.records import Window

DAY = timedelta(days=1)
NOVEMBER = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
WEEK = [1.2, 1.2, 1.2, 1.2, 1.2, 0.5, 0.5]
"""Busy from Monday to Friday."""


def days(start: date, count: int, usd: float = 10.0, noise: float = 0.0, seed: int = 1) -> dict[date, float]:
    rng = random.Random(seed)
    dates = [start + n * DAY for n in range(count)]
    return {day: usd * WEEK[day.weekday()] * rng.lognormvariate(0, noise) for day in dates}


def foretold(known: dict[date, float], now: datetime, *, today: float = 0.0, standing: float = 0.0) -> Forecast:
    this_month = sum(usd for day, usd in known.items() if day >= NOVEMBER.start.date())
    return forecast(
        month=NOVEMBER, now=now, to_date=this_month + today, today=today, days=known, standing_per_day=standing
    )


def test_a_regular_month_is_foretold_exactly() -> None:
    known = days(date(2026, 10, 1), 31 + 14)
    found = foretold(known, datetime(2026, 11, 15, tzinfo=UTC))
    assert found.expected == pytest.approx(sum(days(date(2026, 11, 1), 30).values()))
    assert found.expected is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.expected < found.high
    assert [day for day, *_ in found.path] == [date(2026, 11, 15) + n * DAY for n in range(16)]


def test_eight_of_ten_months_end_within_the_band() -> None:
    inside = 0
    for seed in range(200):
        whole = days(date(2026, 10, 1), 61, noise=0.2, seed=seed)
        known = {day: usd for day, usd in whole.items() if day < date(2026, 11, 12)}
        found = foretold(known, datetime(2026, 11, 12, tzinfo=UTC))
        assert found.low is not None
        assert found.high is not None
        inside += found.low <= sum(usd for day, usd in whole.items() if day.month == 11) <= found.high
    assert 140 <= inside <= 195


def test_one_bad_day_does_not_change_what_is_usual() -> None:
    known = days(date(2026, 10, 1), 31 + 14)
    known[date(2026, 11, 11)] *= 40
    found = usual(known)
    assert found is not None
    assert found.level == pytest.approx(10, rel=0.05)


def test_a_new_level_is_believed_after_four_days() -> None:
    known = days(date(2026, 10, 1), 31 + 10) | days(date(2026, 11, 11), 4, usd=30)
    found = usual(known)
    assert found is not None
    assert found.level == pytest.approx(30, rel=0.05)


@pytest.mark.parametrize(("count", "lacking"), [(0, "3 more whole days"), (2, "1 more whole day.")])
def test_the_first_days_say_that_there_is_too_little(count: int, lacking: str) -> None:
    found = foretold(days(date(2026, 11, 1), count), datetime(2026, 11, 1 + count, 12, tzinfo=UTC), today=1.0)
    assert found.expected is None
    assert lacking in found.lacking
    assert found.path == ()


def test_few_days_make_a_wide_band() -> None:
    narrow, wide = (
        foretold(days(start, count), datetime(2026, 11, 15, tzinfo=UTC))
        for start, count in ((date(2026, 10, 1), 45), (date(2026, 11, 11), 4))
    )
    assert narrow.high is not None
    assert narrow.low is not None
    assert wide.high is not None
    assert wide.low is not None
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)


def test_what_stands_is_carried_on_to_the_hour() -> None:
    """At noon of the 30th half a day is left; of what runs today more is not expected than came already."""
    known = dict.fromkeys((date(2026, 11, n) for n in range(1, 30)), 0.0)
    found = foretold(known, datetime(2026, 11, 30, 12, tzinfo=UTC), standing=8.0)
    assert found.expected == pytest.approx(4.0)


def test_today_is_never_expected_to_cost_less_than_it_has() -> None:
    known = days(date(2026, 10, 1), 31 + 29)
    found = foretold(known, datetime(2026, 11, 30, 12, tzinfo=UTC), today=500.0)
    assert found.expected == pytest.approx(found.to_date)
    assert found.low == found.to_date
