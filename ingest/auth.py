"""Who posts: the ingest key in the Authorization header, and nowhere else."""

from datetime import datetime

from django.db import Error

from ingest.refusal import Code, RefusedError
from observability.tenants import keys
from observability.tenants.keys import KeyRefused, VerifiedKey

SCHEME = "bearer"


def authenticate(authorization: str, query: str, *, now: datetime) -> VerifiedKey:
    """The key of a request. Raises ``RefusedError``; never says more about a wrong key than that it is wrong."""
    if keys.PREFIX in query:
        raise RefusedError(
            Code.KEY_IN_URL, "A key in a URL ends up in logs. Revoke it and send the new one as a header."
        )
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != SCHEME or not token:
        raise RefusedError(Code.KEY_MISSING, "Send the ingest key as 'Authorization: Bearer njk_…'.")
    try:
        key = keys.verify(token.strip(), now=now)
    except Error:
        raise RefusedError(Code.UNAVAILABLE, "The key cannot be checked right now.", retry_after=2) from None
    if key is KeyRefused.REVOKED:
        raise RefusedError(Code.KEY_REVOKED, "This ingest key has been revoked.")
    if isinstance(key, KeyRefused):
        raise RefusedError(Code.KEY_UNKNOWN, "There is no such ingest key.")
    return key
