"""The filters and tags of every template."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.template import engines
from django.test import RequestFactory
from django.urls import reverse
from time_machine import travel

from observability.tenants.models import Organization, User
from observability.ui import units
from observability.ui.treemap import Tile

PLACES = (
    "dashboards:overview",
    "dashboards:functions",
    "dashboards:logs",
    "alerts:incidents",
    "alerts:channels",
    "tenants:settings",
)
NOW = datetime(2026, 11, 23, 9, 39, 46, tzinfo=UTC)


def render(source: str, **context: object) -> str:
    return engines["django"].from_string(source).render(context)


class TestAgo:
    def test_tells_both_the_relative_and_the_absolute_time(self) -> None:
        with travel(NOW, tick=False):
            html = render("{{ moment|ago }}", moment=NOW - timedelta(minutes=97))
        assert ">1h 37m ago</time>" in html
        assert 'title="23 Nov 2026 08:02:46 UTC"' in html

    def test_has_nothing_to_tell_of_what_never_happened(self) -> None:
        assert render("{{ moment|ago }}", moment=None) == units.NOTHING


class TestLogMessage:
    def test_reads_a_structured_line_as_event_and_fields(self) -> None:
        html = render("{{ line|logmsg }}", line='{"event": "charge.ok", "order": "ord_7", "ms": 212}')
        assert "charge.ok</b>" in html
        assert '<span class="lk">order=</span>ord_7 <span class="lk">ms=</span>212' in html

    def test_leaves_any_other_line_as_it_is(self) -> None:
        assert render("{{ line|logmsg }}", line="{not json") == "{not json"

    def test_takes_the_fields_that_the_store_keeps_apart(self) -> None:
        html = render("{{ line|logmsg:fields }}", line="charge.ok", fields='{"ms": 212}')
        assert "charge.ok</b>" in html
        assert "212" in html

    @pytest.mark.parametrize("line", ["<b>hi</b>", '{"event": "<b>hi</b>", "<i>": "<u>"}'])
    def test_escapes_what_customers_log(self, line: str) -> None:
        html = render("{{ line|logmsg }}", line=line)
        assert "&lt;b&gt;hi" in html
        assert "<i>" not in html
        assert "<u>" not in html


class TestChart:
    def test_cannot_be_left_through_a_closing_tag(self) -> None:
        html = render("{% chart spec %}", spec={"l": "</script><script>alert(1)</script>"})
        assert html.count("</script>") == 1
        assert json.loads(html.removeprefix('<script type="application/json">').removesuffix("</script>"))

    def test_writes_moments_as_epoch_seconds(self) -> None:
        assert f'"t0":{NOW.timestamp()}' in render("{% chart spec %}", spec={"t0": NOW})


class TestDelta:
    def test_says_better_or_worse_in_words_too(self) -> None:
        assert "worse" in render("{% delta 0.042 'down' %}")
        assert "delta-good" in render("{% delta change 'down' %}", change=-0.3)
        assert "delta-flat" in render("{% delta 0.5 %}")

    def test_is_silent_without_a_past(self) -> None:
        assert render("{% delta change %}", change=None) == ""


class TestIcons:
    def test_of_a_service_names_it(self) -> None:
        assert 'title="SQS"' in render("{% svc 'sqs' 13 %}")

    def test_of_an_unknown_service_is_a_box(self) -> None:
        assert 'title="Resource"' in render("{% svc 'quantum-ledger' %}")

    def test_are_hidden_from_screen_readers(self) -> None:
        assert 'aria-hidden="true"' in render('{% lucide "bell" size=12 class="text-err" %}')


class TestTreemapTag:
    def test_links_each_tile_and_escapes_its_name(self) -> None:
        html = render("{% treemap tiles %}", tiles=[Tile("<pay>", 3, "$3", "/f/1"), Tile("b", 1, "$1", "/f/2")])
        assert 'href="/f/1"' in html
        assert "&lt;pay&gt;" in html
        assert "width:75.00%" in html


class TestOrgUrl:
    def test_stays_inside_the_organization(self, acme: Organization) -> None:
        request = RequestFactory().get("/")
        request.organization = acme  # type: ignore[attr-defined]  # The middleware sets it.
        html = engines["django"].from_string("{% org_url 'dashboards:overview' %}").render({}, request)
        assert html == reverse("dashboards:overview", kwargs={"organization": "acme"})


class TestInitials:
    @pytest.mark.parametrize(
        ("name", "letters"), [("Maja Lind", "ML"), ("acme", "A"), ("tom.okafor@example.com", "TO"), ("", "?")]
    )
    def test_stand_for_a_person(self, name: str, letters: str) -> None:
        assert render("{{ name|initials }}", name=name) == letters


class TestShell:
    def test_renders_for_anonymous_readers_and_for_people_of_no_organization(self, db: None) -> None:
        request = RequestFactory().get("/")
        page = engines["django"].from_string('{% extends "ui/base.html" %}')
        assert "Sign in" in page.render({}, request)
        request.user = User.objects.create_user(email="lonely@example.com", password="correct horse battery")
        assert "Sign out" in page.render({}, request)

    def test_lists_every_place_of_the_organization(self, acme: Organization, alice: User) -> None:
        request = RequestFactory().get("/o/acme/")
        request.user = alice
        request.organization = acme  # type: ignore[attr-defined]  # The middleware sets it.
        html = engines["django"].from_string('{% extends "ui/base.html" %}').render({"nav": "logs"}, request)
        for name in PLACES:
            assert f'href="{reverse(name, kwargs={"organization": "acme"})}"' in html

    def test_shows_the_theme_of_the_cookie_and_nothing_else_from_it(self) -> None:
        request = RequestFactory().get("/")
        page = engines["django"].from_string('{% extends "ui/plain.html" %}')
        request.COOKIES["theme"] = "dark"
        assert 'data-theme="dark"' in page.render({}, request)
        request.COOKIES["theme"] = '"><script>'
        assert 'data-theme="' not in page.render({}, request)


class TestErrorPages:
    @pytest.mark.parametrize("name", ["400.html", "403.html", "403_csrf.html", "404.html", "500.html"])
    def test_need_nothing(self, name: str) -> None:
        assert "<h1" in engines["django"].get_template(name).render({})
