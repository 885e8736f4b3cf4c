import threading
from datetime import timedelta

import pytest
from django.db import connection

from alerts import routing
from alerts.channels import NobodyError, addressed, seal
from alerts.finding import Severity
from alerts.models import Channel, Incident, Notification, Policy, Transition
from observability.inventory.models import Resource
from observability.tenants.models import Organization, Role, User
from tests.alerts.facts import NOW

Kind = Transition.Kind


@pytest.fixture
def incident(acme: Organization, checkout: Resource) -> Incident:
    return Incident.objects.create(
        organization=acme, number=1, fingerprint="1:a", kind="errors", severity=Severity.WARNING, title="boom",
        resource=checkout, opened_at=NOW, first_seen_at=NOW, last_seen_at=NOW,
    )  # fmt: skip


def channel(organization: Organization, kind: str, **fields: object) -> Channel:
    return Channel.objects.create(
        organization=organization, kind=kind, name=kind, config=seal({}), created_at=NOW, **fields
    )


def policy(organization: Organization, *channels: Channel, name: str = "All", **fields: object) -> Policy:
    row = Policy.objects.create(organization=organization, name=name, created_at=NOW, **fields)
    row.channels.add(*channels)
    return row


def tell(incident: Incident, *kinds: Kind) -> list[tuple[str, str]]:
    """Route steps of these kinds; answers with (step, channel) of every notification there is."""
    for kind in kinds:
        step = Transition.objects.create(incident=incident, kind=kind, happened_at=NOW)
        routing.route(organization_id=incident.organization_id, transitions=[step], now=NOW)
    rows = Notification.objects.order_by("transition", "channel__name")
    return [(row.transition.kind, row.channel.kind) for row in rows if row.transition]


class TestDefault:
    def test_tells_the_owners_by_mail_from_the_first_minute(self, acme: Organization, alice: User, bob: User) -> None:
        routing.route(organization_id=acme.pk, transitions=[], now=NOW)
        default = Policy.objects.get()
        assert (default.name, default.is_default) == (routing.DEFAULT_POLICY, True)
        assert addressed(default.channels.get()) == {"to": ["alice@example.com"]}

    def test_follows_the_owners(self, acme: Organization, alice: User, bob: User) -> None:
        routing.route(organization_id=acme.pk, transitions=[], now=NOW)
        channel = Channel.objects.get()
        bob.memberships.update(role=Role.OWNER)
        assert addressed(channel) == {"to": ["alice@example.com", "bob@example.com"]}
        alice.memberships.all().delete()
        assert addressed(channel) == {"to": ["bob@example.com"]}
        User.objects.update(is_active=False)
        with pytest.raises(NobodyError, match="No owner"):
            addressed(channel)

    def test_is_made_once(self, acme: Organization, alice: User, incident: Incident) -> None:
        assert tell(incident, Kind.OPENED, Kind.REOPENED) == [(Kind.OPENED, "email"), (Kind.REOPENED, "email")]
        assert (Policy.objects.count(), Channel.objects.count()) == (1, 1)

    def test_waits_for_an_owner(self, acme: Organization, bob: User) -> None:
        routing.route(organization_id=acme.pk, transitions=[], now=NOW)
        assert not Policy.objects.exists()

    def test_does_not_come_back_when_there_is_another_policy(
        self, acme: Organization, alice: User, incident: Incident
    ) -> None:
        policy(acme, enabled=False)
        assert tell(incident, Kind.OPENED) == []

    @pytest.mark.django_db(transaction=True)
    def test_is_made_once_by_two_at_a_time(self, acme: Organization, alice: User) -> None:
        start = threading.Barrier(2)

        def work() -> None:
            start.wait()
            routing.route(organization_id=acme.pk, transitions=[], now=NOW)
            connection.close()

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (Policy.objects.count(), Channel.objects.count()) == (1, 1)
        assert Policy.objects.get().channels.count() == 1


class TestPolicies:
    def test_of_a_higher_severity_do_not_hear(self, acme: Organization, incident: Incident) -> None:
        policy(acme, channel(acme, "slack"), minimum_severity=Severity.CRITICAL)
        assert tell(incident, Kind.OPENED) == []

    @pytest.mark.parametrize(("kinds", "hears"), [([], True), (["errors"], True), (["timeouts"], False)])
    def test_hear_of_the_kinds_they_name(
        self, acme: Organization, incident: Incident, kinds: list[str], hears: bool
    ) -> None:
        policy(acme, channel(acme, "slack"), kinds=kinds)
        assert bool(tell(incident, Kind.OPENED)) is hears

    def test_that_are_off_do_not_hear(self, acme: Organization, incident: Incident) -> None:
        policy(acme, channel(acme, "slack"), enabled=False)
        policy(acme, channel(acme, "webhook", enabled=False), name="Other")
        assert tell(incident, Kind.OPENED) == []

    def test_that_share_a_channel_tell_it_once(self, acme: Organization, incident: Incident) -> None:
        slack = channel(acme, "slack")
        policy(acme, slack, name="First")
        policy(acme, slack, name="Second")
        assert tell(incident, Kind.OPENED) == [(Kind.OPENED, "slack")]
        assert Notification.objects.get().policy_name == "First"

    def test_of_another_organization_do_not_hear(
        self, acme: Organization, rival: Organization, incident: Incident
    ) -> None:
        policy(rival, channel(rival, "slack"))
        assert tell(incident, Kind.OPENED) == []

    def test_of_an_archived_organization_do_not_hear(self, acme: Organization, alice: User, incident: Incident) -> None:
        Organization.objects.filter(pk=acme.pk).update(archived_at=NOW)
        assert tell(incident, Kind.OPENED) == []
        policy(acme, channel(acme, "slack"))
        assert tell(incident, Kind.REOPENED) == []


class TestAudience:
    def test_hears_what_it_has_use_for(self, acme: Organization, incident: Incident) -> None:
        policy(acme, channel(acme, "slack"), channel(acme, "email"), channel(acme, "webhook"))
        told = tell(incident, Kind.OPENED, Kind.ACKNOWLEDGED, Kind.MUTED, Kind.RESOLVED)
        assert told == [
            (Kind.OPENED, "email"), (Kind.OPENED, "slack"), (Kind.OPENED, "webhook"),
            (Kind.ACKNOWLEDGED, "slack"), (Kind.ACKNOWLEDGED, "webhook"),
            (Kind.MUTED, "webhook"),
            (Kind.RESOLVED, "email"), (Kind.RESOLVED, "slack"), (Kind.RESOLVED, "webhook"),
        ]  # fmt: skip

    def test_may_do_without_good_news(self, acme: Organization, incident: Incident) -> None:
        policy(acme, channel(acme, "slack"), tell_resolved=False)
        assert tell(incident, Kind.OPENED, Kind.RESOLVED) == [(Kind.OPENED, "slack")]

    def test_that_never_heard_of_it_is_spared_the_end(self, acme: Organization, incident: Incident) -> None:
        policy(acme, channel(acme, "slack"))
        assert tell(incident, Kind.RESOLVED) == []


class TestOutbox:
    def test_holds_each_step_once_whatever_repeats(self, acme: Organization, incident: Incident) -> None:
        policy(acme, channel(acme, "slack"))
        step = Transition.objects.create(incident=incident, kind=Kind.OPENED, happened_at=NOW)
        for seconds in range(2):
            now = NOW + timedelta(seconds=seconds)
            routing.route(organization_id=acme.pk, transitions=[step], now=now)
        assert Notification.objects.get().due_at == NOW

    def test_takes_a_test_of_a_channel(self, acme: Organization) -> None:
        assert routing.try_out(channel=channel(acme, "slack"), now=NOW).transition is None


class TestSwitchedOff:
    @pytest.fixture
    def dead(self, acme: Organization) -> Channel:
        return Channel.objects.create(
            organization=acme, kind="slack", name="dead", config=seal({}), created_at=NOW, enabled=False
        )

    def tell(self, dead: Channel) -> list[str]:
        """The names of the channels that are told."""
        routing.tell_switched_off(channel=dead, now=NOW)
        rows = Notification.objects.filter(about=dead, transition=None).order_by("channel__name")
        return [row.channel.name for row in rows]

    def test_is_told_to_people_through_the_default_policy(self, acme: Organization, alice: User, dead: Channel) -> None:
        policy(acme, dead, channel(acme, "slack"), channel(acme, "email"), channel(acme, "webhook"), is_default=True)
        Channel.objects.create(organization=acme, kind="slack", name="other", config=seal({}), created_at=NOW)
        assert self.tell(dead) == ["email", "slack"]

    def test_else_to_the_owners(self, acme: Organization, alice: User, dead: Channel) -> None:
        policy(acme, dead, channel(acme, "webhook"), is_default=True)
        assert self.tell(dead) == [routing.DEFAULT_CHANNEL]
        assert addressed(Channel.objects.get(name=routing.DEFAULT_CHANNEL)) == {"to": ["alice@example.com"]}

    def test_is_told_to_nobody_when_nobody_is_left(self, acme: Organization, alice: User, dead: Channel) -> None:
        Channel.objects.filter(pk=dead.pk).update(name=routing.DEFAULT_CHANNEL)
        assert self.tell(dead) == []
        Channel.objects.filter(pk=dead.pk).update(name="dead")
        Organization.objects.update(archived_at=NOW)
        assert self.tell(dead) == []
