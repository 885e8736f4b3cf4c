"""When: the vocabulary of stored facts. Plain data; every stage of the pipeline speaks it.

Every record names its organization and resource by primary key, carries its own time in UTC, and an
``event_id``: 16 bytes that make storing it twice the same as storing it once. ``day`` is the partition:
it derives from the id or the event's own time, never from arrival, so a retry lands in the same place.

Records are Structs, because a frozen dataclass takes ten times as long to make.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct

SKEW_DAY = date(1970, 1, 1)
"""The one partition for events whose own clock is not to be believed."""


class Outcome(StrEnum):
    """How an invocation ended."""

    SUCCESS = "success"
    ERROR = "error"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"


class FaultKind(StrEnum):
    """What went wrong, in the platform's terms; the last three are what we notice about an account ourselves."""

    EXCEPTION = "exception"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    INIT_ERROR = "init_error"
    EXIT = "exit"
    UNKNOWN = "unknown"
    ACCESS_LOST = "access_lost"
    COVERAGE = "coverage"
    DID_NOT_RUN = "did_not_run"


class Level(StrEnum):
    """Severity of a log line; ``PLATFORM`` marks lines that Lambda itself writes."""

    TRACE = "TRACE"
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"
    FATAL = "FATAL"
    PLATFORM = "PLATFORM"


class Invocation(Struct, frozen=True):
    """One run of a function, as its ``platform.report`` tells it. Durations in ms, memory in MB, cost in USD."""

    organization_id: int
    resource_id: int
    day: date
    event_id: bytes
    started_at: datetime
    request_id: str
    version: str
    outcome: Outcome
    error_type: str
    cold_start: bool
    duration_ms: float
    billed_ms: int
    init_ms: float | None
    memory_mb: int
    max_memory_mb: int
    cost_usd: float
    trace_id: str


class LogLine(Struct, frozen=True):
    """One line that a function wrote. ``attributes`` are the fields of a JSON line, as JSON text, else empty."""

    organization_id: int
    resource_id: int
    day: date
    event_id: bytes
    at: datetime
    request_id: str
    level: Level
    message: str
    attributes: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """One stack frame, innermost last. ``own`` is true for the customer's code, false for libraries and runtime."""

    file: str
    line: int
    function: str
    code: str = ""
    own: bool = True


class Fault(Struct, frozen=True):
    """Why an invocation or an init failed, in the platform's or runtime's own words."""

    organization_id: int
    resource_id: int
    day: date
    event_id: bytes
    at: datetime
    request_id: str
    version: str
    kind: FaultKind
    type: str
    message: str
    frames: tuple[Frame, ...] = ()


class Point(Struct, frozen=True):
    """One value of a CloudWatch metric: the statistic over ``[at, at + period_s)``. A later reading may correct it.

    Its natural key is organization, resource, metric, statistic, period and time.
    """

    organization_id: int
    resource_id: int
    metric: str
    statistic: str
    period_s: int
    at: datetime
    value: float


AGGREGATES = {"Sum": "sum", "SampleCount": "sum", "Maximum": "max", "Minimum": "min", "Average": "avg"}
"""How the points of a statistic become one of a longer period; that is exact for all but the average."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A metric in ``[at, at + step)`` of a series; None where nothing is stored, which is not the same as zero."""

    at: datetime
    value: float | None


Record = Invocation | LogLine | Fault


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open interval of time, ``[start, end)``, in UTC."""

    start: datetime
    end: datetime


SUMS = (
    "invocations",
    "errors",
    "timeouts",
    "out_of_memory",
    "cold_starts",
    "throttles",
    "billed_ms",
    "cost_usd",
    "duration_ms",
    "init_ms",
)
PEAKS = ("max_memory_mb", "memory_mb")
"""The fields of a ``Rollup``, by how two of them are merged."""


@dataclass(slots=True)
class Rollup:
    """Counts over some window and some set of functions. Two of them add up (``merge``)."""

    invocations: int = 0
    errors: int = 0
    """Every invocation that did not succeed; timeouts and out_of_memory are counted here as well."""
    timeouts: int = 0
    out_of_memory: int = 0
    cold_starts: int = 0
    throttles: int = 0
    billed_ms: int = 0
    cost_usd: float = 0.0
    duration_ms: float = 0.0
    init_ms: float = 0.0
    max_memory_mb: int = 0
    memory_mb: int = 0
    durations: dict[int, int] = field(default_factory=dict)
    """Sketch of durations: bucket → count; see ``telemetry.sketch``."""

    def merge(self, other: "Rollup") -> None:
        """Add another one to this one: counts add up, sizes in memory keep the larger."""
        for name in SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in PEAKS:
            setattr(self, name, max(getattr(self, name), getattr(other, name)))
        for bucket, count in other.durations.items():
            self.durations[bucket] = self.durations.get(bucket, 0) + count


@dataclass(frozen=True, slots=True)
class Standing:
    """How one function did in a window. ``rollup`` comes without a sketch, which is much for many functions."""

    rollup: Rollup
    p95_ms: float | None
    p99_ms: float | None = None
    p50_ms: float | None = None
    """All within 2 %; None where nothing ran."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A rollup of ``[start, start + step)`` in a time series."""

    start: datetime
    rollup: Rollup


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far an organization's facts are stored: ``batch`` counts committed batches, one by one."""

    organization_id: int
    batch: int
    stored_at: datetime
    latest_event_at: datetime


@dataclass(frozen=True, slots=True)
class Appended:
    """What ``Store.append`` did: counts of rows that were new, and of rows that were there already."""

    invocations: int = 0
    log_lines: int = 0
    faults: int = 0
    duplicates: int = 0
