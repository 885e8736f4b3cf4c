from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from alerts import advising, insights, pipeline
from alerts.insights import RefusedError
from alerts.models import Incident, Insight, Notification, WatchCursor
from alerts.rule import Knob
from alerts.tuning import OutOfLimitsError, limits, tune
from alerts.wording import command, compose
from observability.aws.models import AwsAccount
from observability.inventory.models import Deployment, Resource
from observability.telemetry.store import get_store
from observability.tenants.models import AuditEntry, Organization, User
from tests.alerts.facts import NOW
from tests.alerts.pretend import RULE
from tests.alerts.pretend import look as look_with_it
from tests.alerts.test_outcomes import runs

State = Insight.State
HOUR = timedelta(hours=1)
Look = Callable[..., None]


@pytest.fixture
def look(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> Look:
    """Advise on Acme at ``NOW`` and so many hours."""

    def advise(hours: float = 0) -> None:
        assert look_with_it(acme, NOW + hours * HOUR, monkeypatch)

    return advise


@pytest.fixture
def checkout(checkout: Resource) -> Resource:
    """Known for a month, and with far too much memory."""
    checkout.first_seen_at = NOW - timedelta(days=30)
    checkout.config["memory_mb"] = 2_048
    checkout.save()
    return checkout


def give(resource: Resource, memory_mb: int, **config: object) -> None:
    resource.config |= {"memory_mb": memory_mb} | config
    resource.save()


def the_insight() -> Insight:
    return Insight.objects.get()


class TestLooks:
    def test_advice_is_kept_in_full(self, checkout: Resource, look: Look) -> None:
        look()
        found = the_insight()
        assert (found.rule, found.resource, found.state, found.severity) == (RULE.kind, checkout, "open", "warning")
        assert (found.text, found.evidence) == ("checkout has 2048 MB.", [["Memory", "2048 MB"]])
        assert found.fixes[0]["way"] == "cli"
        assert (found.usd_low, found.usd_high, found.confidence) == (10, 20, "high")
        assert (found.opened_at, found.seen_at) == (NOW, NOW)

    def test_it_stays_one_insight_with_the_latest_words(self, checkout: Resource, look: Look) -> None:
        look()
        give(checkout, 1_024)
        look(1)
        found = the_insight()
        assert (found.text, found.opened_at, found.seen_at) == ("checkout has 1024 MB.", NOW, NOW + HOUR)

    def test_what_is_no_longer_found_is_fixed(self, checkout: Resource, look: Look) -> None:
        look()
        give(checkout, 256)
        look(1)
        assert (the_insight().state, the_insight().fixed_at) == (State.FIXED, NOW + HOUR)

    def test_what_returns_is_open_again(self, checkout: Resource, look: Look) -> None:
        look()
        give(checkout, 256)
        look(1)
        give(checkout, 1_024)
        look(2)
        found = the_insight()
        assert (found.state, found.opened_at, found.fixed_at) == (State.OPEN, NOW + 2 * HOUR, None)

    def test_a_rule_that_raises_leaves_its_insights_alone(self, checkout: Resource, look: Look) -> None:
        look()
        give(checkout, 256, broken=True)
        look(1)
        assert (the_insight().state, the_insight().seen_at) == (State.OPEN, NOW)

    def test_a_rule_that_raises_about_one_resource_still_sees_the_others(
        self, acme: Organization, checkout: Resource, look: Look, caplog: pytest.LogCaptureFixture
    ) -> None:
        give(checkout, 256, broken=True)
        other = Resource.objects.create(
            organization=acme, arn=checkout.arn + "-2", name="other", config={"memory_mb": 4_000},
            first_seen_at=NOW, last_seen_at=NOW,
        )  # fmt: skip
        look()
        assert the_insight().resource == other
        assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["rule.failed"]

    def test_what_a_blind_account_holds_is_not_fixed(self, acme: Organization, checkout: Resource, look: Look) -> None:
        look()
        account = AwsAccount.objects.create(
            organization=acme, account_id=checkout.account, external_id="x", created_at=NOW, blind_since=NOW
        )
        give(checkout, 256)
        look(1)
        assert the_insight().state == State.OPEN
        account.blind_since = None
        account.save()
        look(2)
        assert the_insight().state == State.FIXED

    def test_what_aws_has_not_listed_for_long_is_not_fixed(self, checkout: Resource, look: Look) -> None:
        look()
        checkout.listed_at = NOW - timedelta(days=2)
        give(checkout, 256)
        look(1)
        assert the_insight().state == State.OPEN

    def test_what_is_no_longer_watched_is_forgotten(self, acme: Organization, checkout: Resource, look: Look) -> None:
        look()
        AwsAccount.objects.create(
            organization=acme, account_id=checkout.account, external_id="x", created_at=NOW,
            selection={"exclude": {"names": ["check*"]}},
        )  # fmt: skip
        look(1)
        assert not Insight.objects.exists()

    def test_what_is_disconnected_is_forgotten(self, acme: Organization, checkout: Resource, look: Look) -> None:
        """What is known of it stays, and would be advised on for ever."""
        look()
        AwsAccount.objects.create(
            organization=acme, account_id=checkout.account, external_id="x", created_at=NOW, disconnected_at=NOW,
            status=AwsAccount.Status.DISCONNECTED,
        )  # fmt: skip
        look(1)
        assert not Insight.objects.exists()
        AwsAccount.objects.create(organization=acme, account_id=checkout.account, external_id="y", created_at=NOW)
        look(2)
        assert the_insight().state == State.OPEN

    def test_what_was_deleted_is_fixed(self, checkout: Resource, look: Look) -> None:
        look()
        Resource.objects.update(gone_at=NOW + HOUR)
        look(2)
        look(4)
        assert (the_insight().state, the_insight().outcome) == (State.FIXED, {"gone": True})

    def test_an_earlier_look_that_comes_late_changes_nothing(
        self, acme: Organization, checkout: Resource, look: Look, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        look(1)
        give(checkout, 256)
        assert not look_with_it(acme, NOW, monkeypatch)
        assert the_insight().state == State.OPEN

    def test_organizations_see_nothing_of_each_other(
        self, acme: Organization, rival: Organization, checkout: Resource, look: Look, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        look()
        look_with_it(rival, NOW + HOUR, monkeypatch)
        assert the_insight().organization == acme
        assert the_insight().state == State.OPEN
        with pytest.raises(RefusedError):
            insights.snooze(
                organization=rival, ids=[the_insight().pk], reason="ours", until=NOW + HOUR,
                actor=User.objects.create_user(email="c@example.com", password="correct horse"), now=NOW,
            )  # fmt: skip

    def test_a_look_takes_as_many_queries_for_many_resources(
        self, acme: Organization, checkout: Resource, look: Look
    ) -> None:
        look()
        with CaptureQueriesContext(connection) as few:
            look(1)
        Resource.objects.bulk_create(
            Resource(
                organization=acme, arn=f"{checkout.arn}-{n}", name=f"n{n}", config={"memory_mb": 1_024},
                first_seen_at=NOW, last_seen_at=NOW,
            )
            for n in range(50)
        )  # fmt: skip
        with CaptureQueriesContext(connection) as many:
            look(2)
        assert Insight.objects.count() == 51
        assert len(many) <= len(few)


class TestSnooze:
    @pytest.fixture
    def snooze(self, acme: Organization, alice: User, checkout: Resource, look: Look) -> Callable[..., int]:
        look()

        def put_off(*, reason: str = "Planned for March.", hours: float = 5) -> int:
            return insights.snooze(
                organization=acme, ids=[the_insight().pk], reason=reason, until=NOW + hours * HOUR, actor=alice, now=NOW
            )

        return put_off

    def test_it_is_kept_with_who_and_why(self, alice: User, snooze: Callable[..., int]) -> None:
        assert snooze() == 1
        found = the_insight()
        assert (found.state, found.snooze_reason, found.snoozed_by) == ("snoozed", "Planned for March.", alice)
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.target) == ("insight.snoozed", "too_much_memory of checkout")
        assert entry.detail["reason"] == "Planned for March."

    def test_it_sleeps_through_looks_and_wakes_in_time(self, snooze: Callable[..., int], look: Look) -> None:
        snooze()
        look(4)
        assert (the_insight().state, the_insight().snooze_reason) == ("snoozed", "Planned for March.")
        look(5)
        found = the_insight()
        assert (found.state, found.snooze_reason, found.snoozed_by, found.opened_at) == ("open", "", None, NOW)

    def test_what_was_followed_meanwhile_is_fixed(
        self, checkout: Resource, snooze: Callable[..., int], look: Look
    ) -> None:
        snooze()
        give(checkout, 256)
        look(1)
        assert (the_insight().state, the_insight().snooze_reason) == ("fixed", "")

    @pytest.mark.parametrize(
        ("reason", "hours"), [("  ", 5), ("because", 0), ("because", -1), ("because", 24 * 400)],
        ids=["no reason", "at once", "in the past", "for ever"],
    )  # fmt: skip
    def test_it_needs_a_reason_and_an_end(self, snooze: Callable[..., int], reason: str, hours: float) -> None:
        with pytest.raises(RefusedError):
            snooze(reason=reason, hours=hours)
        assert the_insight().state == "open"

    def test_it_can_be_brought_back(self, acme: Organization, alice: User, snooze: Callable[..., int]) -> None:
        snooze()
        insights.unsnooze(organization=acme, ids=[the_insight().pk], actor=alice, now=NOW)
        assert the_insight().state == "open"
        assert AuditEntry.objects.order_by("-number")[0].action == "insight.unsnoozed"
        with pytest.raises(RefusedError):
            insights.unsnooze(organization=acme, ids=[the_insight().pk], actor=alice, now=NOW)


class TestTuning:
    @pytest.fixture
    def turn(self, acme: Organization, alice: User) -> Callable[..., None]:
        def turn(megabytes: float = 512, *, enabled: bool = True, hours: float = 0) -> None:
            tune(
                organization=acme, kind=RULE.kind, knobs=RULE.knobs, enabled=enabled,
                values={"megabytes": megabytes}, actor=alice, now=NOW + hours * HOUR,
            )  # fmt: skip

        return turn

    def test_a_threshold_changes_what_is_found(self, checkout: Resource, turn: Callable[..., None], look: Look) -> None:
        turn(4_096)
        look()
        assert not Insight.objects.exists()
        turn(1_024, hours=1)
        look(2)
        assert the_insight().state == "open"

    def test_what_a_turned_threshold_no_longer_finds_was_not_fixed(
        self, checkout: Resource, turn: Callable[..., None], look: Look
    ) -> None:
        look()
        turn(4_096, hours=1)
        look(2)
        assert not Insight.objects.exists()

    def test_a_rule_that_is_off_finds_and_fixes_nothing(
        self, checkout: Resource, turn: Callable[..., None], look: Look
    ) -> None:
        look()
        turn(enabled=False, hours=1)
        give(checkout, 256)
        look(2)
        assert the_insight().state == "open"

    @pytest.mark.parametrize("megabytes", [1, 20_000, float("nan"), float("inf")])
    def test_a_knob_cannot_be_turned_past_its_limits(self, turn: Callable[..., None], megabytes: float) -> None:
        with pytest.raises(OutOfLimitsError, match=r"Between 128 and 10,240 MB\."):
            turn(megabytes)

    def test_limits_are_told(self) -> None:
        assert limits(Knob("a", "A", 1, "days", 0.5, 90)) == "Between 0.5 and 90 days."
        assert limits(Knob("a", "A", 1, "USD", 0)) == "0 USD or more."

    def test_it_is_on_record(self, turn: Callable[..., None]) -> None:
        turn(1_024)
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.target, entry.detail["enabled"]) == ("tuning.changed", RULE.kind, True)


class TestTelling:
    def test_critical_advice_is_an_incident_once(self, alice: User, checkout: Resource, look: Look) -> None:
        give(checkout, 4_096)
        look()
        look(1)
        incident = Incident.objects.get()
        assert (incident.kind, incident.title) == ("insight", "checkout: More memory than it needs")
        assert (incident.severity, incident.events, incident.state) == ("critical", 1, "open")
        assert incident.detail["message"] == "checkout has 4096 MB."
        assert incident.detail["fixes"][0]["text"].startswith("aws lambda update-function-configuration")
        assert incident.last_seen_at == NOW + HOUR
        assert Notification.objects.count() == 1

    def test_the_message_says_how_to_mend_it(
        self, acme: Organization, alice: User, checkout: Resource, look: Look
    ) -> None:
        give(checkout, 4_096)
        look()
        message = compose(Notification.objects.get(), now=NOW)
        assert message.summary == "checkout has 4096 MB."
        assert message.code == "aws lambda update-function-configuration --function-name checkout"
        assert "event" not in message.summary

    def test_its_page_shows_advice_instead_of_runs(
        self, acme: Organization, alice: User, checkout: Resource, look: Look, client: Client
    ) -> None:
        give(checkout, 4_096)
        look()
        client.force_login(alice)
        shown = client.get(f"/o/acme/incidents/{Incident.objects.get().number}/").content.decode()
        assert "checkout has 4096 MB." in shown
        assert 'data-copy="aws lambda update-function-configuration --function-name checkout"' in shown
        assert "Affected invocations" not in shown

    def test_other_advice_is_none(self, checkout: Resource, look: Look) -> None:
        look()
        assert not Incident.objects.exists()

    def test_it_is_resolved_once_the_advice_was_followed(
        self, acme: Organization, alice: User, checkout: Resource, look: Look
    ) -> None:
        give(checkout, 4_096)
        look()
        look(3)
        pipeline.settle(organization_id=acme.pk, now=NOW + 6 * HOUR)
        assert Incident.objects.get().state == "open"
        give(checkout, 256)
        look(6)
        pipeline.settle(organization_id=acme.pk, now=NOW + 8 * HOUR)
        assert Incident.objects.get().state == "resolved"

    def test_who_snoozes_it_hears_no_more_of_it(
        self, acme: Organization, alice: User, checkout: Resource, look: Look
    ) -> None:
        give(checkout, 4_096)
        look()
        insights.snooze(
            organization=acme, ids=[the_insight().pk], reason="We know.", until=NOW + 40 * HOUR, actor=alice, now=NOW
        )
        look(1)
        assert Incident.objects.get().last_seen_at == NOW

    def test_what_nobody_can_judge_goes_on(self, alice: User, checkout: Resource, look: Look) -> None:
        give(checkout, 4_096)
        look()
        give(checkout, 256, broken=True)
        look(1)
        assert Incident.objects.get().last_seen_at == NOW + HOUR


class TestDue:
    def looked(self, organization: Organization, minutes: float) -> None:
        at = NOW - timedelta(minutes=minutes)
        WatchCursor.objects.update_or_create(organization=organization, defaults={"advised_at": at})

    def test_who_runs_nothing_is_not_looked_at(self, acme: Organization) -> None:
        assert advising.due(now=NOW) == []

    @pytest.mark.parametrize(("minutes", "due"), [(59, False), (60, True)])
    def test_everybody_is_looked_at_every_hour(
        self, acme: Organization, checkout: Resource, minutes: float, due: bool
    ) -> None:
        assert advising.due(now=NOW) == [acme.pk]
        self.looked(acme, minutes)
        assert advising.due(now=NOW) == ([acme.pk] if due else [])

    @pytest.mark.parametrize(
        ("looked", "deployed", "due"), [(10, 5, True), (10, 15, True), (10, 25, False), (9, 5, False)]
    )
    def test_a_deployment_brings_the_next_look_forward(
        self, acme: Organization, checkout: Resource, looked: float, deployed: float, due: bool
    ) -> None:
        self.looked(acme, looked)
        at: datetime = NOW - timedelta(minutes=deployed)
        Deployment.objects.create(organization=acme, resource=checkout, version="2", deployed_at=at)
        assert bool(advising.due(now=NOW)) is due

    def test_a_new_account_is_looked_at_again_and_again(self, acme: Organization, checkout: Resource) -> None:
        AwsAccount.objects.create(
            organization=acme, account_id=checkout.account, external_id="x", created_at=NOW, connected_at=NOW
        )
        self.looked(acme, 10)
        assert advising.due(now=NOW) == [acme.pk]

    def test_who_is_archived_is_left_alone(self, acme: Organization, checkout: Resource) -> None:
        acme.archived_at = NOW
        acme.save()
        assert advising.due(now=NOW) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("aws a", "aws a"),
        ("aws a \\\n  --b 1", "aws a \\\n  --b 1"),
        ("aws a \\\n  --b 1 \\\n  --c 2 \\\n  --d 3", "aws a --b 1 --c 2 --d 3"),
        ("a\nb\nc\nd", ""),
        ("x" * 201, ""),
        ("", ""),
    ],
)
def test_a_command_is_shown_whole_or_not_at_all(text: str, shown: str) -> None:
    assert command([{"way": "terraform", "text": "resource"}, {"way": "cli", "text": text}]) == shown


def test_a_look_sees_what_was_measured(checkout: Resource, look: Look) -> None:
    get_store().append(runs(checkout, NOW - timedelta(days=1), 40), now=NOW)
    look()
    assert the_insight().before["runs_per_day"] == pytest.approx(40 / (14 + 8 / 24))
