"""The ingest API over HTTP: ``POST /ingest/v1/telemetry`` to ``pipeline.receive`` and back, and what else there is."""

from functools import partial
from http import HTTPStatus
from typing import Protocol

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from ingest import fitting
from ingest.auth import authenticate
from ingest.compression import MAX_COMPRESSED, expand
from ingest.openapi import DOCUMENT
from ingest.pipeline import Post, receive
from ingest.problem import method_not_allowed, problem
from ingest.refusal import Code, RefusedError

CHUNK = 64 * 1024
MAX_DRAINED = 8 * MAX_COMPRESSED


class SupportsRead(Protocol):
    def read(self, size: int, /) -> bytes: ...


@csrf_exempt  # There is no session here to ride on: the key is in a header.
def telemetry(request: HttpRequest) -> HttpResponse:
    """Accept telemetry of one function; see docs/api.md."""
    if request.method != "POST":
        return method_not_allowed("POST")
    post = Post(
        authorization=request.META.get("HTTP_AUTHORIZATION", ""),
        query=request.META.get("QUERY_STRING", ""),
        encoding=request.META.get("HTTP_CONTENT_ENCODING", ""),
        arn=request.META.get("HTTP_X_NIGHTJAR_FUNCTION_ARN", ""),
        read=partial(read, request),
    )
    try:
        receipt = receive(post, now=timezone.now())
    except RefusedError as refused:
        drain(request)
        return problem(refused)
    return HttpResponse(msgspec.json.encode(receipt), status=HTTPStatus.ACCEPTED, content_type="application/json")


@csrf_exempt
def package_check(request: HttpRequest) -> HttpResponse:
    """Whether a package may be deployed; see docs/api.md."""
    if request.method != "POST":
        return method_not_allowed("POST")
    authorization, query = request.META.get("HTTP_AUTHORIZATION", ""), request.META.get("QUERY_STRING", "")
    try:
        key = authenticate(authorization, query, now=timezone.now())
        plain = expand(read(request), request.META.get("HTTP_CONTENT_ENCODING", ""))
        answer = fitting.judge(fitting.candidate(plain), organization_id=key.organization_id)
    except RefusedError as refused:
        drain(request)
        return problem(refused)
    return HttpResponse(msgspec.json.encode(answer), content_type="application/json")


def openapi(request: HttpRequest) -> HttpResponse:
    """The OpenAPI 3.1 document of this API."""
    if request.method not in ("GET", "HEAD"):
        return method_not_allowed("GET", "HEAD")
    return HttpResponse(DOCUMENT, content_type="application/json")


def read(request: HttpRequest) -> bytes:
    """The body as it came. Raises ``RefusedError`` when it is, or claims to be, longer than the limit."""
    claimed = request.META.get("CONTENT_LENGTH") or ""
    if claimed.isdecimal() and int(claimed[:20]) > MAX_COMPRESSED:
        raise too_large()
    body = stream(request).read(MAX_COMPRESSED + 1)
    if len(body) > MAX_COMPRESSED:
        raise too_large()
    return body


def drain(request: HttpRequest) -> None:
    """Take what is left of a refused body: a sender that is cut off while it sends never sees the answer."""
    for _ in range(MAX_DRAINED // CHUNK):
        if not stream(request).read(CHUNK):
            return


def stream(request: HttpRequest) -> SupportsRead:
    """Where the body is read from. Django takes a chunked body for an empty one, as it has no length."""
    chunked = not request.META.get("CONTENT_LENGTH") and "HTTP_TRANSFER_ENCODING" in request.META
    source: SupportsRead = request.META["wsgi.input"] if chunked else request
    return source


def too_large() -> RefusedError:
    return RefusedError(Code.TOO_LARGE, f"A body has at most {MAX_COMPRESSED} bytes as sent.")
