"""Functions that did not run when their schedule was due; and all the cases in which nobody may say so."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest import expectations
from ingest.models import Collection, Expectation, LogGroup
from observability.aws.models import AwsAccount
from observability.inventory.models import Resource
from observability.telemetry.records import Fault, FaultKind, Invocation, Level, LogLine, Outcome, Point, Window
from observability.telemetry.store import get_store
from observability.tenants.models import Organization
from tests.alerts.estate import digest

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
THREE = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
RULE = "arn:aws:events:eu-west-1:123456789012:rule/nightly"
Look = Callable[[datetime], list[Fault]]


@pytest.fixture
def account(acme: Organization) -> AwsAccount:
    account = AwsAccount.objects.create(
        organization=acme, name="Production", account_id="123456789012", external_id="secret", regions=["eu-west-1"],
        status=AwsAccount.Status.CONNECTED, created_at=THREE - 48 * HOUR, connected_at=THREE - 48 * HOUR,
    )  # fmt: skip
    Collection.objects.create(account=account, region="eu-west-1", kind="lambda_metrics", due_at=THREE)
    return account


@pytest.fixture
def rule(acme: Organization, checkout: Resource) -> Resource:
    config = {
        "kind": "rule", "expression": "cron(0 3 * * ? *)", "timezone": "UTC", "state": "ENABLED",
        "targets": [checkout.arn],
    }  # fmt: skip
    return Resource.objects.create(
        organization=acme, type="schedule_rule", arn=RULE, name="nightly", region="eu-west-1", account="123456789012",
        config=config, first_seen_at=THREE - 48 * HOUR, last_seen_at=THREE,
    )  # fmt: skip


@pytest.fixture
def look(account: AwsAccount, acme: Organization) -> Look:
    """Notice with everything read up to that moment, metrics without doubt, and the rule just listed."""

    def notice(now: datetime) -> list[Fault]:
        Collection.objects.update(cursor={"swept": now.isoformat()})
        LogGroup.objects.update(read_until=now)
        Resource.objects.filter(type="schedule_rule").update(listed_at=now)
        account.refresh_from_db()
        expectations.notice(account=account, now=now)
        return get_store().faults(acme.pk, Window(THREE - 48 * HOUR, THREE + 48 * HOUR))[::-1]

    return notice


@pytest.fixture
def group(account: AwsAccount, checkout: Resource) -> LogGroup:
    return LogGroup.objects.create(
        account=account, resource=checkout, region="eu-west-1", name="/aws/lambda/checkout", due_at=THREE,
        read_until=THREE, swept_until=THREE,
    )  # fmt: skip


def change(rule: Resource, **config: Any) -> None:
    rule.config |= config
    rule.save()


def run(function: Resource, at: datetime) -> None:
    invocation = Invocation(
        function.organization_id, function.pk, at.date(), digest(at), at, f"r{at}", "1", Outcome.SUCCESS, "", False,
        10.0, 10, None, 128, 60, 0.0, "",
    )  # fmt: skip
    get_store().append([invocation], now=at + MINUTE)


def count(function: Resource, at: datetime, value: float = 1) -> None:
    point = Point(function.organization_id, function.pk, "Invocations", "Sum", 60, at, value)
    get_store().append_points([point], now=at + MINUTE)


class TestCron:
    def test_a_run_that_does_not_come_is_told_once(self, look: Look, rule: Resource, checkout: Resource) -> None:
        assert look(THREE - HOUR) == []
        assert look(THREE + 16 * MINUTE) == []
        (fault,) = look(THREE + 31 * MINUTE)
        assert (fault.kind, fault.resource_id, fault.at, fault.type) == (
            FaultKind.DID_NOT_RUN, checkout.pk, THREE, "nightly",
        )  # fmt: skip
        assert fault.message == (
            "The rule nightly, cron(0 3 * * ? *), was due on 25 Nov 2026 at 03:00 UTC. "
            "No run of the function began from then until 03:15 UTC."
        )
        assert len(look(THREE + 32 * MINUTE)) == 1

    def test_logs_that_were_read_make_it_quicker(self, look: Look, rule: Resource, group: LogGroup) -> None:
        look(THREE - HOUR)
        assert look(THREE + 15 * MINUTE) == []
        assert len(look(THREE + 15 * MINUTE + timedelta(seconds=10))) == 1  # The function's time limit.

    @pytest.mark.parametrize("evidence", ["invocation", "point", "line"])
    def test_any_sign_of_life_is_enough(
        self, look: Look, rule: Resource, checkout: Resource, acme: Organization, evidence: str
    ) -> None:
        look(THREE - HOUR)
        at = THREE + timedelta(seconds=40)
        match evidence:
            case "invocation":
                run(checkout, at)
            case "point":
                count(checkout, THREE)
            case _:
                line = LogLine(acme.pk, checkout.pk, at.date(), digest(at), at, "r", Level.PLATFORM, "START", "")
                get_store().append([line], now=at)
        assert look(THREE + HOUR) == []

    def test_a_run_at_another_time_is_not(self, look: Look, rule: Resource, checkout: Resource) -> None:
        look(THREE - HOUR)
        run(checkout, THREE - MINUTE)
        count(checkout, THREE, 0)
        run(checkout, THREE + 20 * MINUTE)
        assert len(look(THREE + HOUR)) == 1

    def test_grace_grows_with_the_usual_delay(self, look: Look, rule: Resource, checkout: Resource) -> None:
        change(rule, expression="cron(0/20 * * * ? *)")
        look(THREE - MINUTE)
        run(checkout, THREE + 100 * timedelta(seconds=1))
        count(checkout, THREE + MINUTE)
        look(THREE + 19 * MINUTE)
        assert Expectation.objects.get().delay_s == 100
        run(checkout, THREE + 20 * MINUTE + 190 * timedelta(seconds=1))
        assert look(THREE + 39 * MINUTE) == []
        run(checkout, THREE + 40 * MINUTE + 400 * timedelta(seconds=1))
        assert [fault.at for fault in look(THREE + 65 * MINUTE)] == [THREE + 40 * MINUTE]

    def test_grace_does_not_grow_because_much_runs(self, look: Look, rule: Resource, checkout: Resource) -> None:
        change(rule, expression="cron(0/20 * * * ? *)")
        look(THREE - MINUTE)
        for seconds in range(60):
            run(checkout, THREE + seconds * timedelta(seconds=2))
        count(checkout, THREE, 30)
        look(THREE + 19 * MINUTE)
        assert Expectation.objects.get().delay_s == 0

    def test_a_schedule_says_its_zone_and_its_window(self, look: Look, rule: Resource) -> None:
        change(rule, kind="schedule", timezone="Europe/Berlin", expression="cron(0 4 * * ? *)", flexible_s=600)
        look(THREE - HOUR)
        assert look(THREE + 35 * MINUTE) == []
        (fault,) = look(THREE + 45 * MINUTE)
        assert fault.message.startswith("The schedule nightly, cron(0 4 * * ? *) in Europe/Berlin, was due on 25 Nov")

    def test_a_single_moment(self, look: Look, rule: Resource) -> None:
        change(rule, expression="at(2026-11-25T03:00:00)")
        look(THREE - HOUR)
        assert len(look(THREE + HOUR)) == 1
        assert len(look(THREE + 2 * HOUR)) == 1


class TestRate:
    def test_an_interval_without_a_run_is_told(self, look: Look, rule: Resource, checkout: Resource) -> None:
        change(rule, expression="rate(1 hour)")
        look(THREE)
        run(checkout, THREE + 50 * MINUTE)
        assert look(THREE + 90 * MINUTE) == []
        (fault,) = look(THREE + 2 * HOUR + 15 * MINUTE)
        assert fault.at == THREE + 110 * MINUTE
        run(checkout, THREE + 130 * MINUTE)
        assert len(look(THREE + 3 * HOUR)) == 1

    def test_others_that_call_it_make_no_difference(self, look: Look, rule: Resource, checkout: Resource) -> None:
        change(rule, expression="rate(5 minutes)")
        look(THREE)
        for minutes in range(1, 30, 2):
            count(checkout, THREE + minutes * MINUTE)
        for minutes in range(20, 50):
            assert look(THREE + minutes * MINUTE) == []

    def test_each_interval_is_told_while_it_lasts(self, look: Look, rule: Resource) -> None:
        change(rule, expression="rate(5 minutes)")
        look(THREE)
        for minutes in range(1, 41):
            faults = look(THREE + minutes * MINUTE)
        assert [fault.at for fault in faults] == [THREE + minutes * MINUTE for minutes in (5, 10, 15, 20)]


class TestSilence:
    """When nothing may be said."""

    def test_what_was_due_before_the_schedule_was_known(self, look: Look, rule: Resource) -> None:
        look(THREE + MINUTE)
        assert look(THREE + HOUR) == []

    @pytest.mark.parametrize(
        "config",
        [
            {"state": "DISABLED"},
            {"expression": ""},
            {"expression": "cron(whenever)"},
            {"timezone": "Middle/Earth"},
            {"targets": ["arn:aws:lambda:eu-west-1:123456789012:function:another"]},
            {"targets": []},
            {"end_at": "2026-11-25T02:30:00+00:00"},
            {"start_at": "2026-11-25T03:30:00+00:00"},
        ],
        ids=repr,
    )
    def test_schedules_that_do_not_run_it(self, look: Look, rule: Resource, config: dict[str, Any]) -> None:
        change(rule, **config)
        look(THREE - HOUR)
        assert look(THREE + HOUR) == []

    def test_a_schedule_that_was_switched_off_meanwhile(self, look: Look, rule: Resource) -> None:
        look(THREE - HOUR)
        change(rule, state="DISABLED")
        assert look(THREE + HOUR) == []
        change(rule, state="ENABLED")
        assert look(THREE + HOUR + MINUTE) == []
        assert look(THREE + 2 * HOUR) == []

    def test_a_schedule_that_nobody_has_listed_since(
        self, look: Look, rule: Resource, account: AwsAccount, acme: Organization
    ) -> None:
        look(THREE - HOUR)
        Collection.objects.update(cursor={"swept": (THREE + HOUR).isoformat()})
        expectations.notice(account=account, now=THREE + HOUR)
        assert get_store().faults(acme.pk, Window(THREE - HOUR, THREE + HOUR)) == []

    def test_a_changed_schedule_begins_anew(self, look: Look, rule: Resource) -> None:
        look(THREE - HOUR)
        change(rule, expression="cron(30 2 * * ? *)")
        assert look(THREE) == []
        assert look(THREE + HOUR) == []

    def test_metrics_that_are_old(self, look: Look, rule: Resource, account: AwsAccount, acme: Organization) -> None:
        look(THREE - HOUR)
        Resource.objects.filter(pk=rule.pk).update(listed_at=THREE + HOUR)
        expectations.notice(account=account, now=THREE + HOUR)
        assert get_store().faults(acme.pk, Window(THREE - HOUR, THREE + HOUR)) == []

    @pytest.mark.parametrize(
        "changes",
        [{"blind_since": THREE - MINUTE}, {"connected_at": None}, {"selection": {"exclude": {"names": ["check*"]}}}],
        ids=["blind", "not connected", "not watched"],
    )
    def test_accounts_and_functions_that_are_not_watched(
        self, look: Look, rule: Resource, account: AwsAccount, changes: dict[str, Any]
    ) -> None:
        AwsAccount.objects.update(**changes)
        look(THREE - HOUR)
        assert look(THREE + HOUR) == []

    def test_a_function_that_is_gone(self, look: Look, rule: Resource, checkout: Resource) -> None:
        look(THREE - HOUR)
        Resource.objects.filter(pk=checkout.pk).update(gone_at=THREE)
        assert look(THREE + HOUR) == []
        assert not Expectation.objects.exists()

    def test_what_could_not_be_judged_for_hours_is_let_go(self, look: Look, rule: Resource) -> None:
        look(THREE - HOUR)
        assert look(THREE + 4 * HOUR) == []

    def test_another_account_of_the_organization(
        self, look: Look, rule: Resource, account: AwsAccount, acme: Organization
    ) -> None:
        look(THREE - HOUR)
        other = AwsAccount.objects.create(
            organization=acme, name="Staging", account_id="999999999999", external_id="other", created_at=THREE,
            connected_at=THREE,
        )  # fmt: skip
        expectations.notice(account=other, now=THREE)
        assert Expectation.objects.count() == 1
