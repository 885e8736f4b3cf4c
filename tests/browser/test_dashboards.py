"""The dashboards in a browser: from the overview down to one invocation, and the logs as they are written."""

import re
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from observability.inventory.models import Deployment, Resource
from observability.telemetry.partitions import maintain
from observability.telemetry.records import Fault, FaultKind, Frame, Invocation, Level, LogLine, Outcome
from observability.telemetry.store import get_store
from observability.tenants.models import User
from tests.browser.conftest import AssertAccessible, LoggedIn

pytestmark = pytest.mark.django_db(transaction=True)

FAILED_REQUEST = "6d68ca91-49c9-448d-89b8-7ca3e6dc66aa"
FRAMES = (
    Frame("/var/task/app.py", 31, "handler", "return charge(event)"),
    Frame("/var/lang/lib/python3.13/site-packages/stripe/client.py", 7, "post", own=False),
    Frame("/var/lang/lib/python3.13/site-packages/stripe/http.py", 8, "send", own=False),
)


def invocation(resource: Resource, at: datetime, number: int, *, failed: bool = False) -> Invocation:
    return Invocation(
        organization_id=resource.organization_id, resource_id=resource.pk, day=at.date(),
        event_id=number.to_bytes(16, "big"), started_at=at,
        request_id=FAILED_REQUEST if failed else f"request-{number}", version="7",
        outcome=Outcome.ERROR if failed else Outcome.SUCCESS, error_type="Function.Unhandled" if failed else "",
        cold_start=number % 5 == 0, duration_ms=90.0 + number, billed_ms=100 + number,
        init_ms=300.0 if number % 5 == 0 else None, memory_mb=512, max_memory_mb=140, cost_usd=0.00002, trace_id="",
    )  # fmt: skip


def line(resource: Resource, at: datetime, number: int, message: str, level: Level = Level.INFO) -> LogLine:
    identity = (1000 + number).to_bytes(16, "big")
    return LogLine(
        resource.organization_id, resource.pk, at.date(), identity, at, FAILED_REQUEST, level, message
    )  # fmt: skip


@pytest.fixture
def history(checkout: Resource) -> Resource:
    """Two hours of ``checkout``: invocations, a deployment, and a failure with its lines and its stack."""
    now = timezone.now()
    maintain(now=now)
    runs = [invocation(checkout, now - timedelta(minutes=minutes), minutes) for minutes in range(2, 120)]
    broke = now - timedelta(minutes=1)
    fault = Fault(
        checkout.organization_id, checkout.pk, broke.date(), b"f" * 16, broke, FAILED_REQUEST, "7",
        FaultKind.EXCEPTION, "CardDeclined", "no funds", FRAMES,
    )  # fmt: skip
    lines = [
        line(checkout, broke, 1, '{"event": "charge.start", "order": "ord_1"}'),
        line(checkout, broke, 2, "CardDeclined: no funds", Level.ERROR),
        line(checkout, broke, 3, "x" * 9000),
    ]
    get_store().append([*runs, invocation(checkout, broke, 777, failed=True), fault, *lines], now=now)
    Deployment.objects.create(
        organization=checkout.organization, resource=checkout, version="7", deployed_at=now - timedelta(minutes=40),
        changes={"version": ["6", "7"], "memory_mb": [256, 512]},
    )  # fmt: skip
    return checkout


@pytest.fixture
def at(logged_in: LoggedIn, live_server: LiveServer, alice: User, history: Resource) -> Page:
    """The overview of Acme, as Alice sees it."""
    page = logged_in(alice)
    page.goto(live_server.url + "/o/acme/?range=3h")
    return page


def charts(page: Page) -> int:
    return page.locator("nj-chart [role=img] canvas").count()


class TestDrillDown:
    def test_leads_from_the_overview_to_the_invocation_that_failed(self, at: Page) -> None:
        at.get_by_role("row", name=re.compile("checkout")).get_by_role("link", name="checkout").click()
        expect(at.get_by_role("heading", name="checkout")).to_be_visible()
        expect(at.get_by_text("Memory: 256 MB → 512 MB")).to_be_visible()
        at.get_by_role("link", name=re.compile("^Errors")).first.click()
        expect(at.get_by_role("heading", name="CardDeclined")).to_be_visible()
        at.get_by_text("2 library frames").click()
        expect(at.get_by_text("stripe/http.py")).to_be_visible()
        at.get_by_role("link", name="Latest invocation that failed so").click()
        at.get_by_role("link", name=FAILED_REQUEST[:13]).click()
        expect(at.get_by_role("heading", name=FAILED_REQUEST)).to_be_visible()
        expect(at.get_by_text("charge.start order=ord_1")).to_be_visible()

    def test_figures_lead_to_what_they_count(self, at: Page) -> None:
        at.get_by_role("link", name=re.compile("^Error rate")).click()
        expect(at.get_by_role("row")).to_have_count(2)
        expect(at.get_by_text("CardDeclined")).to_be_visible()

    def test_the_keyboard_walks_down_as_well(self, at: Page) -> None:
        at.keyboard.press("j")
        at.keyboard.press("Enter")
        expect(at).to_have_url(re.compile(r"/functions/\d+/"))

    def test_the_slowest_are_a_click_away(self, at: Page) -> None:
        at.get_by_role("link", name=re.compile("^p95 duration")).click()
        expect(at.get_by_role("heading", name=re.compile("^Slowest 5%, over"))).to_be_visible()
        assert 1 <= at.locator("tr[data-row]").count() < 20


class TestRange:
    def test_switching_keeps_charts_tab_and_back(self, at: Page, history: Resource, live_server: LiveServer) -> None:
        at.goto(f"{live_server.url}/o/acme/functions/{history.pk}/?range=3h")
        expect(at.locator("nj-chart [role=img] canvas").first).to_be_visible()
        before = charts(at)
        at.keyboard.press("2")
        expect(at.get_by_role("button", name="Time range: Last hour")).to_be_visible()
        expect(at.locator("nj-chart [role=img] canvas")).to_have_count(before)
        at.go_back()
        expect(at.get_by_role("button", name="Time range: Last 3 hours")).to_be_visible()
        expect(at.locator("nj-chart [role=img] canvas")).to_have_count(before)


class TestLogs:
    def test_show_lines_that_arrive_meanwhile_in_their_order(self, at: Page, history: Resource) -> None:
        at.goto(at.url.replace("/?", "/logs/?"))
        tail = at.get_by_role("log")
        expect(tail).to_contain_text("CardDeclined")
        now = timezone.now()
        get_store().append([line(history, now, 11, "the later line")], now=now)
        expect(tail).to_contain_text("the later line")
        get_store().append([line(history, now - timedelta(seconds=5), 10, "the late line")], now=now)
        expect(tail).to_contain_text("the late line")
        at.wait_for_timeout(1500)
        assert tail.inner_text().index("the late line") < tail.inner_text().index("the later line")
        assert tail.inner_text().count("the later line") == 1

    def test_have_a_link_to_each_line(self, at: Page) -> None:
        at.goto(at.url.replace("/?", "/logs/?"))
        link = at.locator(".logrow.ERROR a").first.get_attribute("href")
        at.goto(at.url.split("/o/")[0] + str(link))
        expect(at.locator("#linked")).to_contain_text("CardDeclined: no funds")
        expect(at.get_by_role("log")).to_contain_text("charge.start")

    def test_unfold_what_is_very_long(self, at: Page) -> None:
        at.goto(at.url.replace("/?", "/logs/?"))
        at.get_by_text("7,500 more characters").click()
        assert at.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


class TestWithoutJavaScript:
    @pytest.fixture
    def browser_context_args(self, browser_context_args: dict[str, object]) -> dict[str, object]:
        return {**browser_context_args, "java_script_enabled": False}

    def test_pages_say_what_they_know(self, at: Page, history: Resource) -> None:
        expect(at.get_by_role("row", name=re.compile("checkout"))).to_be_visible()
        at.goto(at.url.replace("/?", "/logs/?"))
        at.get_by_label("Text").fill("declined")
        at.get_by_role("button", name="Search").last.click()
        expect(at.get_by_role("log")).to_contain_text("CardDeclined")
        expect(at.get_by_role("log")).not_to_contain_text("charge.start")


@pytest.mark.parametrize(
    "path",
    ["", "functions/", "functions/{pk}/", "functions/{pk}/?tab=invocations", "functions/{pk}/?tab=errors",
     "functions/{pk}/?tab=logs", "functions/{pk}/?tab=cost", "invocations/", "invocations/{failed}/", "logs/", "cost/"],
)  # fmt: skip
def test_pages_are_accessible(
    at: Page, history: Resource, live_server: LiveServer, assert_accessible: AssertAccessible, path: str
) -> None:
    failed = f"00000000-0000-0000-0000-{777:012x}"
    at.goto(f"{live_server.url}/o/acme/{path.format(pk=history.pk, failed=failed)}")
    at.wait_for_load_state("networkidle") if "logs" not in path else expect(at.get_by_role("log")).to_be_visible()
    assert_accessible(at)
