"""What an HTTP request to AWS asks for, by its signature and the protocol of its service."""

import io
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs, unquote

from moto.core.request import Request
from moto.core.routing import get_service_router
from werkzeug.exceptions import NotFound

Environ = dict[str, Any]

CREDENTIAL = re.compile(r"Credential=([^/\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
# Names in signatures → names of IAM's prefixes, and of botocore's models for services that speak REST.
PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag"}
MODELS = {"lambda": "lambda", "scheduler": "scheduler", "apigateway": "apigateway", "account": "account"}
# Where IAM's action has another name than the operation (the service authorization reference).
ACTIONS = {"lambda:GetLayerVersionByArn": "lambda:GetLayerVersion", "lambda:InvokeAsync": "lambda:InvokeFunction"}


class Protocol(StrEnum):
    QUERY = "query"
    JSON = "json"
    REST = "rest"
    CBOR = "cbor"


@dataclass(frozen=True, slots=True)
class Call:
    """One call. ``action`` is in IAM's words, such as ``logs:FilterLogEvents``; ``path`` is as it arrived, encoded."""

    protocol: Protocol
    service: str
    region: str
    access_key: str
    operation: str
    action: str
    method: str
    path: str
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The parameters of a call of the query protocol."""
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}

    @property
    def json(self) -> dict[str, Any]:
        """The parameters of a call of the JSON protocol."""
        found: dict[str, Any] = json.loads(self.body or b"{}")
        return found

    def part(self, number: int) -> str:
        """One part of the path, decoded: 0 is the API's date."""
        return unquote(self.path.strip("/").split("/")[number])


def read(environ: Environ) -> Call | None:
    """The signed call in a request, its body left readable; None when it is not signed as AWS's clients do."""
    credential = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if credential is None:
        return None
    access_key, region, service = credential.groups()
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    path = str(environ.get("RAW_URI") or environ["PATH_INFO"]).split("?", 1)[0]
    protocol, operation = dialect(environ, service, path, body)
    action = f"{PREFIXES.get(service, service)}:{operation}"
    if service == "apigateway":
        action = f"apigateway:{environ['REQUEST_METHOD']}"
    action = ACTIONS.get(action, action)
    method = environ["REQUEST_METHOD"]
    return Call(protocol, service, region, access_key, operation, action, method, path, body)


def dialect(environ: Environ, service: str, path: str, body: bytes) -> tuple[Protocol, str]:
    """The protocol and the operation."""
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return Protocol.JSON, target.rsplit(".", 1)[-1]
    if environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor":
        return Protocol.CBOR, path.rsplit("/", 1)[-1]
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return Protocol.QUERY, parse_qs(body.decode()).get("Action", [""])[0]
    return Protocol.REST, rest_operation(environ, service, path)


def rest_operation(environ: Environ, service: str, path: str) -> str:
    """What method and path mean, by botocore's description of the service; empty when nothing fits."""
    model = "apigatewayv2" if service == "apigateway" and path.startswith("/v2/") else MODELS.get(service)
    if model is None:
        return ""
    try:
        operation, _ = get_service_router(model).match(Request(dict(environ, CONTENT_TYPE="")))
    except NotFound:
        return ""
    return str(operation.name)
