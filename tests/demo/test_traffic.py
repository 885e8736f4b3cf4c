"""The demo's story: believable, repeatable, and understood by our own parsers."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from demo.catalogue import BAD_RELEASES, CATALOGUE, FAILURE_SHARES, SLOW
from demo.failures import FAILURES
from demo.play import slices
from demo.releases import release, slowness
from demo.telemetry import Run, event_id, events, own_events, reports
from demo.traffic import rhythm, runs, told_between
from ingest.parser import Batch, Event, FunctionInfo
from ingest.parsers import parse, told
from observability.telemetry.environment import Metric
from observability.telemetry.records import Fault, FaultKind, Invocation, LogLine, Outcome

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
KINDS = {"timeout": FaultKind.TIMEOUT, "out_of_memory": FaultKind.OUT_OF_MEMORY}


def records(run: Run, told: list[dict[str, Any]] | None = None) -> list[Invocation | LogLine | Fault]:
    found = [
        Event(
            bytes.fromhex(e["id"].replace("-", "")),
            NOW.date(),
            datetime.fromisoformat(e["time"]),
            e["type"],
            e["record"],
        )
        for e in told or events(run, "42")
    ]
    function = FunctionInfo(arn=run.function.arn, memory_mb=run.function.memory_mb, architecture="arm64", version="42")
    return list(parse(Batch(1, 2, function, run.function.region, found)))


def run(failure: str = "", *, cold: bool = False) -> Run:
    return Run(CATALOGUE[1], NOW, 120.0, cold, failure, 0)


def failures(found: list[Invocation | LogLine | Fault]) -> list[tuple[object, ...]]:
    return [(each.kind, each.type, each.message) for each in found if isinstance(each, Fault)]


class TestStory:
    def test_is_the_same_when_told_again(self) -> None:
        hour = NOW - timedelta(hours=1)
        assert list(told_between(hour, NOW, NOW, NOW)) == list(told_between(hour, NOW, NOW, NOW))

    def test_tells_each_event_once_however_it_is_sliced(self) -> None:
        start = NOW - timedelta(minutes=30)
        middle = NOW - timedelta(minutes=11, seconds=7)
        whole = [e["id"] for body in told_between(start, NOW, NOW, NOW) for e in body["events"]]
        parts = [
            e["id"]
            for window in ((start, middle), (middle, NOW))
            for body in told_between(*window, NOW, NOW)
            for e in body["events"]
        ]
        assert sorted(parts) == sorted(whole)
        assert len(set(whole)) == len(whole)

    def test_is_busy_by_day_and_quiet_by_night(self) -> None:
        assert rhythm(NOW.replace(hour=15)) > 2 * rhythm(NOW.replace(hour=3))

    def test_fills_pages_from_the_right(self) -> None:
        cut = list(slices(NOW - timedelta(hours=2, minutes=30), NOW))
        assert cut[0][1] == NOW
        assert all(later[0] == earlier[1] for later, earlier in pairwise(cut))
        assert cut[-1][0] == NOW - timedelta(hours=2, minutes=30)


class TestReleases:
    def test_a_bad_one_is_live_when_the_demo_first_starts_and_fixed_soon_after(self) -> None:
        function = next(f for f in CATALOGUE if f.name in BAD_RELEASES)
        assert release(function, NOW, NOW) == ("42", True)
        assert release(function, NOW + timedelta(minutes=30), NOW) == ("43", False)
        assert release(function, NOW + timedelta(hours=26), NOW) == ("44", True)
        assert release(function, NOW - timedelta(hours=24), NOW) == ("41", False)

    def test_before_the_first_round_all_was_well(self) -> None:
        function = next(f for f in CATALOGUE if f.name in BAD_RELEASES)
        days = [NOW - timedelta(hours=hours) for hours in range(1, 14 * 24)]
        assert {release(function, at, NOW) for at in days} == {("41", False)}
        slow = next(f for f in CATALOGUE if f.name == SLOW)
        assert {slowness(slow, at, NOW) for at in days} == {1.0}


class TestSlowness:
    def test_is_there_when_the_demo_first_starts_and_over_soon_after(self) -> None:
        slow, other = (next(f for f in CATALOGUE if (f.name == SLOW) is wanted) for wanted in (True, False))
        assert slowness(slow, NOW, NOW) == 3
        assert slowness(slow, NOW + timedelta(minutes=20), NOW) == 1
        assert slowness(slow, NOW + timedelta(hours=26), NOW) == 3
        assert slowness(other, NOW, NOW) == 1

    def test_makes_runs_longer_and_no_failures(self) -> None:
        slow = next(f for f in CATALOGUE if f.name == SLOW)
        usual = runs(slow, NOW, NOW + timedelta(days=1))
        longer = runs(slow, NOW, NOW)
        assert [run.duration_ms for run in longer] == pytest.approx([3 * run.duration_ms for run in usual])
        assert [run.failure for run in longer] == [run.failure for run in usual] == [""] * len(usual)


class TestFailures:
    def test_every_named_failure_exists(self) -> None:
        named = {failure for shares in FAILURE_SHARES.values() for failure in shares} | set(BAD_RELEASES.values())
        assert named == set(FAILURES)

    @pytest.mark.parametrize("failure", FAILURES)
    def test_is_understood_by_the_parsers(self, failure: str) -> None:
        found = records(run(failure))
        (fault,) = [record for record in found if isinstance(record, Fault)]
        assert fault.kind == KINDS.get(failure, FaultKind.INIT_ERROR if "import" in failure else FaultKind.EXCEPTION)
        if failure not in KINDS:
            assert fault.type
            assert fault.message

    @pytest.mark.parametrize("failure", ["", *FAILURES])
    def test_of_long_ago_means_the_same(self, failure: str) -> None:
        known = run(failure, cold=True)
        brief, whole = records(known, reports(known, "42")), records(known)
        assert failures(brief) == failures(whole)
        (invocation,) = [record for record in brief if isinstance(record, Invocation)]
        assert invocation.duration_ms == pytest.approx(known.duration_ms)
        assert invocation.cold_start
        assert invocation.cost_usd > 0

    def test_a_cold_success_is_told_whole(self) -> None:
        (invocation,) = [record for record in records(run(cold=True)) if isinstance(record, Invocation)]
        assert invocation.outcome == Outcome.SUCCESS
        assert invocation.cold_start
        assert invocation.init_ms
        assert invocation.cost_usd > 0


class TestExtension:
    def test_tells_of_itself_what_our_parsers_understand(self) -> None:
        at = NOW.replace(minute=30)
        events_ = [
            Event(bytes.fromhex(e["id"].replace("-", "")), at.date(), at, e["type"], e["record"])
            for e in own_events(Run(CATALOGUE[9], at, 120.0, True, "", 0))
        ]
        batch = Batch(1, 2, FunctionInfo(arn=CATALOGUE[9].arn, version="42"), "us-east-1", events_)
        found = told(batch)
        assert {point.metric for point in found.points} >= {Metric.INVOCATIONS, Metric.HELD, Metric.MEMORY}
        assert found.unzipped is not None
        assert set(found.extensions) == {"nightjar", "lambda-insights"}


class TestEventId:
    def test_is_a_version_7_uuid_of_its_time(self) -> None:
        identity = event_id(NOW, "seed")
        assert identity[14] == "7"
        assert int(identity.replace("-", "")[:12], 16) == int(NOW.timestamp() * 1000)
