"""Charts of what CloudWatch measured."""

from datetime import datetime, timedelta

import pytest
from django.http import QueryDict
from django.utils import timezone

from ingest.collectors.resource_metrics import MEASURED
from observability.dashboards.measured import CHARTS, panels
from observability.inventory.models import Resource
from observability.telemetry.partitions import maintain
from observability.telemetry.records import Point
from observability.telemetry.store import get_store
from observability.ui.range import parse


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def pulled(checkout: Resource, now: datetime) -> Resource:
    maintain(now=now)
    checkout.listed_at = now
    return checkout


def measure(resource: Resource, now: datetime, metric: str, statistic: str, *values: float) -> None:
    start = now.replace(second=0, microsecond=0) - timedelta(minutes=len(values))
    points = [
        Point(resource.organization_id, resource.pk, metric, statistic, 60, start + timedelta(minutes=number), value)
        for number, value in enumerate(values)
    ]
    get_store().append_points(points, now=now)


def titles(resource: Resource, now: datetime) -> list[str]:
    return [panel.title for panel in panels(resource, parse(QueryDict("range=15m"), now))]


def test_show_what_there_is(pulled: Resource, now: datetime) -> None:
    measure(pulled, now, "ConcurrentExecutions", "Maximum", 2, 5, 3)
    (panel,) = panels(pulled, parse(QueryDict("range=15m"), now))
    assert panel.title == "Concurrent executions"
    (series,) = panel.spec["series"]
    assert [value for value in series["y"] if value is not None] == [2, 5, 3]
    assert None in series["y"]


def test_a_function_that_was_never_throttled_has_no_chart_of_it(pulled: Resource, now: datetime) -> None:
    measure(pulled, now, "Throttles", "Sum", 0, 0)
    assert titles(pulled, now) == []
    measure(pulled, now, "Throttles", "Sum", 0, 3)
    assert titles(pulled, now) == ["Throttles"]


def test_a_function_that_is_not_pulled_has_none(checkout: Resource, now: datetime) -> None:
    maintain(now=now)
    measure(checkout, now, "Throttles", "Sum", 3)
    assert titles(checkout, now) == []


class TestOtherResources:
    @pytest.fixture
    def queue(self, pulled: Resource, now: datetime) -> Resource:
        return Resource.objects.create(
            organization=pulled.organization, type="sqs_queue", arn="arn:aws:sqs:eu-west-1:1:orders", name="orders",
            region="eu-west-1", account="1", first_seen_at=now, last_seen_at=now, listed_at=now,
        )  # fmt: skip

    def test_show_several_lines_in_one_unit(self, queue: Resource, now: datetime) -> None:
        measure(queue, now, "ApproximateNumberOfMessagesVisible", "Maximum", 0, 7)
        measure(queue, now, "ApproximateNumberOfMessagesNotVisible", "Maximum", 2, 1)
        measure(queue, now, "ApproximateAgeOfOldestMessage", "Maximum", 90, 150)
        content, age = panels(queue, parse(QueryDict("range=15m"), now))
        assert [series["l"] for series in content.spec["series"]] == ["Waiting", "Being handled"]
        assert [value for value in age.spec["series"][0]["y"] if value is not None] == [90_000, 150_000]

    def test_that_did_little_show_little(self, queue: Resource, now: datetime) -> None:
        assert titles(queue, now) == []
        measure(queue, now, "ApproximateNumberOfMessagesVisible", "Maximum", 0, 0)
        measure(queue, now, "ApproximateAgeOfOldestMessage", "Maximum", 0, 0)
        assert titles(queue, now) == ["Messages in the queue"]
        (panel,) = panels(queue, parse(QueryDict("range=15m"), now))
        assert [series["l"] for series in panel.spec["series"]] == ["Waiting"]


def test_everything_that_is_read_is_drawn() -> None:
    drawn = {type_: {line.metric for chart in charts for line in chart.lines} for type_, charts in CHARTS.items()}
    for type_, measured in MEASURED.items():
        assert {measure.metric for measure in measured.signs + measured.details} == drawn[type_]
