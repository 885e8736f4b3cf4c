"""Nobody gets anywhere they do not belong: every route by method by role by own and foreign object.

The routes come from the URLconf, the expectations from ``tests/routes.py``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from alerts.models import Incident
from observability.tenants import keys
from observability.tenants.models import AuditEntry, Membership, Organization, Role, User
from tests.routes import CANARY, INSIDE, OBJECTS, PERSONAL, ROUTES, WORDS, Found, Inside, Outside, found_routes

FOUND = found_routes()
ROWS_INSIDE = [(route, row) for route in FOUND if isinstance(row := ROUTES.get(route.name), Inside)]
ROWS_OUTSIDE = [(route, row) for route in FOUND if isinstance(row := ROUTES.get(route.name), Outside)]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

pytestmark = pytest.mark.django_db
ROWS_OF_OBJECTS = [(route, row) for route, row in ROWS_INSIDE if OBJECTS.keys() & set(route.arguments)]
inside = pytest.mark.parametrize(("route", "row"), ROWS_INSIDE, ids=[route.name for route, _ in ROWS_INSIDE])
of_objects = pytest.mark.parametrize(
    ("route", "row"), ROWS_OF_OBJECTS, ids=[route.name for route, _ in ROWS_OF_OBJECTS]
)
outside = pytest.mark.parametrize(("route", "row"), ROWS_OUTSIDE, ids=[route.name for route, _ in ROWS_OUTSIDE])


class People(dict[str, Client]):
    """A signed-in browser per role of Acme, a member of another organization, and a stranger; they come when called."""

    def __init__(self, acme: Organization, rival: Organization) -> None:
        super().__init__(stranger=Client())
        self.acme, self.rival = acme, rival

    def __missing__(self, name: str) -> Client:
        outside = name == "outsider"
        self[name] = sign_in(name, self.rival if outside else self.acme, Role.OWNER if outside else Role(name))
        return self[name]

    def arrive(self, *names: str) -> None:
        """A first request of each leaves the traces of a new session, which each undone one would leave again."""
        for name in names:
            self[name].head("/o/acme/")


@pytest.fixture
def people(acme: Organization, rival: Organization) -> People:
    return People(acme, rival)


def sign_in(name: str, organization: Organization, role: Role) -> Client:
    user = User.objects.create_user(email=f"{name}@example.com")
    Membership.objects.create(organization=organization, user=user, role=role)
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


@contextmanager
def undone() -> Iterator[None]:
    """Whatever a request does, the next one finds the world as it was."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def url_of(route: Found, owner: Organization) -> str:
    """The route under Acme, with objects that belong to ``owner``."""
    arguments: dict[str, object] = {"organization": "acme"}
    arguments |= {name: OBJECTS[name](owner) for name in route.arguments if name in OBJECTS}
    arguments |= {name: WORDS[name] for name in route.arguments if name in WORDS}
    return reverse(route.name, kwargs={name: arguments[name] for name in route.arguments})


def send(client: Client, method: str, url: str, row: Inside) -> HttpResponse:
    with undone():
        answer = client.generic(method, url, _form(row), content_type="application/x-www-form-urlencoded")
    return cast("HttpResponse", answer)


def _form(row: Inside) -> str:
    return urlencode(row.body)


def test_every_route_has_a_row() -> None:
    missing = [f"{route.name}  ({route.pattern})" for route in FOUND if route.name not in ROUTES]
    assert not missing, "Add a row to ROUTES in tests/routes.py for each of:\n" + "\n".join(missing)
    optional = {name for name in ROUTES if name.startswith("demo:")}  # Installed only with DEMO=1.
    gone = ROUTES.keys() - {route.name for route in FOUND} - optional
    assert not gone, f"Remove from ROUTES in tests/routes.py, the URLconf does not have them: {gone}"
    wrong = [r.name for r in FOUND if r.pattern.startswith(INSIDE) != isinstance(ROUTES[r.name], Inside)]
    assert not wrong, f"Routes under {INSIDE} need an Inside row, the others an Outside row: {wrong}"
    known = {"organization", *OBJECTS, *WORDS, *PERSONAL}
    unknown = {name for route in FOUND for name in route.arguments} - known
    assert not unknown, f"Add a factory to OBJECTS (or a word to WORDS) in tests/routes.py for: {unknown}"


@inside
def test_nobody_from_outside_gets_in(route: Found, row: Inside, people: People, acme: Organization) -> None:
    url = url_of(route, acme)
    people.arrive("outsider")
    for method in METHODS:
        answer = send(people["stranger"], method, url, row)
        assert answer.status_code == 302, method
        assert answer.headers["Location"].startswith("/accounts/login/"), method
        answer = send(people["outsider"], method, url, row)
        assert answer.status_code == 404, method
        assert CANARY.encode() not in answer.getvalue()


@inside
def test_each_role_may_do_what_it_may(route: Found, row: Inside, people: People, acme: Organization) -> None:
    url = url_of(route, acme)
    people.arrive(*Role)
    for role in Role:
        membership = Membership(role=role)
        for method in METHODS:
            answer = send(people[role], method, url, row)
            place = f"{method} {url} as {role}: {answer.status_code}"
            if method == "GET":
                assert answer.status_code in ((200, 204) if row.get else (405,)), place
            elif method == "HEAD":
                assert answer.status_code in (200, 204, 405), place  # ``require_GET`` refuses it, which does no harm.
            elif method != "POST" or row.post is None:
                assert answer.status_code == 405, place
            elif membership.may(row.post):
                assert answer.status_code < 400 or answer.status_code == 422, place
            else:
                assert answer.status_code == 403, place


@of_objects
def test_foreign_objects_do_not_exist(
    route: Found, row: Inside, people: People, acme: Organization, rival: Organization
) -> None:
    url = url_of(route, rival)
    before = rows_of(rival)
    people.arrive(*Role)
    for role in Role:
        for method in METHODS:
            with undone():
                answer = people[role].generic(method, url, _form(row), content_type="application/x-www-form-urlencoded")
                touched = method == "POST" and rows_of(rival) != before
            assert not touched, f"{method} {url} as {role} changed a foreign object"
            assert CANARY.encode() not in answer.getvalue(), f"{method} {url} as {role} shows a foreign object"
            refused = (403, 404, 405) if method == "POST" and not _may_post(role, row) else (404, 405)
            assert answer.status_code in refused, f"{method} {url} as {role}: {answer.status_code}"


@inside
def test_foreign_ids_in_the_query_show_nothing(
    route: Found, row: Inside, people: People, acme: Organization, rival: Organization
) -> None:
    if not row.get or OBJECTS.keys() & set(route.arguments):
        return
    ids = {name: make(rival) for name, make in OBJECTS.items()}
    query = urlencode(ids | {name.removesuffix("_id"): value for name, value in ids.items()} | {"range": "24h"})
    answer = people["owner"].get(f"{url_of(route, acme)}?{query}")
    assert answer.status_code in (200, 204, 404)
    assert CANARY.encode() not in answer.getvalue()


def test_foreign_ids_in_forms_are_refused(
    people: People, acme: Organization, rival: Organization, charlie: User
) -> None:
    policy, foreign = OBJECTS["policy_id"](acme), OBJECTS["channel_id"](rival)
    answer = people["owner"].post(
        f"/o/acme/policies/{policy}/", {"name": "all", "minimum_severity": "info", "channels": str(foreign)}
    )
    assert answer.status_code == 422
    number = str(OBJECTS["number"](acme))
    people["owner"].post(f"/o/acme/incidents/{number}/assign/", {"assignee": str(charlie.pk)})
    assert Incident.objects.get(organization=acme, number=number).assignee is None


@inside
def test_every_change_is_in_the_audit_log(route: Found, row: Inside, people: People, acme: Organization) -> None:
    if row.post is None or row.unaudited:
        return
    url = url_of(route, acme)
    Membership.objects.create(organization=acme, user=User.objects.create_user(email="2@example.com"), role=Role.OWNER)
    before = AuditEntry.objects.filter(organization=acme).count()
    answer = people["owner"].post(url, row.body)
    assert answer.status_code < 400, f"The body of {route.name} in tests/routes.py is refused: {answer.status_code}"
    assert AuditEntry.objects.filter(organization=acme).count() == before + 1, f"{route.name} writes no audit entry"


@inside
def test_an_ingest_key_opens_no_page(route: Found, row: Inside, acme: Organization) -> None:
    _, token = keys.issue(organization=acme, name="key", created_by=None, now=timezone.now())
    for method in ("GET", "POST"):
        answer = Client(headers={"Authorization": f"Bearer {token}"}).generic(method, url_of(route, acme))
        assert answer.headers["Location"].startswith("/accounts/login/")


@outside
def test_pages_of_a_person_are_theirs_alone(route: Found, row: Outside, people: People, alice: User) -> None:
    arguments = {name: WORDS[name] for name in route.arguments if name in WORDS}
    personal = {name: PERSONAL[name](alice) for name in route.arguments if name in PERSONAL}
    url = reverse(route.name, kwargs=arguments | personal)
    people.arrive("outsider")
    for method in METHODS:
        with undone():
            answer = Client(raise_request_exception=False).generic(method, url)
        assert answer.status_code not in (500, 502), f"{method} {url}: {answer.status_code}"
        if row.login and answer.status_code != 405:
            assert answer.headers["Location"].startswith("/accounts/login/"), f"{method} {url}"
        with undone():
            answer = people["outsider"].generic(method, url)
        assert answer.status_code not in (500, 502), f"{method} {url}: {answer.status_code}"
        assert CANARY.encode() not in answer.getvalue()
        if personal:
            assert answer.status_code in (302, 404, 405), f"{method} {url}: {answer.status_code}"
            assert "/reauthenticate/" in answer.headers.get("Location", "/reauthenticate/")


def _may_post(role: Role, row: Inside) -> bool:
    return row.post is not None and Membership(role=role).may(row.post)


def rows_of(organization: Organization) -> dict[str, list[dict[str, object]]]:
    """Everything the database holds of an organization."""
    owned = [model for model in apps.get_models() if any(f.name == "organization" for f in model._meta.fields)]
    return {
        model.__name__: list(model._default_manager.filter(organization=organization).order_by("pk").values())
        for model in owned
    }
