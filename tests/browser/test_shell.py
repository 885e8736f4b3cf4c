"""What every page shares: theme, palette, keyboard, time range, charts, live tail."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from observability.inventory.models import Resource
from observability.telemetry.partitions import maintain
from observability.telemetry.records import Invocation, Level, LogLine, Outcome
from observability.telemetry.store import get_store
from observability.tenants.models import User
from tests.browser.conftest import AssertAccessible, LoggedIn

pytestmark = pytest.mark.django_db(transaction=True)


def invocation(resource: Resource, at: datetime, number: int) -> Invocation:
    failed = number % 7 == 0
    return Invocation(
        organization_id=resource.organization_id, resource_id=resource.pk, day=at.date(),
        event_id=number.to_bytes(16, "big"), started_at=at, request_id=f"request-{number}", version="7",
        outcome=Outcome.ERROR if failed else Outcome.SUCCESS, error_type="ValueError" if failed else "",
        cold_start=number % 5 == 0, duration_ms=90.0 + number, billed_ms=100 + number, init_ms=None,
        memory_mb=512, max_memory_mb=140 + number % 9, cost_usd=0.00002, trace_id="",
    )  # fmt: skip


def line(resource: Resource, at: datetime, number: int) -> LogLine:
    return LogLine(
        resource.organization_id, resource.pk, at.date(), (1000 + number).to_bytes(16, "big"), at,
        f"request-{number}", Level.INFO, f"charge number {number}",
    )  # fmt: skip


@pytest.fixture
def traffic(checkout: Resource) -> Resource:
    """Two hours of invocations and log lines of the function ``checkout``."""
    now = timezone.now()
    moments = [now - timedelta(minutes=minutes) for minutes in range(120)]
    maintain(now=now)
    get_store().append([invocation(checkout, at, number) for number, at in enumerate(moments, 1)], now=now)
    get_store().append([line(checkout, at, number) for number, at in enumerate(moments, 1)], now=now)
    return checkout


@pytest.fixture
def overview(logged_in: LoggedIn, live_server: LiveServer, alice: User, traffic: Resource) -> Page:
    page = logged_in(alice)
    page.goto(live_server.url + "/o/acme/?range=3h")
    expect(plot(page, "Invocations")).to_be_visible()
    return page


def plot(page: Page, title: str) -> Locator:
    return page.locator(f'nj-chart[data-title="{title}"] [role=img]')


class TestTheme:
    def test_is_kept_by_a_cookie_so_that_the_server_renders_it(self, overview: Page) -> None:
        overview.get_by_role("button", name="Switch between light and dark").click()
        chosen = overview.locator("html").get_attribute("data-theme")
        overview.reload()
        assert chosen == "dark"
        expect(overview.locator("html")).to_have_attribute("data-theme", chosen)


class TestPalette:
    def test_goes_to_a_page(self, overview: Page) -> None:
        overview.keyboard.press("Control+k")
        expect(overview.get_by_role("option", name="Overview")).to_have_attribute("aria-selected", "true")
        overview.keyboard.press("ArrowDown")
        overview.keyboard.press("Enter")
        expect(overview).to_have_url(re.compile("/o/acme/incidents/$"))

    def test_finds_a_function(self, overview: Page, traffic: Resource) -> None:
        overview.keyboard.press("/")
        overview.get_by_role("combobox").press_sequentially("check")
        expect(overview.get_by_role("option", name="checkout")).to_have_attribute("aria-selected", "true")
        overview.keyboard.press("Enter")
        expect(overview).to_have_url(re.compile(f"/functions/{traffic.pk}/"))

    def test_closes_on_escape(self, overview: Page) -> None:
        overview.keyboard.press("/")
        overview.keyboard.press("Escape")
        expect(overview.locator("#palette")).to_be_hidden()


class TestKeyboard:
    def test_goes_to_the_logs(self, overview: Page) -> None:
        overview.keyboard.press("g")
        overview.keyboard.press("l")
        expect(overview).to_have_url(re.compile("/o/acme/logs/$"))

    def test_explains_itself(self, overview: Page, assert_accessible: AssertAccessible) -> None:
        overview.keyboard.press("?")
        expect(overview.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()
        assert_accessible(overview)

    def test_walks_rows(self, overview: Page) -> None:
        overview.keyboard.press("j")
        expect(overview.locator("[data-row] a").first).to_be_focused()


class TestTimeRange:
    def test_is_chosen_by_a_key_and_undone_by_back(self, overview: Page) -> None:
        overview.keyboard.press("2")
        expect(overview).to_have_url(re.compile("range=1h"))
        expect(overview.get_by_role("button", name="Time range: Last hour")).to_be_visible()
        overview.go_back()
        expect(overview.get_by_role("button", name="Time range: Last 3 hours")).to_be_visible()
        expect(plot(overview, "Invocations")).to_be_visible()

    def test_can_be_typed(self, overview: Page) -> None:
        overview.keyboard.press("t")
        overview.get_by_label("Or type a range").fill("now-90m")
        overview.keyboard.press("Enter")
        expect(overview.get_by_role("button", name="Time range: Last 90 minutes")).to_be_visible()

    def test_that_makes_no_sense_is_explained(self, overview: Page) -> None:
        overview.keyboard.press("t")
        overview.get_by_label("Or type a range").fill("half past nine")
        overview.keyboard.press("Enter")
        expect(overview.get_by_role("alert")).to_contain_text("“half past nine” is not a time")

    def test_narrows_by_dragging_over_a_chart(self, overview: Page) -> None:
        box = plot(overview, "Invocations").bounding_box()
        assert box is not None
        overview.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60)
        overview.mouse.down()
        overview.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 60, steps=5)
        overview.mouse.up()
        expect(overview).to_have_url(re.compile(r"from=\d+&to=\d+"))
        start, end = (datetime.fromtimestamp(int(text), UTC) for text in re.findall(r"=(\d+)", overview.url)[-2:])
        assert timedelta(minutes=40) < end - start < timedelta(minutes=70)
        expect(plot(overview, "Invocations")).to_be_visible()
        overview.go_back()
        expect(overview.get_by_role("button", name="Time range: Last 3 hours")).to_be_visible()


class TestChart:
    def test_speaks_and_answers_arrow_keys(self, overview: Page) -> None:
        chart = plot(overview, "Errors")
        expect(chart).to_have_attribute("aria-label", re.compile(r"Errors: latest \d+, highest \d+"))
        chart.focus()
        overview.keyboard.press("ArrowLeft")
        expect(overview.locator(".tip")).to_contain_text("UTC")
        overview.keyboard.press("Escape")
        expect(overview.locator(".tip")).to_be_hidden()

    def test_can_be_read_as_a_table(self, overview: Page, assert_accessible: AssertAccessible) -> None:
        overview.get_by_role("button", name="Errors as a table").click()
        expect(overview.get_by_role("cell", name=re.compile(r"UTC$")).first).to_be_visible()
        assert_accessible(overview)

    def test_links_its_cursor_with_the_others(self, overview: Page) -> None:
        plot(overview, "Invocations").hover()
        expect(overview.locator(".tip")).to_contain_text("Invocations")
        expect(overview.locator('nj-chart[data-title="Errors"] .u-cursor-x')).to_be_visible()


class TestTail:
    def test_follows_new_lines_until_paused(
        self, page: Page, logged_in: LoggedIn, live_server: LiveServer, alice: User, traffic: Resource
    ) -> None:
        logged_in(alice).goto(live_server.url + "/o/acme/logs/?range=1h")
        tail = page.get_by_role("log")
        expect(tail).to_contain_text("charge number 3")
        now = timezone.now()
        get_store().append([line(traffic, now, 777)], now=now)
        expect(tail).to_contain_text("charge number 777")
        page.get_by_role("button", name="Pause").click()
        page.wait_for_timeout(1200)
        get_store().append([line(traffic, now, 778)], now=now)
        page.wait_for_timeout(2500)
        expect(tail).not_to_contain_text("charge number 778")


class TestNarrowScreen:
    def test_opens_its_sidebar_as_a_menu(self, overview: Page) -> None:
        overview.set_viewport_size({"width": 390, "height": 800})
        expect(overview.get_by_role("link", name="Functions", exact=True)).to_be_hidden()
        overview.get_by_role("button", name="Menu").click()
        overview.get_by_role("link", name="Functions", exact=True).click()
        expect(overview).to_have_url(re.compile("/o/acme/functions/"))


class TestPages:
    def test_are_accessible(self, overview: Page, assert_accessible: AssertAccessible) -> None:
        assert_accessible(overview)
