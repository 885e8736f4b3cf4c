from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from observability.inventory.code_storage import full_at, prunable, published, versions

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
GIB = 1 << 30


def config(count: int = 8, **more: Any) -> dict[str, Any]:
    """A function that published a version a day, the newest yesterday."""
    listed = [
        {"version": str(number), "code_bytes": 1000, "last_modified": (NOW - timedelta(days=age)).isoformat()}
        for age, number in enumerate(range(count, 0, -1), start=1)
    ]
    return {"versions": listed, **more}


def numbers(config: dict[str, Any], **options: int) -> list[str]:
    return [version.number for version in prunable(config, **options)]


class TestPrunable:
    def test_spares_the_newest(self) -> None:
        assert numbers(config()) == ["1", "2", "3", "4", "5"]
        assert numbers(config(), newest=7) == ["1"]
        assert numbers(config(2)) == numbers({}) == []

    @pytest.mark.parametrize(
        "named",
        [
            {"aliases": {"prod": {"version": "2", "weights": {}}}},
            {"aliases": {"prod": {"version": "8", "weights": {"2": 0.1}}}},
            {"event_sources": [{"qualifier": "2"}]},
            {"provisioned": [{"qualifier": "2", "requested": 1}]},
            {"url": [{"qualifier": "2"}]},
            {"event_invoke": [{"qualifier": "2"}]},
        ],
        ids=["alias", "part of an alias", "trigger", "provisioned", "url", "destinations"],
    )
    def test_spares_what_something_points_to(self, named: dict[str, Any]) -> None:
        assert numbers(config(**named)) == ["1", "3", "4", "5"]

    def test_tells_when_and_how_large(self) -> None:
        oldest = prunable(config())[0]
        assert (oldest.bytes, oldest.published_at) == (1000, NOW - timedelta(days=8))
        assert versions(config())[0].number == "8"


class TestPace:
    def test_is_what_was_published_lately(self) -> None:
        assert published([config(50), config(2), {}], now=NOW) == 32_000

    def test_tells_when_the_storage_is_full(self) -> None:
        full = full_at(used=60 * GIB, allowed=75 * GIB, published=5 * GIB, now=NOW)
        assert full == NOW + timedelta(days=90)

    def test_promises_nothing_far_away(self) -> None:
        assert full_at(used=GIB, allowed=75 * GIB, published=0, now=NOW) is None
        assert full_at(used=GIB, allowed=75 * GIB, published=1000, now=NOW) is None

    def test_knows_when_it_is_full_already(self) -> None:
        assert full_at(used=76 * GIB, allowed=75 * GIB, published=0, now=NOW) == NOW
