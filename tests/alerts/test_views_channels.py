"""The pages of channels and policies: who may change them, what is shown of secrets, and what is written down."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from alerts.administration import TESTS_PER_CHANNEL, TESTS_PER_ORGANIZATION
from alerts.channels import config_of, seal
from alerts.forms import ChannelForm
from alerts.models import Channel, DeliveryAttempt, Notification, Policy
from observability.inventory.models import Resource
from observability.tenants.models import AuditEntry, Organization, User
from tests.alerts.estate import break_it, policy_for, webhook_channel

pytestmark = pytest.mark.django_db
CHANNELS, POLICIES = "/o/acme/channels/", "/o/acme/policies/"
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
SLACK = "https://hooks.slack.com/services/T000/B000/verysecret"


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def channel(acme: Organization, now: datetime) -> Channel:
    return webhook_channel(acme, now)


@pytest.fixture
def alices(client: Client, alice: User) -> Client:
    """Alice owns the organization."""
    client.force_login(alice)
    return client


def page(browser: Client, url: str) -> str:
    answer = browser.get(url)
    assert answer.status_code == 200
    return str(answer.content.decode())


def actions(organization: Organization) -> list[str]:
    return list(AuditEntry.objects.filter(organization=organization).order_by("pk").values_list("action", flat=True))


class TestNew:
    @pytest.mark.parametrize(
        ("kind", "settings", "kept"),
        [
            ("slack", {"url": SLACK}, {"url": SLACK}),
            ("email", {"to": "a@example.com\nb@example.com"}, {"to": ["a@example.com", "b@example.com"]}),
            ("email", {"to": ""}, {"owners": True}),
            (
                "webhook",
                {"url": "https://r.example/h", "secret": SECRET},
                {"url": "https://r.example/h", "secret": SECRET},
            ),
        ],
    )
    def test_it_works(
        self, alices: Client, acme: Organization, kind: str, settings: dict[str, str], kept: dict[str, Any]
    ) -> None:
        answer = alices.post(f"{CHANNELS}new/{kind}/", {"name": "Mine", **settings}, follow=True)
        channel = Channel.objects.get(organization=acme, name="Mine")
        assert answer.request["PATH_INFO"] == f"{CHANNELS}{channel.pk}/"
        assert (channel.kind, config_of(channel)) == (kind, kept)
        assert b"verysecret" not in bytes(channel.config)
        assert actions(acme) == ["channel.created"]
        assert "No policy uses it" in answer.content.decode()

    def test_on_request_it_hears_of_everything(self, alices: Client, acme: Organization) -> None:
        alices.post(f"{CHANNELS}new/slack/", {"name": "Mine", "url": SLACK, "tell_everything": "on"})
        policy = Policy.objects.get(organization=acme, is_default=True)
        assert "Mine" in policy.channels.values_list("name", flat=True)

    def test_mistakes_are_explained(self, alices: Client, channel: Channel) -> None:
        answer = alices.post(f"{CHANNELS}new/slack/", {"name": channel.name, "url": "https://evil.example/"})
        assert answer.status_code == 422
        html = answer.content.decode()
        assert "Another channel has this name." in html
        assert "A Slack webhook URL begins with" in html
        assert Channel.objects.count() == 1

    def test_a_double_click_makes_one_channel(
        self, alices: Client, channel: Channel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The other click's channel appears after the form has looked."""
        monkeypatch.setattr(ChannelForm, "clean_name", lambda form: form.cleaned_data["name"])
        other = webhook_channel(channel.organization, channel.created_at, "Other")
        for url, name in ((f"{CHANNELS}new/slack/", channel.name), (f"{CHANNELS}{other.pk}/", channel.name)):
            answer = alices.post(url, {"name": name, "url": SLACK})
            assert answer.status_code == 422
            assert "Another channel has this name." in answer.content.decode()
        assert Channel.objects.count() == 2
        assert actions(channel.organization) == []

    def test_private_addresses_are_refused(self, alices: Client) -> None:
        for url in ("http://user@r.example/", "ftp://r.example/", "http://r.example:6379/", "http://0x7f.1/"):
            assert alices.post(f"{CHANNELS}new/webhook/", {"name": "x", "url": url}).status_code == 422

    def test_unknown_kinds_do_not_exist(self, alices: Client) -> None:
        assert alices.get(f"{CHANNELS}new/pigeon/").status_code == 404


class TestChange:
    def test_secrets_left_empty_stay(self, alices: Client, channel: Channel, acme: Organization) -> None:
        alices.post(f"{CHANNELS}{channel.pk}/", {"name": "Renamed", "url": "https://other.example/", "secret": ""})
        channel.refresh_from_db()
        assert (channel.name, config_of(channel)) == ("Renamed", {"url": "https://other.example/", "secret": SECRET})
        assert actions(acme) == ["channel.changed"]

    def test_slack_urls_are_secrets(self, alices: Client, acme: Organization, now: datetime) -> None:
        slack = Channel.objects.create(
            organization=acme, kind="slack", name="#alerts", config=seal({"url": SLACK}), created_at=now
        )
        assert "verysecret" not in page(alices, f"{CHANNELS}{slack.pk}/") + page(alices, CHANNELS)
        alices.post(f"{CHANNELS}{slack.pk}/", {"name": "#other", "url": ""})
        slack.refresh_from_db()
        assert (slack.name, config_of(slack)) == ("#other", {"url": SLACK})

    def test_mail_to_the_owners_can_become_a_list_and_the_reverse(
        self, alices: Client, acme: Organization, now: datetime
    ) -> None:
        mail = Channel.objects.create(
            organization=acme, kind="email", name="Mail", config=seal({"owners": True}), created_at=now
        )
        url = f"{CHANNELS}{mail.pk}/"
        for given, kept, shown in (
            ("", {"owners": True}, "to the owners"),
            ("on-call@example.com", {"to": ["on-call@example.com"]}, "to on-call@example.com"),
            ("", {"owners": True}, "to the owners"),
        ):
            alices.post(url, {"name": "Mail", "to": given})
            mail.refresh_from_db()
            assert config_of(mail) == kept
            assert f"E-mail {shown}" in page(alices, url)
        assert "the owners" in page(alices, CHANNELS)

    def test_secrets_are_shown_to_admins_who_ask(
        self, alices: Client, channel: Channel, acme: Organization, bob: User
    ) -> None:
        assert SECRET not in page(alices, f"{CHANNELS}{channel.pk}/")
        answer = alices.post(f"{CHANNELS}{channel.pk}/secrets/")
        assert SECRET in answer.content.decode()
        assert "no-store" in answer.headers["Cache-Control"]
        assert actions(acme) == ["channel.secret_shown"]
        assert SECRET not in str(list(AuditEntry.objects.values()))

    def test_the_secret_can_be_replaced(self, alices: Client, channel: Channel, acme: Organization) -> None:
        alices.post(f"{CHANNELS}{channel.pk}/rotate/")
        config = config_of(Channel.objects.get())
        assert config["secret"] != SECRET
        assert config["previous_secret"] == SECRET
        assert actions(acme) == ["channel.secret_rotated"]

    def test_members_see_no_settings(self, client: Client, channel: Channel, bob: User) -> None:
        client.force_login(bob)
        html = page(client, f"{CHANNELS}{channel.pk}/")
        assert "receiver.example" in html
        assert "/hook" not in html
        for url in ("", "test/", "switch/", "secrets/", "delete/"):
            assert client.post(f"{CHANNELS}{channel.pk}/{url}", {"name": "x"}).status_code == 403

    def test_it_can_be_switched_off_and_on(self, alices: Client, channel: Channel, acme: Organization) -> None:
        alices.post(f"{CHANNELS}{channel.pk}/switch/", {"on": "0"})
        assert "switched off" in page(alices, f"{CHANNELS}{channel.pk}/")
        assert not Channel.objects.get().enabled
        alices.post(f"{CHANNELS}{channel.pk}/switch/", {"on": "1"})
        assert (Channel.objects.get().enabled, Channel.objects.get().disabled_reason) == (True, "")
        assert actions(acme) == ["channel.disabled", "channel.enabled"]

    def test_it_can_be_deleted(self, alices: Client, channel: Channel, acme: Organization) -> None:
        alices.post(f"{CHANNELS}{channel.pk}/delete/")
        assert not Channel.objects.exists()
        assert actions(acme) == ["channel.deleted"]

    def test_a_channel_of_a_kind_that_is_gone_is_still_shown(
        self, alices: Client, acme: Organization, now: datetime
    ) -> None:
        old = Channel.objects.create(organization=acme, kind="pager", name="Old", config=seal({}), created_at=now)
        assert "Old" in page(alices, CHANNELS)
        assert "Old" in page(alices, f"{CHANNELS}{old.pk}/")
        assert alices.post(f"{CHANNELS}{old.pk}/rotate/").status_code == 302

    def test_settings_that_no_key_opens_can_be_entered_again(
        self, alices: Client, channel: Channel, settings: Settings
    ) -> None:
        settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
        url = f"{CHANNELS}{channel.pk}/"
        assert channel.name in page(alices, CHANNELS)
        assert "No key of this installation opens its settings" in page(alices, url)
        assert alices.post(f"{url}secrets/").status_code == 200
        alices.post(f"{url}rotate/")
        alices.post(url, {"name": channel.name, "url": "https://new.example/", "secret": SECRET})
        channel.refresh_from_db()
        assert config_of(channel) == {"url": "https://new.example/", "secret": SECRET}
        assert "No key" not in page(alices, url)


class TestTrying:
    def test_a_test_goes_through_the_outbox(self, alices: Client, channel: Channel, acme: Organization) -> None:
        answer = alices.post(f"{CHANNELS}{channel.pk}/test/")
        test = Notification.objects.get()
        assert (test.transition, test.channel, test.status) == (None, channel, "pending")
        assert answer.headers["Location"] == f"{CHANNELS}{channel.pk}/?tested={test.pk}"
        assert "Sending a test" in page(alices, answer.headers["Location"])
        assert actions(acme) == ["channel.tested"]

    def test_one_test_at_a_time(self, alices: Client, channel: Channel) -> None:
        alices.post(f"{CHANNELS}{channel.pk}/test/")
        assert "still under way" in alices.post(f"{CHANNELS}{channel.pk}/test/", follow=True).content.decode()
        assert Notification.objects.count() == 1

    def test_a_mailbox_cannot_be_flooded(self, alices: Client, acme: Organization, channel: Channel) -> None:
        def tests_in_a_row() -> int:
            Notification.objects.update(status=Notification.Status.SENT)
            before = Notification.objects.count()
            alices.post(f"{CHANNELS}{channel.pk}/test/")
            return Notification.objects.count() - before

        assert [tests_in_a_row() for _ in range(7)] == [1] * TESTS_PER_CHANNEL + [0] * 2
        for number in range(5):
            Channel.objects.update(name=f"Renamed {number}")
            for _ in range(4):
                tests_in_a_row()
        assert Notification.objects.count() == actions(acme).count("channel.tested") == TESTS_PER_ORGANIZATION

    @pytest.mark.parametrize(
        ("status", "words", "asks_again"),
        [("pending", "Sending a test", True), ("sent", "The test was sent", False), ("failed", "Answered 500.", False)],
    )
    def test_the_result_is_polled(
        self, alices: Client, channel: Channel, now: datetime, status: str, words: str, asks_again: bool
    ) -> None:
        test = Notification.objects.create(
            organization=channel.organization, channel=channel, due_at=now, created_at=now, status=status, sent_at=now,
            last_error="Answered 500.",
        )  # fmt: skip
        html = page(alices, f"/o/acme/deliveries/{test.pk}/test/")
        assert words in html
        assert ("hx-trigger" in html) is asks_again


class TestDeliveryLog:
    def test_it_names_the_channel_that_was_switched_off(
        self, alices: Client, acme: Organization, channel: Channel, now: datetime
    ) -> None:
        dead = webhook_channel(acme, now, "Dead end")
        Notification.objects.create(organization=acme, channel=channel, about=dead, due_at=now, created_at=now)
        html = page(alices, f"{CHANNELS}{channel.pk}/")
        assert f'href="{CHANNELS}{dead.pk}/"' in html
        assert "Dead end was switched off" in html
        assert "Test message" not in html

    @pytest.fixture
    def failed(self, channel: Channel, checkout: Resource, now: datetime) -> Notification:
        policy_for(channel, now)
        break_it(checkout, now)
        failed = Notification.objects.get()
        failed.status, failed.attempts, failed.last_error = Notification.Status.FAILED, 10, "Answered 500."
        failed.save()
        DeliveryAttempt.objects.create(
            notification=failed, attempted_at=now, ok=False, detail="Answered 500.", duration_ms=12
        )
        return failed

    def test_it_shows_each_try(self, alices: Client, channel: Channel, failed: Notification) -> None:
        html = page(alices, f"{CHANNELS}{channel.pk}/")
        for words in ("Gave up", "StripeTimeoutError", "1 try", "Answered 500.", "Try now"):
            assert words in html

    def test_it_can_be_tried_again(self, alices: Client, failed: Notification, acme: Organization) -> None:
        alices.post(f"/o/acme/deliveries/{failed.pk}/retry/")
        failed.refresh_from_db()
        assert (failed.status, failed.attempts) == ("pending", 0)
        assert failed.due_at <= timezone.now()
        assert actions(acme)[-1] == "delivery.retried"

    @pytest.mark.parametrize("fields", [{"status": "sent"}, {"status": "pending", "leased_until": "later"}])
    def test_not_when_it_was_sent_or_is_being_sent(
        self, alices: Client, failed: Notification, now: datetime, fields: dict[str, Any]
    ) -> None:
        later = {"leased_until": now + timedelta(minutes=1)} if "leased_until" in fields else {}
        Notification.objects.update(**(fields | later))
        answer = alices.post(f"/o/acme/deliveries/{failed.pk}/retry/", follow=True)
        assert "Nothing to try again" in answer.content.decode()
        assert Notification.objects.get().attempts == 10


class TestPolicies:
    def test_its_life(self, alices: Client, channel: Channel, acme: Organization) -> None:
        form = {
            "name": "Nights", "minimum_severity": "critical", "kinds": ["timeouts"], "channels": [channel.pk],
            "enabled": "on",
        }  # fmt: skip
        alices.post(f"{POLICIES}new/", form)
        policy = Policy.objects.get(organization=acme)
        assert (policy.name, policy.kinds, policy.tell_resolved) == ("Nights", ["timeouts"], False)
        assert list(policy.channels.all()) == [channel]
        assert "Nights" in page(alices, POLICIES)
        alices.post(f"{POLICIES}{policy.pk}/", form | {"name": "Days", "kinds": [], "channels": []})
        policy.refresh_from_db()
        assert (policy.name, policy.kinds, policy.channels.count()) == ("Days", [], 0)
        alices.post(f"{POLICIES}{policy.pk}/delete/")
        assert not Policy.objects.exists()
        assert actions(acme) == ["policy.created", "policy.changed", "policy.deleted"]

    def test_foreign_channels_cannot_be_chosen(
        self, alices: Client, acme: Organization, rival: Organization, now: datetime
    ) -> None:
        foreign = webhook_channel(rival, now)
        form = {"name": "x", "minimum_severity": "info", "channels": [foreign.pk]}
        assert alices.post(f"{POLICIES}new/", form).status_code == 422
        assert not Policy.objects.exists()

    def test_the_default_one_stays(self, alices: Client, channel: Channel, now: datetime) -> None:
        policy = policy_for(channel, now, is_default=True)
        answer = alices.post(f"{POLICIES}{policy.pk}/delete/", follow=True)
        assert "cannot be deleted" in answer.content.decode()
        assert Policy.objects.exists()

    def test_members_only_look(self, client: Client, channel: Channel, now: datetime, bob: User) -> None:
        policy = policy_for(channel, now)
        client.force_login(bob)
        assert "Admins can change policies." in page(client, f"{POLICIES}{policy.pk}/")
        for url in ("new/", f"{policy.pk}/", f"{policy.pk}/delete/"):
            assert client.post(POLICIES + url, {"name": "x"}).status_code == 403


class TestCost:
    def test_pages_take_at_most_15_queries_however_much_there_is(
        self, alices: Client, acme: Organization, checkout: Resource, now: datetime
    ) -> None:
        channels = [webhook_channel(acme, now, f"Nr {number}") for number in range(12)]
        for channel in channels:
            policy_for(channel, now)
        break_it(checkout, now)
        urls = (CHANNELS, POLICIES, f"{CHANNELS}{channels[0].pk}/", f"{CHANNELS}new/slack/", f"{POLICIES}new/")
        for url in urls:
            page(alices, url)
            with CaptureQueriesContext(connection) as captured:
                page(alices, url)
            assert len(captured) <= 15, url
