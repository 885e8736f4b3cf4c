"""The zip packages of functions and layers: addresses that are good for ten minutes, and downloads in ranges."""

import hashlib
import hmac
import json
import re
import secrets
import time
from typing import Any
from urllib.parse import parse_qs, quote

from moto.awslambda.models import lambda_backends

from demo.aws.call import Call, Environ
from demo.aws.refusals import Reply

PREFIX = "/packages/"
SECONDS = 600
RANGE = re.compile(r"bytes=(\d*)-(\d*)")
KEY = secrets.token_bytes(32)
# Operation → where its answer holds the address.
HOLDERS = {"GetFunction": "Code", "GetLayerVersion": "Content", "GetLayerVersionByArn": "Content"}


def locate(call: Call, account: str, host: str, reply: Reply) -> Reply:
    """The answer of a call about a package, with an address that works."""
    answer = json.loads(reply.body)
    holder = answer.get(HOLDERS[call.operation], {})
    if "Location" not in holder:
        return reply
    if call.operation == "GetFunction":
        configuration = answer["Configuration"]
        parts = (account, call.region, "function", configuration["FunctionName"], configuration["Version"])
    else:
        arn = answer["LayerVersionArn"].split(":")
        parts = (arn[4], arn[3], "layer", arn[6], arn[7])
    holder["Location"] = f"http://{host}{sign(PREFIX + '/'.join(map(quote, parts)))}"
    return Reply(reply.status, reply.headers, json.dumps(answer).encode())


def sign(path: str) -> str:
    until = str(int(time.time()) + SECONDS)
    return f"{path}?expires={until}&signature={signature(path, until)}"


def signature(path: str, until: str) -> str:
    return hmac.new(KEY, f"{path} {until}".encode(), hashlib.sha256).hexdigest()


def serve(environ: Environ) -> Reply:
    """A whole package, or the part that ``Range`` asks for; 403 when the address is not ours or too old."""
    path = environ["PATH_INFO"]
    query = parse_qs(environ.get("QUERY_STRING", ""))
    until, given = query.get("expires", ["0"])[0], query.get("signature", [""])[0]
    if not hmac.compare_digest(given, signature(quote(path, safe="/"), until)) or int(until) < time.time():
        return Reply(403, (), b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")
    package = read(*path.removeprefix(PREFIX).split("/"))
    wanted = RANGE.fullmatch(environ.get("HTTP_RANGE", ""))
    headers = (("Content-Type", "application/zip"), ("Accept-Ranges", "bytes"))
    if wanted is None:
        return Reply(200, headers, package)
    start, end = bounds(wanted, len(package))
    if start >= min(end, len(package)):
        return Reply(416, (("Content-Range", f"bytes */{len(package)}"),), b"")
    return Reply(206, (*headers, ("Content-Range", f"bytes {start}-{end - 1}/{len(package)}")), package[start:end])


def bounds(wanted: re.Match[str], size: int) -> tuple[int, int]:
    """The half-open range of bytes; ``bytes=-500`` means the last 500."""
    first, last = wanted.groups()
    if not first:
        return max(0, size - int(last or 0)), size
    return int(first), min(size, int(last) + 1) if last else size


def read(account: str, region: str, kind: str, name: str, version: str) -> bytes:
    backend: Any = lambda_backends[account][region]
    if kind == "layer":
        return bytes(backend.get_layer_version(name, version).code_bytes)
    return bytes(backend.get_function(name, None if version == "$LATEST" else version).code_bytes)
