"""Two at once: what may happen only once happens only once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from django.db import connection

from observability.tenants import audit, members, organizations
from observability.tenants.accounts import register
from observability.tenants.models import Membership, Organization, Role, User

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def at_once(work: Callable[[int], object], count: int = 4) -> list[object]:
    """What each of ``count`` threads got, or the error it met."""
    barrier = Barrier(count)

    def run(number: int) -> object:
        try:
            barrier.wait(timeout=10)
            return work(number)
        except (members.RefusedError, organizations.FirstRunOverError) as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_the_first_run_has_one_winner() -> None:
    outcomes = at_once(
        lambda number: organizations.first_run(
            email=f"{number}@example.com", password="correct horse battery", name="Acme", now=NOW
        )
    )
    assert sum(isinstance(outcome, organizations.FirstRunOverError) for outcome in outcomes) == 3
    assert User.objects.count() == Organization.objects.count() == 1


def test_organizations_of_one_name_get_different_slugs() -> None:
    owner = register(email="me@example.com", password="correct horse battery")
    at_once(lambda _: organizations.create(name="Acme", owner=owner, now=NOW))
    assert set(Organization.objects.values_list("slug", flat=True)) == {"acme", "acme-2", "acme-3", "acme-4"}


def test_an_invitation_is_accepted_once(alice: User, acme: Organization) -> None:
    dora = register(email="dora@example.com", password="correct horse battery")
    _, token = members.invite(
        organization=acme, email=dora.email, role=Role.MEMBER, inviter=alice.memberships.get(), now=NOW
    )
    outcomes = at_once(lambda _: members.accept(token=token, user=dora, now=NOW))
    assert sum(isinstance(outcome, Membership) for outcome in outcomes) == 1
    assert Membership.objects.filter(user=dora).count() == 1


def test_owners_cannot_all_leave_at_once(acme: Organization) -> None:
    owners = [
        Membership.objects.create(
            organization=acme, user=User.objects.create_user(email=f"{number}@example.com"), role=Role.OWNER
        )
        for number in range(4)
    ]
    at_once(lambda number: members.remove(membership=owners[number], actor=owners[number], now=NOW))
    assert Membership.objects.filter(organization=acme, role=Role.OWNER).count() == 1


def test_the_audit_chain_stays_in_one_line(acme: Organization) -> None:
    def record(number: int) -> None:
        for _ in range(10):
            audit.record(organization=acme, actor=None, action="x.done", target=str(number), now=NOW)

    at_once(record)
    assert list(acme.audit_entries.order_by("number").values_list("number", flat=True)) == list(range(1, 41))
    assert audit.verify(organization=acme) is None
