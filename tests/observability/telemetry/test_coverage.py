"""How complete the facts are, as pages tell it."""

from datetime import UTC, datetime, timedelta

import pytest

from observability.inventory.models import Resource
from observability.telemetry import coverage
from observability.telemetry.coverage import Gap, Hour, Summary
from observability.telemetry.models import Coverage
from observability.telemetry.records import Window
from observability.tenants.models import Organization

HOUR = timedelta(hours=1)
END = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DAY = Window(END - 24 * HOUR, END)


@pytest.fixture
def billing(checkout: Resource) -> Resource:
    fields = {"name": "billing", "region": "eu-west-1", "account": "123456789012"}
    moments = {"first_seen_at": END, "last_seen_at": END}
    return Resource.objects.create(
        organization=checkout.organization, arn=checkout.arn.replace("checkout", "billing"), **fields, **moments
    )


def row(resource: Resource, hours_ago: int, reported: int, seen: int, cause: str = "") -> None:
    Coverage.objects.create(
        organization=resource.organization, resource=resource, hour=END - hours_ago * HOUR, reported=reported,
        seen=seen, cause=cause,
    )  # fmt: skip


class TestSummaries:
    @pytest.fixture(autouse=True)
    def _rows(self, checkout: Resource, billing: Resource) -> None:
        row(checkout, 1, 50, 41, "behind")
        row(checkout, 2, 50, 50)
        row(checkout, 25, 70, 0, "unknown")
        row(billing, 1, 100, 103)
        row(billing, 2, 100, 90, "access_denied")

    def test_of_an_organization(self, acme: Organization) -> None:
        found = coverage.of_organization(acme.pk, DAY)
        assert found == Summary(300, 19, [Gap("access_denied", 10, 1), Gap("behind", 9, 1)])
        assert found.stored == 281
        assert found.share == pytest.approx(281 / 300)
        assert [gap.words for gap in found.gaps] == [
            "Nightjar is not allowed to read the logs",
            "the logs have not been read that far yet",
        ]

    def test_of_a_function(self, acme: Organization, checkout: Resource) -> None:
        assert coverage.of_resource(acme.pk, DAY, checkout.pk) == Summary(100, 9, [Gap("behind", 9, 1)])

    def test_of_each_function_the_worst_first(self, acme: Organization, checkout: Resource, billing: Resource) -> None:
        found = coverage.by_resource(acme.pk, DAY)
        assert list(found) == [billing.pk, checkout.pk]
        assert found[billing.pk] == Summary(200, 10, [Gap("access_denied", 10, 1)])

    def test_hour_by_hour(self, acme: Organization, checkout: Resource) -> None:
        assert coverage.by_hour(acme.pk, DAY) == [Hour(END - 2 * HOUR, 150, 10), Hour(END - HOUR, 150, 9)]
        assert coverage.by_hour(acme.pk, DAY, checkout.pk) == [Hour(END - 2 * HOUR, 50, 0), Hour(END - HOUR, 50, 9)]

    def test_others_see_nothing_of_it(self, rival: Organization, checkout: Resource) -> None:
        assert coverage.of_organization(rival.pk, DAY).share is None
        assert coverage.of_resource(rival.pk, DAY, checkout.pk).share is None
        assert coverage.by_resource(rival.pk, DAY) == {}
        assert coverage.by_hour(rival.pk, DAY) == []


def test_a_cause_without_words_is_called_by_its_name() -> None:
    assert coverage.words("some_new_cause") == "some new cause"
