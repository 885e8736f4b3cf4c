"""Chart specifications: gaps, limits, marks."""

from datetime import datetime, timedelta
from typing import Any

from django.http import QueryDict

from observability.dashboards import charts
from observability.inventory.models import Deployment, Resource
from observability.telemetry.records import Bucket
from observability.ui.range import parse
from tests.observability.dashboards.buckets import START, STEP, buckets, rollup

NOW = START + timedelta(hours=1)
RANGE = parse(QueryDict("range=24h"), NOW)


def values(spec: dict[str, Any], label: str) -> list[float | None]:
    return next(series["y"] for series in spec["series"] if series["l"] == label)


def panels(found: list[Bucket], config: dict[str, Any], newest: datetime | None = NOW) -> dict[str, dict[str, Any]]:
    made = charts.function_panels(found, RANGE, [], config, newest)
    return {panel.title: panel.spec for panel in made}


class TestGaps:
    def test_stand_for_what_nobody_measured(self) -> None:
        spec = charts.chart(
            buckets(rollup(3), rollup(0), rollup(0)), RANGE, "count", charts.INVOCATIONS, newest=START + STEP
        )
        assert values(spec, "Invocations") == [3, 0, None]

    def test_stand_for_durations_of_nothing(self) -> None:
        found = panels(buckets(rollup(3), rollup(0)), {})
        assert values(found["Duration"], "p95")[1] is None
        assert values(found["Error rate"], "Error rate") == [0, None]

    def test_fill_the_chart_before_the_first_event(self) -> None:
        spec = charts.chart(buckets(rollup()), RANGE, "count", charts.ERRORS, newest=None)
        assert values(spec, "Errors") == [None]


class TestLimits:
    def test_memory_shows_what_is_configured(self) -> None:
        assert panels(buckets(rollup(1)), {"memory_mb": 512})["Memory used"]["lines"][0]["y"] == 512

    def test_the_timeout_is_drawn_only_where_something_timed_out(self) -> None:
        calm = panels(buckets(rollup(1)), {"timeout_s": 10.0})
        broken = panels(buckets(rollup(1, 1, timeouts=1)), {"timeout_s": 10.0})
        assert calm["Duration"]["lines"] == []
        assert broken["Duration"]["lines"] == [{"y": 10_000, "l": "timeout 10 s"}]

    def test_are_left_out_where_they_are_not_known(self) -> None:
        assert all(spec["lines"] == [] for spec in panels(buckets(rollup(1, 1, timeouts=1)), {}).values())


def test_marks_name_the_version_and_say_whether_it_was_bad() -> None:
    deployment = Deployment(pk=7, resource=Resource(name="checkout"), version="42", deployed_at=START)
    assert charts.marks([deployment], {7}) == [
        {"t": int(START.timestamp()), "label": "v42", "text": "checkout", "bad": True}
    ]


def test_without_buckets_a_chart_is_empty() -> None:
    assert charts.chart([], RANGE, "count", charts.ERRORS, newest=NOW)["t0"] == 0
