"""Schedule expressions, and the moments that they stand for."""

from datetime import UTC, datetime, timedelta

import pytest

from ingest.timetable import Cron, Once, Rate, read

YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


def moments(expression: str, timezone: str = "", start: str = "2026-01-01", end: str = "2027-01-01") -> list[str]:
    """The first ones, in UTC."""
    timetable = read(expression, timezone)
    assert isinstance(timetable, Cron | Once)
    window = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end)]
    return [f"{at:%a %Y-%m-%d %H:%M}" for at in timetable.occurrences(*window)[:4]]


class TestCron:
    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ("15 10 * * ? *", ["Thu 2026-01-01 10:15", "Fri 2026-01-02 10:15"]),
            ("0 18 ? * MON-FRI *", ["Thu 2026-01-01 18:00", "Fri 2026-01-02 18:00", "Mon 2026-01-05 18:00"]),
            ("0 8 1 * ? *", ["Thu 2026-01-01 08:00", "Sun 2026-02-01 08:00"]),
            ("0/10 * ? * MON-FRI *", ["Thu 2026-01-01 00:00", "Thu 2026-01-01 00:10"]),
            ("0/5 8-17 ? * MON-FRI *", ["Thu 2026-01-01 08:00", "Thu 2026-01-01 08:05"]),
            ("*/20 9 * * ? *", ["Thu 2026-01-01 09:00", "Thu 2026-01-01 09:20", "Thu 2026-01-01 09:40"]),
            ("5/25 9 * * ? *", ["Thu 2026-01-01 09:05", "Thu 2026-01-01 09:30", "Thu 2026-01-01 09:55"]),
            ("10-30/10,50 9 * * ? *", ["Thu 2026-01-01 09:10", "Thu 2026-01-01 09:20", "Thu 2026-01-01 09:30"]),
            ("0 9 ? * 2#1 *", ["Mon 2026-01-05 09:00", "Mon 2026-02-02 09:00"]),
            ("0 9 ? * TUE#5 *", ["Tue 2026-03-31 09:00", "Tue 2026-06-30 09:00"]),
            ("0 9 ? * 6L *", ["Fri 2026-01-30 09:00", "Fri 2026-02-27 09:00"]),
            ("0 9 ? * L *", ["Sat 2026-01-03 09:00", "Sat 2026-01-10 09:00"]),
            ("0 9 L * ? *", ["Sat 2026-01-31 09:00", "Sat 2026-02-28 09:00", "Tue 2026-03-31 09:00"]),
            ("0 9 L-2 * ? *", ["Thu 2026-01-29 09:00", "Thu 2026-02-26 09:00"]),
            ("0 9 LW * ? *", ["Fri 2026-01-30 09:00", "Fri 2026-02-27 09:00"]),
            ("0 9 3W * ? *", ["Fri 2026-01-02 09:00", "Tue 2026-02-03 09:00"]),
            ("0 9 1W 8,11 ? *", ["Mon 2026-08-03 09:00", "Mon 2026-11-02 09:00"]),
            ("0 9 31W * ? *", ["Fri 2026-01-30 09:00", "Tue 2026-03-31 09:00", "Fri 2026-05-29 09:00"]),
            ("0 0 29 2 ? *", []),
            ("0 0 1 jan-mar ? *", ["Thu 2026-01-01 00:00", "Sun 2026-02-01 00:00", "Sun 2026-03-01 00:00"]),
            ("0 0 1 NOV-JAN ? *", ["Thu 2026-01-01 00:00", "Sun 2026-11-01 00:00", "Tue 2026-12-01 00:00"]),
            ("0 0 ? * SAT-MON *", ["Sat 2026-01-03 00:00", "Sun 2026-01-04 00:00", "Mon 2026-01-05 00:00"]),
            ("0 0 ? 2 1,7 *", ["Sun 2026-02-01 00:00", "Sat 2026-02-07 00:00", "Sun 2026-02-08 00:00"]),
            ("0 22-1 5 6 ? *", ["Fri 2026-06-05 00:00", "Fri 2026-06-05 01:00", "Fri 2026-06-05 22:00"]),
            ("0 0 1 1 ? 2027", []),
            ("0 0 1 1 ? 2025/1", ["Thu 2026-01-01 00:00"]),
            ("0 0 1 1 ? 2020-2026", ["Thu 2026-01-01 00:00"]),
        ],
    )
    def test_fields_say_when(self, fields: str, expected: list[str]) -> None:
        assert moments(f"cron({fields})")[: max(len(expected), 1)] == expected

    def test_a_leap_day_comes_in_leap_years(self) -> None:
        assert moments("cron(0 0 29 2 ? *)", start="2027-01-01", end="2029-01-01") == ["Tue 2028-02-29 00:00"]

    def test_windows_are_half_open(self) -> None:
        timetable, at = read("cron(0 3 * * ? *)"), datetime(2026, 5, 5, 3, tzinfo=UTC)
        assert isinstance(timetable, Cron)
        assert timetable.occurrences(at, at + timedelta(minutes=1)) == [at]
        assert timetable.occurrences(at - timedelta(minutes=1), at) == []

    def test_a_time_zone_moves_with_its_summer(self) -> None:
        daily = moments("cron(0 3 * * ? *)", "Europe/Berlin", start="2026-03-27T12:00", end="2026-03-30T12:00")
        assert daily == ["Sat 2026-03-28 02:00", "Sun 2026-03-29 01:00", "Mon 2026-03-30 01:00"]
        assert moments("cron(0 23 * * ? *)", "America/New_York")[0] == "Thu 2026-01-01 04:00"

    def test_what_the_clock_leaps_over_is_skipped(self) -> None:
        daily = moments("cron(30 2 * * ? *)", "Europe/Berlin", start="2026-03-28", end="2026-03-31")
        assert daily == ["Sat 2026-03-28 01:30", "Mon 2026-03-30 00:30"]

    def test_what_the_clock_shows_twice_comes_once(self) -> None:
        daily = moments("cron(30 2 * * ? *)", "Europe/Berlin", start="2026-10-25", end="2026-10-26")
        assert daily == ["Sun 2026-10-25 00:30"]


class TestOthers:
    @pytest.mark.parametrize(
        ("expression", "seconds"),
        [("rate(1 minute)", 60), ("rate(5 minutes)", 300), ("rate(12 hours)", 43_200), (" rate(1 day) ", 86_400)],
    )
    def test_rates(self, expression: str, seconds: int) -> None:
        assert read(expression) == Rate(timedelta(seconds=seconds))

    def test_a_single_moment(self) -> None:
        assert moments("at(2026-07-01T09:30:00)", "Europe/Berlin") == ["Wed 2026-07-01 07:30"]
        assert moments("at(2025-07-01T09:30:00)") == []

    @pytest.mark.parametrize(
        "expression",
        [
            "",
            "every day",
            "rate(0 minutes)",
            "rate(5 weeks)",
            "rate(-5 minutes)",
            "cron(0 3 * * ?)",
            "cron(60 3 * * ? *)",
            "cron(0 24 * * ? *)",
            "cron(0 3 32 * ? *)",
            "cron(0 3 * 13 ? *)",
            "cron(0 3 ? * 8 *)",
            "cron(0 3 ? * MON#6 *)",
            "cron(0 3 ? * NEVER *)",
            "cron(*/0 3 * * ? *)",
            "cron(0 3 LL * ? *)",
            "cron(0 3 ³ * ? *)",
            "at(tomorrow)",
        ],
    )
    def test_all_else_is_refused(self, expression: str) -> None:
        with pytest.raises(ValueError):  # noqa: PT011 Each has a reason of its own.
            read(expression)

    @pytest.mark.parametrize("timezone", ["Middle/Earth", "../etc/passwd", "\0"])
    def test_an_unknown_time_zone_is_refused(self, timezone: str) -> None:
        with pytest.raises(ValueError, match="time zone"):
            read("cron(0 3 * * ? *)", timezone)
