"""``POST /ingest/v1/telemetry``: from HTTP to ``pipeline.receive`` and back."""

from functools import partial
from http import HTTPStatus

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from ingest.compression import MAX_COMPRESSED
from ingest.openapi import DOCUMENT
from ingest.pipeline import Post, receive
from ingest.problem import method_not_allowed, problem
from ingest.refusal import Code, RefusedError


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
        return problem(refused)
    return HttpResponse(msgspec.json.encode(receipt), status=HTTPStatus.ACCEPTED, content_type="application/json")


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
    # Django takes a body without a length (chunked) for an empty one; the server knows better.
    stream = request if claimed else request.META["wsgi.input"]
    body: bytes = stream.read(MAX_COMPRESSED + 1)
    if len(body) > MAX_COMPRESSED:
        raise too_large()
    return body


def too_large() -> RefusedError:
    return RefusedError(Code.TOO_LARGE, f"A body has at most {MAX_COMPRESSED} bytes as sent.")
