"""What an organization asks of its extensions: within its limits, remembered with the key, written down."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from observability.tenants import keys, steering
from observability.tenants.models import AuditEntry, Organization, User
from observability.tenants.steering import NOTHING, Steering

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("until", "seconds"),
    [
        pytest.param(None, 0, id="never paused"),
        pytest.param(NOW - MINUTE, 0, id="over"),
        pytest.param(NOW, 0, id="just over"),
        pytest.param(NOW + timedelta(milliseconds=100), 1, id="nearly over"),
        pytest.param(NOW + 15 * MINUTE, 900, id="paused"),
        pytest.param(NOW + timedelta(days=400), 3600, id="never longer than an hour, whatever is stored"),
    ],
)
def test_how_long_a_pause_lasts(until: datetime | None, seconds: int) -> None:
    assert Steering(paused_until=until).paused_s(NOW) == seconds


class TestAsking:
    def test_the_key_carries_it_within_seconds(self, acme: Organization, alice: User) -> None:
        keys.forget()
        _, token = keys.issue(organization=acme, name="test", created_by=alice, now=NOW)

        def asked(at: datetime) -> Steering:
            key = keys.verify(token, now=at)
            assert isinstance(key, keys.VerifiedKey)
            return key.steering

        assert asked(NOW) == NOTHING
        steering.sample(organization=acme, percent=25, actor=alice, now=NOW)
        steering.pause(organization=acme, length=timedelta(days=1), actor=alice, now=NOW)
        assert asked(NOW + timedelta(seconds=5)) == Steering(25, NOW + timedelta(hours=1))

    def test_what_changes_nothing_is_not_written_down(self, acme: Organization, alice: User) -> None:
        steering.sample(organization=acme, percent=100, actor=alice, now=NOW)
        steering.pause(organization=acme, length=timedelta(), actor=alice, now=NOW)
        assert not AuditEntry.objects.exists()
        acme.refresh_from_db()
        assert steering.of(acme) == NOTHING

    def test_everything_is_asked_for_again_because_environments_remember(self, acme: Organization, alice: User) -> None:
        for percent in (10, 10, 100):
            steering.sample(organization=acme, percent=percent, actor=alice, now=NOW)
        acme.refresh_from_db()
        assert steering.of(acme) == Steering(100)
        assert [entry.target for entry in AuditEntry.objects.order_by("number")] == ["10 %", "100 %"]

    def test_a_longer_pause_keeps_its_beginning_and_a_resumed_one_ends_now(
        self, acme: Organization, alice: User
    ) -> None:
        for minutes, at in ((15, NOW), (30, NOW + 5 * MINUTE), (0, NOW + 10 * MINUTE), (0, NOW + 11 * MINUTE)):
            steering.pause(organization=acme, length=minutes * MINUTE, actor=alice, now=at)
        acme.refresh_from_db()
        assert (acme.paused_from, acme.paused_until) == (NOW, NOW + 10 * MINUTE)
        actions = list(AuditEntry.objects.order_by("number").values_list("action", flat=True))
        assert actions == ["telemetry.paused", "telemetry.paused", "telemetry.resumed"]

    @pytest.mark.parametrize("percent", [0, 101])
    def test_the_database_keeps_the_limits_too(self, acme: Organization, percent: int) -> None:
        acme.log_sampling = percent
        with pytest.raises(IntegrityError):
            acme.save()


class TestPage:
    def test_an_admin_chooses_and_others_see(self, client: Client, alice: User, bob: User, acme: Organization) -> None:
        client.force_login(alice)
        client.post("/o/acme/settings/telemetry/sample/", {"percent": "20"})
        client.post("/o/acme/settings/telemetry/pause/", {"minutes": "15"})
        page = client.get("/o/acme/settings/telemetry/").content.decode()
        assert "20 % sent" in page
        assert "End the pause" in page
        acme.refresh_from_db()
        assert 0 < steering.of(acme).paused_s(timezone.now()) <= 900
        client.post("/o/acme/settings/telemetry/pause/", {"minutes": "0"})
        assert "End the pause" not in client.get("/o/acme/settings/telemetry/").content.decode()
        client.force_login(bob)
        page = client.get("/o/acme/settings/telemetry/").content.decode()
        assert "The lines of 20 % of invocations are sent." in page
        assert "<button" not in page.split("sampling-h")[1].split("</main>")[0]

    @pytest.mark.parametrize(
        ("path", "typed"),
        [
            ("sample", {"percent": "0"}), ("sample", {"percent": "101"}), ("sample", {"percent": "x"}), ("sample", {}),
            ("pause", {"minutes": "61"}), ("pause", {"minutes": "-1"}), ("pause", {}),
        ],
    )  # fmt: skip
    def test_beyond_the_limits_nothing_is_saved(
        self, client: Client, alice: User, acme: Organization, path: str, typed: dict[str, str]
    ) -> None:
        client.force_login(alice)
        assert client.post(f"/o/acme/settings/telemetry/{path}/", typed).status_code == 422
        acme.refresh_from_db()
        assert steering.of(acme) == NOTHING
