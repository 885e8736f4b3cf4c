"""The coverage ledger: what AWS counted against what is stored, why some is missing, and when that is told."""

from datetime import UTC, datetime, timedelta

import pytest

from ingest import coverage
from ingest.models import Collection, LogGroup
from observability.aws.models import AwsAccount
from observability.inventory.models import Resource
from observability.telemetry.models import Coverage
from observability.telemetry.records import Fault, FaultKind, Invocation, Outcome, Point, Window
from observability.telemetry.store import get_store
from observability.tenants.models import Organization
from tests.alerts.estate import digest

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
LAST = NOON - HOUR
NOW = NOON + 36 * MINUTE


@pytest.fixture
def account(acme: Organization) -> AwsAccount:
    return AwsAccount.objects.create(
        organization=acme, name="Production", account_id="123456789012", external_id="secret", regions=["eu-west-1"],
        status=AwsAccount.Status.CONNECTED, created_at=NOON - 48 * HOUR, connected_at=NOON - 48 * HOUR,
    )  # fmt: skip


@pytest.fixture
def group(account: AwsAccount, checkout: Resource) -> LogGroup:
    return LogGroup.objects.create(
        account=account, resource=checkout, region="eu-west-1", name="/aws/lambda/checkout", due_at=NOON,
        read_until=NOON + HOUR, swept_until=NOON + HOUR,
    )  # fmt: skip


def ran(function: Resource, hour: datetime, *, reported: int, stored: int, now: datetime = NOW) -> None:
    """What AWS counted in one minute of the hour, and what is stored of it."""
    at = hour + 30 * MINUTE
    who = function.organization_id, function.pk
    get_store().append_points([Point(*who, "Invocations", "Sum", 60, at, reported)], now=now)
    invocations = [
        Invocation(
            *who, at.date(), digest(function.pk, at, number), at, f"r{number}", "1", Outcome.SUCCESS, "", False, 10.0,
            10, None, 128, 60, 0.0, "",
        )
        for number in range(stored)
    ]  # fmt: skip
    get_store().append(invocations, now=now)


def ledger() -> list[tuple[str, datetime, int, int, str]]:
    rows = Coverage.objects.order_by("resource__name", "hour")
    return list(rows.values_list("resource__name", "hour", "reported", "seen", "cause"))


def told(organization: Organization) -> list[Fault]:
    return get_store().faults(organization.pk, Window(NOON - 48 * HOUR, NOON + 48 * HOUR))


def functions(checkout: Resource, number: int) -> list[Resource]:
    return [
        Resource.objects.create(
            organization=checkout.organization, arn=f"{checkout.arn}-{each}", name=f"checkout-{each}",
            region="eu-west-1", account="123456789012", first_seen_at=NOON, last_seen_at=NOON,
        )
        for each in range(number)
    ]  # fmt: skip


class TestLedger:
    def test_it_works(self, account: AwsAccount, checkout: Resource, group: LogGroup) -> None:
        ran(checkout, LAST, reported=50, stored=41)
        ran(checkout, LAST - HOUR, reported=7, stored=7)
        coverage.reckon(account=account, now=NOW)
        assert ledger() == [("checkout", LAST - HOUR, 7, 7, ""), ("checkout", LAST, 50, 41, "unknown")]

    def test_an_hour_that_may_still_change_waits(self, account: AwsAccount, checkout: Resource) -> None:
        ran(checkout, LAST, reported=50, stored=0)
        coverage.reckon(account=account, now=NOON + 19 * MINUTE)
        assert ledger() == []
        coverage.reckon(account=account, now=NOON + 20 * MINUTE)
        assert len(ledger()) == 1

    def test_is_corrected_when_more_comes_in(self, account: AwsAccount, checkout: Resource, group: LogGroup) -> None:
        ran(checkout, LAST, reported=50, stored=41)
        coverage.reckon(account=account, now=NOW)
        row = Coverage.objects.get()
        ran(checkout, LAST, reported=52, stored=52)
        coverage.reckon(account=account, now=NOW + 5 * MINUTE)
        assert ledger() == [("checkout", LAST, 52, 52, "")]
        assert Coverage.objects.get().pk == row.pk

    def test_reaches_back_a_day_once_an_hour(self, account: AwsAccount, checkout: Resource, group: LogGroup) -> None:
        ran(checkout, NOON - 24 * HOUR, reported=3, stored=3)
        coverage.reckon(account=account, now=NOON + 30 * MINUTE)
        assert ledger() == []
        coverage.reckon(account=account, now=NOON + 22 * MINUTE)
        assert len(ledger()) == 1

    def test_begins_with_the_first_whole_hour_after_connecting(self, account: AwsAccount, checkout: Resource) -> None:
        ran(checkout, LAST, reported=50, stored=0)
        account.connected_at = LAST + 10 * MINUTE
        coverage.reckon(account=account, now=NOW)
        assert ledger() == []

    def test_other_accounts_are_left_alone(self, account: AwsAccount, checkout: Resource, rival: Organization) -> None:
        checkout.account = "999999999999"
        checkout.save()
        ran(checkout, LAST, reported=5, stored=0)
        coverage.reckon(account=account, now=NOW)
        assert ledger() == []

    @pytest.mark.parametrize(
        ("start", "end", "cause"),
        [(LAST + 10 * MINUTE, LAST + 20 * MINUTE, "paused"), (LAST - HOUR, LAST, "dropped"), (None, None, "dropped")],
    )
    def test_what_a_pushing_function_lacks_was_dropped_unless_it_was_asked_to_pause(
        self,
        account: AwsAccount,
        checkout: Resource,
        group: LogGroup,
        start: datetime | None,
        end: datetime | None,
        cause: str,
    ) -> None:
        Organization.objects.update(paused_from=start, paused_until=end)
        Resource.objects.update(pushed_at=LAST + HOUR)
        ran(checkout, LAST, reported=50, stored=10)
        coverage.reckon(account=AwsAccount.objects.get(), now=NOW)
        assert ledger() == [("checkout", LAST, 50, 10, cause)]
        assert bool(told(account.organization)) == (cause == "dropped")

    def test_what_did_not_run_is_not_reckoned(self, account: AwsAccount, checkout: Resource) -> None:
        ran(checkout, LAST, reported=0, stored=3)
        coverage.reckon(account=account, now=NOW)
        assert ledger() == []

    def test_takes_few_queries_however_many_functions(
        self, account: AwsAccount, checkout: Resource, django_assert_max_num_queries: object
    ) -> None:
        for function in functions(checkout, 20):
            ran(function, LAST, reported=10, stored=10)
        with django_assert_max_num_queries(10):  # type: ignore[operator]
            coverage.reckon(account=account, now=NOW)
        assert len(ledger()) == 20


class TestCauses:
    def cause(self, account: AwsAccount, checkout: Resource) -> str:
        ran(checkout, LAST, reported=50, stored=41)
        coverage.reckon(account=account, now=NOW)
        return Coverage.objects.get().cause

    def collection(self, account: AwsAccount, trouble: str, region: str = "eu-west-1") -> None:
        Collection.objects.create(account=account, region=region, kind="lambda_logs", due_at=NOW, trouble=trouble)

    def test_the_log_group_has_trouble(self, account: AwsAccount, checkout: Resource, group: LogGroup) -> None:
        group.trouble = "log_class"
        group.save()
        assert self.cause(account, checkout) == "log_class"

    def test_its_sweep_has_not_come_that_far(self, account: AwsAccount, checkout: Resource, group: LogGroup) -> None:
        group.swept_until = NOON - MINUTE
        group.save()
        assert self.cause(account, checkout) == "behind"

    def test_reading_the_region_has_trouble(self, account: AwsAccount, checkout: Resource, group: LogGroup) -> None:
        self.collection(account, "throttled")
        self.collection(account, "access_denied", "us-east-1")
        group.swept_until = NOON - MINUTE
        group.save()
        assert self.cause(account, checkout) == "throttled"

    def test_there_is_no_log_group(self, account: AwsAccount, checkout: Resource) -> None:
        assert self.cause(account, checkout) == "missing_log_group"

    def test_nothing_may_be_read_at_all(self, account: AwsAccount, checkout: Resource) -> None:
        self.collection(account, "access_denied")
        assert self.cause(account, checkout) == "access_denied"

    def test_the_extension_lost_some(self, account: AwsAccount, checkout: Resource, group: LogGroup) -> None:
        checkout.pushed_at = NOON
        checkout.save()
        assert self.cause(account, checkout) == "dropped"

    def test_the_extension_has_fallen_silent(self, account: AwsAccount, checkout: Resource, group: LogGroup) -> None:
        group.trouble = "pushes"
        group.save()
        assert self.cause(account, checkout) == "dropped"

    def test_a_log_group_of_its_own_choice(self, account: AwsAccount, checkout: Resource, group: LogGroup) -> None:
        checkout.config["log_group"] = "/shared"
        checkout.save()
        assert self.cause(account, checkout) == "missing_log_group"
        group.name = "/shared"
        group.save()
        coverage.reckon(account=account, now=NOW)
        assert Coverage.objects.get().cause == "unknown"

    @pytest.mark.parametrize(
        ("format", "level", "cause"),
        [
            ("JSON", "WARN", "log_level"), ("JSON", "INFO", "unknown"), ("JSON", "DEBUG", "unknown"),
            ("JSON", "", "unknown"), ("Text", "WARN", "unknown"),
        ],
    )  # fmt: skip
    def test_its_log_level_keeps_reports_out(
        self, account: AwsAccount, checkout: Resource, group: LogGroup, format: str, level: str, cause: str
    ) -> None:
        checkout.config |= {"log_format": format, "system_log_level": level}
        checkout.save()
        assert self.cause(account, checkout) == cause

    @pytest.mark.parametrize("trouble", ["missing_log_group", None])
    def test_its_log_level_may_leave_nothing_to_write(
        self, account: AwsAccount, checkout: Resource, group: LogGroup, trouble: str | None
    ) -> None:
        checkout.config |= {"log_format": "JSON", "system_log_level": "WARN"}
        checkout.save()
        LogGroup.objects.update(trouble=trouble) if trouble else LogGroup.objects.all().delete()
        assert self.cause(account, checkout) == "log_level"

    def test_what_to_do_about_the_log_level_is_told(
        self, account: AwsAccount, acme: Organization, checkout: Resource, group: LogGroup
    ) -> None:
        checkout.config |= {"log_format": "JSON", "system_log_level": "WARN"}
        checkout.save()
        self.cause(account, checkout)
        (fault,) = told(acme)
        assert fault.message.endswith(
            "the function's system log level keeps reports out of its log, until it is set to INFO."
        )

    def test_the_log_group_did_not_keep_them(self, account: AwsAccount, checkout: Resource, group: LogGroup) -> None:
        early = NOW.replace(minute=1)  # In the first minutes of an hour, a whole day is looked at.
        hour = NOON - 24 * HOUR
        LogGroup.objects.update(retention_days=1, swept_until=NOW)
        ran(checkout, hour, reported=50, stored=41)
        coverage.reckon(account=account, now=early + 20 * MINUTE)
        assert [(each.hour, each.cause) for each in Coverage.objects.all()] == [(hour, "retention")]

    def test_the_function_is_not_watched(
        self, account: AwsAccount, acme: Organization, checkout: Resource, group: LogGroup
    ) -> None:
        account.selection = {"exclude": {"names": ["check*"]}}
        assert self.cause(account, checkout) == "excluded"
        assert told(acme) == []

    def test_the_account_was_blind(self, account: AwsAccount, checkout: Resource, group: LogGroup) -> None:
        account.blind_since = NOON - MINUTE
        assert self.cause(account, checkout) == "blind"


class TestTelling:
    def test_a_drop_is_told_once_per_function_and_hour(
        self, account: AwsAccount, acme: Organization, checkout: Resource, group: LogGroup
    ) -> None:
        ran(checkout, LAST, reported=50, stored=41)
        coverage.reckon(account=account, now=NOON + 30 * MINUTE)
        assert told(acme) == []
        for minutes in (36, 41, 46):
            coverage.reckon(account=account, now=NOON + minutes * MINUTE)
        (fault,) = told(acme)
        assert (fault.kind, fault.resource_id, fault.at, fault.type) == (
            FaultKind.COVERAGE, checkout.pk, NOON, "unknown",
        )  # fmt: skip
        assert fault.message == (
            "Stored 41 of 50 invocations, 82 %, between 11:00 and 12:00 UTC: the reason is not known."
        )

    @pytest.mark.parametrize(("reported", "stored"), [(50, 50), (50, 52), (5, 1), (200, 191), (100, 95)])
    def test_what_is_little_is_not(
        self, account: AwsAccount, acme: Organization, checkout: Resource, reported: int, stored: int
    ) -> None:
        ran(checkout, LAST, reported=reported, stored=stored)
        coverage.reckon(account=account, now=NOW)
        assert told(acme) == []

    def test_many_functions_with_one_cause_are_one_problem(
        self, account: AwsAccount, acme: Organization, checkout: Resource
    ) -> None:
        for function in functions(checkout, 7):
            ran(function, LAST, reported=100, stored=0)
        coverage.reckon(account=account, now=NOW)
        (fault,) = told(acme)
        assert Resource.objects.get(pk=fault.resource_id).type == "aws_account"
        assert fault.message.startswith("Stored 0 of 700 invocations of 7 functions, 0 %, between 11:00 and 12:00 UTC")

    def test_a_blind_account_is_told_of_only_as_that(
        self, account: AwsAccount, acme: Organization, checkout: Resource
    ) -> None:
        ran(checkout, LAST, reported=50, stored=0)
        account.blind_since = NOON
        coverage.reckon(account=account, now=NOW)
        assert len(ledger()) == 1
        assert told(acme) == []
