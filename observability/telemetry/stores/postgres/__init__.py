"""Facts in PostgreSQL: what a deployment on one machine needs, and a good deal more."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from observability.telemetry.daily import Daily
from observability.telemetry.models import Watermark as WatermarkRow
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
from observability.telemetry.stores.postgres import appending, daily, points, reading, rollups


def watermark(row: WatermarkRow) -> Watermark:
    return Watermark(row.organization_id, row.batch, row.stored_at, row.latest_event_at)


class PostgresStore:
    """Implements ``telemetry.store.Store``; the docstrings there say what each method promises."""

    def append(self, records: Sequence[Record], *, now: datetime) -> Appended:
        return appending.append(records, now=now)

    def append_points(self, points_: Sequence[Point], *, now: datetime) -> int:
        return points.append(points_, now=now)

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
        return points.read(
            organization_id, window, metric=metric, statistic=statistic, resource_ids=resource_ids, step=step
        )

    def measured(
        self,
        organization_id: int,
        window: Window,
        *,
        resource_id: int,
        metrics: Sequence[tuple[str, str]],
        step: timedelta,
    ) -> dict[tuple[str, str], list[Reading]]:
        return points.measured(organization_id, window, resource_id=resource_id, metrics=metrics, step=step)

    def measured_by_resource(
        self, organization_id: int, window: Window, *, metrics: Sequence[tuple[str, str]], step: timedelta
    ) -> dict[tuple[str, str], dict[int, list[Reading]]]:
        return points.measured_by_resource(organization_id, window, metrics=metrics, step=step)

    def total(self, organization_id: int, window: Window, resource_ids: Sequence[int] | None = None) -> Rollup:
        return rollups.total(organization_id, window, resource_ids)

    def series(
        self, organization_id: int, window: Window, step: timedelta, resource_ids: Sequence[int] | None = None
    ) -> list[Bucket]:
        return rollups.series(organization_id, window, step, resource_ids)

    def by_resource(self, organization_id: int, window: Window) -> dict[int, Standing]:
        return rollups.by_resource(organization_id, window)

    def series_by_resource(
        self, organization_id: int, window: Window, step: timedelta, resource_ids: Sequence[int]
    ) -> dict[int, list[Bucket]]:
        return rollups.series_by_resource(organization_id, window, step, resource_ids)

    def daily(self, organization_id: int, window: Window, resource_ids: Sequence[int] | None = None) -> Daily:
        return daily.read(organization_id, window, resource_ids)

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
        return reading.invocations(
            organization_id, window, resource_id=resource_id, outcomes=outcomes, cold_start=cold_start,
            request_id=request_id, at_least_ms=at_least_ms, before=before, limit=limit,
        )  # fmt: skip

    def invocation(self, organization_id: int, event_id: bytes) -> Invocation | None:
        return reading.one_invocation(organization_id, event_id)

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
        return reading.log_lines(
            organization_id, window, resource_id=resource_id, request_id=request_id, levels=levels, text=text,
            after=after, limit=limit, newest_first=newest_first,
        )  # fmt: skip

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
        return reading.faults(
            organization_id, window, resource_id=resource_id, request_id=request_id, request_ids=request_ids,
            event_ids=event_ids, limit=limit,
        )  # fmt: skip

    def watermark(self, organization_id: int) -> Watermark | None:
        row = WatermarkRow.objects.filter(organization_id=organization_id).first()
        return watermark(row) if row else None

    def watermarks(self) -> list[Watermark]:
        return [watermark(row) for row in WatermarkRow.objects.order_by("organization_id")]

    def faults_stored(self, organization_id: int, *, after_batch: int, up_to_batch: int) -> list[Fault]:
        return reading.faults_stored(organization_id, after_batch=after_batch, up_to_batch=up_to_batch)
