"""What is asked of CloudWatch Logs, and what becomes of its answers."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from ingest.collector import Function, Scope
from ingest.collectors.lambda_logs import LambdaLogs, fetch_events, log_group, scrubbed, transform_events
from observability.aws.problems import AwsError, Trouble
from observability.telemetry.records import Window
from tests.ingest.logs import ACCOUNT, HOUR, MINUTE, NOW, REGION, SECOND, Logs

GROUP = "/aws/lambda/checkout"
SCOPE = Scope(7, ACCOUNT, "aws", REGION, NOW)


def known(name: str, group: str = "") -> Function:
    return Function(1, f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}", name, {"log_group": group}, None)


def event(message: str = "hello", at_ms: int = 1_795_608_000_000, **more: Any) -> dict[str, Any]:
    return {"logStreamName": "a", "timestamp": at_ms, "ingestionTime": at_ms, "message": message, **more}


class TestListing:
    def test_tells_retention_and_class_of_the_groups_that_functions_write_to(self) -> None:
        logs = Logs(groups={GROUP: [], "/shop/all": [], "/aws/lambda/unknown": []})
        logs.described = {GROUP: {"retentionInDays": 7}, "/shop/all": {"logGroupClass": "INFREQUENT_ACCESS"}}
        functions = {each.name: each for each in (known("checkout"), known("stock", "/shop/all"))}
        collector, scope = LambdaLogs(), replace(SCOPE, functions=functions)
        harvest = collector.transform(collector.fetch(logs, scope), scope)
        assert {(found.name, found.config["retention_days"], found.config["class"]) for found in harvest.found} == {
            (GROUP, 7, "STANDARD"),
            ("/shop/all", None, "INFREQUENT_ACCESS"),
        }
        assert logs.calls == 2

    def test_functions_name_their_log_group(self) -> None:
        assert log_group(known("checkout")) == GROUP
        assert log_group(known("checkout", "/shop/all")) == "/shop/all"


class TestWindow:
    def told(self, count: int, **more: Any) -> Logs:
        logs = Logs(**more)
        for number in range(count):
            logs.say(GROUP, f"{number}", at=NOW + number * SECOND)
        logs.now = NOW + HOUR
        return logs

    def test_is_read_to_its_end_past_empty_pages(self) -> None:
        logs = self.told(25, page=10, empty=True)
        fetched = fetch_events(logs, GROUP, Window(NOW, NOW + HOUR), beyond=NOW + HOUR)
        assert [each["message"] for each in fetched.events] == [f"{number}" for number in range(25)]
        assert (fetched.until, fetched.complete, fetched.calls) == (NOW + HOUR, True, 4)

    def test_ends_before_its_end(self) -> None:
        fetched = fetch_events(self.told(25), GROUP, Window(NOW + SECOND, NOW + 20 * SECOND), beyond=NOW)
        assert (fetched.events[0]["message"], fetched.events[-1]["message"]) == ("1", "19")

    def test_is_cut_after_some_pages_but_not_before_it_got_on(self) -> None:
        fetched = fetch_events(self.told(100, page=10), GROUP, Window(NOW, NOW + HOUR), beyond=NOW, pages=2)
        assert (len(fetched.events), fetched.until, fetched.complete) == (20, NOW + 19 * SECOND, False)
        further = NOW + 45 * SECOND
        fetched = fetch_events(self.told(100, page=10), GROUP, Window(NOW, NOW + HOUR), beyond=further, pages=2)
        assert fetched.until == NOW + 49 * SECOND

    def test_is_not_cut_when_its_events_come_out_of_order(self) -> None:
        """Where events come stream by stream, the last one says nothing about what is missing."""
        logs = self.told(30, page=10)
        pages = list(
            logs.pages("logs", "filter_log_events", logGroupName=GROUP, startTime=0, endTime=2**45, interleaved=True)
        )
        logs.pages = lambda *_, **__: iter(reversed(pages))  # type: ignore[method-assign]
        fetched = fetch_events(logs, GROUP, Window(NOW, NOW + HOUR), beyond=NOW, pages=2)
        assert (len(fetched.events), fetched.complete) == (30, True)

    def test_keeps_what_came_before_an_error(self) -> None:
        logs = self.told(30, page=10)
        pages = logs.pages(
            "logs", "filter_log_events", logGroupName=GROUP, startTime=0, endTime=2**45, interleaved=True
        )

        def failing(*_: object, **__: object) -> Any:
            yield next(pages)
            raise AwsError(Trouble.THROTTLED, "logs:FilterLogEvents")

        logs.pages = failing  # type: ignore[method-assign]
        fetched = fetch_events(logs, GROUP, Window(NOW, NOW + HOUR), beyond=NOW)
        assert (len(fetched.events), fetched.until, fetched.complete) == (10, NOW + 9 * SECOND, False)
        assert fetched.error is not None
        with pytest.raises(AwsError):
            fetch_events(logs, GROUP, Window(NOW, NOW + HOUR), beyond=NOW + MINUTE)

    def test_that_is_empty_asks_for_nothing(self) -> None:
        logs = Logs()
        assert fetch_events(logs, GROUP, Window(NOW, NOW), beyond=NOW).complete
        assert logs.calls == 0


class TestEvents:
    def identity(self, told: dict[str, Any], group: str = GROUP, scope: Scope = SCOPE) -> bytes:
        [[found]] = transform_events([told], group, scope).values()
        return found.event_id

    def test_have_the_time_and_the_day_of_what_they_tell(self) -> None:
        told = [event(at_ms=1_795_564_799_999), event(at_ms=1_795_564_800_000, logStreamName="b")]
        streams = transform_events(told, GROUP, SCOPE)
        assert [(stream, found.day, found.at.microsecond) for stream, [found] in streams.items()] == [
            ("a", date(2026, 11, 24), 999_000),
            ("b", date(2026, 11, 25), 0),
        ]

    def test_have_the_same_id_for_ever_and_another_one_elsewhere(self) -> None:
        one = self.identity(event(eventId="1"))
        assert len(one) == 16
        assert one == self.identity(event(eventId="1", ingestionTime=5), scope=replace(SCOPE, now=NOW + HOUR))
        others = {
            self.identity(event(eventId="2")),
            self.identity(event(eventId="1"), group="/shop/all"),
            self.identity(event(eventId="1"), scope=replace(SCOPE, organization_id=8)),
            self.identity(event(eventId="1"), scope=replace(SCOPE, account="1")),
            self.identity(event(eventId="1"), scope=replace(SCOPE, region="us-east-1")),
            one,
        }
        assert len(others) == 6

    def test_without_an_id_are_told_apart_by_when_they_came_in(self) -> None:
        told = [event(), event(), event(ingestionTime=5), event(logStreamName="b")]
        ids = [found.event_id for events in transform_events(told, GROUP, SCOPE).values() for found in events]
        assert len(set(ids)) == 4
        again = [found.event_id for events in transform_events(told[:2], GROUP, SCOPE).values() for found in events]
        assert again == ids[:2]

    def test_are_scrubbed(self) -> None:
        [[found]] = transform_events([event('{"password": "correct horse"}')], GROUP, SCOPE).values()
        assert "correct horse" not in found.record

    def test_a_secret_that_seems_to_go_on_in_the_next_message_merges_nothing(self) -> None:
        key = "-----BEGIN RSA PRIVATE KEY-----"
        messages = [key, "MIIEpAIBAAKCAQEA", "-----END RSA PRIVATE KEY-----", "after"]
        assert len(scrubbed(messages)) == 4
        assert scrubbed(messages)[-1] == "after"

    def test_may_hold_what_utf8_does_not_know(self) -> None:
        assert scrubbed(["half \ud83d", "whole"]) == ["half ?", "whole"]


def test_each_permission_has_its_reason_and_its_resource() -> None:
    [read, listed] = LambdaLogs.permissions
    assert read.resource.endswith(":log-group:*")
    assert listed.wild
    assert LambdaLogs.every <= timedelta(seconds=20)
