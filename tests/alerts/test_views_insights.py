import csv
import io
from collections.abc import Callable
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from alerts import tasks
from alerts.models import Insight, Tuning, WatchCursor
from alerts.rules import BY_KIND, RULES
from observability.inventory.models import Resource
from observability.tenants.models import AuditEntry, Organization, User

State = Insight.State
KINDS = ("error_rate", "memory_idle", "near_timeout", "default_timeout")
URL = "/o/acme/insights/"
Give = Callable[..., Insight]


@pytest.fixture
def give(acme: Organization, checkout: Resource) -> Give:
    """A piece of advice about ``checkout``, unless told otherwise."""

    def make(rule: str = "memory_idle", **fields: object) -> Insight:
        now = timezone.now()
        values = {
            "resource": checkout,
            "severity": "warning",
            "text": "checkout uses 90 of 2,048 MB.",
            "evidence": [["Memory", "2,048 MB"], ["Used at most", "90 MB"]],
            "fixes": [{"way": "cli", "text": "aws lambda update-function-configuration --memory-size 256"}],
            "confidence": "medium",
            "usd_low": 10.0,
            "usd_high": 20.0,
            "opened_at": now,
            "seen_at": now,
        }
        return Insight.objects.create(organization=acme, rule=rule, **(values | fields))

    return make


def another(acme: Organization, name: str, **fields: object) -> Resource:
    now = timezone.now()
    values = {
        "type": "sqs_queue",
        "region": "eu-west-1",
        "account": "999999999999",
        "config": {"tags": {"team": "pay"}},
    }
    return Resource.objects.create(
        organization=acme, arn=f"arn:aws:sqs:eu-west-1:999999999999:{name}", name=name,
        first_seen_at=now, last_seen_at=now, **(values | fields),
    )  # fmt: skip


@pytest.fixture
def read(client: Client, alice: User) -> Callable[..., str]:
    client.force_login(alice)

    def get(query: str = "", *, path: str = "") -> str:
        response = client.get(f"{URL}{path}{query}")
        assert response.status_code == 200
        return response.content.decode()

    return get


class TestPage:
    def test_it_shows_advice_with_figures_fix_and_money(self, read: Callable[..., str], give: Give) -> None:
        give()
        shown = read()
        for text in (
            BY_KIND["memory_idle"].title, "checkout uses 90 of 2,048 MB.", "Used at most", "90 MB", "How to fix it",
            'data-copy="aws lambda update-function-configuration --memory-size 256"', "AWS CLI",
            "$10.00 to $20.00", BY_KIND["memory_idle"].source, "Snooze",
        ):  # fmt: skip
            assert text in shown

    def test_what_cannot_wait_comes_first_then_money_then_what_is_loud(
        self, read: Callable[..., str], give: Give
    ) -> None:
        give("default_timeout", severity="info", usd_low=None, usd_high=None)
        give("near_timeout", severity="warning", usd_low=None, usd_high=None)
        give("memory_idle", severity="info")
        give("error_rate", severity="critical", usd_low=None, usd_high=None)
        shown = read()
        places = [shown.index(f'<h2 id="rule-{kind}"') for kind in KINDS]
        assert places == sorted(places)

    def test_the_least_that_can_be_saved_counts_each_resource_once(
        self, acme: Organization, read: Callable[..., str], give: Give
    ) -> None:
        give()
        give("arm64_payback", usd_low=4.0, usd_high=5.0)
        give(resource=another(acme, "q", type="lambda_function"), usd_low=1.0, usd_high=2.0)
        shown = read()
        assert "$11.00" in shown
        assert "to $27.00" in shown

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("?severity=critical", 1), ("?pillar=cost", 1), ("?rule=memory_idle", 1), ("?type=sqs_queue", 1),
            ("?account=999999999999", 1), ("?tag=team=pay", 1), ("?tag=team", 1), ("?tag=team=other", 0),
            ("?severity=nonsense&rule=nothing&pillar=x&resource=x&page=-1&state=y", 2), ("?resource=0", 0),
        ],
    )  # fmt: skip
    def test_it_can_be_narrowed_down(
        self, acme: Organization, read: Callable[..., str], give: Give, query: str, count: int
    ) -> None:
        give()
        give("queue_growing", severity="critical", resource=another(acme, "orders"), text="orders grows.")
        shown = read(query)
        assert ("checkout uses" in shown) + ("orders grows." in shown) == count

    def test_each_state_has_its_tab(self, read: Callable[..., str], give: Give) -> None:
        now = timezone.now()
        give()
        give(
            "default_timeout",
            state=State.SNOOZED,
            snoozed_until=now + timedelta(days=9),
            snooze_reason="After the sale.",
        )
        give(
            "arm64_payback", state=State.FIXED, fixed_at=now - timedelta(days=4), before={"usd_per_day": 1.0},
            outcome={"usd_per_day": 0.5, "usd_month": 14.0, "runs_per_day": 9.0}, text="It was on x86.",
        )  # fmt: skip
        assert "After the sale." not in read()
        snoozed = read("?state=snoozed")
        assert "After the sale." in snoozed
        assert "Bring back" in snoozed
        fixed = read("?state=fixed")
        assert "Saved $14.00 a month. Advised were $10.00 to $20.00." in fixed
        assert "as measured" in fixed

    def test_of_many_the_first_ones_are_shown_and_the_rest_is_a_page_away(
        self, acme: Organization, read: Callable[..., str], give: Give
    ) -> None:
        for number in range(53):
            give(resource=another(acme, f"f{number:02}", type="lambda_function"), text=f"Number {number:02}.")
        assert read().count("Number ") == 3
        assert "All 53 of these" in read()
        assert read("?rule=memory_idle").count("Number ") == 50
        assert read("?rule=memory_idle&page=2").count("Number ") == 3

    def test_of_many_rules_the_later_ones_are_shown_by_name(self, read: Callable[..., str], give: Give) -> None:
        for place, rule in enumerate(RULES[:14]):
            give(rule.kind, usd_low=1.0, usd_high=100.0 - place)
        shown = read()
        assert shown.count("How to fix it") == 10
        assert "4 more rules" in shown
        assert shown.index("4 more rules") < shown.index(f"rule={RULES[13].kind}")
        assert read(f"?rule={RULES[13].kind}").count("How to fix it") == 1

    def test_a_rule_that_is_off_or_unknown_is_not_shown(
        self, acme: Organization, read: Callable[..., str], give: Give
    ) -> None:
        give()
        give("a_rule_of_the_past")
        Tuning.objects.create(organization=acme, kind="memory_idle", enabled=False)
        assert "checkout uses" not in read()

    def test_it_takes_few_queries(
        self, acme: Organization, read: Callable[..., str], give: Give,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:  # fmt: skip
        for rule in RULES[:20]:
            for number in range(6):
                give(rule.kind, resource=another(acme, f"{rule.kind}-{number}"))
        read()  # The first visit of a person writes a session.
        for query in ("", "?state=fixed", f"?rule={RULES[0].kind}&resource=1"):
            with django_assert_max_num_queries(15):
                read(query)

    def test_what_is_empty_says_why(self, acme: Organization, read: Callable[..., str], give: Give) -> None:
        Resource.objects.update(organization=Organization.objects.create(name="Other", slug="other"))
        assert "Nothing is known yet" in read()
        Resource.objects.update(organization=acme)
        assert "Nobody has looked yet" in read()
        WatchCursor.objects.create(organization=acme, advised_at=timezone.now())
        assert "Nothing to improve" in read()
        assert "Nothing is snoozed" in read("?state=snoozed")
        assert "Nothing is fixed yet" in read("?state=fixed")
        give()
        assert "Nothing here matches" in read("?severity=info")

    def test_others_see_nothing_of_it(self, client: Client, charlie: User, give: Give) -> None:
        give()
        client.force_login(charlie)
        assert client.get(URL).status_code == 404
        assert "checkout uses" not in client.get("/o/rival/insights/").content.decode()


class TestTable:
    def test_everything_is_in_it(self, acme: Organization, client: Client, alice: User, give: Give) -> None:
        for number in range(7):
            give(resource=another(acme, f"={number}"), text="=HYPERLINK(1)")
        client.force_login(alice)
        response = client.get(f"{URL}csv/?severity=warning")
        assert response["Content-Type"].startswith("text/csv")
        rows = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
        assert len(rows) == 7
        assert rows[0]["text"] == "'=HYPERLINK(1)"
        assert rows[0]["resource"].startswith("'=")
        assert (rows[0]["usd_month_low"], rows[0]["rule"], rows[0]["state"]) == ("10.0", "memory_idle", "open")


class TestLook:
    def test_it_is_asked_for_and_waited_for(self, acme: Organization, client: Client, alice: User) -> None:
        client.force_login(alice)
        with patch.object(tasks.advise, "delay") as bell:
            response = client.post(f"{URL}look/")
        bell.assert_called_once_with(organization_id=acme.pk)
        waiting = client.get(response["Location"]).content.decode()
        assert "Looking at everything that runs here" in waiting
        since = response["Location"].partition("since=")[2]
        assert "HX-Refresh" not in client.get(f"{URL}looked/?since={since}")
        WatchCursor.objects.create(organization=acme, advised_at=timezone.now() + timedelta(seconds=1))
        assert client.get(f"{URL}looked/?since={since}")["HX-Refresh"] == "true"
        assert "Everything was looked at" in client.get(response["Location"]).content.decode()

    def test_it_is_not_repeated_within_a_minute(self, acme: Organization, client: Client, alice: User) -> None:
        WatchCursor.objects.create(organization=acme, advised_at=timezone.now())
        client.force_login(alice)
        with patch.object(tasks.advise, "delay") as bell:
            client.post(f"{URL}look/")
        bell.assert_not_called()

    def test_nonsense_waits_for_nothing(self, read: Callable[..., str]) -> None:
        assert "Looking at" not in read("?since=%D9%A3&x=1")


class TestSnoozing:
    def test_one_is_put_off_with_a_reason(self, client: Client, bob: User, give: Give) -> None:
        found = give()
        client.force_login(bob)
        response = client.post(
            f"{URL}{found.pk}/snooze/", {"reason": "After the sale.", "length": "1w", "next": f"{URL}?pillar=cost"}
        )
        assert response["Location"] == f"{URL}?pillar=cost"
        found.refresh_from_db()
        assert (found.state, found.snooze_reason, found.snoozed_by) == ("snoozed", "After the sale.", bob)
        assert found.snoozed_until is not None
        assert timedelta(days=6) < found.snoozed_until - timezone.now() < timedelta(days=8)

    def test_all_like_it_go_along(self, acme: Organization, client: Client, bob: User, give: Give) -> None:
        found = give()
        give(resource=another(acme, "two"))
        give("default_timeout")
        client.force_login(bob)
        client.post(f"{URL}{found.pk}/snooze/", {"reason": "Later.", "length": "1m", "all": "on"})
        assert Insight.objects.filter(state=State.SNOOZED).count() == 2

    @pytest.mark.parametrize(
        "form", [{"length": "1w"}, {"reason": " ", "length": "1w"}, {"reason": "x", "length": "9y"}]
    )
    def test_without_reason_or_end_nothing_happens(
        self, client: Client, bob: User, give: Give, form: dict[str, str]
    ) -> None:
        found = give()
        client.force_login(bob)
        response = client.post(f"{URL}{found.pk}/snooze/", form, follow=True)
        assert "Say why, and for how long." in response.content.decode()
        assert Insight.objects.get().state == State.OPEN

    def test_it_can_be_brought_back(self, client: Client, bob: User, give: Give) -> None:
        found = give(state=State.SNOOZED, snoozed_until=timezone.now() + timedelta(days=1), snooze_reason="x")
        client.force_login(bob)
        client.post(f"{URL}{found.pk}/unsnooze/")
        assert Insight.objects.get().state == State.OPEN
        again = client.post(f"{URL}{found.pk}/unsnooze/", follow=True)
        assert "It has changed meanwhile" in again.content.decode()

    def test_it_leads_nowhere_else(self, client: Client, bob: User, give: Give) -> None:
        found = give()
        client.force_login(bob)
        form = {"reason": "x", "length": "1w", "next": "//evil.example.com/"}
        assert client.post(f"{URL}{found.pk}/snooze/", form)["Location"] == URL


class TestRules:
    def test_all_are_listed_with_their_thresholds(self, read: Callable[..., str], give: Give) -> None:
        give()
        shown = read(path="rules/")
        for rule in RULES:
            assert f"/insights/rules/{rule.kind}/" in shown
        assert 'href="/o/acme/insights/?rule=memory_idle"' in shown

    def test_every_rule_has_its_page(self, read: Callable[..., str]) -> None:
        for rule in RULES:
            assert rule.source in read(path=f"rules/{rule.kind}/")

    def test_thresholds_are_turned_within_limits(self, acme: Organization, client: Client, alice: User) -> None:
        rule = next(rule for rule in RULES if rule.knobs)
        knob = rule.knobs[0]
        client.force_login(alice)
        url = f"{URL}rules/{rule.kind}/"
        refused = client.post(url, {"enabled": "on", knob.name: str(knob.most + 1)})
        assert refused.status_code == 422
        assert not Tuning.objects.exists()
        turned = (knob.default + knob.least) / 2
        assert client.post(url, {"enabled": "on", knob.name: str(turned)}).status_code == 302
        assert Tuning.objects.get().values == {knob.name: turned}
        assert "tuned" in client.get(f"{URL}rules/").content.decode()
        assert client.post(url, {"reset": "1", knob.name: "nonsense"}).status_code == 302
        assert (Tuning.objects.get().enabled, Tuning.objects.get().values) == (True, {})
        assert [entry.action for entry in AuditEntry.objects.all()] == ["tuning.changed"] * 2

    def test_one_can_be_switched_off(self, acme: Organization, client: Client, alice: User) -> None:
        client.force_login(alice)
        client.post(f"{URL}rules/memory_idle/", {})
        assert not Tuning.objects.get().enabled
        assert "1 off" in client.get(f"{URL}rules/").content.decode()

    def test_members_only_read(self, client: Client, bob: User) -> None:
        client.force_login(bob)
        assert "Admins can change rules." in client.get(f"{URL}rules/memory_idle/").content.decode()
        assert client.post(f"{URL}rules/memory_idle/", {"enabled": "on"}).status_code == 403

    def test_there_is_no_page_of_a_rule_that_is_not(self, client: Client, bob: User) -> None:
        client.force_login(bob)
        assert client.get(f"{URL}rules/nothing/").status_code == 404


class TestFragments:
    def test_a_resource_shows_its_open_advice(
        self, client: Client, alice: User, checkout: Resource, give: Give
    ) -> None:
        client.force_login(alice)
        url = f"/o/acme/resources/{checkout.pk}/insights/"
        assert "The first look comes within minutes." in client.get(url).content.decode()
        give()
        give("default_timeout", state=State.FIXED, fixed_at=timezone.now(), text="It was the default.")
        shown = client.get(url).content.decode()
        assert "checkout uses 90 of 2,048 MB." in shown
        assert "It was the default." not in shown

    def test_the_navigation_counts_what_is_critical(self, client: Client, alice: User, give: Give) -> None:
        client.force_login(alice)
        assert client.get(f"{URL}count/").content.decode().strip() == ""
        give()
        give("error_rate", severity="critical")
        assert ">1<" in client.get(f"{URL}count/").content.decode()
