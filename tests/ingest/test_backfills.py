"""History on demand: all of it, once, the newest hour first."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from django.db import OperationalError

from ingest import backfills, log_groups
from ingest.backfills import AlreadyRunningError, NothingToReadError
from ingest.collector import Function
from ingest.models import Backfill, LogGroup
from observability.aws.models import AwsAccount
from observability.aws.problems import Trouble
from observability.telemetry.records import Window
from observability.telemetry.store import get_store
from observability.tenants.models import AuditEntry, Organization, User
from tests.ingest.logs import HOUR, MINUTE, NOW, REGION, SECOND, Logs, connect, function, scope

GROUP = "/aws/lambda/checkout"
DAY = timedelta(days=1)


@pytest.fixture
def account(acme: Organization) -> AwsAccount:
    return connect(acme)


@pytest.fixture
def checkout(account: AwsAccount) -> Function:
    row = function(account.organization, "checkout")
    log_groups.cover(account_pk=account.pk, region=REGION, functions={"checkout": row}, now=NOW)
    return row


def begin(account: AwsAccount, alice: User, start: datetime = NOW - 2 * DAY, end: datetime = NOW) -> Backfill:
    return backfills.start(account=account, start=start, end=end, actor=alice, now=NOW)


def work(account: AwsAccount, logs: Logs, *functions: Function, patience: timedelta = MINUTE) -> None:
    backfills.work(
        aws=logs, scope=scope(account.organization, *functions), account_pk=account.pk, clock=lambda: logs.now,
        patience=patience,
    )  # fmt: skip


def messages(account: AwsAccount) -> Counter[str]:
    window = Window(NOW - 30 * DAY, NOW + DAY)
    return Counter(line.message for line in get_store().log_lines(account.organization_id, window, limit=100_000))


class TestStart:
    def test_reaches_back_a_week_at_most(self, account: AwsAccount, alice: User, checkout: Function) -> None:
        backfill = begin(account, alice, NOW - 30 * DAY, NOW + DAY)
        assert (backfill.start, backfill.end) == (NOW - 7 * DAY, NOW)
        entry = AuditEntry.objects.get(action="backfill.started")
        assert (entry.actor, entry.target, entry.detail["log_groups"]) == (alice, "production", 1)

    def test_and_not_before_what_is_kept(
        self, account: AwsAccount, alice: User, checkout: Function, settings: pytest.FixtureRequest
    ) -> None:
        settings.RETENTION_RAW_DAYS = 3  # type: ignore[attr-defined]
        assert begin(account, alice, NOW - 7 * DAY).start == NOW - 3 * DAY + HOUR

    @pytest.mark.parametrize(("start", "end"), [(NOW, NOW), (NOW - 9 * DAY, NOW - 8 * DAY), (NOW + DAY, NOW + 2 * DAY)])
    def test_refuses_what_cannot_be_read(
        self, account: AwsAccount, alice: User, start: datetime, end: datetime
    ) -> None:
        with pytest.raises(NothingToReadError):
            begin(account, alice, start, end)

    def test_one_at_a_time(self, account: AwsAccount, alice: User, checkout: Function) -> None:
        begin(account, alice)
        with pytest.raises(AlreadyRunningError):
            begin(account, alice)

    def test_without_log_groups_it_is_over_at_once(self, account: AwsAccount, alice: User) -> None:
        assert backfills.progress(begin(account, alice)).share == 1.0


class TestWork:
    def test_everything_is_there_once_and_nothing_else(
        self, account: AwsAccount, alice: User, checkout: Function
    ) -> None:
        logs = Logs(groups={GROUP: []})
        for hour in range(60):
            logs.say(GROUP, f"{hour} hours ago", at=NOW - hour * HOUR - MINUTE)
        backfill = begin(account, alice)
        work(account, logs, checkout)
        assert messages(account) == {f"{hour} hours ago": 1 for hour in range(48)}
        backfill.refresh_from_db()
        assert backfills.progress(backfill) == backfills.Progress(1.0, 1, 1, 48, NOW)
        assert logs.asked[0][1] == NOW - HOUR
        again = begin(account, alice)
        work(account, logs, checkout)
        assert messages(account).total() == 48
        again.refresh_from_db()
        assert (again.events, again.finished_at) == (0, NOW)

    def test_the_newest_hour_of_every_group_comes_first(
        self, acme: Organization, account: AwsAccount, alice: User, checkout: Function
    ) -> None:
        other = function(acme, "other")
        functions = {"checkout": checkout, "other": other}
        log_groups.cover(account_pk=account.pk, region=REGION, functions=functions, now=NOW)
        logs = Logs(groups={GROUP: [], "/aws/lambda/other": []})
        backfill = begin(account, alice, NOW - 4 * HOUR)
        shares: list[float] = []
        while not shares or shares[-1] < 1:
            moments = iter([NOW, NOW, NOW + HOUR])
            backfills.work(
                aws=logs, scope=scope(acme, checkout, other), account_pk=account.pk, clock=moments.__next__,
                patience=MINUTE,
            )  # fmt: skip
            backfill.refresh_from_db()
            shares.append(backfills.progress(backfill).share)
        assert shares == [each / 8 for each in range(1, 9)]
        assert [start for _, start, _ in logs.asked] == [NOW - hour * HOUR for hour in (1, 1, 2, 2, 3, 3, 4, 4)]

    def test_hours_that_hold_too_much_are_taken_in_parts(
        self, account: AwsAccount, alice: User, checkout: Function
    ) -> None:
        logs = Logs(page=10, groups={GROUP: []})
        for second in range(0, 3 * 3600, 20):
            logs.say(GROUP, f"{second}", at=NOW - second * SECOND - SECOND)
        for number in range(100):
            logs.say(GROUP, f"burst {number}", at=NOW - HOUR)
        begin(account, alice, NOW - 4 * HOUR)
        work(account, logs, checkout)
        assert messages(account).total() == 3 * 180 + 100
        assert set(messages(account).values()) == {1}
        assert Backfill.objects.get().finished_at == NOW

    def test_only_of_its_region(self, account: AwsAccount, alice: User, checkout: Function) -> None:
        logs = Logs(groups={GROUP: []})
        LogGroup.objects.update(region="us-east-1")
        begin(account, alice)
        work(account, logs, checkout)
        assert logs.asked == []

    @pytest.mark.parametrize("trouble", [Trouble.ACCESS_DENIED, Trouble.NOT_FOUND])
    def test_a_group_that_cannot_be_read_holds_up_nothing(
        self, account: AwsAccount, alice: User, checkout: Function, trouble: Trouble
    ) -> None:
        logs = Logs(groups={GROUP: []}, broken={GROUP: trouble})
        backfill = begin(account, alice)
        work(account, logs, checkout)
        backfill.refresh_from_db()
        assert (backfill.finished_at, backfill.events) == (NOW, 0)

    def test_a_group_that_is_not_read_any_more_is_left_out(
        self, account: AwsAccount, alice: User, checkout: Function
    ) -> None:
        logs = Logs(groups={GROUP: []})
        backfill = begin(account, alice)
        LogGroup.objects.update(trouble=log_groups.PUSHES)
        work(account, logs, checkout)
        backfill.refresh_from_db()
        assert (backfill.finished_at, logs.asked) == (NOW, [])

    def test_what_is_throttled_goes_on_later(self, account: AwsAccount, alice: User, checkout: Function) -> None:
        logs = Logs(groups={GROUP: []}, throttle=0.3)
        for hour in range(40):
            logs.say(GROUP, f"{hour}", at=NOW - hour * HOUR - MINUTE)
        backfill = begin(account, alice)
        for _ in range(60):
            work(account, logs, checkout)
        backfill.refresh_from_db()
        assert backfill.finished_at == NOW
        assert messages(account).total() == 40
        assert logs.calls <= 1.6 * 48

    def test_what_dies_before_its_commit_is_read_again(
        self, account: AwsAccount, alice: User, checkout: Function, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        logs = Logs(groups={GROUP: []})
        logs.say(GROUP, "hello", at=NOW - MINUTE)
        begin(account, alice)
        with monkeypatch.context() as patch:
            patch.setattr(backfills, "_pace", _die)
            with pytest.raises(OperationalError):
                work(account, logs, checkout)
        assert not messages(account)
        work(account, logs, checkout)
        assert messages(account) == {"hello": 1}
        assert Backfill.objects.get().events == 1


def _die(*_: object) -> float:
    raise OperationalError("killed")


def test_steps_fit_into_a_turn() -> None:
    assert backfills.step(0) == HOUR
    assert backfills.step(75.0) == 100 * SECOND
    assert backfills.step(1e9) == backfills.LEAST_STEP
