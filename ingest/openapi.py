"""The OpenAPI 3.1 document of the ingest API, built from the same codes and limits that the code uses."""

from typing import Any

import msgspec

from ingest import fitting
from ingest.compression import MAX_COMPRESSED, MAX_EXPANDED
from ingest.envelope import ARN, MAX_DEPTH, MAX_EVENTS, MAX_NUMBER, MAX_TEXT, SCHEMA
from ingest.refusal import STATUS, EventCode
from observability.tenants.steering import LONGEST_PAUSE

Json = dict[str, Any]

RETRY = (429, 503)
MEANING = {
    400: "The body cannot be read. Do not retry.",
    401: "No ingest key, or an unknown one.",
    403: "The ingest key has been revoked.",
    413: "The body or its expanded form is too large. Send less at a time.",
    415: "Unknown or chained content encoding.",
    422: "Valid JSON, but not what is expected here. Do not retry.",
    429: "The organization's quota of events per second is spent. Retry after the given time.",
    503: "Telemetry cannot be accepted right now. Retry after the given time.",
}


def text(limit: int = MAX_TEXT, **more: object) -> Json:
    return {"type": "string", "maxLength": limit} | more


def number(kind: str = "integer") -> Json:
    return {"type": kind, "minimum": 0, "maximum": MAX_NUMBER}


def obj(required: list[str], properties: Json) -> Json:
    return {"type": "object", "required": required, "properties": properties}


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


MOMENT = {"type": "string", "format": "date-time", "description": "RFC 3339 with a time zone."}
EVENT = {
    "time": MOMENT,
    "type": {"type": "string", "minLength": 1, "maxLength": 64, "examples": ["platform.report", "function"]},
    "record": {"description": f"As Lambda posted it; nested at most {MAX_DEPTH} levels deep."},
}
SCHEMAS: Json = {
    "Event": obj(["time", "type", "record"], EVENT),
    "IdentifiedEvent": obj(
        ["id", "time", "type", "record"],
        {"id": {"type": "string", "format": "uuid", "description": "UUIDv7, made once and kept through retries."}}
        | EVENT,
    ),
    "Function": obj(
        ["arn"],
        {
            "arn": {"type": "string", "pattern": f"^{ARN.pattern}$"},
            "name": text(),
            "version": text(),
            "memory_mb": number(),
            "timeout_s": number("number"),
            "runtime": text(),
            "architecture": text(),
            "init_type": text(),
            "log_group": text(2 * MAX_TEXT),
            "ephemeral_mb": number(),
        },
    ),
    "Extension": obj([], {"version": text(), "init_ms": {"type": "number"}, "dropped": number()}),
    "Envelope": obj(
        ["schema", "function", "events"],
        {
            "schema": {"const": SCHEMA},
            "function": ref("Function"),
            "extension": ref("Extension"),
            "sent_at": MOMENT | {"description": "The sender's clock at this attempt; set anew for each retry."},
            "events": {"type": "array", "maxItems": MAX_EVENTS, "items": ref("IdentifiedEvent")},
        },
    ),
    "Events": {"type": "array", "maxItems": MAX_EVENTS, "items": ref("Event")},
    "Receipt": obj(
        ["accepted", "duplicates", "rejected"],
        {
            "accepted": {"type": "integer", "minimum": 0, "maximum": MAX_EVENTS},
            "duplicates": {"type": "integer", "minimum": 0, "description": "Ids repeated within this body."},
            "rejected": {"type": "array", "items": ref("Rejected")},
            "config": ref("Wishes"),
        },
    ),
    "Wishes": {
        "type": "object",
        "description": "What the organization asks of whoever sends; absent when there is nothing to ask.",
        "properties": {
            "paused_s": {
                "type": "integer",
                "minimum": 1,
                "maximum": int(LONGEST_PAUSE.total_seconds()),
                "description": "Keep and send nothing for so many seconds.",
            },
            "sampling": {
                "type": "number",
                "minimum": 0.01,
                "maximum": 1,
                "description": "From now on send the log lines of this share of invocations only.",
            },
        },
    },
    "Rejected": obj(
        ["index", "code", "detail"],
        {
            "index": {"type": "integer", "minimum": 0},
            "code": {"enum": [code.value for code in EventCode]},
            "detail": {"type": "string"},
        },
    ),
}


def problem_schema(status: int) -> Json:
    codes = [code.value for code, its_status in STATUS.items() if its_status == status]
    return obj(
        ["type", "title", "status", "code", "detail"],
        {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"const": status},
            "code": {"enum": codes},
            "detail": {"type": "string"},
        },
    )


def refusal(status: int) -> Json:
    response: Json = {
        "description": MEANING[status],
        "content": {"application/problem+json": {"schema": problem_schema(status)}},
    }
    if status in RETRY:
        response["headers"] = {
            "Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 1}, "description": "Seconds."}
        }
    return response


POST: Json = {
    "operationId": "postTelemetry",
    "summary": "Send telemetry of one Lambda function",
    "security": [{"ingestKey": []}],
    "parameters": [
        {
            "name": "X-Nightjar-Function-Arn",
            "in": "header",
            "description": "The function's ARN; needed for a bare array of events.",
            "schema": {"type": "string"},
        },
        {
            "name": "Content-Encoding",
            "in": "header",
            "description": f"At most {MAX_COMPRESSED} bytes as sent and {MAX_EXPANDED} bytes expanded.",
            "schema": {"enum": ["identity", "gzip", "zstd"]},
        },
    ],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"oneOf": [ref("Envelope"), ref("Events")]}}},
    },
    "responses": {
        "202": {
            "description": "Accepted, and safe from now on; refused events are listed.",
            "content": {"application/json": {"schema": ref("Receipt")}},
        }
    }
    | {str(status): refusal(status) for status in MEANING},
}

CHECK: Json = {
    "operationId": "checkPackage",
    "summary": "Ask whether a package of a Lambda function would fit",
    "description": "Nothing is stored. Layers that Nightjar does not know leave the answer open.",
    "security": [{"ingestKey": []}],
    "parameters": [POST["parameters"][1]],
    "requestBody": {"required": True, "content": {"application/json": {"schema": ref("Candidate")}}},
    "responses": {
        "200": {"description": "The answer.", "content": {"application/json": {"schema": ref("FitAnswer")}}},
    }
    | {str(status): refusal(status) for status in MEANING},
}
_, FITTING = msgspec.json.schema_components(
    (fitting.Candidate, fitting.FitAnswer), ref_template="#/components/schemas/{name}"
)

OPENAPI: Json = {
    "openapi": "3.1.0",
    "info": {
        "title": "Nightjar ingest API",
        "version": "1",
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    },
    "servers": [{"url": "/"}],
    "paths": {"/ingest/v1/telemetry": {"post": POST}, "/ingest/v1/packages/check": {"post": CHECK}},
    "components": {
        "schemas": SCHEMAS | FITTING,
        "securitySchemes": {"ingestKey": {"type": "http", "scheme": "bearer", "bearerFormat": "njk_…"}},
    },
}
DOCUMENT = msgspec.json.encode(OPENAPI)
