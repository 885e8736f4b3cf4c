"""What a detector found: plain data between judging and telling."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How loudly to tell."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


STANDING = frozenset({"insight", "anomaly", "runaway", "oversized_deployment"})
"""Kinds of what is so, rather than happens: there is nothing to count, and their own words say why."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with one resource. Findings with the same fingerprint belong to the same incident.

    ``count`` is how many occurrences this finding adds; ``detail`` is JSON-ready evidence for pages and messages:
    ``type``, ``message``, ``frames`` (list of dicts as ``records.Frame``), ``request_id``, ``version``.
    """

    kind: str
    fingerprint: str
    severity: Severity
    resource_id: int
    title: str
    count: int
    first_at: datetime
    last_at: datetime
    detail: dict[str, Any] = field(default_factory=dict)
