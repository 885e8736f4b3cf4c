"""From an outbox row to a message: the words, the links, and the cause."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from alerts import incidents, routing, text
from alerts.causes import suspect
from alerts.message import Happening
from alerts.models import Incident, Notification
from alerts.wording import code, compose
from observability.inventory.models import Deployment, Resource
from observability.tenants.models import User
from tests.alerts.estate import break_it, policy_for, webhook_channel


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def incident(checkout: Resource, now: datetime) -> Incident:
    policy_for(webhook_channel(checkout.organization, now), now)
    return break_it(checkout, now)


def latest() -> Notification:
    return Notification.objects.latest("transition__pk")


class TestCompose:
    def test_opened(self, incident: Incident, now: datetime) -> None:
        message = compose(latest(), now=now)
        assert message.happening is Happening.OPENED
        assert message.is_alarm
        assert message.title == message.what == "StripeTimeoutError: Request timed out after 8.0 s in checkout"
        assert message.incident_url == f"http://localhost:8000/o/acme/incidents/{incident.number}/"
        assert message.acknowledge_url == f"http://localhost:8000/o/acme/incidents/{incident.number}/acknowledge/"
        assert message.likely_cause == "Version 42 was deployed 4 minutes before the first event."
        assert message.summary.startswith("12 events since ")
        assert message.code.splitlines()[0] == "app/payments.py:115 in charge"
        assert (message.error_type, message.policy) == ("StripeTimeoutError", "Errors on prod functions")
        assert (message.composed_at, message.duration_s) == (now, 0)

    @pytest.mark.parametrize("action", ["acknowledge", "resolve"])
    def test_what_people_do(self, incident: Incident, bob: User, now: datetime, action: str) -> None:
        bob.name = "Bob Brown"
        bob.save()
        step = getattr(incidents, action)
        step(organization=incident.organization, number=incident.number, actor=bob, now=now + timedelta(minutes=30))
        message = compose(latest(), now=now)
        assert message.actor == "Bob Brown"
        if action == "resolve":
            assert message.happening is Happening.RESOLVED
            since = incident.first_seen_at  # It went on before it was noticed.
            assert message.duration_s == int((now + timedelta(minutes=30) - since).total_seconds())
            assert message.summary == "Resolved by Bob Brown after 2 h 29 min. 12 events in all."
        else:
            assert message.summary == "Acknowledged by Bob Brown. 12 events so far."

    def test_a_test(self, incident: Incident, now: datetime) -> None:
        channel = incident.organization.channels.get()
        message = compose(routing.try_out(channel=channel, now=now), now=now)
        assert message.happening is Happening.TEST
        assert "Our receiver" in message.summary
        assert message.incident_url == f"http://localhost:8000/o/acme/channels/{channel.pk}/"

    def test_a_channel_that_was_switched_off(self, incident: Incident, alice: User, now: datetime) -> None:
        channel = incident.organization.channels.get()
        channel.enabled, channel.disabled_reason = False, "The address is gone (answered 410)."
        channel.save()
        routing.tell_switched_off(channel=channel, now=now)
        message = compose(Notification.objects.get(about=channel), now=now)
        assert (message.happening, message.is_alarm, message.acknowledge_url) == (Happening.SWITCHED_OFF, True, "")
        assert message.title == "The channel “Our receiver” was switched off"
        assert "The address is gone (answered 410)." in message.summary
        assert message.incident_url == f"http://localhost:8000/o/acme/channels/{channel.pk}/"

    def test_it_only_reads_a_little(
        self, incident: Incident, now: datetime, django_assert_max_num_queries: object
    ) -> None:
        notification = latest()
        with django_assert_max_num_queries(6):  # type: ignore[operator]  # pytest-django's fixture is untyped.
            compose(notification, now=now)


class TestSuspect:
    @pytest.mark.parametrize(
        ("version", "minutes", "words"),
        [
            ("42", 4, "Version 42 was deployed 4 minutes before the first event."),
            ("42", 1, "Version 42 was deployed 1 minute before the first event."),
            ("42", 0, "Version 42 was deployed just before the first event."),
            ("0f3c9a", 30, "Version 0f3c9a was deployed 30 minutes before the first event."),
            ("41", 4, None),  # The failures ran on 42.
            ("42", 61, None),
            ("42", -5, None),
        ],
    )
    def test_deployments(
        self, checkout: Resource, now: datetime, version: str, minutes: int, words: str | None
    ) -> None:
        incident = break_it(checkout, now, deployed=False)
        Deployment.objects.create(
            organization=checkout.organization, resource=checkout, version=version,
            deployed_at=incident.first_seen_at - timedelta(minutes=minutes),
        )  # fmt: skip
        found = suspect(incident)
        assert (found.sentence if found else None) == words

    def test_other_functions_are_not_to_blame(self, checkout: Resource, now: datetime) -> None:
        incident = break_it(checkout, now, deployed=False)
        other = Resource.objects.create(
            organization=checkout.organization, arn="other", name="other", region="eu-west-1", account="1",
            first_seen_at=now, last_seen_at=now,
        )  # fmt: skip
        Deployment.objects.create(
            organization=checkout.organization, resource=other, version="42", deployed_at=incident.first_seen_at
        )
        assert suspect(incident) is None


class TestText:
    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (0, "0 s"),
            (59.9, "59 s"),
            (60, "1 min"),
            (3600, "1 h"),
            (6720, "1 h 52 min"),
            (90000, "1 d 1 h"),
            (-3, "0 s"),
        ],
    )
    def test_duration(self, seconds: float, words: str) -> None:
        assert text.duration(seconds) == words

    @pytest.mark.parametrize(
        ("given", "plain"),
        [
            ("a\r\nBcc: x", "a Bcc: x"), ("\x1b[31mred\x1b[0m", "red"), ("\x1b]0;title\x07x", "x"), ("a\x00b", "ab"),
            ("exe.\u202egnp", "exe.gnp"), ("a\u200bb\ufeff", "ab"), ("  a\t b ", "a b"), ("x" * 20, "x" * 9 + "…"),
            ("\ud800a", "a"),
        ],
    )  # fmt: skip
    def test_line(self, given: str, plain: str) -> None:
        assert text.line(given, 10) == plain

    def test_code_is_at_most_three_lines(self) -> None:
        frames = [{"file": f"f{n}.py", "line": n, "function": "f", "code": "x", "own": n != 3} for n in range(4)]
        assert code(frames) == "f2.py:2 in f\n    x\nf1.py:1 in f"
        assert code([{"file": "lib.py", "line": 1, "function": "f", "own": False}]) == ""
