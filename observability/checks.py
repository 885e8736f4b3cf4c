"""What `manage.py check` says about the environment: one clear sentence for each value that cannot work."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host

REQUIRED = {
    "DATABASE_URL": "postgres://user:password@host:port/name",
    "REDIS_URL": "redis://:password@host:port/0",
}
ACCOUNT_ID = re.compile(r"[0-9]{12}")
AWS_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")
TEMPLATE_URL = re.compile(r"https://[^/]*\bs3[.-][^/]*\bamazonaws\.com(\.cn)?/\S+")
REDIS_SCHEMES = {"redis", "rediss", "unix"}
SECRET_LENGTH = 50
WHERE = "Set it in the environment or in .env; docs/operating.md explains each variable. `make up` needs none of them."
RECIPE = "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(50))'"


@register()
def environment(**_: Any) -> list[CheckMessage]:
    """Every variable that is missing or malformed."""
    return [
        *malformed(),
        *missing(),
        *secret_key(),
        *redis_url(),
        *public_url(),
        *allowed_hosts(),
        *outbound_hosts(),
        *aws(),
    ]


def malformed() -> Iterator[CheckMessage]:
    for variable in settings.MALFORMED_VARIABLES:
        yield Error(f"{variable.name} is malformed: it must be {variable.expected}.", id="nightjar.E010")


def missing() -> Iterator[CheckMessage]:
    for name, form in REQUIRED.items():
        if name in settings.MISSING_VARIABLES:
            yield Error(f"{name} is not set; it looks like {form}.", hint=WHERE, id="nightjar.E011")


def secret_key() -> Iterator[CheckMessage]:
    try:
        key = settings.SECRET_KEY
    except ImproperlyConfigured:
        key = ""
    if not key:
        yield Error(
            "SECRET_KEY is not set: sessions and links in mails are signed with it.",
            hint=RECIPE,
            id="nightjar.E012",
        )
    elif len(key) < SECRET_LENGTH:
        yield Error(f"SECRET_KEY is shorter than {SECRET_LENGTH} characters.", hint=RECIPE, id="nightjar.E012")


def redis_url() -> Iterator[CheckMessage]:
    if scheme_of(settings.REDIS_URL) not in REDIS_SCHEMES:
        yield Error(f"REDIS_URL must look like {REQUIRED['REDIS_URL']}.", id="nightjar.E013")


def public_url() -> Iterator[CheckMessage]:
    """The address in every mail and message must be one that this installation answers."""
    try:
        url = urlsplit(settings.PUBLIC_URL)
        whole = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0 and not url.path
    except ValueError:
        whole = False
    if not whole:
        yield Error(
            "PUBLIC_URL must be the address that people open, without a path, such as https://nightjar.example.com.",
            id="nightjar.E014",
        )
    elif not validate_host(bracketed(str(url.hostname)), settings.ALLOWED_HOSTS):
        yield Error(
            f"ALLOWED_HOSTS does not hold {url.hostname}, the host of PUBLIC_URL: every page would be refused.",
            id="nightjar.E015",
        )


def allowed_hosts() -> Iterator[CheckMessage]:
    for host in settings.ALLOWED_HOSTS:
        if "/" in host or " " in host or (":" in host and not host.startswith("[")):
            yield Error(
                f"ALLOWED_HOSTS holds “{host}”; it takes host names without scheme, port or path.", id="nightjar.E016"
            )


def outbound_hosts() -> Iterator[CheckMessage]:
    for place in settings.OUTBOUND_ALLOWED_HOSTS:
        host, _, port = place.rpartition(":")
        if not host or not port.isdecimal():
            yield Error(f"OUTBOUND_ALLOWED_HOSTS holds “{place}”; it takes host:port pairs.", id="nightjar.E017")


def aws() -> Iterator[CheckMessage]:
    """Whom customers' roles trust, and where AWS is."""
    if settings.AWS_PRINCIPAL and not ACCOUNT_ID.fullmatch(settings.AWS_PRINCIPAL):
        yield Error("AWS_PRINCIPAL must be the 12 digits of an AWS account.", id="nightjar.E018")
    if not AWS_REGION.fullmatch(settings.AWS_HOME_REGION):
        yield Error("AWS_HOME_REGION must be a region, such as eu-west-1.", id="nightjar.E019")
    if settings.AWS_ENDPOINT_URL and scheme_of(settings.AWS_ENDPOINT_URL) not in {"http", "https"}:
        yield Error("AWS_ENDPOINT_URL must look like http://host:port.", id="nightjar.E020")
    if settings.ROLE_TEMPLATE_URL and not TEMPLATE_URL.match(settings.ROLE_TEMPLATE_URL):
        yield Error(
            "ROLE_TEMPLATE_URL must be an address in S3: CloudFormation takes templates from nowhere else.",
            hint="`manage.py publish_role_template` prints it.",
            id="nightjar.E021",
        )


@register(deploy=True)
def deployment(**_: Any) -> list[CheckMessage]:
    """What works, but not for an installation that others rely on."""
    found: list[CheckMessage] = []
    if settings.EMAIL_BACKEND.endswith("console.EmailBackend"):
        found.append(
            Warning("EMAIL_URL is not set: mails are only printed to the log.", hint=WHERE, id="nightjar.W010")
        )
    if settings.DEMO:
        found.append(Warning("DEMO is on: its log-in is public knowledge.", id="nightjar.W011"))
    if "*" in settings.ALLOWED_HOSTS:
        found.append(Warning("ALLOWED_HOSTS is *, so links in mails can be forged.", id="nightjar.W012"))
    return found


def scheme_of(url: str) -> str:
    try:
        return urlsplit(url).scheme
    except ValueError:
        return ""


def bracketed(host: str) -> str:
    """A host as the Host header spells it."""
    return f"[{host}]" if ":" in host else host
