"""Facts in dictionaries, for unit tests: the plainest reading of the ``Store`` protocol, checked by the same suite."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import isfinite
from statistics import fmean
from typing import TypeVar

import numpy as np
from django.conf import settings
from django.db import DataError

from observability.telemetry.daily import COUNTERS, DAILY, Daily, number, whole
from observability.telemetry.grains import EPOCH, MINUTE, ceil, days, floor, outside, steps
from observability.telemetry.records import (
    AGGREGATES,
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
from observability.telemetry.sketch import bucket, quantile

R = TypeVar("R", Invocation, LogLine, Fault)


def time_of(record: Record) -> datetime:
    return record.started_at if isinstance(record, Invocation) else record.at


def position(record: Record) -> tuple[datetime, bytes]:
    return time_of(record), record.event_id


def check(record: Record) -> None:
    """Refuse what PostgreSQL would refuse."""
    texts = [record.request_id]
    if isinstance(record, LogLine):
        texts += [record.message, record.attributes]
    elif isinstance(record, Fault):
        texts += [record.type, record.message]
    for text in texts:
        if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            raise DataError("text holds NUL or a lone surrogate")


def rollup(invocation: Invocation) -> Rollup:
    """What one invocation adds."""
    return Rollup(
        invocations=1,
        errors=int(invocation.outcome != Outcome.SUCCESS),
        timeouts=int(invocation.outcome == Outcome.TIMEOUT),
        out_of_memory=int(invocation.outcome == Outcome.OUT_OF_MEMORY),
        cold_starts=int(invocation.cold_start),
        billed_ms=invocation.billed_ms,
        cost_usd=invocation.cost_usd,
        duration_ms=invocation.duration_ms,
        init_ms=invocation.init_ms or 0.0,
        max_memory_mb=invocation.max_memory_mb,
        memory_mb=invocation.memory_mb,
        durations={bucket(invocation.duration_ms): 1},
    )


COMBINED: dict[str, Callable[[list[float]], float]] = {"sum": sum, "max": max, "min": min, "avg": fmean}


class MemoryStore:
    """Implements ``telemetry.store.Store``."""

    def __init__(self) -> None:
        self.records: dict[tuple[type, int, object, bytes], Record] = {}
        self.batches: dict[tuple[int, bytes], int] = {}
        self.marks: dict[int, Watermark] = {}
        self.values: dict[tuple[int, int, str, str, int, datetime], float] = {}

    def append(self, records: Sequence[Record], *, now: datetime) -> Appended:
        for record in records:
            check(record)
        if outside(days(records), now=now, kept_days=settings.RETENTION_RAW_DAYS):
            raise DataError("a record is older than its retention, or far in the future")
        for organization_id in {record.organization_id for record in records}:
            latest = max(time_of(r) for r in records if r.organization_id == organization_id)
            mark = self.marks.get(organization_id) or Watermark(organization_id, 0, now, latest)
            self.marks[organization_id] = Watermark(
                organization_id, mark.batch + 1, max(now, mark.stored_at), max(latest, mark.latest_event_at)
            )
        new = [record for record in records if self._store(record)]
        counts = [sum(isinstance(record, kind) for record in new) for kind in (Invocation, LogLine, Fault)]
        return Appended(counts[0], counts[1], counts[2], len(records) - len(new))

    def _store(self, record: Record) -> bool:
        key = (type(record), record.organization_id, record.day, record.event_id)
        if key in self.records:
            return False
        self.records[key] = record
        if isinstance(record, Fault):
            self.batches[record.organization_id, record.event_id] = self.marks[record.organization_id].batch
        return True

    # Metrics ---------------------------------------------------------------------------------------
    def append_points(self, points: Sequence[Point], *, now: datetime) -> int:
        if not all(isfinite(point.value) for point in points):
            raise DataError("the value of a point is not a number")
        if any("\0" in point.metric + point.statistic for point in points):
            raise DataError("text holds NUL")
        if outside({p.at.astimezone(UTC).date() for p in points}, now=now, kept_days=settings.RETENTION_RAW_DAYS):
            raise DataError("a point is older than its retention, or far in the future")
        later = {(p.organization_id, p.resource_id, p.metric, p.statistic, p.period_s, p.at): p.value for p in points}
        changed = sum(self.values.get(key) != value for key, value in later.items())
        self.values |= later
        return changed

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
        found: dict[int, list[Reading]] = {resource_id: [] for resource_id in resource_ids or ()}
        for (owner, resource_id, *named, _, at), value in sorted(self.values.items()):
            mine = owner == organization_id and named == [metric, statistic] and window.start <= at < window.end
            if mine and (resource_ids is None or resource_id in resource_ids):
                found.setdefault(resource_id, []).append(Reading(at, value))
        if step is None:
            return found
        combined = COMBINED[AGGREGATES[statistic]]
        return {resource_id: _buckets(values, window, step, combined) for resource_id, values in found.items()}

    def measured(
        self,
        organization_id: int,
        window: Window,
        *,
        resource_id: int,
        metrics: Sequence[tuple[str, str]],
        step: timedelta,
    ) -> dict[tuple[str, str], list[Reading]]:
        read = {
            (metric, statistic): self.points(
                organization_id, window, metric=metric, statistic=statistic, resource_ids=[resource_id], step=step
            )[resource_id]
            for metric, statistic in metrics
        }
        return {key: found for key, found in read.items() if any(each.value is not None for each in found)}

    def measured_by_resource(
        self, organization_id: int, window: Window, *, metrics: Sequence[tuple[str, str]], step: timedelta
    ) -> dict[tuple[str, str], dict[int, list[Reading]]]:
        read = {
            (metric, statistic): self.points(organization_id, window, metric=metric, statistic=statistic, step=step)
            for metric, statistic in metrics
        }
        return {key: found for key, found in read.items() if found}

    # Rollups ---------------------------------------------------------------------------------------
    def total(self, organization_id: int, window: Window, resource_ids: Sequence[int] | None = None) -> Rollup:
        return self._sum(self._ran(organization_id, window, resource_ids), lambda i: 0).get(0, Rollup())

    def series(
        self, organization_id: int, window: Window, step: timedelta, resource_ids: Sequence[int] | None = None
    ) -> list[Bucket]:
        ran = self._ran(organization_id, window, resource_ids)
        found = self._sum(ran, lambda i: (i.started_at - EPOCH) // step)
        return [Bucket(start, found.get((start - EPOCH) // step, Rollup())) for start in steps(window, step)]

    def by_resource(self, organization_id: int, window: Window) -> dict[int, Standing]:
        found = self._sum(self._ran(organization_id, window, None), lambda i: i.resource_id)
        return {
            resource_id: Standing(
                replace(each, durations={}), *(quantile(each.durations, q) for q in (0.95, 0.99, 0.5))
            )
            for resource_id, each in found.items()
        }

    def series_by_resource(
        self, organization_id: int, window: Window, step: timedelta, resource_ids: Sequence[int]
    ) -> dict[int, list[Bucket]]:
        answer = {i: self.series(organization_id, window, step, [i]) for i in resource_ids}
        for buckets in answer.values():
            for each in buckets:
                each.rollup.durations.clear()
        return answer

    def _ran(self, organization_id: int, window: Window, resource_ids: Sequence[int] | None) -> Iterable[Invocation]:
        start, end = ceil(window.start, MINUTE), ceil(window.end, MINUTE)
        for record in self._of(Invocation, organization_id):
            chosen = resource_ids is None or record.resource_id in resource_ids
            if chosen and start <= floor(record.started_at, MINUTE) < end:
                yield record

    def _sum(self, ran: Iterable[Invocation], key: Callable[[Invocation], int]) -> dict[int, Rollup]:
        found: dict[int, Rollup] = {}
        for each in ran:
            found.setdefault(key(each), Rollup()).merge(rollup(each))
        return found

    def daily(self, organization_id: int, window: Window, resource_ids: Sequence[int] | None = None) -> Daily:
        ran = self._ran(organization_id, whole(window), resource_ids)
        found: dict[tuple[int, int], Rollup] = {}
        for each in ran:
            found.setdefault((number(each.started_at), each.resource_id), Rollup()).merge(rollup(each))
        rows = [
            (resource_id, day, *(getattr(each, name) for name in COUNTERS), each.memory_mb)
            for (day, resource_id), each in sorted(found.items())
        ]
        return np.array(rows, DAILY)

    # Raw rows --------------------------------------------------------------------------------------
    def _of(self, kind: type[R], organization_id: int) -> list[R]:
        return [r for r in self.records.values() if isinstance(r, kind) and r.organization_id == organization_id]

    def _find(
        self, kind: type[R], organization_id: int, window: Window, resource_id: int | None, request_id: str | None
    ) -> list[R]:
        return sorted(
            (
                record
                for record in self._of(kind, organization_id)
                if window.start <= time_of(record) < window.end
                and resource_id in (None, record.resource_id)
                and request_id in (None, record.request_id)
            ),
            key=position,
        )

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
        found = [
            each
            for each in self._find(Invocation, organization_id, window, resource_id, request_id)
            if (not outcomes or each.outcome in outcomes)
            and cold_start in (None, each.cold_start)
            and each.duration_ms >= at_least_ms
            and (before is None or position(each) < before)
        ]
        return found[::-1][:limit]

    def invocation(self, organization_id: int, event_id: bytes) -> Invocation | None:
        return next((i for i in self._of(Invocation, organization_id) if i.event_id == event_id), None)

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
        found = self._find(LogLine, organization_id, window, resource_id, request_id)
        if newest_first:
            found.reverse()
        return [
            each
            for each in found
            if (not levels or each.level in levels)
            and (text.lower() in each.message.lower() or text.lower() in each.attributes.lower())
            and (after is None or (position(each) < after if newest_first else position(each) > after))
        ][:limit]

    def faults(
        self,
        organization_id: int,
        window: Window,
        *,
        resource_id: int | None = None,
        request_id: str | None = None,
        event_ids: Sequence[bytes] = (),
        limit: int = 200,
    ) -> list[Fault]:
        found = self._find(Fault, organization_id, window, resource_id, request_id)
        return [each for each in reversed(found) if not event_ids or each.event_id in event_ids][:limit]

    # Hand-over to alerts ---------------------------------------------------------------------------
    def watermark(self, organization_id: int) -> Watermark | None:
        return self.marks.get(organization_id)

    def watermarks(self) -> list[Watermark]:
        return [self.marks[i] for i in sorted(self.marks)]

    def faults_stored(self, organization_id: int, *, after_batch: int, up_to_batch: int) -> list[Fault]:
        found = self._of(Fault, organization_id)
        return sorted(
            (f for f in found if after_batch < self.batches[organization_id, f.event_id] <= up_to_batch), key=position
        )


def _buckets(
    readings: Sequence[Reading], window: Window, step: timedelta, combined: Callable[[list[float]], float]
) -> list[Reading]:
    answer = []
    for start in steps(window, step):
        values = [r.value for r in readings if r.value is not None and start <= r.at < start + step]
        answer.append(Reading(start, combined(values) if values else None))
    return answer
