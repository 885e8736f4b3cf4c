"""How a refusal looks on the wire: ``application/problem+json`` (RFC 9457) with a stable ``code``."""

from http import HTTPStatus

import msgspec
from django.http import HttpResponse

from ingest.refusal import Code, RefusedError

CONTENT_TYPE = "application/problem+json"


def problem(refused: RefusedError) -> HttpResponse:
    """The answer to a refused request."""
    status = HTTPStatus(refused.status)
    body = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "code": refused.code,
        "detail": refused.detail,
    }
    response = HttpResponse(msgspec.json.encode(body), status=status, content_type=CONTENT_TYPE)
    if refused.retry_after is not None:
        response["Retry-After"] = str(refused.retry_after)
    if status is HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = "Bearer"
    return response


def method_not_allowed(*allowed: str) -> HttpResponse:
    """405, naming the methods that are allowed."""
    names = ", ".join(allowed)
    response = problem(RefusedError(Code.METHOD_NOT_ALLOWED, f"Allowed here: {names}."))
    response["Allow"] = names
    return response
