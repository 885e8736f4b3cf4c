"""Which log groups there are, which are due, and why one is not read."""

from datetime import timedelta

import pytest

from ingest import log_groups
from ingest.collector import Found, Function
from ingest.log_groups import EXCLUDED, MISSING, PUSHES, WRONG_CLASS, Group
from ingest.log_windows import Outcome
from ingest.models import LogGroup
from observability.aws.models import AwsAccount
from observability.aws.problems import AwsError, Trouble
from observability.inventory.models import Resource
from observability.telemetry.records import Window
from observability.tenants.models import Organization
from tests.ingest.logs import HOUR, MINUTE, NOW, REGION, SECOND, connect, function, known


@pytest.fixture
def account(acme: Organization) -> AwsAccount:
    return connect(acme)


def cover(account: AwsAccount, *functions: Function, now: object = NOW) -> bool:
    by_name = {each.name: each for each in functions}
    return log_groups.cover(account_pk=account.pk, region=REGION, functions=by_name, now=now)  # type: ignore[arg-type]


def claim(account: AwsAccount, now: object = NOW) -> Group | None:
    return log_groups.claim(account_pk=account.pk, region=REGION, now=now)  # type: ignore[arg-type]


def claimed(account: AwsAccount, now: object = NOW) -> Group:
    group = claim(account, now)
    assert group is not None
    return group


def pushing(row: Function, ago: timedelta) -> Function:
    Resource.objects.filter(pk=row.resource_id).update(pushed_at=NOW - ago)
    return known(Resource.objects.get(pk=row.resource_id))


class TestCover:
    def test_there_is_one_row_for_each_group_however_many_write_to_it(
        self, acme: Organization, account: AwsAccount
    ) -> None:
        functions = [function(acme, "checkout"), *(function(acme, name, log_group="/shop/all") for name in ("a", "b"))]
        assert cover(account, *functions)
        assert not cover(account, *functions, now=NOW + MINUTE)
        rows = LogGroup.objects.values_list("name", "resource__name", "due_at", "read_until", "trouble")
        assert set(rows) == {
            ("/aws/lambda/checkout", "checkout", NOW, NOW - HOUR, ""),
            ("/shop/all", "a", NOW, NOW - HOUR, ""),
        }
        assert not cover(account, functions[2], now=NOW + 2 * MINUTE)
        assert LogGroup.objects.get(name="/shop/all").resource_id == functions[2].resource_id

    def test_what_pushes_is_not_read_and_later_not_again(self, acme: Organization, account: AwsAccount) -> None:
        row = function(acme, "checkout")
        cover(account, row)
        cover(account, pushing(row, MINUTE))
        assert claimed(account).pushes_since == NOW  # What was before is not all read yet.
        LogGroup.objects.update(swept_until=NOW)
        cover(account, pushing(row, MINUTE))
        assert LogGroup.objects.get().trouble == PUSHES
        assert claim(account) is None
        later = NOW + 5 * HOUR
        cover(account, pushing(row, MINUTE), now=later)
        group = LogGroup.objects.get()
        assert (group.trouble, group.due_at, group.read_until) == ("", later, later - HOUR)
        assert group.pushes_since is None

    def test_what_cannot_be_read_is_not_waited_for(self, acme: Organization, account: AwsAccount) -> None:
        row = function(acme, "checkout")
        cover(account, row)
        LogGroup.objects.update(trouble=MISSING)
        cover(account, pushing(row, MINUTE))
        assert LogGroup.objects.get().trouble == PUSHES

    def test_what_pushes_from_the_start_is_never_read(self, acme: Organization, account: AwsAccount) -> None:
        cover(account, pushing(function(acme, "checkout"), MINUTE))
        assert LogGroup.objects.get().trouble == PUSHES

    def test_a_shared_group_is_read_as_long_as_one_does_not_push(self, acme: Organization, account: AwsAccount) -> None:
        functions = [function(acme, name, log_group="/shop/all") for name in ("a", "b")]
        cover(account, functions[0], pushing(functions[1], MINUTE))
        assert claim(account) is not None

    def test_what_is_not_watched_is_not_read(self, acme: Organization, account: AwsAccount) -> None:
        row = function(acme, "checkout")
        cover(account, row)
        cover(account)
        assert LogGroup.objects.get().trouble == EXCLUDED
        assert claim(account) is None
        cover(account, row, now=NOW + MINUTE)
        assert claim(account, NOW + MINUTE) is not None

    def test_other_troubles_are_left_alone(self, acme: Organization, account: AwsAccount) -> None:
        row = function(acme, "checkout")
        cover(account, row)
        LogGroup.objects.update(trouble=MISSING)
        cover(account, row)
        assert LogGroup.objects.get().trouble == MISSING


class TestDescribe:
    def found(self, **config: object) -> Found:
        return Found("log_group", "arn", "/aws/lambda/checkout", {"retention_days": None, "class": "STANDARD"} | config)

    def test_tells_how_far_back_there_is_anything(self, acme: Organization, account: AwsAccount) -> None:
        cover(account, function(acme, "checkout"))
        log_groups.describe(account_pk=account.pk, region=REGION, found=[self.found(retention_days=3)], now=NOW)
        group = claimed(account)
        assert group.kept_since(NOW, 30) == NOW - timedelta(days=3) + HOUR
        assert group.kept_since(NOW, 1) == NOW - timedelta(days=1) + HOUR

    @pytest.mark.parametrize("log_class", ["INFREQUENT_ACCESS", "DELIVERY"])
    def test_some_classes_cannot_be_read(self, acme: Organization, account: AwsAccount, log_class: str) -> None:
        row = function(acme, "checkout")
        cover(account, row)
        log_groups.describe(account_pk=account.pk, region=REGION, found=[self.found(**{"class": log_class})], now=NOW)
        cover(account, row)
        group = LogGroup.objects.get()
        assert group.trouble == WRONG_CLASS
        assert log_class in group.detail
        assert claim(account) is None
        log_groups.describe(account_pk=account.pk, region=REGION, found=[self.found()], now=NOW + HOUR)
        assert claim(account) is not None  # It was made anew.

    def test_others_groups_are_none_of_ours(self, account: AwsAccount) -> None:
        log_groups.describe(account_pk=account.pk, region=REGION, found=[self.found()], now=NOW)
        assert not LogGroup.objects.exists()


class TestTurns:
    def test_each_group_has_its_turn_and_the_one_that_waited_longest_the_first(
        self, acme: Organization, account: AwsAccount
    ) -> None:
        for number, name in enumerate("abc"):
            cover(account, function(acme, name), now=NOW - number * MINUTE)
        LogGroup.objects.update(trouble="")
        assert [claimed(account).name[-1] for _ in range(3)] == ["c", "b", "a"]
        assert claim(account) is None
        assert claimed(account, NOW + log_groups.LEASE).name[-1] == "c"

    def test_a_noisy_group_stays_due_but_behind_the_others(self, acme: Organization, account: AwsAccount) -> None:
        cover(account, function(acme, "noisy"))
        group = claimed(account)
        window = Window(NOW - HOUR, NOW)
        log_groups.advance(group, window, Outcome(NOW - MINUTE, False, 9, 9, NOW), latest=NOW - MINUTE)
        row = LogGroup.objects.get()
        assert (row.due_at, row.read_until, row.last_event_at) == (NOW, NOW - MINUTE, NOW - MINUTE)

    def test_an_earlier_event_is_not_the_last_one(self, acme: Organization, account: AwsAccount) -> None:
        cover(account, function(acme, "checkout"))
        window, outcome = Window(NOW - HOUR, NOW), Outcome(NOW, True, 9, 9, NOW)
        for latest in (NOW, NOW - MINUTE, None):
            log_groups.advance(claimed(account), window, outcome, latest=latest)
            LogGroup.objects.update(due_at=NOW)
        assert LogGroup.objects.get().last_event_at == NOW

    def test_a_reader_that_was_too_slow_holds_nothing(self, acme: Organization, account: AwsAccount) -> None:
        cover(account, function(acme, "checkout"))
        group = claimed(account)
        assert log_groups.hold(group)
        log_groups.advance(group, Window(NOW - HOUR, NOW), Outcome(NOW, True, 0, 0, NOW), latest=None)
        assert not log_groups.hold(group)


class TestTrouble:
    def test_is_named_and_tried_again_later_each_time(self, acme: Organization, account: AwsAccount) -> None:
        cover(account, function(acme, "checkout"))
        now, waits = NOW, []
        for _ in range(8):
            group = claimed(account, now)
            log_groups.fail(group, AwsError(Trouble.ACCESS_DENIED, "logs:FilterLogEvents"), now=now)
            row = LogGroup.objects.get()
            waits.append(row.due_at - now)
            now = row.due_at
        assert row.trouble == "access_denied"
        assert MINUTE < waits[0] < 2 * MINUTE
        assert waits == sorted(waits)
        assert waits[-1] <= timedelta(minutes=11)

    def test_a_missing_group_has_a_name_of_its_own(self, acme: Organization, account: AwsAccount) -> None:
        cover(account, function(acme, "checkout"))
        log_groups.fail(claimed(account), AwsError(Trouble.NOT_FOUND, "logs:FilterLogEvents"), now=NOW)
        row = LogGroup.objects.get()
        assert row.trouble == MISSING
        assert "when the function first runs" in row.detail


class TestWake:
    def test_functions_that_ran_are_read_at_once(self, acme: Organization, account: AwsAccount) -> None:
        shared = [function(acme, name, log_group="/shop/all") for name in ("a", "b")]
        cover(account, function(acme, "checkout"), function(acme, "quiet"), *shared)
        LogGroup.objects.update(due_at=NOW + 9 * MINUTE, idle=5)
        woken = log_groups.wake(account_pk=account.pk, region=REGION, names={"checkout", "b", "unknown"}, now=NOW)
        assert woken == 2
        due = LogGroup.objects.filter(due_at=NOW, idle=0).values_list("name", flat=True)
        assert set(due) == {"/aws/lambda/checkout", "/shop/all"}

    def test_neither_busy_ones_nor_those_that_are_not_read_are_woken(
        self, acme: Organization, account: AwsAccount
    ) -> None:
        cover(account, function(acme, "checkout"))
        for fields in ({"idle": 0, "trouble": ""}, {"idle": 3, "trouble": PUSHES}):
            LogGroup.objects.update(due_at=NOW + 10 * SECOND, **fields)
            assert log_groups.wake(account_pk=account.pk, region=REGION, names={"checkout"}, now=NOW) == 0
