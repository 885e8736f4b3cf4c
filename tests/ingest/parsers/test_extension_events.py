"""What the extension says of itself: points that a retry does not double, facts for the inventory, lines."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from ingest.parser import Batch, Event, ExtensionInfo, FunctionInfo, Told
from ingest.parsers import parse, told
from ingest.parsers.extension_events import PEAKS, SUMS
from observability.telemetry.environment import Metric
from observability.telemetry.records import SKEW_DAY, Level, Point
from tests.ingest.parsers.batches import DAY, FUNCTION, NOW, batch, done, report

INFO = ExtensionInfo("1.0", init_ms=11.5)
USAGE = {
    "requestId": "r", "invocations": 12, "heldMs": 30.5, "ownCpuMs": 8.25, "ownRssBytes": 9_000_000, "cpuMs": 1500,
    "rxBytes": 0, "txBytes": 4096, "tmpUsedBytes": 2048, "tmpSizeBytes": 536_870_912, "fds": 17, "threads": 5,
    "maxRssBytes": 104_857_600,
}  # fmt: skip
SIZE = {
    "codeBytes": 1000, "layersBytes": 500, "files": 7, "complete": True,
    "folders": [{"path": "/var/task/lib", "bytes": 900}, {"path": "/opt/python", "bytes": 500}],
}  # fmt: skip
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*USAGE, *SIZE, "x"]), inner),
    max_leaves=12,
)


def identity(at: datetime, rest: int = 0) -> bytes:
    return ((int(at.timestamp() * 1000) << 80) | 7 << 76 | 2 << 62 | rest).to_bytes(16, "big")


def event(type_: str, record: Any, *, day: date = DAY, at: datetime = NOW, rest: int = 0) -> Event:
    return Event(identity(at, rest), day, at, type_, record)


def read(*events: Event, info: ExtensionInfo | None = INFO, function: FunctionInfo = FUNCTION) -> Told:
    return told(Batch(1, 2, function, "eu-west-1", events, info))


def values(found: Told) -> dict[tuple[str, str], float]:
    return {(point.metric, point.statistic): point.value for point in found.points}


@pytest.mark.parametrize(
    ("file", "keys"),
    [
        ("usage.go", {"invocations", *SUMS, *PEAKS}),
        ("sizes.go", {"codeBytes", "layersBytes", "files", "complete", "folders", "path", "bytes"}),
        ("envelope.go", {"version", "init_ms"}),
    ],
)
def test_the_names_are_those_that_the_extension_writes(file: str, keys: set[str]) -> None:
    source = (Path(settings.BASE_DIR) / "extension" / file).read_text()
    assert keys <= set(re.findall(r'`json:"(\w+)', source))


class TestUsage:
    def test_every_figure_is_a_point(self) -> None:
        assert values(read(event("nightjar.usage", USAGE))) == {
            (Metric.INVOCATIONS, "Sum"): 12,
            (Metric.HELD, "Sum"): 30.5,
            (Metric.OWN_CPU, "Sum"): 8.25,
            (Metric.OWN_MEMORY, "Maximum"): 9_000_000,
            (Metric.CPU, "Sum"): 1500,
            (Metric.SENT, "Sum"): 4096,
            (Metric.TMP, "Maximum"): 2048,
            (Metric.DESCRIPTORS, "Maximum"): 17,
            (Metric.THREADS, "Maximum"): 5,
            (Metric.MEMORY, "Maximum"): 100,
        }

    def test_it_stands_at_the_moment_that_its_id_names(self) -> None:
        """The time shown follows the sender's clock at each attempt; that of the id never changes."""
        first = read(event("nightjar.usage", USAGE, rest=123))
        again = read(replace_at(event("nightjar.usage", USAGE, rest=123), NOW + timedelta(seconds=2)))
        assert first.points == again.points
        assert {point.at for point in first.points} == {NOW + timedelta(microseconds=(2 << 62 | 123) % 1000)}

    def test_environments_at_the_same_millisecond_are_told_apart(self) -> None:
        both = read(event("nightjar.usage", USAGE, rest=1), event("nightjar.usage", USAGE, rest=2))
        assert len({(point.metric, point.at) for point in both.points}) == len(both.points) == 20

    def test_an_id_without_a_time_leaves_the_events_own(self) -> None:
        bare = Event(b"\xff" * 16, DAY, NOW, "nightjar.usage", USAGE)
        assert {point.at for point in read(bare).points} == {NOW}

    @pytest.mark.parametrize("record", ["text", None, [], {"invocations": -1}, {"invocations": "12"}, {"fds": 1e300}])
    def test_what_is_no_figure_is_left_out(self, record: Any) -> None:
        assert read(event("nightjar.usage", record)).points == []

    def test_a_clock_that_is_not_to_be_believed_measures_nothing(self) -> None:
        assert read(event("nightjar.usage", USAGE, day=SKEW_DAY)).points == []

    def test_the_phases_of_the_newest_invocation_are_a_sample(self) -> None:
        overhead = [{"name": "extensionOverhead", "start": "2026-11-23T03:00:00Z", "durationMs": 4.5}]
        response = [{"name": "responseLatency", "durationMs": 20.1}, {"name": "other", "durationMs": 1}, "odd", {}]
        events = batch(report("a"), done("b", spans=response), report("b", spans=overhead)).events
        assert read(*events).points == []
        found = values(read(*events, event("nightjar.usage", {"invocations": 1})))
        assert found[Metric.OVERHEAD, "Average"] == 4.5
        assert found[Metric.RESPONSE_LATENCY, "Average"] == 20.1
        assert (Metric.RESPONSE_DURATION, "Average") not in found


class TestSize:
    def test_it_is_a_fact_for_the_inventory(self) -> None:
        found = read(event("nightjar.size", SIZE))
        assert found.unzipped == {
            "code_bytes": 1000, "layers_bytes": 500, "files": 7, "complete": True, "version": "$LATEST",
            "measured_at": "2026-11-23T03:00:00+00:00", "folders": SIZE["folders"],
        }  # fmt: skip

    def test_it_comes_once_per_environment_and_so_does_the_time_to_start(self) -> None:
        assert values(read(event("nightjar.size", SIZE))) == {(Metric.OWN_INIT, "Average"): 11.5}
        assert read(event("nightjar.size", SIZE), info=None).points == []

    @pytest.mark.parametrize("record", [{}, {"codeBytes": "x"}, {"codeBytes": -1}, {"codeBytes": 0}, "text", None])
    def test_without_a_size_there_is_none(self, record: Any) -> None:
        assert read(event("nightjar.size", record)).unzipped is None

    def test_odd_folders_are_left_out_and_long_names_cut(self) -> None:
        folders = ["x", {"path": 1, "bytes": 1}, {"path": "/opt/" + "x" * 999, "bytes": 5}, {"path": "a", "bytes": -1}]
        found = read(event("nightjar.size", SIZE | {"folders": folders})).unzipped
        assert found is not None
        assert [(len(each["path"]), each["bytes"]) for each in found["folders"]] == [(200, 5)]


class TestDropped:
    def test_it_is_counted_and_shown(self) -> None:
        found = read(event("nightjar.dropped", {"count": 3}))
        assert values(found) == {(Metric.DROPPED, "Sum"): 3}
        [line] = found.lines
        assert (line.level, line.message) == (
            Level.PLATFORM, "EXTENSION_DROPPED 3 events: Nightjar's extension could not send them"
        )  # fmt: skip
        assert line.event_id == identity(NOW)

    def test_other_senders_tell_it_with_their_envelope(self) -> None:
        assert values(read(event("function", "x"), info=ExtensionInfo("1", dropped=7))) == {(Metric.DROPPED, "Sum"): 7}

    @pytest.mark.parametrize("record", [{}, {"count": 0}, {"count": "3"}, [], "text"])
    def test_nothing_dropped_says_nothing(self, record: Any) -> None:
        found = read(event("nightjar.dropped", record))
        assert (found.points, found.lines) == ([], [])


def test_extensions_are_named_with_the_day_they_were_seen() -> None:
    names = ["nightjar", "other", "nightjar", "", None]
    found = read(*(event("platform.extension", {"name": name, "state": "Ready"}) for name in names))
    assert found.extensions == {"nightjar": "2026-11-23", "other": "2026-11-23"}


def test_its_own_events_are_no_log_lines() -> None:
    events = [event("nightjar.usage", USAGE), event("nightjar.size", SIZE), event("nightjar.later", {"a": 1})]
    assert parse(Batch(1, 2, FUNCTION, "eu-west-1", events)) == []
    assert len(read(event("nightjar.later", {"a": 1})).points) == 0


@given(
    type_=st.sampled_from(
        ["nightjar.size", "nightjar.usage", "nightjar.dropped", "platform.extension", "platform.report"]
    ),
    record=ANY,
    raw=st.binary(min_size=16, max_size=16),
)
def test_nothing_makes_it_raise(type_: str, record: Any, raw: bytes) -> None:
    odd = Event(raw, DAY, NOW, type_, record)
    found = read(odd, event("nightjar.usage", {"invocations": 1}))
    assert all(isinstance(point, Point) and 0 <= point.value < 2**53 for point in found.points)
    assert all(point.at.tzinfo is UTC for point in found.points)


def replace_at(event: Event, at: datetime) -> Event:
    return Event(event.event_id, event.day, at, event.type, event.record)
