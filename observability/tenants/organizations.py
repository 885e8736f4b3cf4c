"""The life of an organization: founded, renamed, archived. Its slug never changes, so links stay good."""

from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.utils.text import slugify

from observability.tenants import audit
from observability.tenants.accounts import register
from observability.tenants.models import Membership, Organization, Role, User

FIRST_RUN_LOCK = 0x6E6A_0001  # "nj": any number, as long as nobody else uses it.


class FirstRunOverError(Exception):
    """Somebody is set up already; the first-run page is closed for good."""


def create(*, name: str, owner: User, now: datetime) -> Organization:
    """A new organization with a free slug, owned by ``owner``."""
    with transaction.atomic():
        organization = _with_free_slug(name)
        Membership.objects.create(organization=organization, user=owner, role=Role.OWNER)
        audit.record(organization=organization, actor=owner, action="organization.created", target=name, now=now)
    return organization


def rename(*, organization: Organization, name: str, actor: User, now: datetime) -> None:
    with transaction.atomic():
        old = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk).name
        if old == name:
            return
        Organization.objects.filter(pk=organization.pk).update(name=name)
        audit.record(
            organization=organization,
            actor=actor,
            action="organization.renamed",
            target=name,
            detail={"from": old},
            now=now,
        )


def archive(*, organization: Organization, actor: User, now: datetime) -> None:
    """Hide the organization everywhere and stop its keys; its data leaves by retention, its audit log stays."""
    with transaction.atomic():
        if Organization.objects.filter(pk=organization.pk, archived_at=None).update(archived_at=now):
            audit.record(
                organization=organization, actor=actor, action="organization.deleted", target=organization.name, now=now
            )


def active_of(user: User) -> list[Membership]:
    """The user's memberships with their organizations, by name; archived ones are gone."""
    memberships = Membership.objects.filter(user=user, organization__archived_at=None)
    return list(memberships.select_related("organization").order_by("organization__name", "pk"))


def is_first_run() -> bool:
    return not User.objects.exists()


def first_run(*, email: str, password: str, name: str, now: datetime) -> tuple[User, Organization]:
    """The very first person and organization; of several at once exactly one wins, the others get
    ``FirstRunOverError``."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [FIRST_RUN_LOCK])
        if not is_first_run():
            raise FirstRunOverError
        user = register(email=email, password=password)
        return user, create(name=name, owner=user, now=now)


def _with_free_slug(name: str) -> Organization:
    stem = slugify(name)[:40].strip("-") or "organization"
    taken = set(Organization.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    number = 1
    while True:
        slug = stem if number == 1 else f"{stem}-{number}"
        number += 1
        if slug in taken:
            continue
        try:
            with transaction.atomic():
                return Organization.objects.create(name=name, slug=slug)
        except IntegrityError:  # Another request took it between the look and the insert.
            continue
