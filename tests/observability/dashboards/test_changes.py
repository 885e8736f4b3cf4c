"""What a deployment changed, in words."""

from typing import Any

import pytest

from observability.dashboards.changes import Change, by_aws, change, changes, what


class TestChange:
    @pytest.mark.parametrize(
        ("key", "before", "after", "told"),
        [
            ("timeout_s", 10, 900, Change("Timeout", "10 s", "15 min")),
            ("code_sha256", "a" * 44, "b" * 44, Change("Code hash", "a" * 12, "b" * 12)),
            ("description", "", "pays", Change("Description", "\N{EN DASH}", "pays")),
            ("environment", ["A", "B"], ["B", "C"], Change("Environment", added=("C",), removed=("A",))),
            ("layers", None, ["x:1"], Change("Layers", added=("x:1",))),
            ("vpc", {"id": "a"}, {"id": "b"}, Change("VPC id", "a", "b")),
            ("aliases", {"prod": "7"}, {"prod": "8"}, Change("Alias prod", "7", "8")),
            ("environment", [], ["A (new value)"], Change("Environment", renewed=("A (new value)",))),
            ("reserved_concurrency", None, 5, Change("Reserved concurrency", "\N{EN DASH}", "5")),
        ],
    )  # fmt: skip
    def test_tells_before_and_after(self, key: str, before: Any, after: Any, told: Change) -> None:
        assert list(change(key, before, after)) == [told]

    def test_the_version_is_left_to_the_heading(self) -> None:
        assert changes({"version": ["1", "2"]}) == []


class TestWhat:
    @pytest.mark.parametrize(
        ("found", "words"),
        [
            ({"runtime_version_arn": ["a", "b"]}, "Runtime updated by AWS"),
            ({"code_sha256": ["a", "b"], "version": ["1", "2"]}, "New code"),
            ({"code_sha256": ["a", "b"], "memory_mb": [128, 256]}, "New code and configuration"),
            ({"memory_mb": [128, 256]}, "Configuration changed"),
            ({"version": ["1", "2"]}, "New version"),
            ({}, "New version"),
        ],
    )
    def test_is_told_in_words(self, found: dict[str, object], words: str) -> None:
        assert what(found) == words

    def test_only_the_runtime_is_aws(self) -> None:
        assert by_aws({"runtime_version_arn": []})
        assert not by_aws({"runtime_version_arn": [], "memory_mb": []})
        assert not by_aws({})
