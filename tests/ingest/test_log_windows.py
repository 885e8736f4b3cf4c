"""Which stretch is read next: nothing is left out, nothing is read more often than needed."""

import random
from datetime import timedelta

import pytest

from ingest.log_windows import (
    COLD,
    HOT,
    LATE,
    PAGE,
    SETTLE,
    SWEEP_EVERY,
    Outcome,
    Place,
    advanced,
    beyond,
    readings,
    wait,
)
from observability.telemetry.records import Window
from tests.ingest.logs import HOUR, MINUTE, NOW, SECOND

FRESH = Place(NOW - 20 * SECOND, NOW - LATE)


def read(place: Place, window: Window, *, events: int = 0, now: object = NOW, new: int | None = None) -> Place:
    return advanced(place, window, Outcome(window.end, True, events, events if new is None else new, NOW))


def test_a_group_is_read_up_to_a_moment_ago_and_a_little_of_before_again() -> None:
    assert readings(FRESH, now=NOW) == [Window(NOW - 20 * SECOND - 2 * MINUTE, NOW - SETTLE)]


def test_the_overlap_of_a_busy_group_is_half_a_page() -> None:
    busy = Place(NOW - 20 * SECOND, NOW - LATE, pace=250.0)
    assert readings(busy, now=NOW)[0].start == busy.read_until - timedelta(seconds=10)
    assert readings(Place(NOW, NOW - LATE, pace=1e6), now=NOW)[0].start == NOW - 2 * SECOND


def test_a_sweep_of_a_quiet_group_is_part_of_the_same_reading() -> None:
    place = Place(NOW - 20 * SECOND, NOW - LATE - SWEEP_EVERY, pace=1.0)
    [window] = readings(place, now=NOW)
    assert window == Window(place.swept_until, NOW - SETTLE)
    after = read(place, window, events=3)
    assert (after.read_until, after.swept_until) == (NOW - SETTLE, NOW - LATE)


def test_a_sweep_of_a_busy_group_reads_only_what_is_complete_by_now() -> None:
    place = Place(NOW - 20 * SECOND, NOW - LATE - SWEEP_EVERY, pace=100.0)
    live, sweep = readings(place, now=NOW)
    assert live.end == NOW - SETTLE
    assert sweep == Window(place.swept_until, NOW - LATE)
    after = read(place, live, events=100)
    assert (after.read_until, after.swept_until) == (NOW - SETTLE, place.swept_until)
    after = read(after, sweep, events=100)
    assert (after.read_until, after.swept_until) == (NOW - SETTLE, NOW - LATE)


def test_after_an_outage_it_is_one_long_reading() -> None:
    place = Place(NOW - 5 * HOUR, NOW - 5 * HOUR - LATE, pace=1000.0)
    assert readings(place, now=NOW) == [Window(place.swept_until, NOW - SETTLE)]


def test_a_reading_that_was_cut_short_goes_on_where_it_ended() -> None:
    place = Place(NOW - 5 * HOUR, NOW - 5 * HOUR - LATE, idle=3)
    window = Window(place.swept_until, NOW - SETTLE)
    after = advanced(place, window, Outcome(NOW - 4 * HOUR, False, 3 * PAGE, 3 * PAGE, NOW))
    assert (after.read_until, after.swept_until, after.idle) == (NOW - 4 * HOUR, NOW - 4 * HOUR, 0)
    assert after.pace == pytest.approx(3 * PAGE / (HOUR + LATE).total_seconds())
    early = advanced(place, window, Outcome(place.swept_until + MINUTE, False, 9, 9, NOW))
    assert (early.read_until, early.swept_until) == (place.read_until, place.swept_until + MINUTE)


@pytest.mark.parametrize("swept", [5 * HOUR, LATE + SWEEP_EVERY, LATE, MINUTE])
@pytest.mark.parametrize("behind", [timedelta(), MINUTE, 3 * MINUTE])
def test_a_reading_cut_short_as_soon_as_it_may_be_gets_on(swept: timedelta, behind: timedelta) -> None:
    place = Place(NOW - swept + behind, NOW - swept, pace=1000.0)
    for window in readings(place, now=NOW):
        until = beyond(place, window, now=NOW) + timedelta(milliseconds=1)
        after = advanced(place, window, Outcome(until, False, 10, 0, NOW))
        assert (after.read_until, after.swept_until) > (place.read_until, place.swept_until)


def test_a_clock_that_was_set_back_moves_nothing() -> None:
    place = Place(NOW + HOUR, NOW + HOUR - LATE)
    [window] = readings(place, now=NOW)
    assert window.start <= window.end
    after = read(place, window)
    assert (after.read_until, after.swept_until) == (place.read_until, place.swept_until)


def test_idle_groups_wait_longer_and_longer() -> None:
    waits = [wait(idle, 0.5) for idle in range(8)]
    assert waits[:3] == [HOT, 2 * HOT, 4 * HOT]
    assert waits[-1] == COLD
    assert wait(10_000, 1.0) == 1.1 * COLD
    assert wait(0, 0.0) == HOT


def test_only_live_readings_tell_that_a_group_is_idle() -> None:
    place = Place(NOW - 20 * SECOND, NOW - LATE - SWEEP_EVERY, pace=100.0)
    live, sweep = readings(place, now=NOW)
    assert read(place, live, events=50, new=0).idle == 1
    assert read(place, sweep, events=50, new=0).idle == 0
    assert read(Place(NOW, NOW, idle=5), live, events=1).idle == 0


@pytest.mark.parametrize("seed", range(5))
def test_every_moment_is_read_when_it_is_new_and_again_when_it_is_complete(seed: int) -> None:
    """Ten hours of random turns and paces: each moment is in a reading that began ``LATE`` or more after it."""
    chance = random.Random(seed)
    place, now = Place(NOW, NOW), NOW
    live_until, complete_until = NOW, NOW
    while now < NOW + 10 * HOUR:
        now += timedelta(seconds=chance.choice([10, 20, 40, 600, 4_000]))
        for window in readings(place, now=now):
            assert window.start <= live_until or window.start <= complete_until
            events = int(chance.choice([0, 1, 100]) * (window.end - window.start).total_seconds())
            place = advanced(place, window, Outcome(window.end, True, events, events, now))
            live_until = max(live_until, window.end)
            if window.start <= complete_until:
                complete_until = max(complete_until, min(window.end, now - LATE))
        assert place.read_until == live_until == now - SETTLE
        assert place.swept_until <= complete_until
        assert now - place.swept_until < LATE + SWEEP_EVERY
