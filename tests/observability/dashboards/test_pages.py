"""The pages over the facts: what they show, to whom, and at what price."""

import re
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from observability.inventory.models import Deployment, Resource
from observability.telemetry.store import get_store
from observability.tenants.models import Organization, User

from .conftest import REQUEST, History, invocation

BASE = "/o/acme/"


def text(client: Client, path: str) -> str:
    answer = client.get(BASE + path)
    assert answer.status_code == 200, path
    return answer.content.decode()


@pytest.mark.usefixtures("acme")
class TestEmpty:
    def test_overview_says_how_to_begin(self, alice_in: Client) -> None:
        assert "Waiting for the first telemetry" in text(alice_in, "")

    def test_functions_say_how_to_begin(self, alice_in: Client) -> None:
        assert "No functions yet" in text(alice_in, "functions/")

    @pytest.mark.parametrize("path", ["invocations/", "logs/"])
    def test_lists_say_what_will_appear(self, alice_in: Client, path: str) -> None:
        assert "appear" in text(alice_in, path)


class TestOverview:
    def test_shows_figures_that_link_to_what_they_count(self, alice_in: Client, history: History) -> None:
        page = text(alice_in, "")
        assert "50.0%" in page
        assert (
            "/o/acme/invocations/?range=24h&amp;outcome=failed" in page
            or "invocations/?range=24h&outcome=failed" in page
        )

    def test_costs_few_queries(
        self, alice_in: Client, history: History, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        alice_in.get(BASE)  # The first request of a session also records the session.
        with django_assert_max_num_queries(15):
            alice_in.get(BASE)


class TestEveryPage:
    @pytest.mark.parametrize(
        "path",
        ["", "functions/", "functions/{pk}/", "functions/{pk}/?tab=invocations", "functions/{pk}/?tab=errors",
         "functions/{pk}/?tab=logs",
         "functions/{pk}/?tab=configuration", "functions/{pk}/?tab=changes",
         "invocations/", "invocations/?slow=1", "invocations/?outcome=failed",
         "invocations/{failed}/", "logs/", "logs/tail/", "search/?q=check"],
    )  # fmt: skip
    def test_only_reads_and_asks_little(
        self, alice_in: Client, history: History, checkout: Resource, path: str
    ) -> None:
        url = BASE + path.format(pk=checkout.pk, failed=uuid.UUID(bytes=history.failed))
        alice_in.get(url)  # The first request of a session also records the session.
        with CaptureQueriesContext(connection) as queries:
            assert alice_in.get(url).status_code == 200
        statements = [query["sql"] for query in queries]
        assert len(statements) <= 15
        assert all(sql.lstrip("( ").startswith(("SELECT", "WITH")) for sql in statements)

    @pytest.mark.parametrize("path", ["", "functions/"])
    def test_asks_no_more_for_more_functions(
        self, alice_in: Client, history: History, checkout: Resource, path: str
    ) -> None:
        def asked() -> int:
            alice_in.get(BASE + path)
            with CaptureQueriesContext(connection) as queries:
                alice_in.get(BASE + path)
            return len(queries)

        before = asked()
        for number in range(20):
            Resource.objects.create(
                organization=checkout.organization, arn=f"{checkout.arn}-{number}", name=f"more-{number}",
                region="eu-west-1", account="1", first_seen_at=history.at, last_seen_at=history.at,
            )  # fmt: skip
        assert asked() == before


class TestFunction:
    @pytest.mark.parametrize(
        "tab", ["metrics", "invocations", "errors", "logs", "configuration", "changes", "nonsense"]
    )
    def test_has_tabs(self, alice_in: Client, history: History, checkout: Resource, tab: str) -> None:
        assert "checkout" in text(alice_in, f"functions/{checkout.pk}/?tab={tab}")

    def test_errors_show_the_stack_and_escape_what_the_function_said(
        self, alice_in: Client, history: History, checkout: Resource
    ) -> None:
        page = text(alice_in, f"functions/{checkout.pk}/?tab=errors")
        assert "return charge(event)" in page
        assert "no such &lt;card&gt;" in page

    def test_configuration_is_told_in_words(self, alice_in: Client, checkout: Resource) -> None:
        checkout.config |= {"layers": ["arn:aws:lambda:eu-west-1:1:layer:x:3"], "tags": {"team": "checkout"}}
        checkout.save()
        page = text(alice_in, f"functions/{checkout.pk}/?tab=configuration")
        assert "512 MB" in page
        assert "x, version 3" in page
        assert "team: checkout" in page

    def test_nothing_of_a_variable_but_its_name_is_shown(self, alice_in: Client, checkout: Resource) -> None:
        checkout.config["environment"] = {"API_TOKEN": "0a1b2c:00112233445566ff"}
        checkout.save()
        for path in (f"functions/{checkout.pk}/?tab=configuration", f"resources/{checkout.pk}/", "resources/"):
            assert "0a1b2c" not in text(alice_in, path)
        assert "API_TOKEN" in text(alice_in, f"functions/{checkout.pk}/?tab=configuration")

    def test_changes_are_told_before_and_after(self, alice_in: Client, checkout: Resource) -> None:
        assert "No change so far" in text(alice_in, f"functions/{checkout.pk}/?tab=changes")
        Deployment.objects.create(
            organization=checkout.organization, resource=checkout, version="8", deployed_at=timezone.now(),
            changes={"memory_mb": [256, 512], "environment": [["OLD"], ["NEW"]]},
        )  # fmt: skip
        page = text(alice_in, f"functions/{checkout.pk}/?tab=changes")
        assert "Configuration changed" in page
        assert "Memory: 256 MB → 512 MB" in page
        assert "removed</span> OLD" in page

    def test_another_resource_has_a_page_of_its_own(self, alice_in: Client, checkout: Resource) -> None:
        checkout.type = "sqs_queue"
        checkout.save()
        answer = alice_in.get(f"{BASE}functions/{checkout.pk}/")
        assert answer.headers["Location"] == f"/o/acme/resources/{checkout.pk}/"

    def test_of_another_organization_does_not_exist(
        self, client: Client, charlie: User, rival: Organization, checkout: Resource
    ) -> None:
        client.force_login(charlie)
        assert client.get(f"/o/rival/functions/{checkout.pk}/").status_code == 404
        assert client.get(f"/o/acme/functions/{checkout.pk}/").status_code == 404


class TestInvocations:
    def test_can_be_narrowed_to_failures(self, alice_in: Client, history: History) -> None:
        page = text(alice_in, "invocations/?outcome=failed")
        assert "timed out" in page
        assert "request-1" not in page

    def test_one_shows_its_lines_and_fault(self, alice_in: Client, history: History) -> None:
        page = text(alice_in, f"invocations/{uuid.UUID(bytes=history.failed)}/")
        assert REQUEST in page
        assert "it &lt;b&gt;broke&lt;/b&gt;" in page
        assert "ValueError" in page

    def test_an_unknown_one_is_not_found(self, alice_in: Client) -> None:
        assert alice_in.get(f"{BASE}invocations/{uuid.uuid4()}/").status_code == 404

    @pytest.mark.parametrize("query", ["before=x", "before=1-2", "resource=abc", "outcome=nonsense", "range=never"])
    def test_survives_nonsense_in_the_url(self, alice_in: Client, history: History, query: str) -> None:
        assert alice_in.get(f"{BASE}invocations/?{query}").status_code in {200, 404}

    def test_the_slowest_leave_the_others_out(self, alice_in: Client, history: History, checkout: Resource) -> None:
        more = [invocation(checkout, history.at, number) for number in range(3, 43)]
        get_store().append(more, now=timezone.now())
        page = text(alice_in, "invocations/?slow=1")
        assert "Slowest 5%" in page
        assert "request-42" in page
        assert "request-30" not in page


class TestLogs:
    def test_show_what_was_written_around_one_line(self, alice_in: Client, history: History) -> None:
        found = re.search(r"line=([0-9a-f-]+)#linked", text(alice_in, "logs/"))
        assert found
        page = text(alice_in, f"logs/?line={found[1]}&level=warn&q=absent")
        assert "Around one line" in page
        assert 'id="linked"' in page

    def test_a_page_without_lines_still_follows(self, alice_in: Client, history: History) -> None:
        assert "tail-poll" in text(alice_in, "logs/?q=absent")

    def test_finds_words_in_lines(self, alice_in: Client, history: History) -> None:
        assert "it &lt;b&gt;broke" in text(alice_in, "logs/?q=broke")
        assert "No lines match" in text(alice_in, "logs/?q=absent")

    def test_tail_brings_what_came_after(self, alice_in: Client, history: History) -> None:
        assert "broke" in text(alice_in, "logs/tail/")
        assert "tail-poll" in text(alice_in, "logs/tail/?q=absent")


class TestSearch:
    def test_finds_functions_by_a_part_of_their_name(self, alice_in: Client, checkout: Resource) -> None:
        assert f"/o/acme/functions/{checkout.pk}/" in text(alice_in, "search/?q=heck")

    def test_names_that_begin_so_come_first(self, alice_in: Client, checkout: Resource) -> None:
        Resource.objects.create(
            organization=checkout.organization, arn="arn:other", name="a-checkout", region="eu-west-1", account="1",
            first_seen_at=checkout.first_seen_at, last_seen_at=checkout.last_seen_at,
        )  # fmt: skip
        page = text(alice_in, "search/?q=Check")
        assert page.index(">checkout<") < page.index(">a-checkout<")

    def test_finds_an_invocation_by_its_request_id(self, alice_in: Client, history: History) -> None:
        assert str(uuid.UUID(bytes=history.failed)) in text(alice_in, f"search/?q={REQUEST}")

    def test_says_when_there_is_nothing(self, alice_in: Client) -> None:
        assert "Nothing is called" in text(alice_in, "search/?q=zzz")
