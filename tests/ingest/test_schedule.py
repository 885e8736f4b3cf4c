"""What is due, who has it, when it is due again."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from ingest import schedule
from ingest.models import Collection
from ingest.schedule import Job, LeaseLostError
from observability.aws.models import AwsAccount
from observability.aws.problems import AwsError, Trouble
from observability.inventory.models import Resource
from observability.tenants.models import Organization

NOW = datetime(2026, 11, 25, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def connect(organization: Organization, number: int = 0, regions: tuple[str, ...] = ("eu-west-1",)) -> AwsAccount:
    return AwsAccount.objects.create(
        organization=organization,
        name=f"account {number}",
        account_id=f"{123456789012 + number}",
        role_arn=f"arn:aws:iam::{123456789012 + number}:role/nightjar",
        external_id=f"{organization.slug}-{number}",
        regions=list(regions),
        status=AwsAccount.Status.CONNECTED,
        created_at=NOW,
        connected_at=NOW,
    )


def collection(account: AwsAccount, kind: str = "queues", region: str = "eu-west-1", **fields: object) -> Collection:
    return Collection.objects.create(account=account, region=region, kind=kind, **{"due_at": NOW, **fields})


def claimed(row: Collection, now: datetime = NOW) -> Job:
    assert schedule.claim(now=now, at_once=100) == [row.pk]
    job = schedule.job(collection_id=row.pk, now=now)
    assert job is not None
    return job


class TestPlan:
    def test_makes_what_is_missing_and_removes_what_is_left_out(self, acme: Organization) -> None:
        account = connect(acme, regions=("eu-west-1", "us-east-1"))
        schedule.plan(now=NOW)
        first = set(account.collections.values_list("region", "kind", "pk"))
        assert {region for region, _, _ in first} == {"eu-west-1", "us-east-1"}
        schedule.plan(now=NOW + MINUTE)
        assert set(account.collections.values_list("region", "kind", "pk")) == first
        AwsAccount.objects.update(regions=["us-east-1"])
        schedule.plan(now=NOW + MINUTE)
        assert {region for region, _, _ in account.collections.values_list("region", "kind", "pk")} == {"us-east-1"}

    def test_what_needs_a_tier_runs_as_long_as_it_is_granted(self, acme: Organization) -> None:
        account = connect(acme)
        found = []
        for tiers in (["base"], ["base", "sizes"], ["base"]):
            AwsAccount.objects.update(tiers=tiers)
            schedule.plan(now=NOW)
            found.append(account.collections.filter(kind="package_sizes").exists())
        assert found == [False, True, False]

    @pytest.mark.parametrize("status", ["pending", "needs_attention", "unsafe", "disconnected"])
    def test_leaves_accounts_alone_that_may_not_be_read(self, acme: Organization, status: str) -> None:
        account = connect(acme)
        AwsAccount.objects.update(status=status)
        schedule.plan(now=NOW)
        assert not account.collections.exists()
        collection(account)
        assert schedule.claim(now=NOW, at_once=10) == []


class TestClaim:
    def test_takes_each_once_until_the_lease_is_over(self, acme: Organization) -> None:
        row = collection(connect(acme))
        assert schedule.claim(now=NOW, at_once=10) == [row.pk]
        assert schedule.claim(now=NOW + MINUTE, at_once=10) == []
        assert schedule.claim(now=NOW + 2 * MINUTE, at_once=10) == [row.pk]

    def test_takes_no_more_than_may_be_under_way(self, acme: Organization) -> None:
        account = connect(acme)
        for number in range(6):
            collection(account, kind=f"kind {number}")
        assert len(schedule.claim(now=NOW, at_once=4)) == 4
        assert schedule.claim(now=NOW, at_once=4) == []

    def test_gives_every_account_its_turn(self, acme: Organization) -> None:
        busy, quiet = connect(acme, 1), connect(acme, 2)
        for number in range(10):
            collection(busy, kind=f"kind {number}", due_at=NOW - MINUTE)
        late = collection(quiet)
        assert late.pk in schedule.claim(now=NOW, at_once=2)


class TestRun:
    def test_that_succeeded_is_due_again_in_its_own_slot(self, acme: Organization) -> None:
        row = collection(connect(acme))
        job = claimed(row)
        schedule.succeed(job, cursor={"seen": 1}, every=5 * MINUTE, now=NOW)
        row.refresh_from_db()
        assert row.cursor == {"seen": 1}
        assert row.leased_until is None
        assert NOW + 2.5 * MINUTE <= row.due_at <= NOW + 7.5 * MINUTE
        again = schedule.next_slot(job, 5 * MINUTE, now=row.due_at)
        assert again - row.due_at == 5 * MINUTE

    def test_that_was_cut_short_goes_on_once_the_others_had_their_turn(self, acme: Organization) -> None:
        account = connect(acme)
        row = collection(account, kind="lambda_functions")
        schedule.succeed(claimed(row), cursor={}, every=5 * MINUTE, now=NOW + timedelta(seconds=15), more=True)
        other = collection(account, due_at=NOW + timedelta(seconds=14))
        later = NOW + timedelta(seconds=16)
        assert schedule.claim(now=later, at_once=1) == [other.pk]
        assert schedule.claim(now=later, at_once=2) == [row.pk]

    def test_that_fails_waits_longer_each_time(self, acme: Organization) -> None:
        row, now, waits = collection(connect(acme)), NOW, []
        for _ in range(12):
            job = claimed(row, now)
            schedule.fail(job, AwsError(Trouble.THROTTLED, "logs:FilterLogEvents"), now=now)
            row.refresh_from_db()
            waits.append(row.due_at - now)
            now = row.due_at
        assert all(later > 0.9 * earlier for earlier, later in pairwise(waits[:6]))
        assert schedule.MOST_WAIT * 0.7 < waits[-1] < schedule.MOST_WAIT * 1.3
        assert (row.trouble, row.failures) == ("throttled", 12)

    def test_whose_role_is_gone_asks_for_verification(self, acme: Organization) -> None:
        account = connect(acme)
        AwsAccount.objects.update(check_at=NOW + timedelta(days=1))
        schedule.fail(claimed(collection(account)), AwsError(Trouble.ROLE_GONE, "sts:AssumeRole"), now=NOW)
        account.refresh_from_db()
        assert account.check_at == NOW

    @pytest.mark.parametrize("part", [False, True])
    def test_that_was_denied_asks_for_the_permissions_to_be_tried(self, acme: Organization, part: bool) -> None:
        account = connect(acme)
        AwsAccount.objects.update(check_at=NOW + timedelta(days=1), checked_at=NOW - timedelta(hours=1))
        job = claimed(collection(account))
        if part:
            schedule.succeed(job, cursor={}, every=MINUTE, now=NOW, note="Not allowed: sqs:ListQueues")
        else:
            schedule.fail(job, AwsError(Trouble.ACCESS_DENIED, "sqs:ListQueues"), now=NOW)
        account.refresh_from_db()
        assert account.check_at == NOW

    def test_that_failed_is_tried_again_once_the_account_was_found_well(self, acme: Organization) -> None:
        account = connect(acme)
        row, fine = collection(account), collection(account, kind="topics", due_at=NOW + MINUTE)
        schedule.fail(claimed(row), AwsError(Trouble.REGION_DISABLED, "sqs:ListQueues"), now=NOW)
        assert schedule.retry(now=NOW + MINUTE / 12) == 0
        account.checked_at = NOW + MINUTE / 12
        account.save()
        assert schedule.retry(now=NOW + MINUTE / 12) == 1
        row.refresh_from_db()
        fine.refresh_from_db()
        assert (row.due_at, fine.due_at) == (NOW + MINUTE / 12, NOW + MINUTE)

    def test_that_took_too_long_keeps_nothing(self, acme: Organization) -> None:
        row = collection(connect(acme))
        job = claimed(row)
        assert schedule.claim(now=NOW + 2 * MINUTE, at_once=10) == [row.pk]
        with pytest.raises(LeaseLostError):
            schedule.succeed(job, cursor={"stale": True}, every=MINUTE, now=NOW + 2 * MINUTE)
        row.refresh_from_db()
        assert row.cursor == {}


def test_an_unknown_function_has_functions_listed_at_once(acme: Organization, checkout: Resource) -> None:
    account = connect(acme)
    later = NOW + timedelta(hours=1)
    Resource.objects.filter(pk=checkout.pk).update(first_seen_at=NOW - MINUTE)
    listing = collection(account, schedule.LISTING, due_at=later, succeeded_at=NOW - 3 * MINUTE)
    other = collection(account, schedule.LISTING, region="us-east-1", due_at=later, succeeded_at=NOW - 3 * MINUTE)
    assert schedule.hasten(now=NOW) == 1
    listing.refresh_from_db()
    other.refresh_from_db()
    assert (listing.due_at, other.due_at) == (NOW, later)
    Collection.objects.update(due_at=later, succeeded_at=NOW)
    assert schedule.hasten(now=NOW) == 0  # It was listed since; whoever AWS does not know is asked for once.


def test_after_an_outage_the_catch_up_is_level_and_single(acme: Organization) -> None:
    """R25 in small: 60 accounts have been due for half an hour; each is read once, at an even rate."""
    rows = [collection(connect(acme, number), due_at=NOW - timedelta(minutes=30)) for number in range(60)]
    runs: Counter[int] = Counter()
    per_tick, now = [], NOW
    while len(runs) < len(rows):
        ids = schedule.claim(now=now, at_once=6)
        per_tick.append(len(ids))
        for pk in ids:
            runs[pk] += 1
            job = schedule.job(collection_id=pk, now=now)
            assert job is not None
            schedule.succeed(job, cursor={}, every=5 * MINUTE, now=now)
        now += timedelta(seconds=2)
    assert set(runs.values()) == {1}
    assert max(per_tick) / (sum(per_tick) / len(per_tick)) <= 1.5
    due = [row.due_at for row in Collection.objects.all()]
    per_minute = Counter((moment - NOW) // MINUTE for moment in due)
    assert max(per_minute.values()) < 30  # They are not all due at the same moment again.
