"""Configs in words."""

from typing import Any

import pytest

from observability.dashboards.facts import Fact, facts, label, mentioned, text


class TestFacts:
    def test_keep_their_order_and_leave_out_what_is_empty(self) -> None:
        config = {"runtime": "python3.13", "memory_mb": 1024, "layers": [], "description": "", "kms_key": None}
        assert facts(config) == [Fact("Runtime", ("python3.13",)), Fact("Memory", ("1,024 MB",))]

    def test_name_the_parts_of_a_part(self) -> None:
        assert facts({"vpc": {"subnets": ["a", "b"]}}) == [Fact("VPC: Subnets", ("a", "b"))]

    def test_say_no_and_zero(self) -> None:
        assert facts({"fifo": False, "delay_s": 0}) == [Fact("FIFO", ("no",)), Fact("Delay", ("0 s",))]

    def test_can_leave_some_to_others(self) -> None:
        assert facts({"tags": {"team": "checkout"}}, without=("tags",)) == []


class TestLabel:
    @pytest.mark.parametrize(
        ("key", "words"),
        [("visibility_timeout_s", "Visibility timeout"), ("dlq_arn", "DLQ ARN"), ("memory_mb", "Memory"), ("s", "S")],
    )
    def test_is_made_of_words(self, key: str, words: str) -> None:
        assert label(key) == words


class TestText:
    @pytest.mark.parametrize(
        ("key", "value", "words"),
        [
            ("timeout_s", 10, "10 s"), ("timeout_s", 900, "15 min"), ("retention_s", 345_600, "4 days"),
            ("retention_s", 86_400, "1 day"), ("timeout_s", 90, "90 s"), ("code_bytes", 14_900_000, "14.2 MB"),
            ("batch_size", 10, "10"), ("items", 1_250_000, "1.25M"), ("encrypted", True, "yes"),
            ("created_at", "2026-11-20T09:00:00+00:00", "20 Nov 2026 09:00 UTC"), ("created_at", "soon", "soon"),
            ("billing", "PAY_PER_REQUEST", "pay per request"), ("protocol", "HTTP", "HTTP"),
            ("state", "Active", "Active"), ("tracing", "PassThrough", "only when the caller traces"),
            ("runtime_version_arn", "arn:aws:lambda:eu-west-1::runtime:07a48df201798d627f2b", "07a48df20179"),
            ("dead_letter", "arn:aws:sqs:eu-west-1:123456789012:orders", "SQS orders"),
            ("role", "arn:aws:iam::123456789012:role/checkout", "arn:aws:iam::123456789012:role/checkout"),
            ("trigger", {"name": "orders", "batch_size": 10, "filter": ""}, "name orders, batch size 10"),
        ],
    )  # fmt: skip
    def test_has_its_unit(self, key: str, value: Any, words: str) -> None:
        assert text(key, value) == words


class TestMentioned:
    def test_finds_arns_at_any_depth_without_versions(self) -> None:
        function = "arn:aws:lambda:eu-west-1:123456789012:function:checkout"
        queue = "arn:aws-cn:sqs:cn-north-1:123456789012:orders"
        table = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
        config = {
            "targets": [{"arn": f"{function}:live"}],
            "dlq": {"arn": queue},
            "of": f"{table}/stream/7",
            "n": 1,
        }
        assert list(mentioned(config)) == [function, queue, table]
