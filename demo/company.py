"""Acme Retail, the organization that the demo belongs to, with its owner, its key and its channels.

Everything here can be done again: what exists is kept, what follows from ports is brought up to date.
"""

from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction

from alerts import channels, routing, tasks
from alerts.models import Channel, Policy
from alerts.transports import webhook
from alerts.watching import watch
from demo.catalogue import ACCOUNT, SHOP
from observability.aws import connecting
from observability.aws.models import Tier
from observability.tenants import accounts, keys, organizations
from observability.tenants.models import Organization, User

NAME = "Acme Retail"
SLUG = "acme-retail"
EMAIL = "demo@nightjar.local"
PASSWORD = "nightjar-demo"  # noqa: S105  # Documented, and good on this machine only: see guard.
AWS_ACCOUNTS = {
    ACCOUNT: ("Acme Retail", ("eu-west-1", "us-east-1")),
    SHOP: ("Acme Shop", ("eu-central-1", "us-east-1")),
}
PATIENCE = timedelta(minutes=10)
SLACK, WEBHOOK = "Slack #incidents", "Webhook of the status page"


def folder() -> Path:
    path: Path = settings.VAR_DIR / "demo"
    return path


def set_up(*, now: datetime) -> Organization:
    """The company, complete: owner and channels that lead to the local receivers."""
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    with transaction.atomic():
        organization = Organization.objects.filter(slug=SLUG).first() or found(now=now)
        connect(organization, now=now)
        connect_accounts(organization, now=now)
        guard()
    return organization


def found(*, now: datetime) -> Organization:
    """The organization with its owner, who may log in at once."""
    owner = User.objects.filter(email=EMAIL).first() or accounts.register(email=EMAIL, password=settings.DEMO_PASSWORD)
    organization = organizations.create(name=NAME, owner=owner, now=now)
    hold_watching(organization, now=now)
    return organization


def guard() -> None:
    """Where others can reach the log-in, the documented password must not open it (see `manage.py up`)."""
    owner = User.objects.get(email=EMAIL)
    if settings.DEMO_PASSWORD != PASSWORD and owner.check_password(PASSWORD):
        owner.set_password(settings.DEMO_PASSWORD)
        owner.save(update_fields=["password"])


def connect(organization: Organization, *, now: datetime) -> None:
    """Channels to the receivers, told by the default policy besides the owner's mailbox."""
    place = f"http://127.0.0.1:{settings.DEMO_HTTP_PORT}"
    configs = {
        SLACK: ("slack", {"url": f"{place}/slack"}),
        WEBHOOK: ("webhook", {"url": f"{place}/webhook", "secret": webhook_secret()}),
    }
    routing.route(organization_id=organization.pk, transitions=[], now=now)
    policy = Policy.objects.get(organization=organization, is_default=True)
    for name, (kind, config) in configs.items():
        channel, created = Channel.objects.get_or_create(
            organization=organization,
            name=name,
            defaults={"kind": kind, "config": channels.seal(config), "created_at": now},
        )
        if created:
            policy.channels.add(channel)
        elif channels.config_of(channel) != config:
            Channel.objects.filter(pk=channel.pk).update(config=channels.seal(config))


def connect_accounts(organization: Organization, *, now: datetime) -> None:
    """The accounts of the simulated AWS, by the same door as real ones; `manage.py demo_aws` then makes their roles.

    An account that somebody disconnected stays so, and a link that nobody used in time is made anew.
    """
    if not settings.AWS_ENDPOINT_URL.endswith(f"//127.0.0.1:{settings.DEMO_AWS_PORT}"):
        return
    for account_id, (name, regions) in AWS_ACCOUNTS.items():
        known = organization.aws_accounts.filter(account_id=account_id)
        if known.exists() and not any(link.is_expired(now) for link in known.filter(disconnected_at=None)):
            continue
        connecting.start(
            organization=organization,
            actor=User.objects.get(email=EMAIL),
            name=name,
            account_id=account_id,
            regions=regions,
            tiers=[Tier.BASE, Tier.SIZES],
            selection={},
            now=now,
        )


def issue_key(now: datetime) -> str:
    """A new ingest key of the demo's organization."""
    organization = Organization.objects.get(slug=SLUG)
    _, token = keys.issue(organization=organization, name="Demo traffic", created_by=None, now=now)
    return token


def hold_watching(organization: Organization, *, now: datetime) -> None:
    """Have watching wait for the history, which says what is usual; not for ever, should telling it end halfway."""
    watch.hold(organization.pk, until=now + PATIENCE)


def let_watch(organization: Organization, *, since: datetime, now: datetime) -> None:
    """All is told: what is usual and what could cost less is worked out from all of it.

    The functions were there ``since``, so that this long was measured, and paid for what is kept warm.
    """
    functions = organization.resources.filter(type="lambda_function", account=ACCOUNT)
    functions.filter(first_seen_at__gt=since).update(first_seen_at=since)
    watch.hold(organization.pk, until=now)
    tasks.advise.delay(organization_id=organization.pk)


def known_webhook_secret() -> str:
    """What the webhook receiver checks signatures with; empty before the first set-up."""
    return read("webhook.secret")


def webhook_secret() -> str:
    return known_webhook_secret() or write("webhook.secret", webhook.new_secret())


def read(name: str) -> str:
    path = folder() / name
    return path.read_text().strip() if path.exists() else ""


def write(name: str, text: str) -> str:
    """Keep a secret in a file that only we may read."""
    path = folder() / name
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
    return text
