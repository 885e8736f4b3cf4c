"""Which partition an event lands in and when it is said to have happened; a retry must find the first copy."""

from datetime import UTC, datetime, timedelta

import pytest

from ingest.clock import EPOCH, MILLISECOND, compare, is_too_old, partition, shown_at
from observability.telemetry.records import SKEW_DAY

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def ms(at: datetime) -> int:
    return (at - EPOCH) // MILLISECOND


class TestTooOld:
    @pytest.mark.parametrize(
        ("age", "refused"),
        [(40 * DAY, True), (31 * DAY, True), (30 * DAY + MINUTE, True), (30 * DAY, False), (-2 * DAY, False)],
    )
    def test_events_of_more_than_30_days_are_refused(self, age: timedelta, refused: bool) -> None:
        assert is_too_old(compare(NOW, NOW), NOW - age) is refused

    def test_the_ends_of_the_calendar_do_no_harm(self) -> None:
        clock = compare(NOW, datetime.min.replace(tzinfo=UTC))
        assert is_too_old(clock, datetime.min.replace(tzinfo=UTC))
        assert shown_at(compare(NOW, datetime.max.replace(tzinfo=UTC)), datetime.max.replace(tzinfo=UTC)) == NOW


class TestShownAt:
    @pytest.mark.parametrize("offset", [-72 * HOUR, -MINUTE, timedelta(), 5 * MINUTE, -29 * DAY])
    def test_an_event_in_bounds_keeps_its_own_time(self, offset: timedelta) -> None:
        assert shown_at(compare(NOW, NOW), NOW + offset) == NOW + offset

    @pytest.mark.parametrize("offset", [11 * MINUTE, 48 * HOUR])
    def test_an_event_of_the_future_is_shown_at_arrival(self, offset: timedelta) -> None:
        assert shown_at(compare(NOW, NOW), NOW + offset) == NOW

    @pytest.mark.parametrize("drift", [56 * MINUTE, 5 * HOUR, -56 * MINUTE, -48 * HOUR])
    def test_a_clock_wrong_by_55_minutes_or_more_is_corrected(self, drift: timedelta) -> None:
        sent = NOW - drift
        assert shown_at(compare(NOW, sent), sent - MINUTE) == NOW - MINUTE

    def test_a_body_that_waited_for_a_day_is_not_corrected(self) -> None:
        sent = NOW - DAY
        assert shown_at(compare(NOW, sent), sent - MINUTE) == sent - MINUTE


class TestPartition:
    @pytest.mark.parametrize("offset", [-30 * DAY, -72 * HOUR, -9 * HOUR, timedelta(), 10 * MINUTE])
    def test_the_day_is_that_of_the_id(self, offset: timedelta) -> None:
        assert partition(compare(NOW, NOW), ms(NOW + offset)) == (NOW + offset).date()

    @pytest.mark.parametrize("id_ms", [0, 2**48 - 1, ms(NOW + 11 * MINUTE), ms(NOW - 31 * DAY)])
    def test_an_id_that_cannot_be_true_goes_to_the_one_skew_day(self, id_ms: int) -> None:
        assert partition(compare(NOW, NOW), id_ms) == SKEW_DAY

    @pytest.mark.parametrize("ahead", [12 * MINUTE, HOUR, 48 * HOUR])
    @pytest.mark.parametrize("age", [timedelta(), 20 * MINUTE, 50 * HOUR])
    def test_all_ids_of_a_fast_clock_go_there_however_old(self, ahead: timedelta, age: timedelta) -> None:
        assert partition(compare(NOW, NOW + ahead), ms(NOW + ahead - age)) == SKEW_DAY

    @pytest.mark.parametrize("drift", [-48 * HOUR, -12 * MINUTE, -5 * MINUTE, timedelta(), 56 * MINUTE, 9 * HOUR])
    def test_a_retry_with_a_new_sent_at_finds_the_first_copy(self, drift: timedelta) -> None:
        id_ms = ms(NOW - drift - MINUTE)
        days = {
            partition(compare(NOW + later, NOW + later - drift), id_ms)
            for later in (timedelta(), 10 * timedelta(seconds=1), 3 * MINUTE, HOUR)
        }
        assert len(days) == 1

    @pytest.mark.parametrize("later", [MINUTE, 54 * MINUTE, HOUR, 20 * HOUR, 24 * HOUR, 29 * DAY])
    def test_the_very_same_body_again_finds_the_first_copy(self, later: timedelta) -> None:
        assert partition(compare(NOW, NOW), ms(NOW)) == partition(compare(NOW + later, NOW), ms(NOW))

    @pytest.mark.parametrize("drift", [56 * MINUTE, 23 * HOUR, 25 * HOUR, 29 * DAY, -HOUR, -48 * HOUR])
    def test_the_time_shown_is_at_most_a_day_from_the_partition(self, drift: timedelta) -> None:
        own = NOW - drift
        clock = compare(NOW, own)
        day = partition(clock, ms(own))
        assert day == SKEW_DAY or abs(shown_at(clock, own).date() - day) <= DAY
