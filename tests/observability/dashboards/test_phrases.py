"""Lists in a function's configuration, one phrase for each entry. The configs are what ``ingest`` stores."""

from typing import Any

import pytest

from observability.dashboards.phrases import PHRASES, named

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:orders"
STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2026-11-20T09:00:00.000"


@pytest.mark.parametrize(
    ("key", "value", "phrases"),
    [
        ("environment", {"TOKEN": "abc123:0123456789abcdef", "STAGE": "abc123:fedcba9876543210"}, ["STAGE", "TOKEN"]),
        (
            "aliases", {"prod": {"version": "7", "weights": {"8": 0.1}}, "dev": {"version": "8", "weights": {}}},
            ["dev: version 8", "prod: version 7, 10% of calls to 8"],
        ),
        (
            "versions", [{"version": "7", "code_bytes": 1536, "last_modified": "2026-11-20T09:00:00+00:00"}],
            ["7: 1.5 KB, 2026-11-20"],
        ),
        (
            "layers", [{"arn": "arn:aws:lambda:eu-west-1:1:layer:insights:38", "code_bytes": 1536}],
            ["insights, version 38, 1.5 KB"],
        ),
        (
            "event_sources",
            [{"source": QUEUE, "qualifier": "$LATEST", "enabled": False, "topics": [], "batch_size": 10, "window_s": 5,
              "parallel": 1, "max_concurrency": None, "retries": None, "filtered": True, "on_failure": ""}],
            ["SQS orders: switched off, batches of 10, waits up to 5 s for a batch, filtered"],
        ),
        (
            "event_sources",
            [{"source": STREAM, "qualifier": "live", "enabled": True, "batch_size": None, "window_s": 0,
              "parallel": 2, "retries": -1, "on_failure": QUEUE}],
            ["DynamoDB orders: 2 in parallel for each shard, retries until the event expires, failed ones to SQS "
             "orders, calls live"],
        ),
        (
            "event_invoke",
            [{"qualifier": "$LATEST", "retries": 1, "max_age_s": 21600, "on_success": "", "on_failure": QUEUE}],
            ["$LATEST: 1 retry, events up to 6 hours old, failed ones to SQS orders"],
        ),
        (
            "url", [{"qualifier": "$LATEST", "url": "https://x.lambda-url.eu-west-1.on.aws/", "auth": "NONE"}],
            ["https://x.lambda-url.eu-west-1.on.aws/: anybody may call it"],
        ),
        ("provisioned", [{"qualifier": "live", "requested": 10}], ["live: 10 environments"]),
    ],
)  # fmt: skip
def test_each_entry_has_a_phrase(key: str, value: Any, phrases: list[str]) -> None:
    assert list(PHRASES[key](value)) == phrases


def test_old_versions_are_only_counted() -> None:
    version = {"code_bytes": 1, "last_modified": "2026-11-20"}
    *_, last = PHRASES["versions"]([{"version": str(number), **version} for number in range(12)])
    assert last == "and 2 older ones"


@pytest.mark.parametrize(
    ("arn", "words"),
    [
        (QUEUE, "SQS orders"),
        (STREAM, "DynamoDB orders"),
        ("arn:aws:kinesis:eu-west-1:123456789012:stream/clicks", "Kinesis clicks"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:checkout", "Lambda checkout"),
        ("arn:aws:kafka:eu-west-1:123456789012:cluster/a/b", "arn:aws:kafka:eu-west-1:123456789012:cluster/a/b"),
        ("self-managed Kafka", "self-managed Kafka"),
    ],
)
def test_arns_are_called_by_service_and_name(arn: str, words: str) -> None:
    assert named(arn) == words
