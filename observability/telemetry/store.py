"""The port to stored facts. Settings name the engine; one contract suite (tests/observability/telemetry) holds all.

Every method takes an explicit organization and only ever answers with that organization's facts.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from observability.telemetry.daily import Daily
from observability.telemetry.records import (
    Appended,
    Bucket,
    Fault,
    Invocation,
    LogLine,
    Outcome,
    Point,
    Reading,
    Record,
    Rollup,
    Standing,
    Watermark,
    Window,
)


class Store(Protocol):
    """Idempotent writes; reads from rollups for every chart and from raw rows only for drill-downs."""

    # Writing ---------------------------------------------------------------------------------------
    def append(self, records: Sequence[Record], *, now: datetime) -> Appended:
        """Store records once each; rollups and watermarks move by the new ones only, in the same transaction.

        Joins the caller's transaction when there is one. Raises ``django.db.DataError`` when a value is refused.
        """

    def append_points(self, points: Sequence[Point], *, now: datetime) -> int:
        """Store points; one that is there already takes the later value. Answers how many were new or corrected.

        Joins the caller's transaction when there is one. Raises ``django.db.DataError``, and stores nothing, when one
        is not a number, older than its retention, or far in the future.
        """

    # Metrics ---------------------------------------------------------------------------------------
    def points(
        self,
        organization_id: int,
        window: Window,
        *,
        metric: str,
        statistic: str,
        resource_ids: Sequence[int] | None = None,
        step: timedelta | None = None,
    ) -> dict[int, list[Reading]]:
        """One metric per resource, in time order: of all that have any, or of every one that is named.

        With ``step`` (whole minutes) a gap-free series of buckets aligned to it, summed for ``Sum``, the largest for
        ``Maximum``, the mean for ``Average``; without it the points as they are stored.
        """

    def measured(
        self,
        organization_id: int,
        window: Window,
        *,
        resource_id: int,
        metrics: Sequence[tuple[str, str]],
        step: timedelta,
    ) -> dict[tuple[str, str], list[Reading]]:
        """Many metrics of one resource, by metric and statistic: as ``points`` with a step, of those that have any."""

    def measured_by_resource(
        self, organization_id: int, window: Window, *, metrics: Sequence[tuple[str, str]], step: timedelta
    ) -> dict[tuple[str, str], dict[int, list[Reading]]]:
        """Many metrics of all resources, by metric and statistic: as ``points`` with a step, of those that have any."""

    # Rollups ---------------------------------------------------------------------------------------
    def total(self, organization_id: int, window: Window, resource_ids: Sequence[int] | None = None) -> Rollup:
        """One rollup of the window, over all functions or the named ones."""

    def series(
        self,
        organization_id: int,
        window: Window,
        step: timedelta,
        resource_ids: Sequence[int] | None = None,
    ) -> list[Bucket]:
        """A gap-free series of buckets aligned to ``step`` (a whole number of minutes)."""

    def by_resource(self, organization_id: int, window: Window) -> dict[int, Standing]:
        """How each function did that ran in the window."""

    def series_by_resource(
        self, organization_id: int, window: Window, step: timedelta, resource_ids: Sequence[int]
    ) -> dict[int, list[Bucket]]:
        """Counters only (no duration sketch), for sparklines and heat strips: gap-free, per function."""

    def daily(self, organization_id: int, window: Window, resource_ids: Sequence[int] | None = None) -> Daily:
        """What each function, or each of the named ones, did on each day (UTC) that the window touches."""

    # Raw rows --------------------------------------------------------------------------------------
    def invocations(
        self,
        organization_id: int,
        window: Window,
        *,
        resource_id: int | None = None,
        outcomes: Sequence[Outcome] = (),
        cold_start: bool | None = None,
        request_id: str | None = None,
        at_least_ms: float = 0,
        before: tuple[datetime, bytes] | None = None,
        limit: int = 50,
    ) -> list[Invocation]:
        """Newest first; ``before`` is the (started_at, event_id) of the last row of the previous page.

        ``at_least_ms`` leaves out those that took less time.
        """

    def invocation(self, organization_id: int, event_id: bytes) -> Invocation | None:
        """One invocation by its id, or None."""

    def log_lines(
        self,
        organization_id: int,
        window: Window,
        *,
        resource_id: int | None = None,
        request_id: str | None = None,
        levels: Sequence[str] = (),
        text: str = "",
        after: tuple[datetime, bytes] | None = None,
        limit: int = 200,
        newest_first: bool = False,
    ) -> list[LogLine]:
        """Lines in time order (or newest first); ``after`` continues a listing or a live tail."""

    def faults(
        self,
        organization_id: int,
        window: Window,
        *,
        resource_id: int | None = None,
        request_id: str | None = None,
        request_ids: Sequence[str] = (),
        event_ids: Sequence[bytes] = (),
        limit: int = 200,
    ) -> list[Fault]:
        """Newest first; ``request_ids`` and ``event_ids`` narrow the answer when they are not empty."""

    # Hand-over to alerts ---------------------------------------------------------------------------
    def watermark(self, organization_id: int) -> Watermark | None:
        """How far this organization's facts are stored, or None before its first batch."""

    def watermarks(self) -> list[Watermark]:
        """Every organization's watermark."""

    def faults_stored(self, organization_id: int, *, after_batch: int, up_to_batch: int) -> list[Fault]:
        """Faults that batches ``(after_batch, up_to_batch]`` stored, in time order; none is ever skipped."""


@cache
def get_store() -> Store:
    """The engine that ``settings.TELEMETRY_STORE`` names."""
    store: Store = import_string(settings.TELEMETRY_STORE)()
    return store
