import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from alerts import delivery, routing
from alerts.channels import seal
from alerts.delivery import LEASE, PER_MINUTE, SCHEDULE
from alerts.message import Message
from alerts.models import Channel, DeliveryAttempt, Incident, Notification, Policy, Transition
from alerts.transport import Audience, ConfigField, Receipt, TransportError
from observability.inventory.models import Resource
from observability.tenants.models import AuditEntry, Organization, Role, User
from tests.alerts.facts import NOW
from tests.alerts.messages import MESSAGE

Status = Notification.Status
Kind = Transition.Kind


class Crash(BaseException):
    """The process dies here."""


@dataclass
class FakeTransport:
    """Keeps what it sends; ``answers`` are raised instead, first to last, None means that all is well."""

    kind: str = "fake"
    title: str = "Fake"
    icon: str = "x"
    audience: Audience = Audience.MACHINE
    fields: tuple[ConfigField, ...] = ()
    sent: list[Message] = field(default_factory=list)
    answers: list[BaseException | None] = field(default_factory=list)
    pause_s: float = 0.0
    configs: list[dict[str, Any]] = field(default_factory=list)
    under_way: list[str] = field(default_factory=list)
    crowded: list[str] = field(default_factory=list)

    def clean(self, config: dict[str, Any]) -> dict[str, Any]:
        return config

    def send(self, config: dict[str, Any], message: Message) -> Receipt:
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None and not isinstance(answer, Crash):
            raise answer
        if config["url"] in self.under_way:
            self.crowded.append(config["url"])
        self.under_way.append(config["url"])
        time.sleep(self.pause_s)
        self.under_way.remove(config["url"])
        self.sent.append(message)
        self.configs.append(config)
        if answer is not None:
            raise answer
        return Receipt("Fine.")


@pytest.fixture
def transport(monkeypatch: pytest.MonkeyPatch) -> FakeTransport:
    transport = FakeTransport()

    def compose(notification: Notification, *, now: datetime) -> Message:
        incident = notification.transition.incident.number if notification.transition else 0
        reached = frozenset(notification.reached)
        return replace(MESSAGE, id=str(notification.pk), incident_number=incident, composed_at=now, reached=reached)

    monkeypatch.setattr(delivery, "get_transport", {"fake": transport}.__getitem__)
    monkeypatch.setattr(delivery, "compose", compose)
    return transport


@pytest.fixture
def channel(acme: Organization) -> Channel:
    return new_channel(acme, "On call")


def new_channel(organization: Organization, name: str, kind: str = "fake") -> Channel:
    config = seal({"url": name})
    return Channel.objects.create(organization=organization, kind=kind, name=name, config=config, created_at=NOW)


@pytest.fixture
def due(acme: Organization, checkout: Resource, channel: Channel) -> Callable[..., Notification]:
    """A notification that is due, of a new incident unless told otherwise."""

    def make(incident: Incident | None = None, kind: Kind = Kind.OPENED, **fields: Any) -> Notification:
        number = Incident.objects.count() + 1
        incident = incident or Incident.objects.create(
            organization=acme, number=number, fingerprint=f"1:{number}", kind="errors", severity="critical",
            title="boom", resource=checkout, opened_at=NOW, first_seen_at=NOW, last_seen_at=NOW,
        )  # fmt: skip
        step = Transition.objects.create(incident=incident, kind=kind, happened_at=NOW)
        row = {"channel": channel, "transition": step, "due_at": NOW, "created_at": NOW} | fields
        return Notification.objects.create(organization=acme, **row)

    return make


def deliver(now: datetime = NOW) -> int:
    """Deliver until nothing is due, one after the other; answers with how many tries that were."""
    tries = 0
    while errand := delivery.claim(now=now):
        parcel = delivery.pack(errand, now=now)
        result = delivery.hand_over(parcel) if isinstance(parcel, delivery.Parcel) else parcel
        delivery.record(errand, result, now=now)
        tries += 1
    return tries


class TestSuccess:
    def test_is_recorded(self, due: Callable[..., Notification], transport: FakeTransport) -> None:
        notification = due()
        assert deliver() == 1
        notification.refresh_from_db()
        assert (notification.status, notification.attempts, notification.leased_until) == (Status.SENT, 1, None)
        assert notification.sent_at is not None
        attempt = DeliveryAttempt.objects.get()
        assert (attempt.ok, attempt.detail) == (True, "Fine.")
        assert [message.id for message in transport.sent] == [str(notification.pk)]

    def test_is_not_repeated(self, due: Callable[..., Notification], transport: FakeTransport) -> None:
        due()
        assert [deliver(), deliver()] == [1, 0]

    def test_waits_until_it_is_due(self, due: Callable[..., Notification], transport: FakeTransport) -> None:
        due(due_at=NOW + timedelta(seconds=1))
        assert [deliver(), deliver(NOW + timedelta(seconds=1))] == [0, 1]

    def test_leaves_the_channel_free(self, due: Callable[..., Notification], transport: FakeTransport) -> None:
        due()
        deliver()
        assert Channel.objects.get().busy_until is None


class TestFailure:
    def test_is_tried_again_on_schedule(self, due: Callable[..., Notification], transport: FakeTransport) -> None:
        notification = due()
        transport.answers = [TransportError("Answered 500.")] * 20
        now, pauses = NOW, []
        while notification.status == Status.PENDING:
            assert deliver(now) == 1
            notification.refresh_from_db()
            pauses.append(notification.due_at - now)
            now = notification.due_at
        assert len(pauses) == notification.attempts == DeliveryAttempt.objects.count() == 10
        for pause, planned in zip(pauses, SCHEDULE, strict=False):
            assert planned <= pause <= planned * 1.1 + timedelta(seconds=1)
        assert sum(SCHEDULE, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)
        assert (notification.status, notification.last_error) == (Status.FAILED, "Answered 500.")
        assert Channel.objects.get().enabled

    def test_obeys_retry_after_for_the_whole_channel(
        self, due: Callable[..., Notification], transport: FakeTransport
    ) -> None:
        due()
        due()
        transport.answers = [TransportError("Answered 429.", retry_after=40)]
        assert deliver() == 1
        assert deliver(NOW + timedelta(seconds=39)) == 0
        assert deliver(NOW + timedelta(seconds=41)) == 2

    def test_of_a_receiver_that_names_a_time_is_tried_again_sooner(
        self, due: Callable[..., Notification], transport: FakeTransport
    ) -> None:
        notification = due()
        transport.answers = [TransportError("Answered 429.", retry_after=1)] * 5
        now = NOW
        for _ in range(6):
            assert deliver(now) == 1
            notification.refresh_from_db()
            now = notification.due_at
        assert notification.status == Status.SENT
        assert now - NOW < timedelta(minutes=4)

    def test_for_good_ends_it_and_switches_the_channel_off(
        self, due: Callable[..., Notification], transport: FakeTransport
    ) -> None:
        first, second = due(), due()
        transport.answers = [TransportError("The address is gone.", permanent=True)]
        assert deliver() == 1
        channel = Channel.objects.get()
        assert (channel.enabled, channel.disabled_reason) == (False, "The address is gone.")
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.actor, entry.target) == ("channel.disabled", None, "On call")
        delivery.give_up(now=NOW)
        for notification in (first, second):
            notification.refresh_from_db()
            assert notification.status == Status.FAILED
        assert second.last_error == "The channel is switched off."
        assert transport.sent == []

    def test_for_good_is_told_to_people_once_and_to_fewer_each_time(
        self, acme: Organization, alice: User, channel: Channel, due: Callable[..., Notification],
        transport: FakeTransport, monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.setitem(routing.AUDIENCES, "fake", Audience.CHAT)
        policy = Policy.objects.create(organization=acme, name="All", is_default=True, created_at=NOW)
        second = new_channel(acme, "Second")
        owners = new_channel(acme, routing.DEFAULT_CHANNEL)
        policy.channels.add(channel, second)
        due()
        due()
        transport.answers = [TransportError("Gone.", permanent=True), TransportError("Answered 500.")]
        assert deliver() == 2
        notice = Notification.objects.exclude(about=None).get()
        assert (notice.channel, notice.about, notice.status) == (second, channel, Status.PENDING)
        transport.answers = [TransportError("Gone.", permanent=True)] * 5
        delivery.give_up(now=notice.due_at)
        assert deliver(notice.due_at) == 2
        told = Notification.objects.exclude(about=None).order_by("created_at").values_list("channel", "about")
        assert list(told) == [(second.pk, channel.pk), (owners.pk, second.pk)]
        assert not Channel.objects.filter(enabled=True).exists()

    def test_of_a_transport_with_a_mistake_is_tried_again(
        self, due: Callable[..., Notification], transport: FakeTransport
    ) -> None:
        notification = due()
        transport.answers = [ZeroDivisionError("secret")]
        deliver()
        notification.refresh_from_db()
        assert (notification.status, notification.last_error) == (
            Status.PENDING,
            "Nightjar could not send it (ZeroDivisionError).",
        )

    def test_remembers_who_was_reached(self, due: Callable[..., Notification], transport: FakeTransport) -> None:
        due()
        transport.answers = [TransportError("Answered 450.", reached={"maja"}), TransportError("Unreachable.")]
        for seconds in (0, 6, 500):
            deliver(NOW + timedelta(seconds=seconds))
        assert [message.reached for message in transport.sent] == [{"maja"}]

    def test_to_find_any_owner_is_explained_and_tried_again(
        self, acme: Organization, alice: User, due: Callable[..., Notification], transport: FakeTransport
    ) -> None:
        notification = due()
        Channel.objects.update(config=seal({"owners": True, "url": "x"}))
        alice.memberships.update(role=Role.MEMBER)
        deliver()
        notification.refresh_from_db()
        assert (notification.status, notification.last_error) == (
            Status.PENDING,
            "No owner of the organization has an active account.",
        )
        alice.memberships.update(role=Role.OWNER)
        deliver(notification.due_at)
        assert transport.configs == [{"url": "x", "to": ["alice@example.com"]}]

    def test_does_not_hold_up_other_incidents(self, due: Callable[..., Notification], transport: FakeTransport) -> None:
        due()
        other = due()
        transport.answers = [TransportError("Answered 500.")]
        assert deliver() == 2
        assert [message.id for message in transport.sent] == [str(other.pk)]

    def test_of_an_unknown_kind_is_a_failure_like_others(
        self, acme: Organization, due: Callable[..., Notification], transport: FakeTransport
    ) -> None:
        notification = due(channel=new_channel(acme, "Pigeons", kind="pigeon"))
        deliver()
        notification.refresh_from_db()
        assert notification.status == Status.PENDING


class TestOrder:
    def test_of_steps_of_an_incident_is_kept(self, due: Callable[..., Notification], transport: FakeTransport) -> None:
        opened = due()
        assert opened.transition
        resolved = due(opened.transition.incident, Kind.RESOLVED)
        transport.answers = [TransportError("Answered 500.")]
        assert deliver() == 1
        assert deliver(NOW + timedelta(seconds=6)) == 2
        assert [message.id for message in transport.sent] == [str(opened.pk), str(resolved.pk)]

    def test_goes_on_when_an_earlier_step_is_given_up(
        self, due: Callable[..., Notification], transport: FakeTransport
    ) -> None:
        opened = due(status=Status.FAILED)
        assert opened.transition
        due(opened.transition.incident, Kind.RESOLVED)
        assert deliver() == 1


class TestCrash:
    def test_repeats_at_most_one_message_under_the_same_id(
        self, due: Callable[..., Notification], transport: FakeTransport
    ) -> None:
        notifications = [due() for _ in range(3)]
        transport.answers = [Crash()]
        with pytest.raises(Crash):
            deliver()
        assert deliver(NOW + LEASE - timedelta(seconds=1)) == 0
        assert deliver(NOW + LEASE) == 3
        told = Counter(message.id for message in transport.sent)
        assert told == Counter([str(row.pk) for row in notifications]) + Counter([str(notifications[0].pk)])

    def test_that_recurs_is_not_repeated_for_ever(
        self, due: Callable[..., Notification], transport: FakeTransport
    ) -> None:
        notification = due()
        transport.answers = [Crash() for _ in range(50)]
        now = NOW
        for _ in range(20):
            delivery.give_up(now=now)
            if delivery.claim(now=now) is None:
                break
            now += LEASE
        notification.refresh_from_db()
        assert (notification.status, notification.attempts) == (Status.FAILED, len(SCHEDULE) + 2)

    def test_of_a_slow_sender_does_not_undo_what_its_successor_did(
        self, due: Callable[..., Notification], transport: FakeTransport
    ) -> None:
        notification = due()
        slow = delivery.claim(now=NOW)
        assert slow is not None
        assert deliver(NOW + LEASE) == 1
        delivery.record(slow, delivery.Result(False, "Too late."), now=NOW + LEASE)
        notification.refresh_from_db()
        assert notification.status == Status.SENT


class TestChannel:
    def test_that_is_switched_off_gets_nothing(
        self, due: Callable[..., Notification], transport: FakeTransport
    ) -> None:
        due()
        Channel.objects.update(enabled=False)
        assert deliver() == 0

    def test_of_a_deleted_organization_gets_nothing(
        self, acme: Organization, due: Callable[..., Notification], transport: FakeTransport
    ) -> None:
        due()
        Organization.objects.update(archived_at=NOW)
        delivery.give_up(now=NOW)
        assert deliver() == 0

    def test_that_is_switched_off_can_be_tested(
        self, due: Callable[..., Notification], transport: FakeTransport
    ) -> None:
        due(transition=None)
        Channel.objects.update(enabled=False)
        delivery.give_up(now=NOW)
        assert deliver() == 1

    def test_is_not_switched_off_by_a_test_and_a_test_is_tried_once(
        self, due: Callable[..., Notification], transport: FakeTransport
    ) -> None:
        tests = [due(transition=None), due(transition=None)]
        transport.answers = [TransportError("Gone.", permanent=True), TransportError("Answered 500.")]
        assert deliver() == 2
        for test in tests:
            test.refresh_from_db()
            assert test.status == Status.FAILED
        assert Channel.objects.get().enabled

    @pytest.mark.django_db(transaction=True)
    def test_that_is_deleted_meanwhile_does_not_trouble_the_others(
        self, acme: Organization, channel: Channel, due: Callable[..., Notification], transport: FakeTransport
    ) -> None:
        due()
        other = due(channel=new_channel(acme, "Other"))
        errands = [delivery.claim(now=NOW), delivery.claim(now=NOW)]
        channel.delete()
        for errand in errands:
            assert errand is not None
            delivery.record(errand, delivery.Result(True, "Fine."), now=NOW)
        other.refresh_from_db()
        assert other.status == Status.SENT


class TestStorm:
    @pytest.fixture(autouse=True)
    def _people(self, transport: FakeTransport) -> None:
        transport.audience = Audience.CHAT

    def test_reaches_people_in_few_messages(self, due: Callable[..., Notification], transport: FakeTransport) -> None:
        for _ in range(40):
            due()
        assert deliver() == PER_MINUTE
        assert not Notification.objects.exclude(status=Status.SENT).exists()
        assert transport.sent[-1].title == f"{MESSAGE.title}, and 35 more notifications"
        assert Notification.objects.exclude(told_with=None).count() == 35

    def test_that_goes_on_is_told_again_a_minute_later(
        self, due: Callable[..., Notification], transport: FakeTransport
    ) -> None:
        for _ in range(10):
            due()
        deliver()
        for _ in range(10):
            due()
        assert deliver(NOW + timedelta(seconds=30)) == 0
        assert deliver(NOW + timedelta(seconds=61)) == PER_MINUTE
        assert not Notification.objects.exclude(status=Status.SENT).exists()

    def test_does_not_hold_up_other_channels(
        self, acme: Organization, due: Callable[..., Notification], transport: FakeTransport
    ) -> None:
        for _ in range(10):
            due()
        deliver()
        due()
        due(channel=new_channel(acme, "Other"))
        assert deliver(NOW + timedelta(seconds=1)) == 1

    def test_that_could_not_be_told_waits_as_a_whole(
        self, due: Callable[..., Notification], transport: FakeTransport
    ) -> None:
        for _ in range(10):
            due()
        transport.answers = [None] * 4 + [TransportError("Answered 429.", retry_after=20)]
        assert deliver() == 5
        assert deliver(NOW + timedelta(seconds=25)) == 1
        assert not Notification.objects.exclude(status=Status.SENT).exists()

    def test_reaches_programs_message_by_message(
        self, due: Callable[..., Notification], transport: FakeTransport
    ) -> None:
        transport.audience = Audience.MACHINE
        for _ in range(20):
            due()
        assert deliver() == 20


class TestSeveralAtOnce:
    @pytest.mark.django_db(transaction=True)
    def test_send_everything_once_and_one_message_per_channel_at_a_time(
        self, acme: Organization, due: Callable[..., Notification], transport: FakeTransport
    ) -> None:
        channels = [new_channel(acme, f"Channel {n}") for n in range(4)]
        notifications = [due(channel=channel) for channel in channels for _ in range(8)]
        transport.pause_s = 0.005
        deadline = time.monotonic() + 20

        def work() -> None:
            while Notification.objects.filter(status=Status.PENDING).exists() and time.monotonic() < deadline:
                delivery.deliver(clock=lambda: NOW, patience=timedelta(seconds=1))
            connection.close()

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert Counter(message.id for message in transport.sent) == Counter(str(row.pk) for row in notifications)
        assert transport.crowded == []

    def test_are_not_held_up_by_a_slow_receiver(
        self, acme: Organization, due: Callable[..., Notification], transport: FakeTransport
    ) -> None:
        for number in range(8):
            due(channel=new_channel(acme, f"Channel {number}"))
        transport.pause_s = 0.2
        begun = time.monotonic()
        assert delivery.deliver(clock=lambda: NOW, patience=timedelta(seconds=1)) == 8
        assert time.monotonic() - begun < 8 * 0.2

    def test_take_up_nothing_new_when_their_time_is_over(
        self, due: Callable[..., Notification], transport: FakeTransport
    ) -> None:
        due()
        assert delivery.deliver(clock=lambda: NOW, patience=timedelta()) == 0
