"""What of a body is kept, what is refused, and under which name."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.hostile_bodies import ARN, uuid7
from ingest import payload
from ingest.entry import Entry, decode_entry, encode_entry
from ingest.envelope import MAX_EVENTS
from ingest.payload import check
from ingest.refusal import Code, EventCode, RefusedError
from ingest.salvage import Checked, salvage

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
CHANCE = Random(1)


def event(record: Any = "hello", **changes: Any) -> dict[str, Any]:
    return {"id": uuid7(NOW, CHANCE), "time": NOW.isoformat(), "type": "function", "record": record} | changes


def envelope(*events: Any, **changes: Any) -> bytes:
    return json.dumps({"schema": 1, "function": {"arn": ARN}, "events": list(events)} | changes).encode()


def bare(*records: Any) -> bytes:
    return json.dumps([{"time": NOW.isoformat(), "type": "function", "record": record} for record in records]).encode()


def checked(body: bytes, arn: str = "") -> Checked:
    return check(body, arn=arn, received_at=NOW)


def with_record(raw: bytes) -> bytes:
    """Two good events around one with this as its record."""
    return envelope(event(), event("HERE"), event()).replace(b'"HERE"', raw)


class TestWhole:
    def test_a_flawless_body_is_passed_on_as_it_came(self) -> None:
        body = envelope(event(), event({"a": [1, None, "x"]}), sent_at=NOW.isoformat())
        assert checked(body) == Checked(body, "", 2)

    def test_a_bare_array_takes_its_function_from_the_header(self) -> None:
        body = bare("a", {"b": 1})
        assert checked(body, ARN) == Checked(body, ARN, 2)

    def test_no_events_are_fine(self) -> None:
        assert checked(envelope()).count == 0
        assert checked(b"[]", ARN).count == 0

    def test_unknown_fields_are_ignored(self) -> None:
        assert checked(envelope(event(more=1), also=2)).count == 1

    def test_a_repeated_id_counts_as_duplicate(self) -> None:
        one = event()
        result = checked(envelope(one, event(), one, one | {"id": one["id"].upper()}))
        assert (result.count, result.duplicates, result.rejected) == (2, 2, ())
        assert json.loads(result.body)["events"][0] == one

    def test_equal_events_without_ids_are_all_kept(self) -> None:
        assert checked(bare("a", "a"), ARN).count == 2

    def test_a_large_body_is_judged_like_a_small_one(self) -> None:
        events = [event("x" * 3_000) for _ in range(200)]
        result = checked(envelope(*events, event(time="x")))
        assert (result.count, [row.index for row in result.rejected]) == (200, [200])


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"NaN", EventCode.INVALID_JSON),
        (b"-Infinity", EventCode.INVALID_JSON),
        (b'"\\ud800"', EventCode.INVALID_JSON),
        (b'"\\x"', EventCode.INVALID_JSON),
        (b"nul", EventCode.INVALID_JSON),
        (b"01", EventCode.INVALID_JSON),
        (b'"a\x07"', EventCode.INVALID_JSON),
        (b'"\xff"', EventCode.INVALID_UTF8),
        (b'"\xed\xa0\x80"', EventCode.INVALID_UTF8),
        (b"1e400", EventCode.INVALID_NUMBER),
        (b"[-1e400]", EventCode.INVALID_NUMBER),
        (b"18446744073709551616", EventCode.INVALID_NUMBER),
        (b'{"a":[99999999999999999999]}', EventCode.INVALID_NUMBER),
        (b"9" * 5000, EventCode.INVALID_NUMBER),
        (b"[" * 33 + b"]" * 33, EventCode.TOO_DEEP),
        (b'{"a":' * 900 + b"1" + b"}" * 900, EventCode.TOO_DEEP),
        (b'["]",' * 40 + b"1" + b"]" * 40, EventCode.TOO_DEEP),
        (b'"' + b"x" * 1024 * 1024 + b'"', EventCode.TOO_LARGE),
    ],
)
def test_a_bad_record_is_refused_and_its_neighbours_kept(raw: bytes, code: EventCode) -> None:
    result = checked(with_record(raw))
    assert result.count == 2
    assert [(row.index, row.code) for row in result.rejected] == [(1, code)]
    assert [each["record"] for each in json.loads(result.body)["events"]] == ["hello", "hello"]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (event(id="x"), EventCode.INVALID_ID),
        (event(id=None), EventCode.INVALID_ID),
        (event(time="2026-11-23T08:00:00"), EventCode.INVALID_TIME),
        (event(time="30000-01-01T00:00:00Z"), EventCode.INVALID_TIME),
        (event(time=1), EventCode.INVALID_TIME),
        (event(type=""), EventCode.INVALID_TYPE),
        (event(type="x" * 65), EventCode.INVALID_TYPE),
        (event(time=(NOW - timedelta(days=31)).isoformat()), EventCode.TOO_OLD),
        (event(time="1970-01-01T00:00:00Z"), EventCode.TOO_OLD),
        (event(time="0001-01-01T00:00:00+14:00"), EventCode.TOO_OLD),
        ({"id": "x"}, EventCode.INVALID_ID),
        ({}, EventCode.INVALID_EVENT),
        (None, EventCode.INVALID_EVENT),
        ([event()], EventCode.INVALID_EVENT),
        ("text", EventCode.INVALID_EVENT),
    ],
)
def test_a_bad_event_is_refused_and_its_neighbours_kept(bad: Any, code: EventCode) -> None:
    result = checked(envelope(event(), bad, event()))
    assert (result.count, [(row.index, row.code) for row in result.rejected]) == (2, [(1, code)])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", Code.INVALID_JSON),
        (b"{", Code.INVALID_JSON),
        (b'"x', Code.INVALID_JSON),
        (b"\xef\xbb\xbf{}", Code.INVALID_JSON),
        (envelope(event()) + b"{}", Code.INVALID_JSON),
        (b"[" * 5000, Code.INVALID_FUNCTION),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, Code.TOO_DEEP),
        (b"null", Code.INVALID_ENVELOPE),
        (b"{}", Code.INVALID_ENVELOPE),
        (b'{"schema":1,"events":[]}', Code.INVALID_ENVELOPE),
        (envelope(schema="1"), Code.INVALID_ENVELOPE),
        (envelope(events={}), Code.INVALID_ENVELOPE),
        (envelope(sent_at="yesterday"), Code.INVALID_ENVELOPE),
        (envelope(extension={"dropped": -1}), Code.INVALID_ENVELOPE),
        (envelope(schema=2), Code.UNKNOWN_SCHEMA),
        (envelope(function=None), Code.INVALID_FUNCTION),
        (envelope(function={"arn": "arn:aws:s3:::bucket"}), Code.INVALID_FUNCTION),
        (envelope(function={"arn": ARN + "\n"}), Code.INVALID_FUNCTION),
        (envelope(function={"arn": ARN, "memory_mb": 10**12}), Code.INVALID_FUNCTION),
        (envelope(function={"arn": ARN, "runtime": "x" * 300}), Code.INVALID_FUNCTION),
        (bare("a"), Code.INVALID_FUNCTION),
        (envelope(*[event() for _ in range(MAX_EVENTS + 1)]), Code.TOO_MANY_EVENTS),
    ],
)
def test_a_body_that_makes_no_sense_is_refused(body: bytes, code: Code) -> None:
    with pytest.raises(RefusedError) as refused:
        checked(body)
    assert refused.value.code is code


class TestCharacters:
    @pytest.mark.parametrize("nul", [b'"a\\u0000b"', b'"a\x00b"', b'"a\\\\u0000b"'])
    def test_nul_becomes_the_replacement_character(self, nul: bytes) -> None:
        result = checked(with_record(nul))
        assert (result.count, b"u0000" in result.body, b"\0" in result.body) == (3, False, False)

    def test_escapes_of_plain_characters_are_spelled_out(self) -> None:
        result = checked(with_record(b'"\\u0070assword=hunter2 https:\\/\\/a"'))
        assert b"password=hunter2 https://a" in result.body

    def test_brackets_in_texts_are_no_depth(self) -> None:
        assert checked(envelope(event("[" * 100 + "}" * 40))).rejected == ()

    def test_the_deepest_record_that_is_allowed_is_kept(self) -> None:
        assert checked(with_record(b"[" * 32 + b"]" * 32)).count == 3


class TestRoundTrip:
    def read(self, result: Checked) -> Any:
        return decode_entry(encode_entry(Entry(7, 8, result.arn, NOW, result.count, result.body)))

    def test_the_writer_reads_what_was_accepted(self) -> None:
        sent = event({"a": 1})
        batch = self.read(checked(envelope(sent, extension={"version": "1", "dropped": 3})))
        assert (batch.organization_id, batch.key_id, batch.received_at) == (7, 8, NOW)
        assert (batch.function.arn, batch.extension.dropped) == (ARN, 3)
        [read] = batch.events
        assert (read.event_id.hex(), read.type, read.record) == (sent["id"].replace("-", ""), "function", {"a": 1})

    def test_the_qualifier_of_an_arn_is_the_version(self) -> None:
        function = self.read(checked(envelope(event(), function={"arn": ARN + ":live"}))).function
        assert (function.arn, function.name, function.version) == (ARN, "checkout", "live")

    def test_a_repeated_array_gets_the_same_ids(self) -> None:
        body = bare("a", {"x": 1, "y": 2}, "a")
        first = [each.event_id for each in self.read(checked(body, ARN)).events]
        again = [
            each.event_id for each in self.read(checked(body.replace(b'"x": 1, "y": 2', b'"y":2,"x":1'), ARN)).events
        ]
        assert first == again
        assert len(set(first)) == 3

    def test_ids_of_arrays_differ_by_organization_and_function(self) -> None:
        result = checked(bare("a"), ARN)
        entries = [Entry(o, 1, a, NOW, 1, result.body) for o, a in ((1, ARN), (2, ARN), (1, ARN + "2"))]
        assert len({decode_entry(encode_entry(entry)).events[0].event_id for entry in entries}) == 3


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(values, max_size=5))
def test_any_json_is_kept_as_it_is(records: list[Any]) -> None:
    body = envelope(*(event(record) for record in records))
    result = checked(body)
    kept = [each["record"] for each in json.loads(result.body)["events"]]
    assert kept == json.loads(json.dumps(records).replace("\\u0000", "\\ufffd"))
    assert (result.count, result.rejected) == (len(records), ())


@settings(max_examples=60, deadline=None)
@given(st.lists(values, max_size=4))
def test_both_ways_through_a_body_agree(records: list[Any]) -> None:
    body = payload.without_nul(envelope(*(event(record) for record in records)))
    slow = salvage(body, arn="", received_at=NOW)
    assert json.loads(slow.body) == json.loads(checked(body).body)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 400))
def test_whatever_is_spliced_in_is_accepted_or_refused_by_name(junk: bytes, at: int) -> None:
    body = envelope(event(), event())
    with suppress(RefusedError):  # Any other error fails the test; its code is one of Code by its type.
        result = checked(body[:at] + junk + body[at:])
        assert len(json.loads(result.body)["events"]) == result.count
