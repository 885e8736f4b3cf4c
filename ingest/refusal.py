"""Why a request or one of its events is refused: the closed list of codes, as answered and as documented."""

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """Stable names of refusals of a whole request."""

    INVALID_JSON = "invalid_json"
    INVALID_ENCODING = "invalid_encoding"
    KEY_MISSING = "key_missing"
    KEY_UNKNOWN = "key_unknown"
    KEY_REVOKED = "key_revoked"
    KEY_IN_URL = "key_in_url"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    TOO_LARGE = "too_large"
    TOO_LARGE_DECOMPRESSED = "too_large_decompressed"
    TOO_MANY_EVENTS = "too_many_events"
    UNSUPPORTED_ENCODING = "unsupported_encoding"
    TOO_DEEP = "too_deep"
    INVALID_ENVELOPE = "invalid_envelope"
    UNKNOWN_SCHEMA = "unknown_schema"
    INVALID_FUNCTION = "invalid_function"
    INVALID_PACKAGE = "invalid_package"
    AMBIGUOUS_FUNCTION = "ambiguous_function"
    QUOTA = "quota"
    BUFFER_FULL = "buffer_full"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


STATUS = {
    Code.INVALID_JSON: 400,
    Code.INVALID_ENCODING: 400,
    Code.KEY_IN_URL: 400,
    Code.KEY_MISSING: 401,
    Code.KEY_UNKNOWN: 401,
    Code.KEY_REVOKED: 403,
    Code.NOT_FOUND: 404,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.TOO_LARGE: 413,
    Code.TOO_LARGE_DECOMPRESSED: 413,
    Code.TOO_MANY_EVENTS: 413,
    Code.UNSUPPORTED_ENCODING: 415,
    Code.TOO_DEEP: 422,
    Code.INVALID_ENVELOPE: 422,
    Code.UNKNOWN_SCHEMA: 422,
    Code.INVALID_FUNCTION: 422,
    Code.INVALID_PACKAGE: 422,
    Code.AMBIGUOUS_FUNCTION: 422,
    Code.QUOTA: 429,
    Code.INTERNAL: 500,
    Code.BUFFER_FULL: 503,
    Code.UNAVAILABLE: 503,
}


class EventCode(StrEnum):
    """Stable names of refusals of one event; the other events of the body are stored."""

    INVALID_EVENT = "invalid_event"
    INVALID_ID = "invalid_id"
    INVALID_TIME = "invalid_time"
    INVALID_TYPE = "invalid_type"
    INVALID_JSON = "invalid_json"
    INVALID_UTF8 = "invalid_utf8"
    INVALID_NUMBER = "invalid_number"
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"
    TOO_OLD = "too_old"


class RefusedError(Exception):
    """The whole request is refused. ``detail`` is for the caller's eyes; ``retry_after`` is in whole seconds."""

    def __init__(self, code: Code, detail: str, *, retry_after: int | None = None) -> None:
        super().__init__(code, detail)
        self.code, self.detail, self.retry_after = code, detail, retry_after

    @property
    def status(self) -> int:
        return STATUS[self.code]


@dataclass(frozen=True, slots=True)
class Rejected:
    """One event that is not stored; ``index`` is its position in the body."""

    index: int
    code: EventCode
    detail: str
