"""Every route of the product and what may be expected of it: the table behind the tenant matrix.

A new route needs one line here. Inside ``/o/<organization>/`` that is an ``Inside`` row; everywhere else an
``Outside`` row. A new kind of object in a URL needs one factory in ``OBJECTS``; a fixed word one entry in ``WORDS``.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from allauth.mfa.models import Authenticator
from django.contrib.auth.base_user import AbstractBaseUser
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from alerts.channels import seal
from alerts.models import Anomaly, Channel, Incident, Insight, Notification, Policy
from observability.aws.models import AwsAccount
from observability.inventory.models import Resource
from observability.telemetry.records import Invocation, Outcome
from observability.telemetry.store import get_store
from observability.tenants.models import IngestKey, Invitation, Membership, Organization, Role, User

INSIDE = "o/<slug:organization>/"
CANARY = "canary-of-the-other-organization"


@dataclass(frozen=True, slots=True)
class Inside:
    """A route of an organization. ``post`` is the weakest role that may POST; None when there is no POST.

    ``body`` is a form that the owner's POST succeeds with. Such a POST must write an audit entry, unless
    ``unaudited`` says why not.
    """

    get: bool = True
    post: Role | None = None
    body: Mapping[str, str] = field(default_factory=dict)
    unaudited: str = ""


@dataclass(frozen=True, slots=True)
class Outside:
    """A route outside of organizations. ``login`` is true when strangers are sent to the log-in page."""

    login: bool = False


ROUTES: dict[str, Inside | Outside] = {
    "dashboards:overview": Inside(),
    "dashboards:functions": Inside(),
    "dashboards:function": Inside(),
    "dashboards:invocations": Inside(),
    "dashboards:invocation": Inside(),
    "dashboards:logs": Inside(),
    "dashboards:logs_tail": Inside(),
    "dashboards:resources": Inside(),
    "dashboards:resource": Inside(),
    "dashboards:account_preview": Inside(),
    "dashboards:account_progress": Inside(),
    "dashboards:coverage": Inside(),
    "dashboards:cost": Inside(),
    "dashboards:cost_csv": Inside(),
    "dashboards:packages": Inside(),
    "dashboards:search": Inside(),
    "alerts:incidents": Inside(),
    "alerts:open_incidents": Inside(),
    "alerts:incident_count": Inside(),
    "alerts:incident": Inside(),
    "alerts:incident_action": Inside(post=Role.MEMBER),
    "alerts:anomalies": Inside(),
    "alerts:resource_anomalies": Inside(),
    "alerts:anomaly_feedback": Inside(get=False, post=Role.MEMBER, body={"feedback": "expected"}),
    "alerts:insights": Inside(),
    "alerts:insights_csv": Inside(),
    "alerts:insight_count": Inside(),
    "alerts:insights_look": Inside(get=False, post=Role.MEMBER, unaudited="A look changes nothing that people set."),
    "alerts:insights_looked": Inside(),
    "alerts:insight_rules": Inside(),
    "alerts:insight_rule": Inside(post=Role.ADMIN, body={"enabled": "on"}),
    "alerts:insight_snooze": Inside(get=False, post=Role.MEMBER, body={"reason": "later", "length": "1m"}),
    "alerts:insight_unsnooze": Inside(
        get=False, post=Role.MEMBER, unaudited="The one in OBJECTS is open, and only a snoozed one can be brought back."
    ),
    "alerts:resource_insights": Inside(),
    "alerts:channels": Inside(),
    "alerts:channel_new": Inside(post=Role.ADMIN, body={"name": "new", "url": "https://example.com/hook"}),
    "alerts:channel": Inside(post=Role.ADMIN, body={"name": "other", "url": "https://example.com/hook"}),
    "alerts:channel_test": Inside(get=False, post=Role.ADMIN),
    "alerts:channel_switch": Inside(get=False, post=Role.ADMIN, body={"on": "1"}),
    "alerts:channel_secrets": Inside(get=False, post=Role.ADMIN),
    "alerts:channel_rotate": Inside(get=False, post=Role.ADMIN),
    "alerts:channel_delete": Inside(get=False, post=Role.ADMIN),
    "alerts:test_result": Inside(),
    "alerts:notification_retry": Inside(get=False, post=Role.ADMIN),
    "alerts:detectors": Inside(),
    "alerts:detector": Inside(post=Role.ADMIN, body={"enabled": "on", "info": "70"}),
    "alerts:policies": Inside(),
    "alerts:policy_new": Inside(post=Role.ADMIN, body={"name": "new", "minimum_severity": "warning"}),
    "alerts:policy": Inside(post=Role.ADMIN, body={"name": "other", "minimum_severity": "info"}),
    "alerts:policy_delete": Inside(get=False, post=Role.ADMIN),
    "aws:connect": Inside(post=Role.ADMIN, body={"name": "new", "account_id": "210987654321", "regions": "eu-west-1"}),
    "aws:role": Inside(),
    "aws:template": Inside(),
    "aws:verify": Inside(
        post=Role.ADMIN,
        body={"role_arn": "arn:aws:iam::000000000000:role/other"},
        unaudited="The one in OBJECTS works, and only one that does not may get another role.",
    ),
    "aws:checklist": Inside(),
    "aws:first_data": Inside(),
    "aws:alerts": Inside(),
    "aws:again": Inside(
        get=False, post=Role.ADMIN, unaudited="The one in OBJECTS works, and only one that does not is started again."
    ),
    "aws:disconnect": Inside(get=False, post=Role.ADMIN),
    "aws:accounts": Inside(),
    "aws:account": Inside(),
    "aws:standing": Inside(),
    "aws:permissions": Inside(),
    "aws:settings": Inside(post=Role.ADMIN, body={"name": "other", "regions": "eu-west-1", "include_names": "prod-*"}),
    "aws:check": Inside(get=False, post=Role.ADMIN),
    "extension:install": Inside(post=Role.ADMIN),
    "extension:working": Inside(),
    "extension:layer": Inside(),
    "collection:standings": Inside(),
    "collection:health": Inside(),
    "collection:regions": Inside(),
    "collection:account": Inside(),
    "collection:backfill": Inside(),
    "collection:backfill_new": Inside(get=False, post=Role.ADMIN, body={"hours": "24"}),
    "tenants:settings": Inside(),
    "tenants:rename": Inside(get=False, post=Role.OWNER, body={"name": "Other name"}),
    "tenants:delete": Inside(get=False, post=Role.OWNER, body={"confirmation": "Acme"}),
    "tenants:members": Inside(),
    "tenants:invite": Inside(get=False, post=Role.ADMIN, body={"email": "new@example.com", "role": "viewer"}),
    "tenants:leave": Inside(get=False, post=Role.VIEWER),
    "tenants:member_role": Inside(get=False, post=Role.ADMIN, body={"role": "admin"}),
    "tenants:member_remove": Inside(get=False, post=Role.ADMIN),
    "tenants:invitation_revoke": Inside(get=False, post=Role.ADMIN),
    "tenants:keys": Inside(),
    "tenants:key_new": Inside(get=False, post=Role.ADMIN, body={"name": "new"}),
    "tenants:key_revoke": Inside(get=False, post=Role.ADMIN),
    "tenants:telemetry": Inside(),
    "tenants:telemetry_sample": Inside(get=False, post=Role.ADMIN, body={"percent": "50"}),
    "tenants:telemetry_pause": Inside(get=False, post=Role.ADMIN, body={"minutes": "15"}),
    "tenants:audit": Inside(),
    "tenants:home": Outside(),
    "tenants:setup": Outside(),
    "tenants:account": Outside(login=True),
    "tenants:organization_new": Outside(login=True),
    "tenants:invitation": Outside(),
    "ingest:telemetry": Outside(),
    "ingest:package_check": Outside(),
    "ingest:openapi": Outside(),
    "ci_script": Outside(),
    "healthz": Outside(),
    "readyz": Outside(),
    "metrics": Outside(),
    "account_login": Outside(),
    "account_logout": Outside(),
    "account_inactive": Outside(),
    "account_signup": Outside(),
    "account_reauthenticate": Outside(login=True),
    "account_email": Outside(login=True),
    "account_email_verification_sent": Outside(),
    "account_change_password": Outside(login=True),
    "account_set_password": Outside(login=True),
    "account_reset_password": Outside(),
    "account_reset_password_done": Outside(),
    "account_reset_password_from_key": Outside(),
    "account_reset_password_from_key_done": Outside(),
    "account_confirm_email": Outside(),
    "account_confirm_login_code": Outside(login=True),
    "mfa_index": Outside(login=True),
    "mfa_authenticate": Outside(login=True),
    "mfa_reauthenticate": Outside(login=True),
    "mfa_activate_totp": Outside(login=True),
    "mfa_deactivate_totp": Outside(login=True),
    "mfa_view_recovery_codes": Outside(login=True),
    "mfa_generate_recovery_codes": Outside(login=True),
    "mfa_download_recovery_codes": Outside(login=True),
    "mfa_list_webauthn": Outside(login=True),
    "mfa_add_webauthn": Outside(login=True),
    "mfa_reauthenticate_webauthn": Outside(login=True),
    "mfa_remove_webauthn": Outside(login=True),
    "mfa_edit_webauthn": Outside(login=True),
    "mfa_login_webauthn": Outside(),
    "usersessions_list": Outside(login=True),
    "demo:inbox": Outside(),
    "demo:mail": Outside(),
}

WORDS: dict[str, str] = {
    "action": "acknowledge",
    "kind": "webhook",
    "rule": "memory_idle",
    "architecture": "arm64",
    "detector": "oversized_deployment",
    "token": "no-such-token",
    "key": "no-such-key",
    "uidb36": "1",
    "name": "no-such-mail",
}
"""URL arguments that are no objects of anybody."""


def resource(organization: Organization) -> int:
    now = timezone.now()
    return Resource.objects.create(
        organization=organization,
        arn=f"arn:aws:lambda:eu-west-1:123456789012:function:{CANARY}-{uuid.uuid4()}",
        name=CANARY,
        region="eu-west-1",
        account="123456789012",
        first_seen_at=now,
        last_seen_at=now,
    ).pk


def invocation(organization: Organization) -> uuid.UUID:
    event_id, now = uuid.uuid4(), timezone.now() - timedelta(minutes=1)
    row = Invocation(
        organization_id=organization.pk,
        resource_id=resource(organization),
        day=now.date(),
        event_id=event_id.bytes,
        started_at=now,
        request_id=CANARY,
        version="1",
        outcome=Outcome.SUCCESS,
        error_type="",
        cold_start=False,
        duration_ms=1.0,
        billed_ms=1,
        init_ms=None,
        memory_mb=128,
        max_memory_mb=64,
        cost_usd=0.0,
        trace_id="",
    )
    get_store().append([row], now=timezone.now())
    return event_id


def incident(organization: Organization) -> int:
    now = timezone.now()
    number = 4711 + Incident.objects.count()  # A number that the other organization does not have.
    Incident.objects.create(
        organization=organization,
        number=number,
        fingerprint=uuid.uuid4().hex,
        kind="errors",
        severity="critical",
        title=CANARY,
        resource_id=resource(organization),
        opened_at=now,
        first_seen_at=now,
        last_seen_at=now,
    )
    return number


def insight(organization: Organization) -> int:
    now = timezone.now()
    return Insight.objects.create(
        organization=organization,
        resource_id=resource(organization),
        rule="memory_idle",
        severity="warning",
        text=CANARY,
        confidence="high",
        opened_at=now,
        seen_at=now,
    ).pk


def channel(organization: Organization) -> int:
    return Channel.objects.create(
        organization=organization,
        kind="webhook",
        name=f"{CANARY}-{uuid.uuid4()}",
        config=seal({"url": "https://example.com/", "secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"}),
        created_at=timezone.now(),
    ).pk


def notification(organization: Organization) -> uuid.UUID:
    now = timezone.now()
    row = Notification.objects.create(
        organization=organization,
        channel_id=channel(organization),
        transition=None,
        status=Notification.Status.FAILED,
        due_at=now,
        created_at=now,
        last_error=CANARY,
    )
    return row.pk


def policy(organization: Organization) -> int:
    return Policy.objects.create(organization=organization, name=CANARY, created_at=timezone.now()).pk


def membership(organization: Organization) -> int:
    user = User.objects.create_user(email=f"{uuid.uuid4()}@{CANARY}.example.com")
    return Membership.objects.create(organization=organization, user=user, role=Role.MEMBER).pk


def invited(organization: Organization) -> int:
    now = timezone.now()
    return Invitation.objects.create(
        organization=organization,
        email=f"{uuid.uuid4()}@{CANARY}.example.com",
        role=Role.MEMBER,
        token_hash=uuid.uuid4().bytes,
        created_at=now,
        expires_at=now + timedelta(days=1),
    ).pk


def ingest_key(organization: Organization) -> int:
    return IngestKey.objects.create(
        organization=organization, name=CANARY, key_id=uuid.uuid4().hex[:12], secret_hash=bytes(32)
    ).pk


def connection(organization: Organization) -> int:
    return AwsAccount.objects.create(
        organization=organization,
        name=CANARY,
        account_id=f"{AwsAccount.objects.count():012}",
        role_arn=f"arn:aws:iam::123456789012:role/{CANARY}",
        external_id=uuid.uuid4().hex,
        regions=["eu-west-1"],
        status=AwsAccount.Status.CONNECTED,
        created_at=timezone.now(),
        connected_at=timezone.now(),
    ).pk


def anomaly(organization: Organization) -> int:
    now = timezone.now()
    return Anomaly.objects.create(
        organization=organization, resource_id=resource(organization), metric="cost", started_at=now, ended_at=now,
        value=1, low=0, high=0.1, surprise=30, reason=CANARY,
    ).pk  # fmt: skip


OBJECTS: dict[str, Callable[[Organization], object]] = {
    "resource_id": resource,
    "event_id": invocation,
    "number": incident,
    "anomaly_id": anomaly,
    "insight_id": insight,
    "channel_id": channel,
    "notification_id": notification,
    "policy_id": policy,
    "membership_id": membership,
    "invitation_id": invited,
    "key_id": ingest_key,
    "connection_id": connection,
}
"""Makes an object of the organization; the answer is what stands for it in a URL."""


def passkey(user: AbstractBaseUser) -> int:
    key: Authenticator = Authenticator.objects.create(
        user=user, type=Authenticator.Type.WEBAUTHN, data={"name": CANARY, "credential": {}}
    )
    return int(key.pk)


PERSONAL: dict[str, Callable[[AbstractBaseUser], object]] = {"pk": passkey}
"""The same for objects that belong to a person."""


@dataclass(frozen=True, slots=True)
class Found:
    """A route as the URLconf knows it."""

    name: str
    pattern: str
    arguments: tuple[str, ...]


def found_routes() -> list[Found]:
    """All of them, walked out of the URLconf."""
    return list(_walk(get_resolver().url_patterns, "", "", ()))


def _walk(
    patterns: list[URLPattern | URLResolver], namespace: str, prefix: str, arguments: tuple[str, ...]
) -> Iterator[Found]:
    for entry in patterns:
        here, known = prefix + str(entry.pattern), (*arguments, *entry.pattern.converters, *_groups(entry))
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _walk(entry.url_patterns, inner, here, known)
        else:
            yield Found(f"{namespace}{entry.name or here}", here, known)


def _groups(entry: URLPattern | URLResolver) -> tuple[str, ...]:
    """The named groups of a ``re_path``."""
    regex = getattr(entry.pattern, "_regex", "")
    return tuple(entry.pattern.regex.groupindex) if isinstance(regex, str) and "(?P<" in regex else ()
