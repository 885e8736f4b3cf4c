"""Errors as AWS words them, in the protocol of the call."""

import json
from dataclasses import dataclass
from xml.sax.saxutils import escape

from demo.aws.call import Call, Protocol

XML = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>
  <RequestId>{request}</RequestId>
</ErrorResponse>
"""
REQUEST = "8b1c7a52-3f0e-4d5e-9a57-6f1f3c1b0d4e"
# What the query protocol calls an error → what the others call it.
CODES = {
    "AccessDenied": "AccessDeniedException",
    "InvalidClientTokenId": "UnrecognizedClientException",
    "ExpiredToken": "ExpiredTokenException",
    "Throttling": "ThrottlingException",
    "InternalFailure": "InternalServerError",
    "ServiceUnavailable": "ServiceUnavailableException",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def refuse(call: Call, code: str, message: str, status: int = 403) -> Reply:
    """An error reply; ``code`` is the query protocol's name of it, and the JSON protocol answers 400 for any 4xx."""
    if call.protocol == Protocol.QUERY:
        body = XML.format(code=code, message=escape(message), request=REQUEST)
        return Reply(status, (("Content-Type", "text/xml"),), body.encode())
    code = CODES.get(code, code)
    if call.protocol == Protocol.REST:
        headers = (("Content-Type", "application/json"), ("x-amzn-ErrorType", code))
        return Reply(status, headers, json.dumps({"Type": "User", "message": message}).encode())
    status = 400 if status < 500 else status
    if call.protocol == Protocol.CBOR:
        headers = (("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor"))
        return Reply(status, headers, cbor({"__type": code, "message": message}))
    headers = (("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-RequestId", REQUEST))
    return Reply(status, headers, json.dumps({"__type": code, "message": message}).encode())


def denied(call: Call, principal: str, action: str, why: str = "", resource: str = "*") -> Reply:
    """What IAM says to whoever may not."""
    message = f"User: {principal} is not authorized to perform: {action} on resource: {resource} {why}"
    return refuse(call, "AccessDenied", message.rstrip())


def cbor(texts: dict[str, str]) -> bytes:
    """A CBOR map of a few texts (RFC 8949)."""
    return bytes([0xA0 | len(texts)]) + b"".join(text(part) for pair in texts.items() for part in pair)


def text(value: str) -> bytes:
    encoded = value.encode()
    return b"\x79" + len(encoded).to_bytes(2, "big") + encoded
