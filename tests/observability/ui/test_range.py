"""The time range control: what the URL says, and what the reader sees."""

from datetime import UTC, datetime, timedelta

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from observability.ui.range import DEFAULT, MAX_BUCKETS, PRESETS, TimeRange, parse

NOW = datetime(2026, 11, 23, 9, 39, 46, tzinfo=UTC)


def read(text: str) -> TimeRange:
    return parse(QueryDict(text), NOW)


def at(day: int, clock: str, month: int = 11, year: int = 2026) -> datetime:
    hour, minute = clock.split(":")
    return datetime(year, month, day, int(hour), int(minute), tzinfo=UTC)


class TestPreset:
    @pytest.mark.parametrize("key", PRESETS)
    def test_ends_now_in_at_most_96_whole_buckets(self, key: str) -> None:
        chosen = read(f"range={key}")
        assert (chosen.key, chosen.label, chosen.error, chosen.live) == (key, PRESETS[key], "", True)
        assert chosen.end == NOW
        assert chosen.buckets <= MAX_BUCKETS
        assert chosen.start.timestamp() % chosen.step.total_seconds() == 0

    def test_is_24_hours_when_nothing_is_asked_for(self) -> None:
        assert read("").key == DEFAULT

    def test_of_24_hours_has_buckets_of_15_minutes(self) -> None:
        assert read("range=24h").step == timedelta(minutes=15)
        assert read("range=24h").buckets == 96

    def test_stays_relative_in_links(self) -> None:
        assert read("range=3h").query == "range=3h"


class TestTypedText:
    @pytest.mark.parametrize(
        ("text", "span"),
        [
            ("now-3h", timedelta(hours=3)),
            ("now - 90m", timedelta(minutes=90)),
            ("last 2 days", timedelta(days=2)),
            ("45 min", timedelta(minutes=45)),
            ("2w", timedelta(days=14)),
        ],
    )
    def test_of_a_span_reaches_back_from_now(self, text: str, span: timedelta) -> None:
        chosen = read(f"range={text}")
        assert chosen.error == ""
        assert chosen.live
        assert abs(chosen.end - chosen.start - span) <= chosen.step

    @pytest.mark.parametrize(
        ("text", "start", "end"),
        [
            ("21 Nov 09:00 to 11:30", at(21, "09:00"), at(21, "11:30")),
            ("21 November 2026 09:00 until 22 Nov 01:00", at(21, "09:00"), at(22, "01:00")),
            ("Nov 21, 09:00 to 10:00", at(21, "09:00"), at(21, "10:00")),
            ("2026-11-21 09:00 to 2026-11-21 11:30", at(21, "09:00"), at(21, "11:30")),
            ("2026-11-21T09:00:00Z to 2026-11-21T13:30:00+02:00", at(21, "09:00"), at(21, "11:30")),
            ("yesterday", at(22, "00:00"), at(23, "00:00")),
            ("21 Nov", at(21, "00:00"), at(22, "00:00")),
            ("today", at(23, "00:00"), NOW),
            ("08:00 to 09:00", at(23, "08:00"), at(23, "09:00")),
            ("21 Nov 09:00", at(21, "09:00"), NOW),
            ("24 Dec", at(24, "00:00", 12, 2025), at(25, "00:00", 12, 2025)),
            ("now-3h to now-1h", NOW - timedelta(hours=3), NOW - timedelta(hours=1)),
        ],
    )
    def test_of_two_moments_stands_still(self, text: str, start: datetime, end: datetime) -> None:
        chosen = parse(QueryDict(mutable=True) | {"range": text}, NOW)  # type: ignore[arg-type]  # A dict reads alike.
        assert chosen.error == ""
        assert start - chosen.step < chosen.start <= start
        assert chosen.end == end
        assert chosen.key == ""

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("range=half past nine", "is not a time"),
            ("range=31 Feb 09:00 to 10:00", "is not a time"),
            ("range=21 Nov 27:00 to 28:00", "is not a time"),
            ("range=21 Nov 11:00 to 09:00", "ends before it begins"),
            ("range=2027-01-01", "future"),
            ("range=900d", "400 days"),
            ("from=soon", "is not a time"),
            ("from=1763700000&to=1700000000", "ends before it begins"),
            ("from=1163700000", "longer than 400 days"),
            ("from=99999999999", "future"),
        ],
    )
    def test_that_cannot_be_read_gives_the_default_and_says_why(self, text: str, words: str) -> None:
        chosen = read(text.replace(" ", "%20"))
        assert words in chosen.error
        assert chosen.key == DEFAULT

    @given(st.text(max_size=80))
    def test_never_fails(self, text: str) -> None:
        query = QueryDict(mutable=True)
        query["range"] = text
        chosen = parse(query, NOW)
        assert chosen.start < chosen.end <= NOW
        assert chosen.buckets <= MAX_BUCKETS


class TestFixed:
    def test_from_and_to_are_epoch_seconds(self) -> None:
        chosen = read("from=1795338000&to=1795345200")
        assert (chosen.start, chosen.end) == (datetime.fromtimestamp(1795338000, UTC), chosen.end)
        assert chosen.query == "from=1795338000&to=1795345200"
        assert not chosen.live

    def test_without_an_end_reaches_now(self) -> None:
        assert read("from=2026-11-23T09:00:00Z").end == NOW

    def test_of_seconds_is_widened_to_a_minute(self) -> None:
        chosen = read("from=1795338000&to=1795338005")
        assert chosen.end - chosen.start == timedelta(minutes=1)

    def test_label_says_the_date_once_on_one_day(self) -> None:
        assert read("range=21%20Nov%2009:00%20to%2011:30").label == "21 Nov 09:00 to 11:30"
        assert read("range=21%20Nov%2009:00%20to%2022%20Nov%2011:30").label == "21 Nov 09:00 to 22 Nov 11:30"

    @given(st.integers(1, 400 * 24 * 3600), st.integers(0, 10**7))
    def test_never_has_more_than_96_buckets(self, seconds: int, ago: int) -> None:
        end = int(NOW.timestamp()) - ago
        chosen = read(f"from={end - seconds}&to={end}")
        assert chosen.error == ""
        assert chosen.buckets <= MAX_BUCKETS


class TestRange:
    def test_knows_the_time_before_it(self) -> None:
        chosen = read("from=1795338000&to=1795345200")
        assert chosen.previous.end == chosen.start
        assert chosen.previous.end - chosen.previous.start == chosen.window.end - chosen.window.start

    def test_can_be_frozen_for_a_link(self) -> None:
        assert read("range=1h").fixed_query.endswith(f"to={int(NOW.timestamp())}")
