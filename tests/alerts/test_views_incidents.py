"""The pages of incidents: what they show, who may act, and that they stay cheap."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerts.models import Incident, State, Transition
from observability.inventory.models import Resource
from observability.tenants.models import AuditEntry, Organization, Role, User
from tests.alerts.estate import MEMORY, STRIPE, TIMEOUT, Trouble, break_it, policy_for, webhook_channel
from tests.conftest import person

pytestmark = pytest.mark.django_db
LIST = "/o/acme/incidents/"


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def incident(checkout: Resource, now: datetime) -> Incident:
    return break_it(checkout, now)


@pytest.fixture
def bobs(client: Client, bob: User) -> Client:
    """Bob, a member."""
    client.force_login(bob)
    return client


def page(bobs: Client, url: str) -> str:
    answer = bobs.get(url)
    assert answer.status_code == 200
    return str(answer.content.decode())


class TestList:
    def test_it_works(self, bobs: Client, incident: Incident) -> None:
        html = page(bobs, LIST)
        assert f"{LIST}{incident.number}/" in html
        assert "StripeTimeoutError: Request timed out after 8.0 s in checkout" in html

    @pytest.mark.parametrize("state", [state for state in State if state is not State.OPEN])
    def test_tabs_hold_their_own_state(self, bobs: Client, incident: Incident, state: State) -> None:
        Incident.objects.update(state=state)
        assert incident.title not in page(bobs, LIST)
        assert incident.title in page(bobs, f"{LIST}?state={state}")
        assert incident.title in page(bobs, f"{LIST}?q=is:{state}")

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("sev:critical", True), ("sev:warn", False), ("fn:check*", True), ("fn:check", False), ("fn:*out", True),
            ("fn:pay*", False), ("kind:errors", True), ("kind:timeouts", False), ("stripe TIMED", True),
            ("nothing", False), ("is:mine", False), ("#1", True), ("#2", False), ('"unclosed', False),
            ("fn:[(*", False), ("fn:\x00", True), ("is:nonsense", True), ("is:open sev:critical fn:che* stripe", True),
        ],
    )  # fmt: skip
    def test_search(self, bobs: Client, incident: Incident, query: str, found: bool) -> None:
        html = bobs.get(LIST, {"q": query}).content.decode()
        assert (f"{LIST}{incident.number}/" in html) is found

    def test_paging_skips_and_repeats_nothing(self, bobs: Client, checkout: Resource, now: datetime) -> None:
        for number in range(1, 61):
            seen = now - timedelta(minutes=number // 3)
            Incident.objects.create(
                organization=checkout.organization, number=number, fingerprint=str(number), kind="errors",
                severity="warning", title=f"Nr {number}.", resource=checkout, opened_at=now, first_seen_at=now,
                last_seen_at=seen,
            )  # fmt: skip
        found: list[int] = []
        url = LIST
        while url:
            answer = bobs.get(url)
            found += [incident.number for incident, _ in answer.context["rows"]]
            url = LIST + answer.context["older"] if answer.context["older"] else ""
        assert sorted(found) == list(range(1, 61))

    def test_empty_states_explain(self, bobs: Client, acme: Organization) -> None:
        assert "No incident so far" in page(bobs, LIST)
        assert "Nobody is on an incident" in page(bobs, f"{LIST}?state=acknowledged")
        assert "No incident matches" in page(bobs, f"{LIST}?q=nothing")

    def test_others_do_not_see_it(self, client: Client, incident: Incident, charlie: User) -> None:
        client.force_login(charlie)
        assert client.get(LIST).status_code == 404
        assert incident.title not in page(client, "/o/rival/incidents/")
        assert client.get(f"/o/rival/incidents/{incident.number}/").status_code == 404


class TestDetail:
    def test_it_tells_the_whole_story(self, bobs: Client, incident: Incident) -> None:
        html = page(bobs, f"{LIST}{incident.number}/")
        for words in (
            "Likely caused by version 42, deployed 4 minutes before the first event",  # The deployment.
            "app/payments.py", "raised here", "1 frame of libraries and the runtime",  # The stack.
            "stripe.retry", "-380 ms",  # The lines of the failing run.
            "/o/acme/invocations/", "338 MB",  # The runs.
            "Opened", "Add a note",  # The timeline.
            "12 of 60",  # The share of calls.
        ):  # fmt: skip
            assert words in html

    @pytest.mark.parametrize("trouble", [TIMEOUT, MEMORY])
    def test_it_does_without_a_stack(self, bobs: Client, checkout: Resource, now: datetime, trouble: Trouble) -> None:
        incident = break_it(checkout, now, trouble, deployed=False)
        html = page(bobs, f"{LIST}{incident.number}/")
        assert "Stack trace" not in html
        assert "Likely caused" not in html
        assert trouble.message in html

    def test_other_failures_of_the_function_are_not_counted(
        self, bobs: Client, checkout: Resource, now: datetime
    ) -> None:
        stripe = break_it(checkout, now, STRIPE, times=5)
        break_it(checkout, now - timedelta(seconds=9), TIMEOUT, times=7)
        evidence = bobs.get(f"{LIST}{stripe.number}/").context["evidence"]
        assert (evidence.total, evidence.exact, evidence.sample.count) == (5, True, 5)
        assert {row.invocation.outcome for row in evidence.affected} == {"error"}

    def test_a_storm_is_counted_by_rollups(
        self, bobs: Client, incident: Incident, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("alerts.evidence.EXACT", 4)
        evidence = bobs.get(f"{LIST}{incident.number}/").context["evidence"]
        assert (evidence.total, evidence.exact) == (12, False)

    def test_events_can_be_walked_through(self, bobs: Client, incident: Incident) -> None:
        url, places = f"{LIST}{incident.number}/", []
        event = ""
        for _ in range(3):
            sample = bobs.get(url, {"event": event}).context["sample"]
            places.append((sample.place, sample.count))
            event = sample.older
        assert places == [(1, 12), (2, 12), (3, 12)]

    def test_an_old_incident_shows_its_own_days(self, bobs: Client, incident: Incident, now: datetime) -> None:
        Incident.objects.update(first_seen_at=now - timedelta(days=10), last_seen_at=now - timedelta(days=9))
        time_range = bobs.get(f"{LIST}{incident.number}/").context["time_range"]
        assert time_range.start < now - timedelta(days=9) < time_range.end

    def test_it_says_who_was_told(self, bobs: Client, checkout: Resource, now: datetime) -> None:
        policy_for(webhook_channel(checkout.organization, now), now)
        incident = break_it(checkout, now)
        html = page(bobs, f"{LIST}{incident.number}/")
        assert "Our receiver" in html
        assert "waiting" in html

    def test_text_of_functions_stays_text(self, bobs: Client, checkout: Resource, now: datetime) -> None:
        hostile = "<script>alert(1)</script>{{7*7}}"
        incident = break_it(checkout, now, Trouble(type=hostile, message=hostile, version=hostile))
        html = page(bobs, f"{LIST}{incident.number}/") + page(bobs, LIST)
        assert "<script>alert(1)" not in html
        assert "&lt;script&gt;" in html


class TestActions:
    def act(self, bobs: Client, incident: Incident, action: str, **data: str) -> Incident:
        answer = bobs.post(f"{LIST}{incident.number}/{action}/", data)
        assert (answer.status_code, answer.headers["Location"]) == (302, f"{LIST}{incident.number}/")
        return Incident.objects.get(pk=incident.pk)

    def test_its_life(self, bobs: Client, incident: Incident, bob: User, acme: Organization) -> None:
        assert self.act(bobs, incident, "acknowledge").state == State.ACKNOWLEDGED
        assert self.act(bobs, incident, "assign", assignee=str(bob.pk)).assignee == bob.memberships.get()
        assert "bob@example.com" in page(bobs, f"{LIST}?q=is:mine")
        assert self.act(bobs, incident, "assign", assignee="").assignee is None
        self.act(bobs, incident, "note", text="Stripe says it is them.")
        assert self.act(bobs, incident, "mute", length="24h").state == State.MUTED
        assert self.act(bobs, incident, "unmute").state == State.OPEN
        assert self.act(bobs, incident, "resolve").state == State.RESOLVED
        assert self.act(bobs, incident, "reopen").state == State.OPEN
        assert "Stripe says it is them." in page(bobs, f"{LIST}{incident.number}/")
        assert AuditEntry.objects.filter(organization=acme, action__startswith="incident.").count() >= 8

    @pytest.mark.parametrize(("length", "hours"), [("1h", 1), ("24h", 24), ("7d", 168)])
    def test_mutes_end(self, bobs: Client, incident: Incident, now: datetime, length: str, hours: int) -> None:
        until = self.act(bobs, incident, "mute", length=length).muted_until
        assert until is not None
        assert abs(until - now - timedelta(hours=hours)) < timedelta(minutes=1)

    def test_mute_until_a_moment_and_for_ever(self, bobs: Client, incident: Incident, now: datetime) -> None:
        until = (now + timedelta(days=3)).replace(second=0, microsecond=0)
        assert self.act(bobs, incident, "mute", length="until", until=f"{until:%Y-%m-%dT%H:%M}").muted_until == until
        muted = self.act(bobs, incident, "mute", length="forever")
        assert (muted.state, muted.muted_until) == (State.MUTED, None)

    @pytest.mark.parametrize(
        ("action", "data"),
        [
            ("reopen", {}), ("mute", {}), ("mute", {"length": "until"}),
            ("mute", {"length": "until", "until": "1999-01-01T00:00"}), ("note", {"text": " "}),
            ("assign", {"assignee": "999999"}), ("assign", {"assignee": "nobody"}),
        ],
    )  # fmt: skip
    def test_what_makes_no_sense_is_refused_in_words(
        self, bobs: Client, incident: Incident, action: str, data: dict[str, str]
    ) -> None:
        before = Transition.objects.count()
        answer = bobs.post(f"{LIST}{incident.number}/{action}/", data, follow=True)
        assert "notice-warn" in answer.content.decode()
        assert Transition.objects.count() == before

    def test_a_stranger_cannot_be_assigned(self, bobs: Client, incident: Incident, charlie: User) -> None:
        assert self.act(bobs, incident, "assign", assignee=str(charlie.pk)).assignee is None

    def test_links_ask_before_they_act(self, bobs: Client, incident: Incident) -> None:
        html = page(bobs, f"{LIST}{incident.number}/acknowledge/?s=slack")
        assert f"Acknowledge #{incident.number}?" in html
        incident.refresh_from_db()
        assert incident.state == State.OPEN
        assert bobs.get(f"{LIST}{incident.number}/mute/").status_code == 405
        assert bobs.get(f"{LIST}{incident.number}/explode/").status_code == 404

    def test_viewers_only_look(self, client: Client, incident: Incident, acme: Organization) -> None:
        client.force_login(person("eve@example.com", acme, Role.VIEWER))
        assert client.post(f"{LIST}{incident.number}/acknowledge/").status_code == 403
        html = page(client, f"{LIST}{incident.number}/") + page(client, LIST)
        assert "/acknowledge/" not in html

    @pytest.mark.parametrize(
        "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
    )
    def test_it_leads_back_to_our_own_pages_only(self, bobs: Client, incident: Incident, target: str) -> None:
        self.act(bobs, incident, "acknowledge", next=target)

    def test_it_leads_back_to_the_list(self, bobs: Client, incident: Incident) -> None:
        answer = bobs.post(f"{LIST}{incident.number}/acknowledge/", {"next": f"{LIST}?state=open"})
        assert answer.headers["Location"] == f"{LIST}?state=open"


class TestFragments:
    def test_open_incidents(self, bobs: Client, incident: Incident) -> None:
        assert incident.title in page(bobs, f"{LIST}open/")
        assert incident.title in page(bobs, f"{LIST}open/?resource_id={incident.resource_id}&form=pills")
        assert incident.title not in page(bobs, f"{LIST}open/?resource_id=999999")
        assert incident.title not in page(bobs, f"{LIST}open/?without={incident.number}&heading=other")

    @pytest.mark.parametrize("number", ["9" * 30, "9" * 5_000, "-1", "x"])
    def test_numbers_that_nothing_has_are_ignored(self, bobs: Client, incident: Incident, number: str) -> None:
        assert incident.title in page(bobs, f"{LIST}open/?resource_id={number}&without={number}")

    def test_incident_count(self, bobs: Client, incident: Incident) -> None:
        assert ">1<" in page(bobs, f"{LIST}count/")
        Incident.objects.update(state=State.MUTED)
        assert page(bobs, f"{LIST}count/").strip() == ""


class TestCost:
    def queries(self, bobs: Client, url: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            page(bobs, url)
        return len(captured)

    def test_pages_take_at_most_15_queries(self, bobs: Client, checkout: Resource, now: datetime) -> None:
        policy_for(webhook_channel(checkout.organization, now), now)
        incident = break_it(checkout, now)
        for url in (LIST, f"{LIST}{incident.number}/", f"{LIST}open/", f"{LIST}count/"):
            page(bobs, url)
            assert self.queries(bobs, url) <= 15, url

    def test_more_incidents_take_no_more_queries(self, bobs: Client, checkout: Resource, now: datetime) -> None:
        break_it(checkout, now, STRIPE)
        page(bobs, LIST)  # The first page also notes that the session is in use.
        one = self.queries(bobs, LIST)
        break_it(checkout, now - timedelta(seconds=9), TIMEOUT)
        break_it(checkout, now - timedelta(seconds=17), MEMORY)
        assert self.queries(bobs, LIST) == one
