"""The contract of a rule: from what is known of a resource to advice. Pure; sees no database.

Class attributes of a rule are the words that people read. A rule is one file in ``rules/`` and one line in its list.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from alerts.finding import Severity
from observability.telemetry.records import Reading, Rollup, Window


class Pillar(StrEnum):
    """Of AWS's Well-Architected Framework. https://docs.aws.amazon.com/wellarchitected/latest/framework/"""

    OPERATIONS = "operations"
    SECURITY = "security"
    RELIABILITY = "reliability"
    PERFORMANCE = "performance"
    COST = "cost"


class Effort(StrEnum):
    """How long following the advice takes."""

    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"


class Confidence(StrEnum):
    """``HIGH``: a fact of the configuration; ``MEDIUM``: measured; ``LOW``: estimated."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Measure(StrEnum):
    """By what it is told afterwards whether following the advice helped."""

    NONE = ""
    COST = "usd_per_day"
    DURATION = "p95_ms"
    ERRORS = "error_rate"
    COLD_STARTS = "init_ms_per_day"
    PACKAGE = "package_bytes"


@dataclass(frozen=True, slots=True)
class Knob:
    """A threshold that people may turn. ``unit`` stands behind its number: ``%``, ``days``, ``USD a month``."""

    name: str
    label: str
    default: float
    unit: str = ""
    least: float = 0
    most: float = 1e9


@dataclass(frozen=True, slots=True)
class Package:
    """What is known of a function's package, in bytes; the JSON fields are those of ``inventory.models.Package``."""

    zipped_bytes: int | None
    code_bytes: int | None
    layers_bytes: int | None
    image_bytes: int | None
    complete: bool
    dependencies: Sequence[Mapping[str, Any]] = ()
    waste: Mapping[str, int] = field(default_factory=dict)
    layers: Sequence[str] = ()
    history: Sequence[tuple[datetime, int]] = ()
    """When each of the last packages was deployed, and its unzipped (or image) bytes; the oldest first."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A resource as rules see it, with what was measured of it over ``Estate.window``."""

    resource_id: int
    type: str
    arn: str
    name: str
    region: str
    account: str
    config: Mapping[str, Any]
    first_seen_at: datetime
    rollup: Rollup = field(default_factory=Rollup)
    """Of a function: all its invocations in the window; without a duration sketch."""
    p95_ms: float | None = None
    p99_ms: float | None = None
    points: Mapping[tuple[str, str], Sequence[Reading]] = field(default_factory=dict)
    """Daily readings of what CloudWatch measured, by metric and statistic in its words."""
    package: Package | None = None
    deployed_at: datetime | None = None
    watched: bool = True
    """Whether the account's owner chose it: nothing is measured of others, and nobody wants advice on them."""

    @property
    def tags(self) -> Mapping[str, str]:
        tags: Mapping[str, str] = self.config.get("tags") or {}
        return tags

    def total(self, metric: str) -> float | None:
        """The sum over the window; None when nothing is known of it."""
        return self._over(metric, "Sum", sum)

    def peak(self, metric: str, statistic: str = "Maximum") -> float | None:
        return self._over(metric, statistic, max)

    def _over(self, metric: str, statistic: str, fold: Any) -> float | None:
        known = [each.value for each in self.points.get((metric, statistic), ()) if each.value is not None]
        return float(fold(known)) if known else None


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Estate:
    """Everything that an organization runs, frozen at ``now``, measured over ``window`` (two weeks, or since known).

    It is itself and equals no other, so that what follows from all of it can be kept beside it: see ``wiring``.
    """

    organization_id: int
    now: datetime
    window: Window
    subjects: Mapping[int, Subject]
    by_arn: Mapping[str, Subject]

    @property
    def days(self) -> float:
        return (self.window.end - self.window.start).total_seconds() / 86_400

    def days_of(self, subject: Subject) -> float:
        """For how much of the window the subject has been known; advice on what is unused needs enough of it."""
        return (self.now - max(self.window.start, subject.first_seen_at)).total_seconds() / 86_400

    def of_type(self, *types: str) -> list[Subject]:
        return [subject for subject in self.subjects.values() if subject.type in types]


@dataclass(frozen=True, slots=True)
class Fix:
    """One exact way to follow the advice: ``way`` is cli, terraform, sam or steps."""

    way: str
    text: str


@dataclass(frozen=True, slots=True)
class Advice:
    """What one rule says about one resource. ``text`` is a sentence about what is, ``evidence`` the figures behind it.

    ``usd_month`` is what following it saves a month, from least to most; bytes and milliseconds likewise. ``topic``
    tells apart several pieces of advice of one rule about one resource. ``severity`` None is that of the rule.
    """

    text: str
    evidence: Sequence[tuple[str, str]]
    fixes: Sequence[Fix]
    confidence: Confidence
    usd_month: tuple[float, float] | None = None
    saved_bytes: int | None = None
    saved_ms: float | None = None
    topic: str = ""
    severity: Severity | None = None


class Rule(Protocol):
    """One insight. ``kind`` is stored; never rename it."""

    kind: str
    title: str
    """What is wrong, in the fewest words: "Timeout longer than its queue's"."""
    why: str
    """Why it matters, in a sentence or two."""
    source: str
    """The page (AWS's, mostly) that says so."""
    pillar: Pillar
    severity: Severity
    effort: Effort
    measure: Measure
    types: tuple[str, ...]
    """The types of resources that it looks at."""
    knobs: tuple[Knob, ...]

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        """Advice about one resource, mostly one piece or none; the same estate gives the same advice."""
