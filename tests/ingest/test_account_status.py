"""How reading an account goes, in words: what fails, what is late, how far behind the logs are."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from ingest import account_status
from ingest.account_status import State, group_status, regions, standings
from ingest.collectors import COLLECTORS
from ingest.models import Collection, LogGroup
from observability.aws.models import AwsAccount
from observability.aws.problems import Trouble, sentence
from observability.inventory.models import Resource
from observability.tenants.models import Organization

COLLECTOR = COLLECTORS[0]


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def account(acme: Organization, now: datetime) -> AwsAccount:
    return AwsAccount.objects.create(
        organization=acme, name="production", account_id="123456789012", regions=["eu-west-1", "us-east-1"],
        role_arn="arn:aws:iam::123456789012:role/nightjar", external_id="secret", tiers=["base"],
        status=AwsAccount.Status.CONNECTED, created_at=now, connected_at=now,
    )  # fmt: skip


def collection(account: AwsAccount, now: datetime, **values: object) -> Collection:
    fields: dict[str, object] = {"region": "eu-west-1", "due_at": now, "succeeded_at": now}
    return Collection.objects.create(account=account, kind=COLLECTOR.kind, **fields | values)


def group(account: AwsAccount, resource: Resource, read_until: datetime, **values: object) -> LogGroup:
    name = f"/aws/lambda/{LogGroup.objects.count()}"
    fields: dict[str, object] = {"region": "eu-west-1", "due_at": read_until, "swept_until": read_until}
    return LogGroup.objects.create(
        account=account, resource=resource, name=name, read_until=read_until, **fields | values
    )


class TestReading:
    @pytest.mark.parametrize(
        ("values", "state"),
        [
            ({}, State.FINE),
            ({"succeeded_at": None}, State.FIRST),
            ({"trouble": Trouble.ACCESS_DENIED, "failures": 1}, State.BROKEN),
            ({"trouble": Trouble.ACCESS_DENIED}, State.PARTIAL),
            ({"trouble": Trouble.THROTTLED, "failures": 2}, State.SLOWED),
            ({"trouble": Trouble.REGION_DISABLED, "failures": 9, "succeeded_at": None}, State.BROKEN),
            ({"trouble": Trouble.ACCOUNT_SUSPENDED, "failures": 9}, State.BROKEN),
        ],
    )
    def test_has_a_state(self, account: AwsAccount, now: datetime, values: dict[str, object], state: State) -> None:
        reading = account_status.reading(collection(account, now, **values), now)
        assert reading.state == state
        assert reading.why == sentence(str(values.get("trouble", "")))

    def test_is_late_when_it_has_not_succeeded_for_three_turns(self, account: AwsAccount, now: datetime) -> None:
        row = collection(account, now, succeeded_at=now - 4 * COLLECTOR.every - account_status.PATIENCE)
        assert account_status.reading(row, now).state == State.LATE

    def test_throttled_for_long_is_not_only_slow(self, account: AwsAccount, now: datetime) -> None:
        row = collection(account, now, trouble=Trouble.THROTTLED, failures=9, succeeded_at=now - timedelta(days=1))
        assert account_status.reading(row, now).state == State.BROKEN


class TestRegions:
    def test_of_a_lost_account_do_not_say_so_again(self, account: AwsAccount, now: datetime) -> None:
        collection(account, now, trouble=Trouble.ROLE_GONE, failures=1)
        account.trouble, account.blind_since = Trouble.ACCOUNT_SUSPENDED, now
        found = {status.region: status for status in regions(account, now)}
        assert (found["eu-west-1"].state, found["eu-west-1"].troubles) == (State.BROKEN, [])

    def test_that_are_in_trouble_come_first(self, account: AwsAccount, now: datetime) -> None:
        collection(account, now)
        collection(account, now, region="us-east-1", trouble=Trouble.REGION_DISABLED, failures=1)
        first, second = regions(account, now)
        assert (first.region, first.state) == ("us-east-1", State.BROKEN)
        assert first.troubles == [("Everything", sentence(Trouble.REGION_DISABLED))]
        assert (second.region, second.state, second.troubles) == ("eu-west-1", State.FINE, [])

    def test_wait_for_their_first_run(self, account: AwsAccount, now: datetime) -> None:
        assert {status.state for status in regions(account, now)} == {State.FIRST}

    def test_are_as_late_as_their_slowest_active_log_group(
        self, account: AwsAccount, checkout: Resource, now: datetime
    ) -> None:
        collection(account, now)
        group(account, checkout, now - timedelta(seconds=20))
        group(account, checkout, now - timedelta(minutes=9))
        group(account, checkout, now - timedelta(hours=9), idle=4)
        group(account, checkout, now - timedelta(days=9), trouble="pushes")
        status = next(each for each in regions(account, now) if each.region == "eu-west-1")
        assert (status.lag, status.state) == (timedelta(minutes=9), State.LATE)
        assert (status.groups, status.unread) == (4, 1)


class TestStandings:
    def test_are_those_of_the_slowest_region(self, account: AwsAccount, checkout: Resource, now: datetime) -> None:
        group(account, checkout, now - timedelta(seconds=20))
        group(account, checkout, now - timedelta(seconds=90), region="us-east-1")
        (standing,) = standings(account.organization, now)
        assert (standing.functions, standing.lag_s, standing.region) == (1, 90, "us-east-1")

    def test_know_no_lag_where_nothing_is_active(self, account: AwsAccount, now: datetime) -> None:
        (standing,) = standings(account.organization, now)
        assert (standing.functions, standing.lag_s) == (0, None)

    def test_name_the_regions_in_which_something_has_to_be_done(self, account: AwsAccount, now: datetime) -> None:
        collection(account, now, trouble=Trouble.THROTTLED, failures=1)
        collection(account, now, region="us-east-1", trouble=Trouble.REGION_DISABLED, failures=1)
        (standing,) = standings(account.organization, now)
        assert standing.troubled == ["us-east-1"]

    def test_are_only_of_the_organization(self, account: AwsAccount, rival: Organization, now: datetime) -> None:
        assert standings(rival, now) == []


class TestGroups:
    def test_say_why_they_are_not_read(self, account: AwsAccount, checkout: Resource, now: datetime) -> None:
        quiet = group_status(group(account, checkout, now, trouble="pushes", detail="Its extension sends it."))
        assert (quiet.why, quiet.alarming) == ("Its extension sends it.", False)
        assert group_status(group(account, checkout, now, trouble="log_class")).why == "Log class."
        denied = group_status(group(account, checkout, now, trouble=Trouble.ACCESS_DENIED))
        assert (denied.why, denied.alarming) == (sentence(Trouble.ACCESS_DENIED), True)

    def test_rest_when_there_is_nothing_to_read(self, account: AwsAccount, checkout: Resource, now: datetime) -> None:
        assert group_status(group(account, checkout, now, idle=3)).resting
        assert not group_status(group(account, checkout, now)).resting

    def test_in_trouble_come_first_and_those_left_out_last(
        self, account: AwsAccount, checkout: Resource, now: datetime
    ) -> None:
        fine = group(account, checkout, now)
        behind = group(account, checkout, now - timedelta(minutes=3))
        pushes = group(account, checkout, now - timedelta(days=3), trouble="pushes")
        denied = group(account, checkout, now, trouble=Trouble.ACCESS_DENIED)
        assert list(account_status.log_groups(account)) == [denied, behind, fine, pushes]
