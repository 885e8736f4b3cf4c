"""The package of one function: the tab of its page."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from observability.dashboards.package_folders import opened
from observability.dashboards.package_starts import Starts, by_package, measured, sentence
from observability.inventory.models import Package, Resource
from observability.telemetry.partitions import maintain
from observability.telemetry.records import Bucket, Rollup
from observability.telemetry.store import get_store
from tests.observability.dashboards.conftest import invocation
from tests.packages import LAYER, MIB, carry, grown, layer, package

GIB = 1 << 30


def text(client: Client, resource: Resource, query: str = "") -> str:
    answer = client.get(f"/o/acme/functions/{resource.pk}/?tab=package{query}")
    assert answer.status_code == 200
    return answer.content.decode()


class TestTab:
    def test_says_how_to_learn_more(self, alice_in: Client, checkout: Resource) -> None:
        carry(checkout, "numpy:3", code_bytes=40 * MIB)
        page = text(alice_in, checkout)
        assert "Nobody knows yet how large this package is" in page
        assert "/o/acme/extension/" in page
        assert "40 MB of 50 MB" in page  # What is known is told.
        assert "1 of 5" in page

    def test_tells_how_full_it_is_and_of_what(self, alice_in: Client, checkout: Resource) -> None:
        package(
            checkout,
            code_bytes=180 * MIB,
            layers_bytes=20 * MIB,
            folders=[{"path": "node_modules/sharp", "bytes": 100 * MIB}, {"path": "src", "bytes": 80 * MIB}],
            dependencies=[{"name": "sharp", "version": "0.33.0", "ecosystem": "npm", "bytes": 100 * MIB}],
            waste={"tests": 3 * MIB, "something_new": MIB, "maps": 0},
        )
        page = text(alice_in, checkout)
        for told in (
            "80.0%", "200 MB of 250 MB: code 180 MB, layers 20 MB", "sharp: 100 MB", "Smaller ones: 20 MB",
            "sharp", "0.33.0", "Tests", "3 MB", "Leave out folders named test", "Beyond it a deployment fails",
        ):  # fmt: skip
            assert told in page
        assert "Source maps" not in page
        assert "something_new" not in page
        assert "Nobody knows yet" not in page

    def test_shows_what_layers_hold(self, alice_in: Client, checkout: Resource) -> None:
        for name in ("numpy", "tools"):
            layer(checkout, name, folders=[{"path": "/opt/python/numpy", "bytes": 20 * MIB}])
        package(
            checkout, code_bytes=30 * MIB, layers_bytes=40 * MIB, layers=[f"{LAYER}numpy:1", f"{LAYER}tools:1"],
            folders=[{"path": "/var/task/src", "bytes": 30 * MIB}],
        )  # fmt: skip
        page = text(alice_in, checkout)
        assert "numpy: 40 MB" in page
        assert "src: 30 MB" in page
        assert "Smaller ones" not in page

    def test_tells_what_grew(self, alice_in: Client, checkout: Resource) -> None:
        old: dict[str, Any] = {"folders": [{"path": "pandas", "bytes": 40 * MIB}], "version": "41"}
        new: dict[str, Any] = {"folders": [{"path": "pandas", "bytes": 60 * MIB}], "version": "42"}
        old["dependencies"] = [{"name": "pandas", "version": "2.1", "bytes": 40 * MIB}, {"name": "six", "bytes": 10}]
        new["dependencies"] = [{"name": "pandas", "version": "2.2", "bytes": 60 * MIB}, {"name": "rich", "bytes": 9}]
        package(checkout, age=timedelta(days=2), code_bytes=180 * MIB, **old)
        package(checkout, code_bytes=200 * MIB, **new)
        page = text(alice_in, checkout)
        assert "It grew by <b" in page
        assert "+20 MB" in page
        assert "2.1 → 2.2" in page
        assert "compared with v41" in page
        assert ">new</span>" in page
        assert ">gone</span>" in page

    def test_foresees_the_limit(self, alice_in: Client, checkout: Resource) -> None:
        grown(checkout, [200, 210, 220, 230])
        assert "At this rate the limit is reached in about 2 deployments." in text(alice_in, checkout)

    @pytest.mark.parametrize(
        "fields",
        [
            {"code_bytes": None, "layers_bytes": None, "problem": "not_a_zip"},
            {"code_bytes": 5 * MIB, "layers_bytes": None, "complete": False},
            {"code_bytes": None, "layers_bytes": None, "image_bytes": None, "source": "image"},
        ],
        ids=["broken", "least", "image"],
    )
    def test_stands_what_is_not_known(self, alice_in: Client, checkout: Resource, fields: dict[str, Any]) -> None:
        package(checkout, age=timedelta(days=1), **fields)
        package(checkout, **fields)
        page = text(alice_in, checkout)
        if fields.get("problem"):
            assert "The package is not a zip archive." in page
        if fields["code_bytes"]:
            assert "at least 5 MB of 250 MB" in page

    def test_shows_an_image_by_its_registry(self, alice_in: Client, checkout: Resource) -> None:
        carry(checkout, package_type="Image")
        package(checkout, source="image", image_bytes=2 * GIB, code_bytes=None, layers_bytes=None)
        page = text(alice_in, checkout)
        assert "20.0%" in page
        assert "compressed, from the registry" in page

    def test_tells_the_storage_of_the_region(self, alice_in: Client, checkout: Resource) -> None:
        allowed = {"code_storage_bytes": 60 * GIB, "code_storage_limit_bytes": 75 * GIB}
        now = timezone.now()
        Resource.objects.create(
            organization=checkout.organization, type="aws_account", arn="arn:aws:iam::123456789012:root", name="",
            region="", account="123456789012", config={"eu-west-1": allowed}, first_seen_at=now, last_seen_at=now,
        )  # fmt: skip
        assert "60 GB of 75 GB" in text(alice_in, checkout)

    def test_opens_folders(self, alice_in: Client, checkout: Resource) -> None:
        package(checkout, folders=[{"path": "a/b/c", "bytes": 10 * MIB}, {"path": "a/d", "bytes": 20 * MIB}])
        page = text(alice_in, checkout, "&folder=a")
        assert "d: 20 MB" in page
        assert "folder=a%2Fb" in page
        assert 'title="a: ' not in page
        text(alice_in, checkout, "&folder=no/such")

    def test_asks_no_more_for_a_longer_history(self, alice_in: Client, checkout: Resource) -> None:
        def asked() -> int:
            text(alice_in, checkout)
            with CaptureQueriesContext(connection) as queries:
                text(alice_in, checkout)
            return len(queries)

        grown(checkout, [1, 2])
        few = asked()
        Package.objects.all().delete()
        grown(checkout, range(1, 40))
        assert asked() == few <= 15


class TestFolders:
    @staticmethod
    def labels(folders: dict[str, int], at: str = "", whole: int | None = None) -> dict[str, int]:
        parts = [{"path": path, "bytes": number} for path, number in folders.items()]
        found = opened(parts, at, whole=whole, address=lambda path: f"?{path}")
        return {tile.label: int(tile.value) for tile in found.tiles} if found else {}

    def test_are_all_there_at_first(self) -> None:
        folders = {"/var/task/node_modules/a": 3, "/var/task/src": 2, "/var/task": 1, "/opt/python/numpy": 9}
        assert self.labels(folders) == {"numpy": 9, "a": 3, "src": 2, "Code": 1}

    def test_add_up_what_lies_below(self) -> None:
        folders = {"/var/task/lib/x": 5, "/var/task/lib/y": 2, "/var/task": 1, "/opt/python/numpy": 9}
        assert self.labels(folders, "/var/task") == {"lib": 7, "Files here": 1}
        assert self.labels(folders, "/var/task/lib") == {"x": 5, "y": 2}
        assert self.labels(folders, "/opt") == {"python": 9}

    def test_tell_what_is_missing(self) -> None:
        assert self.labels({"a": 3}, whole=10) == {"a": 3, "Smaller ones": 7}
        assert self.labels({"a/b": 3}, "a", whole=10) == {"b": 3}

    def test_leave_out_what_nobody_could_read(self) -> None:
        many = {f"f{number}": 1 for number in range(99)}
        assert self.labels({"a": 901, **many}) == {"a": 901, "Smaller ones": 99}
        assert self.labels({"a": 999, "b": 1}) == {"a": 999}

    def test_never_mistake_a_name_for_its_beginning(self) -> None:
        assert self.labels({"lib": 1, "library/x": 2}, "lib") == {"Files here": 1}

    def test_need_something_to_show(self) -> None:
        assert self.labels({}) == {}
        assert self.labels({"a": 1}, "no/such") == {"a": 1}

    def test_lead_back_up(self) -> None:
        found = opened(
            [{"path": "/opt/python/numpy/core", "bytes": 1}], "/opt/python/numpy", whole=1, address=lambda path: path
        )
        assert found is not None
        assert found.trail == [
            ("Package", ""), ("Layers", "/opt"), ("python", "/opt/python"), ("numpy", "/opt/python/numpy"),
        ]  # fmt: skip


def sized(*sizes: int) -> list[Package]:
    now = timezone.now()
    return [
        Package(code_bytes=size * MIB, layers_bytes=0, deployed_at=now + timedelta(days=number))
        for number, size in enumerate(sizes)
    ]


class TestColdStarts:
    def test_belong_to_the_package_that_ran(self) -> None:
        history = sized(100, 110)
        day = history[0].deployed_at
        buckets = [
            Bucket(day + timedelta(hours=hours), Rollup(cold_starts=10, init_ms=1000.0 * hours))
            for hours in (1, 23.5, 25)
        ]
        assert by_package(history, buckets) == [Starts(10, 100), Starts(10, 2500)]

    def test_follow_the_size(self) -> None:
        starts = [Starts(10, 300), Starts(10, 350), Starts(10, 400)]
        assert sentence(sized(100, 110, 120), starts) == (
            "Cold starts grow with the package: by about 5 ms for each MB, over the last 3 packages."
        )

    def test_do_not_follow_it(self) -> None:
        starts: list[Starts | None] = [Starts(10, 300), None, Starts(10, 200), Starts(10, 310)]
        assert "did not follow" in sentence(sized(100, 105, 110, 120), starts)
        assert "did not follow" in sentence(sized(100, 100, 100, 100), starts)

    def test_before_and_after(self) -> None:
        starts = [Starts(12, 300), Starts(7, 340)]
        assert sentence(sized(100, 112), starts) == (
            "The last package is 12 MB larger, and its cold starts take 340 ms instead of 300 ms (7 and 12 measured)."
        )
        assert "2 MB smaller" in sentence(sized(112, 110), starts)
        assert "as large as before" in sentence(sized(112, 112), starts)

    def test_few_say_little(self) -> None:
        assert sentence(sized(100, 112), [Starts(12, 300), Starts(2, 340)]) == (
            "A cold start takes 340 ms, over 2 of them."
        )
        assert sentence(sized(100), [None]) == sentence([], []) == ""

    def test_come_from_what_is_stored(self, checkout: Resource) -> None:
        now = timezone.now().replace(minute=30)
        maintain(now=now)
        at = now - timedelta(hours=1)
        get_store().append([invocation(checkout, at, number) for number in range(8)], now=now)
        history = [package(checkout, age=timedelta(hours=5))]
        assert measured(get_store(), checkout, history, now=now) == [Starts(4, 300.0)]
