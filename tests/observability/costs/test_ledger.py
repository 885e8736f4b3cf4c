"""The table of what everything cost: out of what was stored, and out of how functions were configured when."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from observability.costs import reading
from observability.costs.bill import Bill, Charge, Configuration, Usage, used
from observability.costs.history import Change, Function, configuration, periods
from observability.costs.ledger import LINES, ledger, month_of
from observability.inventory.models import Deployment, Resource
from observability.telemetry.daily import DAILY, number
from observability.telemetry.partitions import maintain
from observability.telemetry.pricing import invocation_usd
from observability.telemetry.records import Invocation, Outcome, Window
from observability.telemetry.store import get_store
from observability.tenants.models import Organization

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FIRST = datetime(2026, 11, 1, tzinfo=UTC)
NOVEMBER = month_of(FIRST)
X86 = {"memory_mb": 1024, "architecture": "x86_64"}


def function(number: int = 1, *, changes: tuple[Change, ...] = (), **config: Any) -> Function:
    return Function(number, f"f{number}", "us-east-1", "1" * 12, {**X86, **config}, FIRST - 90 * DAY, None, changes)


def ran(usage: Usage, told: Configuration, *, day: int = 1, resource_id: int = 1) -> tuple[Any, ...]:
    """A day as it is stored, with what it cost when it came in: that is the sum of the bill's lines."""
    duration = usage.billed_ms - usage.init_ms
    cold = usage.restores or (10 if usage.init_ms else 0)
    usd = used(usage, told).total
    counters = (usage.invocations, cold, usage.billed_ms, usd, duration, usage.init_ms)
    return (resource_id, number(FIRST) + day - 1, *counters, told.memory_mb)


def lines(bill: Bill) -> dict[str, float]:
    return {line: usd for line, usd in bill.lines if usd}


@pytest.mark.parametrize(
    ("config", "usage"),
    [
        ({}, Usage(invocations=1000, billed_ms=130_000, init_ms=8_000)),
        ({"architecture": "arm64"}, Usage(invocations=1000, billed_ms=120_000)),
        ({"ephemeral_mb": 10_240}, Usage(invocations=5, billed_ms=300_000)),
        (
            {"snap_start": "PublishedVersions", "runtime": "python3.13", "snapshots": []},
            Usage(invocations=1000, billed_ms=121_000, init_ms=1_000, restores=50),
        ),
    ],
)
def test_what_was_stored_is_divided_into_the_lines_it_was_made_of(config: dict[str, Any], usage: Usage) -> None:
    told = configuration("us-east-1", {**X86, **config})
    found = ledger([function(**config)], np.array([ran(usage, told)], DAILY), NOVEMBER)
    assert lines(found.bill(found.within(NOVEMBER))) == pytest.approx(lines(used(usage, told)))


def test_what_provisioned_concurrency_served_keeps_its_price() -> None:
    usage = Usage(invocations=1000, billed_ms=120_000, provisioned_ms=120_000)
    told = configuration("us-east-1", X86)
    found = ledger([function()], np.array([ran(usage, told)], DAILY), NOVEMBER)
    assert lines(found.bill(found.within(NOVEMBER))) == pytest.approx(lines(used(usage, told)))


def test_lines_always_add_up_to_what_was_stored() -> None:
    """Even where the function is configured otherwise than what is known."""
    row = (1, number(FIRST), 1000, 3, 5_000, 0.0001, 5_000, 0, 1024)
    found = ledger([function(ephemeral_mb=10_240)], np.array([row], DAILY), NOVEMBER)
    bill = found.bill(found.within(NOVEMBER))
    assert bill.total == pytest.approx(0.0001)
    assert min(usd for _, usd in bill.lines) >= 0


def test_concurrency_that_was_switched_on_in_mid_month_counts_from_then() -> None:
    on = [{"qualifier": "live", "requested": 10}]
    change = Change(FIRST + 14 * DAY + 12 * HOUR, {"provisioned": [[], on]})
    found = ledger([function(provisioned=on, changes=(change,))], np.zeros(0, DAILY), Window(FIRST, FIRST + 20 * DAY))
    days = dict(found.days(found.within(NOVEMBER)))
    assert len(days) == 20
    rate = 10 * 0.0000041667 * 86_400
    assert days[date(2026, 11, 14)].total == 0
    assert days[date(2026, 11, 15)].provisioned == pytest.approx(rate / 2)
    assert days[date(2026, 11, 16)].provisioned == pytest.approx(rate)
    assert found.bill(found.within(NOVEMBER)).total == pytest.approx(5.5 * rate)


def test_a_day_before_a_change_is_divided_as_it_was_configured_then() -> None:
    before, after = configuration("us-east-1", {**X86, "ephemeral_mb": 2048}), configuration("us-east-1", X86)
    usage = Usage(invocations=10, billed_ms=1_000_000)
    change = Change(FIRST + 2 * DAY + HOUR, {"ephemeral_mb": [2048, 512]})
    rows = [ran(usage, before, day=2), ran(usage, after, day=3)]
    found = ledger([function(ephemeral_mb=512, changes=(change,))], np.array(rows, DAILY), NOVEMBER)
    days = dict(found.days(found.within(NOVEMBER)))
    assert days[date(2026, 11, 2)].storage == pytest.approx(used(usage, before).storage)
    assert days[date(2026, 11, 3)].storage == 0


def test_each_function_is_divided_by_its_own_changes() -> None:
    before, after = configuration("us-east-1", {**X86, "ephemeral_mb": 2048}), configuration("us-east-1", X86)
    usage = Usage(invocations=10, billed_ms=1_000_000)
    changes = [Change(FIRST + n * DAY + HOUR, {"ephemeral_mb": [2048, 512]}) for n in (1, 3)]
    functions = [function(1, changes=(changes[0],)), function(2), function(3, changes=(changes[1],))]
    rows = [
        ran(usage, before if (number, day) in {(1, 1), (3, 1), (3, 2), (3, 3)} else after, day=day, resource_id=number)
        for day in range(1, 5)
        for number in (1, 2, 3)
    ]
    found = ledger(functions, np.array(rows, DAILY), NOVEMBER)
    assert found.by_function("storage", found.within(NOVEMBER)).tolist() == pytest.approx(
        [n * used(usage, before).storage for n in (1, 0, 3)]
    )


def test_each_snapshot_costs_from_when_its_version_was_published() -> None:
    published = [(FIRST - 5 * DAY).isoformat(), (FIRST + 9 * DAY).isoformat()]
    config: dict[str, Any] = {"snap_start": "PublishedVersions", "runtime": "python3.13", "snapshots": published}
    found = ledger([function(**config)], np.zeros(0, DAILY), Window(FIRST, FIRST + 10 * DAY))
    assert found.bill(found.within(NOVEMBER)).snapstart == pytest.approx(11 * 86_400 * 0.0000015046)
    java = ledger([function(**{**config, "runtime": "java21"})], np.zeros(0, DAILY), NOVEMBER)
    assert java.bill(java.within(NOVEMBER)).total == 0


def test_what_is_gone_costs_nothing_more() -> None:
    gone = Function(1, "f", "us-east-1", "1" * 12, {**X86, "provisioned": [{"requested": 1}]}, FIRST, FIRST + HOUR)
    assert [(each.start, each.end) for each in periods(gone, NOVEMBER)] == [(FIRST, FIRST + HOUR)]


def test_logs_cost_while_they_come_in() -> None:
    charge = Charge("logs", 0.5 / 86_400, FIRST + DAY, FIRST + 3 * DAY)
    found = ledger([function()], np.zeros(0, DAILY), NOVEMBER, logs={1: charge})
    assert lines(found.bill(found.within(NOVEMBER))) == {"logs": pytest.approx(1.0)}
    assert found.stood(Window(FIRST + 2 * DAY, FIRST + 9 * DAY)).tolist() == pytest.approx([0.5])
    assert found.stood(NOVEMBER, without=["logs"]).tolist() == [0]


def test_it_groups_by_anything() -> None:
    told = configuration("us-east-1", X86)
    rows = [ran(Usage(invocations=n, billed_ms=n * 1000), told, resource_id=n) for n in (1, 2, 3)]
    functions = [function(1, tags={"team": "pay"}), function(2, tags={"team": "pay"}), function(3)]
    found = ledger(functions, np.array(rows, DAILY), NOVEMBER)
    by_team = found.grouped(lambda each: each.tags.get("team", ""), found.within(NOVEMBER))
    assert list(by_team) in (["pay", ""], ["", "pay"])
    assert sum(bill.total for bill in by_team.values()) == pytest.approx(found.bill(found.within(NOVEMBER)).total)
    assert found.totals(found.within(NOVEMBER)).tolist() == pytest.approx(
        [used(Usage(invocations=n, billed_ms=n * 1000), told).total for n in (1, 2, 3)]
    )
    assert found.count("invocations", found.of([1, 2])) == 5


def test_a_month_is_that_of_the_calendar() -> None:
    assert month_of(datetime(2026, 12, 31, 23, tzinfo=UTC)) == Window(
        datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    )


class TestReading:
    NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def stored(self, acme: Organization, name: str, **config: Any) -> Resource:
        return Resource.objects.create(
            organization=acme, arn=f"arn:{name}", name=name, region="us-east-1", account="1" * 12,
            config={**X86, "versions": [{"version": "1"}], **config}, first_seen_at=FIRST, last_seen_at=self.NOW,
        )  # fmt: skip

    def invocation(self, resource: Resource, at: datetime, count: int) -> Invocation:
        usd = invocation_usd(configuration("us-east-1", X86).price(), billed_ms=250, memory_mb=1024)
        return Invocation(
            resource.organization_id, resource.pk, at.date(), bytes([count]) * 16, at, "r", "1", Outcome.SUCCESS, "",
            False, 249.5, 250, None, 1024, 99, usd, "",
        )  # fmt: skip

    def test_everything_comes_from_what_is_stored(self, acme: Organization, rival: Organization) -> None:
        maintain(now=self.NOW)
        on = [{"qualifier": "1", "requested": 1}]
        busy, ready, other = (
            self.stored(acme, "busy"), self.stored(acme, "ready", provisioned=on), self.stored(rival, "other")
        )  # fmt: skip
        for owner, resource in ((acme, ready), (rival, other)):
            Deployment.objects.create(
                organization=owner, resource=resource, version="v", deployed_at=self.NOW - DAY,
                changes={"provisioned": [[], on]},
            )  # fmt: skip
        store = get_store()
        store.append([self.invocation(each, self.NOW - HOUR, n) for n, each in enumerate((busy, other))], now=self.NOW)
        for name, size in (("/aws/lambda/busy", 2e9), ("/aws/lambda/unknown", 5e9), ("/aws/lambda/ready", 0)):
            Resource.objects.create(
                organization=acme, arn=f"arn:{name}", type="log_group", name=name, region="us-east-1", account="1" * 12,
                config={"daily_bytes": size, "class": "STANDARD"}, first_seen_at=self.NOW - DAY, last_seen_at=self.NOW,
            )  # fmt: skip
        with CaptureQueriesContext(
            connection,
        ) as queries:
            found = reading.read(acme, Window(NOVEMBER.start, self.NOW))
        assert len(queries) == 4
        assert [each.name for each in found.functions] == ["busy", "ready"]
        assert "versions" not in found.functions[0].config
        bill = found.bill(found.within(NOVEMBER))
        assert lines(bill) == pytest.approx(
            lines(used(Usage(invocations=1, billed_ms=250), configuration("us-east-1", X86)))
            | {"provisioned": 86_400 * 0.0000041667, "logs": 1.0}  # 2 GB a day, known for one day.
        )
        assert set(LINES) == {line for line, _ in bill.lines}
        only = reading.read(acme, Window(NOVEMBER.start, self.NOW), acme.resources.filter(pk=busy.pk))
        assert lines(only.bill(only.within(NOVEMBER))).keys() == {"compute", "requests", "logs"}

    def test_a_log_group_is_shared_by_those_that_are_there(self, acme: Organization) -> None:
        first, second, gone = (self.stored(acme, name, log_group="/shop") for name in ("first", "second", "gone"))
        Resource.objects.filter(pk=gone.pk).update(gone_at=self.NOW - DAY)
        Resource.objects.create(
            organization=acme, arn="arn:shop", type="log_group", name="/shop", region="us-east-1", account="1" * 12,
            config={"daily_bytes": 2e9, "class": "STANDARD"}, first_seen_at=self.NOW - DAY, last_seen_at=self.NOW,
        )  # fmt: skip
        window = Window(NOVEMBER.start, self.NOW)
        found = reading.read(acme, window)
        assert dict(zip((each.id for each in found.functions), found.stood(window), strict=True)) == pytest.approx(
            {first.pk: 0.5, second.pk: 0.5, gone.pk: 0}
        )
        assert reading.read(acme, window, acme.resources.filter(pk=first.pk)).stood(window) == pytest.approx([0.5])
