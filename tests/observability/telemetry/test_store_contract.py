"""One suite for every engine: what ``telemetry.store.Store`` promises."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DataError, transaction
from django.utils.module_loading import import_string
from msgspec.structs import replace

from observability.telemetry.daily import COUNTERS, DAILY, number
from observability.telemetry.records import (
    SKEW_DAY,
    Appended,
    Fault,
    FaultKind,
    Frame,
    Invocation,
    Level,
    LogLine,
    Outcome,
    Point,
    Reading,
    Record,
    Rollup,
    Window,
)
from observability.telemetry.sketch import quantile
from observability.telemetry.store import Store

NOW = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
THIS_MINUTE = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LAST_DAY = Window(NOW - 24 * HOUR, NOW)
ACME, RIVAL = 101, 102
CHECKOUT, BILLING = 7, 8


@pytest.fixture(params=["postgres.PostgresStore", "memory.MemoryStore"])
def store(request: pytest.FixtureRequest, db: None) -> Store:
    engine: Store = import_string(f"observability.telemetry.stores.{request.param}")()
    return engine


def some_id() -> bytes:
    return random.randbytes(16)


def invocation(at: datetime = NOW - MINUTE, **changes: object) -> Invocation:
    plain = Invocation(
        organization_id=ACME,
        resource_id=CHECKOUT,
        day=at.date(),
        event_id=some_id(),
        started_at=at,
        request_id="8f507cfc-xmpl-4697-b07a-ac58fc914c95",
        version="$LATEST",
        outcome=Outcome.SUCCESS,
        error_type="",
        cold_start=False,
        duration_ms=100.0,
        billed_ms=101,
        init_ms=None,
        memory_mb=512,
        max_memory_mb=80,
        cost_usd=0.000001,
        trace_id="",
    )
    return replace(plain, **changes)


def log_line(at: datetime = NOW - MINUTE, **changes: object) -> LogLine:
    plain = LogLine(ACME, CHECKOUT, at.date(), some_id(), at, "8f507cfc", Level.INFO, "order 17 was paid", "")
    return replace(plain, **changes)


def fault(at: datetime = NOW - MINUTE, **changes: object) -> Fault:
    frames = (Frame("/var/task/app.py", 7, "handler", "pay(order)"), Frame("/opt/lib.py", 1, "pay", own=False))
    plain = Fault(
        ACME, CHECKOUT, at.date(), some_id(), at, "8f507cfc", "3", FaultKind.EXCEPTION, "KeyError", "'id'", frames
    )
    return replace(plain, **changes)


def point(at: datetime = THIS_MINUTE, value: float = 3.0, **changes: object) -> Point:
    return replace(Point(ACME, CHECKOUT, "Invocations", "Sum", 60, at, value), **changes)


class TestAppend:
    def test_it_works(self, store: Store) -> None:
        ran, said, failed = invocation(), log_line(), fault()
        assert store.append([ran, said, failed], now=NOW) == Appended(1, 1, 1, 0)
        assert store.invocations(ACME, LAST_DAY) == [ran]
        assert store.log_lines(ACME, LAST_DAY) == [said]
        assert store.faults(ACME, LAST_DAY) == [failed]

    def test_storing_twice_is_storing_once(self, store: Store) -> None:
        records: list[Record] = [invocation(), log_line(), fault()]
        store.append(records, now=NOW)
        assert store.append(records, now=NOW) == Appended(duplicates=3)
        assert store.append([*records, invocation(outcome=Outcome.ERROR)], now=NOW) == Appended(1, 0, 0, 3)
        assert store.total(ACME, LAST_DAY).invocations == 2
        assert store.total(ACME, LAST_DAY).errors == 1

    def test_a_repeat_within_one_batch_counts_once(self, store: Store) -> None:
        ran = invocation()
        assert store.append([ran, ran, invocation()], now=NOW) == Appended(2, 0, 0, 1)
        assert store.total(ACME, LAST_DAY).invocations == 2

    def test_nothing_is_nothing(self, store: Store) -> None:
        assert store.append([], now=NOW) == Appended()
        assert store.watermark(ACME) is None

    @pytest.mark.parametrize("message", ["a\0b", "lone \ud800 surrogate"])
    def test_a_refused_value_stores_nothing(self, store: Store, message: str) -> None:
        with pytest.raises(DataError):
            store.append([log_line(), log_line(message=message)], now=NOW)

    @pytest.mark.parametrize("days", [-40, 20, 365_000])
    def test_a_day_that_cannot_be_kept_is_refused(self, store: Store, days: int) -> None:
        with pytest.raises(DataError):
            store.append([log_line(day=(NOW + timedelta(days=days)).date())], now=NOW)

    def test_a_late_event_is_stored_at_its_own_time(self, store: Store) -> None:
        at = NOW - timedelta(days=29)
        late = invocation(at)
        store.append([late], now=NOW)
        assert store.total(ACME, Window(at - HOUR, at + HOUR)).invocations == 1
        assert store.invocation(ACME, late.event_id) == late

    def test_a_skewed_event_is_stored_once_whatever_its_shown_time(self, store: Store) -> None:
        skewed = invocation(day=SKEW_DAY)
        store.append([skewed], now=NOW)
        later = replace(skewed, started_at=NOW + MINUTE)
        assert store.append([later], now=NOW + MINUTE).duplicates == 1
        assert store.invocations(ACME, LAST_DAY) == [skewed]
        assert store.total(ACME, LAST_DAY).invocations == 1


class TestRollups:
    def test_they_count_by_kind(self, store: Store) -> None:
        store.append(
            [
                invocation(),
                invocation(cold_start=True, init_ms=250.0, max_memory_mb=200),
                invocation(outcome=Outcome.TIMEOUT, duration_ms=3000.0, billed_ms=3000),
                invocation(outcome=Outcome.OUT_OF_MEMORY, memory_mb=1024),
            ],
            now=NOW,
        )
        total = store.total(ACME, LAST_DAY)
        assert (total.invocations, total.errors, total.timeouts, total.out_of_memory) == (4, 2, 1, 1)
        assert (total.cold_starts, total.init_ms, total.billed_ms, total.throttles) == (1, 250.0, 3303, 0)
        assert (total.max_memory_mb, total.memory_mb) == (200, 1024)
        assert total.duration_ms == pytest.approx(3300)
        assert total.cost_usd == pytest.approx(0.000004)

    def test_they_add_up_over_batches_functions_and_grains(self, store: Store) -> None:
        rng = random.Random(7)
        start = NOW - timedelta(days=3)
        for _ in range(6):
            batch = [
                invocation(start + timedelta(seconds=rng.randrange(3 * 86400)), resource_id=rng.choice([7, 8, 9]))
                for _ in range(50)
            ]
            store.append(batch, now=NOW)
        whole = Window(start - HOUR, NOW + HOUR)
        assert store.total(ACME, whole).invocations == 300
        assert sum(store.total(ACME, whole).durations.values()) == 300
        by_resource = store.by_resource(ACME, whole)
        assert sorted(by_resource) == [7, 8, 9]
        assert sum(standing.rollup.invocations for standing in by_resource.values()) == 300
        assert store.total(ACME, whole, [7, 8]).invocations == sum(by_resource[i].rollup.invocations for i in (7, 8))
        for step in (5 * MINUTE, HOUR, 8 * HOUR, 24 * HOUR):
            assert sum(bucket.rollup.invocations for bucket in store.series(ACME, whole, step)) == 300
            series = store.series_by_resource(ACME, whole, step, [7, 8, 9])
            assert sum(bucket.rollup.invocations for row in series.values() for bucket in row) == 300

    def test_any_window_counts_what_its_minutes_hold(self, store: Store) -> None:
        rng = random.Random(3)
        times = [NOW - timedelta(seconds=rng.randrange(4 * 86400)) for _ in range(200)]
        store.append([invocation(at) for at in times], now=NOW)
        for _ in range(20):
            start = (NOW - timedelta(minutes=rng.randrange(1, 5000))).replace(second=0)
            window = Window(start, start + timedelta(minutes=rng.randrange(5000)))
            expected = sum(window.start <= at < window.end for at in times)
            assert store.total(ACME, window).invocations == expected
            assert sum(b.rollup.invocations for b in store.series(ACME, window, 15 * MINUTE)) == expected

    def test_windows_are_half_open(self, store: Store) -> None:
        start = NOW.replace(second=0)
        store.append([invocation(start), invocation(start + MINUTE)], now=NOW)
        assert store.total(ACME, Window(start, start + MINUTE)).invocations == 1
        assert store.total(ACME, Window(start - MINUTE, start)).invocations == 0
        assert store.total(ACME, Window(start, start)).invocations == 0

    def test_a_window_that_ends_now_holds_the_running_minute(self, store: Store) -> None:
        store.append([invocation(NOW - timedelta(seconds=5))], now=NOW)
        assert store.total(ACME, Window(NOW - HOUR, NOW)).invocations == 1
        assert store.series(ACME, Window(NOW - HOUR, NOW), MINUTE)[-1].rollup.invocations == 1

    def test_midnight_separates_days(self, store: Store) -> None:
        midnight = NOW.replace(hour=0, minute=0, second=0)
        last, first = invocation(midnight - timedelta(microseconds=1)), invocation(midnight)
        store.append([last, first], now=NOW)
        days = store.series(ACME, Window(midnight - 24 * HOUR, midnight + 24 * HOUR), 24 * HOUR)
        assert [bucket.rollup.invocations for bucket in days] == [1, 1]
        assert store.invocations(ACME, Window(midnight, NOW)) == [first]

    def test_days_tell_what_each_function_did_on_each(self, store: Store) -> None:
        midnight = NOW.replace(hour=0, minute=0, second=0)
        cold = replace(invocation(cold_start=True, init_ms=25.5, duration_ms=80.25, billed_ms=106), resource_id=BILLING)
        store.append(
            [
                invocation(midnight - timedelta(microseconds=1)),
                invocation(midnight, memory_mb=256),
                invocation(memory_mb=1024, cost_usd=0.25),
                cold,
            ],
            now=NOW,
        )
        found = store.daily(ACME, Window(NOW - 24 * HOUR, NOW))
        today = number(NOW)
        assert found.dtype == DAILY
        assert found[["day", "resource_id", "invocations", "memory_mb"]].tolist() == [
            (today - 1, CHECKOUT, 1, 512), (today, CHECKOUT, 2, 1024), (today, BILLING, 1, 512),
        ]  # fmt: skip
        last = {name: found[-1][name] for name in COUNTERS}
        told = {"cold_starts": 1, "init_ms": 25.5, "duration_ms": 80.25, "billed_ms": 106}
        assert last == {"invocations": 1, "cost_usd": 0.000001, **told}
        assert found["cost_usd"].sum() == pytest.approx(0.250003)
        assert store.daily(ACME, Window(midnight, NOW), [CHECKOUT])["day"].tolist() == [today]
        assert store.daily(ACME, Window(midnight, NOW), []).tolist() == []

    def test_series_have_no_gaps_and_are_aligned(self, store: Store) -> None:
        window = Window(NOW - HOUR, NOW)
        starts = [bucket.start for bucket in store.series(ACME, window, 15 * MINUTE)]
        first = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
        assert starts == [first + 15 * MINUTE * i for i in range(5)]
        assert [b.start for b in store.series_by_resource(ACME, window, 15 * MINUTE, [1])[1]] == starts
        assert all(bucket.rollup == Rollup() for bucket in store.series(ACME, window, 15 * MINUTE))

    def test_quantiles_are_within_two_percent(self, store: Store) -> None:
        rng = random.Random(1)
        durations = sorted(rng.lognormvariate(5, 1) for _ in range(500))
        store.append([invocation(duration_ms=d) for d in durations[::2]], now=NOW)
        store.append([invocation(duration_ms=d) for d in durations[1::2]], now=NOW)
        sketch = store.total(ACME, LAST_DAY, [CHECKOUT]).durations
        for q in (0.5, 0.9, 0.95, 0.99):
            assert quantile(sketch, q) == pytest.approx(durations[int(q * 499)], rel=0.0201)
        standing = store.by_resource(ACME, LAST_DAY)[CHECKOUT]
        told = (standing.p50_ms, standing.p95_ms, standing.p99_ms)
        assert told == tuple(quantile(sketch, q) for q in (0.5, 0.95, 0.99))


class TestInvocations:
    def test_windows_are_half_open(self, store: Store) -> None:
        ran = invocation(NOW)
        store.append([ran], now=NOW)
        assert store.invocations(ACME, Window(NOW, NOW + MINUTE)) == [ran]
        assert store.invocations(ACME, Window(NOW - MINUTE, NOW)) == []

    def test_filters_narrow(self, store: Store) -> None:
        plain = invocation(request_id="a")
        failed = invocation(outcome=Outcome.ERROR, error_type="KeyError")
        cold = invocation(cold_start=True, init_ms=100.5, resource_id=BILLING)
        store.append([plain, failed, cold], now=NOW)
        assert store.invocations(ACME, LAST_DAY, outcomes=[Outcome.ERROR, Outcome.TIMEOUT]) == [failed]
        assert store.invocations(ACME, LAST_DAY, outcomes=[Outcome.SUCCESS], cold_start=False) == [plain]
        assert store.invocations(ACME, LAST_DAY, cold_start=True) == [cold]
        assert store.invocations(ACME, LAST_DAY, at_least_ms=100.1) == []
        assert len(store.invocations(ACME, LAST_DAY, at_least_ms=100)) == 3
        assert store.invocations(ACME, LAST_DAY, resource_id=BILLING) == [cold]
        assert store.invocations(ACME, LAST_DAY, request_id="a") == [plain]

    def test_pages_are_stable_while_new_rows_arrive(self, store: Store) -> None:
        same_time = [invocation() for _ in range(7)]
        store.append(same_time, now=NOW)
        page = store.invocations(ACME, LAST_DAY, limit=3)
        seen = list(page)
        while page:
            store.append([invocation(NOW - timedelta(seconds=1))], now=NOW)
            page = store.invocations(ACME, LAST_DAY, limit=3, before=(page[-1].started_at, page[-1].event_id))
            seen += page
        assert seen == sorted(same_time, key=lambda i: i.event_id, reverse=True)

    def test_one_is_found_by_its_id(self, store: Store) -> None:
        ran = invocation(init_ms=None, trace_id="1-5759e988-bd862e3fe1be46a994272793")
        store.append([ran], now=NOW)
        assert store.invocation(ACME, ran.event_id) == ran
        assert store.invocation(ACME, some_id()) is None


class TestLogLines:
    def test_search_takes_text_literally_and_ignores_case(self, store: Store) -> None:
        half, underscore = log_line(message="50% OFF"), log_line(message="a_b", attributes='{"user":"Zoe"}')
        store.append([half, underscore, log_line(message="50 and axb")], now=NOW)
        assert store.log_lines(ACME, LAST_DAY, text="50% off") == [half]
        assert store.log_lines(ACME, LAST_DAY, text="A_B") == [underscore]
        assert store.log_lines(ACME, LAST_DAY, text="zoe") == [underscore]
        assert store.log_lines(ACME, LAST_DAY, text="\\") == []

    def test_filters_narrow(self, store: Store) -> None:
        info, warn = log_line(), log_line(level=Level.WARN, request_id="r2")
        other = log_line(resource_id=BILLING)
        store.append([info, warn, other], now=NOW)
        assert store.log_lines(ACME, LAST_DAY, levels=[Level.WARN, Level.ERROR]) == [warn]
        assert store.log_lines(ACME, LAST_DAY, levels=["INFO"], resource_id=CHECKOUT) == [info]
        assert store.log_lines(ACME, LAST_DAY, request_id="r2") == [warn]
        assert store.log_lines(ACME, LAST_DAY, resource_id=BILLING) == [other]

    def test_a_listing_continues_in_either_direction(self, store: Store) -> None:
        lines = [log_line(NOW - timedelta(seconds=9 - i // 2)) for i in range(9)]
        store.append(lines, now=NOW)
        ordered = sorted(lines, key=lambda line: (line.at, line.event_id))
        for newest_first in (False, True):
            page = store.log_lines(ACME, LAST_DAY, limit=2, newest_first=newest_first)
            seen = list(page)
            while page:
                after = (page[-1].at, page[-1].event_id)
                page = store.log_lines(ACME, LAST_DAY, limit=2, newest_first=newest_first, after=after)
                seen += page
            assert seen == (ordered[::-1] if newest_first else ordered)


class TestFaults:
    def test_frames_survive(self, store: Store) -> None:
        failed = fault(message="naïve 'quotes' \\ and \n lines", kind=FaultKind.INIT_ERROR)
        store.append([failed, fault(frames=())], now=NOW)
        assert failed in store.faults(ACME, LAST_DAY)

    def test_filters_narrow(self, store: Store) -> None:
        first, second = fault(NOW - HOUR), fault(resource_id=BILLING, request_id="r2")
        store.append([first, second], now=NOW)
        assert store.faults(ACME, LAST_DAY) == [second, first]
        assert store.faults(ACME, LAST_DAY, resource_id=BILLING) == [second]
        assert store.faults(ACME, LAST_DAY, request_id="r2") == [second]
        assert store.faults(ACME, LAST_DAY, event_ids=[first.event_id, some_id()]) == [first]
        assert store.faults(ACME, LAST_DAY, limit=1) == [second]

    def test_stored_ones_are_told_batch_by_batch(self, store: Store) -> None:
        first, second, late = fault(), fault(), fault(NOW - timedelta(days=5))
        store.append([first], now=NOW)
        store.append([invocation()], now=NOW)
        store.append([second, late, first], now=NOW)
        assert store.faults_stored(ACME, after_batch=0, up_to_batch=1) == [first]
        assert store.faults_stored(ACME, after_batch=1, up_to_batch=2) == []
        assert store.faults_stored(ACME, after_batch=1, up_to_batch=3) == [late, second]
        assert store.faults_stored(RIVAL, after_batch=0, up_to_batch=9) == []


class TestPoints:
    def read(self, store: Store, window: Window = LAST_DAY, **changes: object) -> dict[int, list[Reading]]:
        asked: dict[str, object] = {"metric": "Invocations", "statistic": "Sum"} | changes
        return store.points(ACME, window, **asked)  # type: ignore[arg-type]

    def test_it_works(self, store: Store) -> None:
        start = THIS_MINUTE - 2 * MINUTE
        assert store.append_points([point(start + MINUTE, 5), point(start, 3)], now=NOW) == 2
        assert self.read(store) == {CHECKOUT: [Reading(start, 3), Reading(start + MINUTE, 5)]}

    def test_storing_twice_is_storing_once_and_a_later_value_corrects(self, store: Store) -> None:
        at = THIS_MINUTE - MINUTE
        store.append_points([point(at, 3)], now=NOW)
        assert store.append_points([point(at, 3)], now=NOW) == 0
        assert store.append_points([point(at, 4), point(at, 7), point(at + MINUTE, 0)], now=NOW) == 2
        assert self.read(store, Window(at, at + MINUTE)) == {CHECKOUT: [Reading(at, 7)]}

    def test_nothing_is_nothing(self, store: Store) -> None:
        assert store.append_points([], now=NOW) == 0
        assert self.read(store) == {}
        assert self.read(store, resource_ids=[CHECKOUT]) == {CHECKOUT: []}

    @pytest.mark.parametrize(
        "bad",
        [
            point(value=float("nan")),
            point(value=float("inf")),
            point(metric="a\0b"),
            point(NOW - timedelta(days=40)),
            point(NOW + timedelta(days=20)),
        ],
        ids=["no number", "infinite", "NUL", "too old", "far ahead"],
    )
    def test_a_refused_value_stores_nothing(self, store: Store, bad: Point) -> None:
        with pytest.raises(DataError), transaction.atomic():
            store.append_points([point(), bad], now=NOW)
        assert self.read(store, Window(NOW - HOUR, NOW + HOUR)) == {}

    @pytest.mark.parametrize(("statistic", "expected"), [("Sum", 6.0), ("Maximum", 3.0), ("Average", 2.0)])
    def test_buckets_combine_as_the_statistic_does_and_know_gaps(
        self, store: Store, statistic: str, expected: float
    ) -> None:
        start = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
        points = [point(start + MINUTE * i, i + 1.0, statistic=statistic) for i in range(3)]
        store.append_points([*points, point(start - MINUTE, 50, statistic=statistic)], now=NOW)
        window = Window(start, start + 15 * MINUTE)
        series = self.read(store, window, statistic=statistic, step=5 * MINUTE)[CHECKOUT]
        assert series == [
            Reading(start, expected),
            Reading(start + 5 * MINUTE, None),
            Reading(start + 10 * MINUTE, None),
        ]

    def test_resources_metrics_and_organizations_are_kept_apart(self, store: Store) -> None:
        others = [
            point(resource_id=BILLING, value=8),
            point(metric="Errors"),
            point(statistic="Average"),
            point(organization_id=RIVAL),
        ]
        store.append_points([point(), *others], now=NOW)
        assert {key: [r.value for r in readings] for key, readings in self.read(store).items()} == {
            CHECKOUT: [3.0], BILLING: [8.0],
        }  # fmt: skip
        assert list(self.read(store, resource_ids=[BILLING])) == [BILLING]
        assert [r.value for r in self.read(store, resource_ids=[9], step=12 * HOUR)[9]] == [None] * 3

    def test_many_metrics_of_one_resource_come_at_once(self, store: Store) -> None:
        start = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
        late = start + timedelta(seconds=59, microseconds=999_999)
        told = [
            point(start, 1), point(late, 2), point(start, 9, statistic="Maximum"), point(late, 7, statistic="Maximum"),
            point(start, 1, metric="Errors", statistic="Average"), point(late, 2, metric="Errors", statistic="Average"),
        ]  # fmt: skip
        others = [
            point(start, 5, resource_id=BILLING),
            point(start, 5, organization_id=RIVAL),
            point(start, metric="X"),
        ]
        store.append_points([*told, *others], now=NOW)
        asked = [
            ("Invocations", "Sum"),
            ("Invocations", "Maximum"),
            ("Errors", "Average"),
            ("Errors", "Sum"),
            ("Y", "Sum"),
        ]
        window = Window(start, start + 2 * MINUTE)
        found = store.measured(ACME, window, resource_id=CHECKOUT, metrics=asked, step=MINUTE)
        assert {key: [each.value for each in readings] for key, readings in found.items()} == {
            ("Invocations", "Sum"): [3, None],
            ("Invocations", "Maximum"): [9, None],
            ("Errors", "Average"): [1.5, None],
        }
        assert found["Invocations", "Sum"][1].at == start + MINUTE
        assert store.measured(ACME, window, resource_id=9, metrics=asked, step=MINUTE) == {}

    def test_many_metrics_of_all_resources(self, store: Store) -> None:
        store.append_points(
            [
                point(value=2.0),
                point(THIS_MINUTE - MINUTE, value=1.0),
                point(resource_id=BILLING, value=7.0),
                point(resource_id=BILLING, metric="Duration", statistic="Average", value=30.0),
                point(resource_id=BILLING, metric="Duration", statistic="Maximum", value=90.0),
                point(organization_id=RIVAL, value=9.0),
                point(THIS_MINUTE - HOUR, metric="Errors", value=9.0),
            ],
            now=NOW,
        )
        window = Window(THIS_MINUTE - 4 * MINUTE, THIS_MINUTE + 6 * MINUTE)
        asked = [("Invocations", "Sum"), ("Duration", "Maximum"), ("Errors", "Sum")]
        found = store.measured_by_resource(ACME, window, metrics=asked, step=5 * MINUTE)
        values = {
            key: {each: [reading.value for reading in readings] for each, readings in resources.items()}
            for key, resources in found.items()
        }
        assert values == {
            ("Invocations", "Sum"): {CHECKOUT: [1.0, 2.0, None], BILLING: [None, 7.0, None]},
            ("Duration", "Maximum"): {BILLING: [None, 90.0, None]},
        }

    def test_a_day_without_a_partition_gets_one(self, store: Store) -> None:
        at = NOW - timedelta(days=29)
        store.append_points([point(at)], now=NOW)
        assert self.read(store, Window(at, at + MINUTE)) == {CHECKOUT: [Reading(at, 3)]}


class TestWatermark:
    def test_it_counts_batches_and_never_goes_back(self, store: Store) -> None:
        store.append([invocation(NOW)], now=NOW)
        store.append([invocation(NOW - HOUR), invocation(organization_id=RIVAL)], now=NOW - MINUTE)
        mark = store.watermark(ACME)
        assert mark is not None
        assert (mark.batch, mark.stored_at, mark.latest_event_at) == (2, NOW, NOW)
        assert [(m.organization_id, m.batch) for m in store.watermarks()] == [(ACME, 2), (RIVAL, 1)]


class TestTenancy:
    def test_two_organizations_with_the_same_ids_never_meet(self, store: Store) -> None:
        ids = [some_id() for _ in range(3)]
        for owner in (ACME, RIVAL):
            mine: list[Record] = [
                invocation(organization_id=owner, event_id=ids[0]),
                log_line(organization_id=owner, event_id=ids[1]),
                fault(organization_id=owner, event_id=ids[2]),
            ]
            assert store.append(mine, now=NOW).duplicates == 0
        for owner in (ACME, RIVAL):
            assert store.total(owner, LAST_DAY).invocations == 1
            assert store.total(owner, LAST_DAY, [CHECKOUT]).invocations == 1
            assert store.by_resource(owner, LAST_DAY)[CHECKOUT].rollup.invocations == 1
            assert store.daily(owner, LAST_DAY)["invocations"].tolist() == [1]
            assert sum(b.rollup.invocations for b in store.series(owner, LAST_DAY, HOUR)) == 1
            assert len(store.series_by_resource(owner, LAST_DAY, HOUR, [CHECKOUT])) == 1
            assert [i.organization_id for i in store.invocations(owner, LAST_DAY)] == [owner]
            assert [line.organization_id for line in store.log_lines(owner, LAST_DAY)] == [owner]
            assert [f.organization_id for f in store.faults(owner, LAST_DAY)] == [owner]
            found = store.invocation(owner, ids[0])
            assert found is not None
            assert found.organization_id == owner
            assert len(store.faults_stored(owner, after_batch=0, up_to_batch=1)) == 1
