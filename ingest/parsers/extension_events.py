"""What the extension tells of itself and of its environment: lines, points, and facts for the inventory.

A point stands at the moment that its event's id names: a retry never changes that, whatever became of the sender's
clock. Of environments that measure in the same microsecond one counts.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.clock import DAY_MS, DAY_ZERO, EPOCH
from ingest.parser import Batch, Event, Told
from observability.telemetry.environment import Metric
from observability.telemetry.records import SKEW_DAY, Level, LogLine, Point

OWN = "nightjar."
MOST = 2**53
"""Larger figures are no measurements."""
MOST_FOLDERS, MOST_NAMES, MAX_TEXT = 30, 20, 200
MEGABYTE = 1 << 20

SUMS = {
    "invocations": Metric.INVOCATIONS,
    "heldMs": Metric.HELD,
    "ownCpuMs": Metric.OWN_CPU,
    "cpuMs": Metric.CPU,
    "rxBytes": Metric.RECEIVED,
    "txBytes": Metric.SENT,
}
PEAKS = {
    "ownRssBytes": (Metric.OWN_MEMORY, 1),
    "tmpUsedBytes": (Metric.TMP, 1),
    "fds": (Metric.DESCRIPTORS, 1),
    "threads": (Metric.THREADS, 1),
    "maxRssBytes": (Metric.MEMORY, MEGABYTE),
}
SPANS = {
    ("platform.report", "extensionOverhead"): Metric.OVERHEAD,
    ("platform.runtimeDone", "responseLatency"): Metric.RESPONSE_LATENCY,
    ("platform.runtimeDone", "responseDuration"): Metric.RESPONSE_DURATION,
}
PLATFORM = {type_ for type_, _ in SPANS}


def read(batch: Batch) -> Told:
    """Pure, and never raises: what is not understood is left out."""
    told = Told()
    for event in batch.events:
        if event.type.startswith(OWN) or event.type == "platform.extension":
            record = event.record
            if isinstance(record, dict) and event.day != SKEW_DAY:
                _READERS.get(event.type, _nothing)(batch, event, record, told)
    info = batch.extension
    if info is not None and info.dropped > 0 and batch.events and batch.events[0].day != SKEW_DAY:
        told.points.append(_point(batch, batch.events[0], Metric.DROPPED, "Sum", info.dropped))
    return told


def _size(batch: Batch, event: Event, record: Mapping[str, Any], told: Told) -> None:
    code, layers = _figure(record, "codeBytes"), _figure(record, "layersBytes")
    if code:
        told.unzipped = {
            "code_bytes": int(code),
            "layers_bytes": int(layers),
            "files": int(_figure(record, "files")),
            "complete": record.get("complete") is True,
            "version": batch.function.version[:64],
            "measured_at": _moment(event).isoformat(timespec="seconds"),
            "folders": list(_folders(record.get("folders"))),
        }
    init_ms = batch.extension.init_ms if batch.extension else None
    if init_ms is not None and 0 < init_ms < DAY_MS:
        told.points.append(_point(batch, event, Metric.OWN_INIT, "Average", init_ms))


def _folders(value: object) -> Iterator[dict[str, Any]]:
    for each in value[:MOST_FOLDERS] if isinstance(value, list) else ():
        if isinstance(each, dict) and isinstance(each.get("path"), str) and _figure(each, "bytes"):
            yield {"path": _clean(each["path"]), "bytes": int(_figure(each, "bytes"))}


def _usage(batch: Batch, event: Event, record: Mapping[str, Any], told: Told) -> None:
    """A zero adds nothing to a sum, and stands for what could not be read where it is no sum."""
    figures = [(metric, "Sum", _figure(record, key)) for key, metric in SUMS.items()]
    figures += [(metric, "Maximum", _figure(record, key) / unit) for key, (metric, unit) in PEAKS.items()]
    told.points += [_point(batch, event, metric, statistic, value) for metric, statistic, value in figures if value]
    told.points += _phases(batch)


def _phases(batch: Batch) -> Iterator[Point]:
    """How long the newest invocation spent in the phases that Lambda reports: a sample, whenever usage is told."""
    latest = {event.type: event for event in batch.events if event.type in PLATFORM and event.day != SKEW_DAY}
    for event in latest.values():
        spans = event.record.get("spans") if isinstance(event.record, dict) else None
        for span in spans if isinstance(spans, list) else ():
            name = span.get("name") if isinstance(span, dict) else None
            metric = SPANS.get((event.type, name)) if isinstance(name, str) else None
            if metric and isinstance(span.get("durationMs"), int | float):
                yield _point(batch, event, metric, "Average", min(_figure(span, "durationMs"), DAY_MS))


def _dropped(batch: Batch, event: Event, record: Mapping[str, Any], told: Told) -> None:
    count = int(_figure(record, "count"))
    if not count:
        return
    told.points.append(_point(batch, event, Metric.DROPPED, "Sum", count))
    message = f"EXTENSION_DROPPED {count} event{'s' * (count != 1)}: Nightjar's extension could not send them"
    told.lines.append(
        LogLine(
            batch.organization_id, batch.resource_id, event.day, event.event_id, event.at, "", Level.PLATFORM, message
        )
    )


def _extension(_batch: Batch, event: Event, record: Mapping[str, Any], told: Told) -> None:
    name = record.get("name")
    if isinstance(name, str) and name and len(told.extensions) < MOST_NAMES:
        told.extensions[_clean(name)] = event.day.isoformat()


def _nothing(_batch: Batch, _event: Event, _record: Mapping[str, Any], _told: Told) -> None:
    """An event of an extension newer than this."""


_READERS = {
    "nightjar.size": _size,
    "nightjar.usage": _usage,
    "nightjar.dropped": _dropped,
    "platform.extension": _extension,
}


def _point(batch: Batch, event: Event, metric: Metric, statistic: str, value: float) -> Point:
    return Point(batch.organization_id, batch.resource_id, metric.value, statistic, 0, _moment(event), float(value))


def _moment(event: Event) -> datetime:
    """The time in its UUIDv7, and in place of microseconds what tells it from others; else the time that it shows."""
    ms = int.from_bytes(event.event_id[:6], "big")
    if ms // DAY_MS + DAY_ZERO != event.day.toordinal():
        return event.at.astimezone(UTC)
    return EPOCH + timedelta(milliseconds=ms, microseconds=int.from_bytes(event.event_id[8:], "big") % 1000)


def _figure(record: Mapping[str, Any], key: str) -> float:
    """A figure above zero that can be one; everything else is 0."""
    value = record.get(key)
    return value if isinstance(value, int | float) and 0 < value < MOST else 0


def _clean(text: str) -> str:
    return text[:MAX_TEXT].replace("\0", "\ufffd")
