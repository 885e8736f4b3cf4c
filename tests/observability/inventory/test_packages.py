"""The history of packages, from whoever measured them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from observability.inventory import limits, listing, measurements, packages
from observability.inventory.contents import Measured, MeasuredLayer, digest
from observability.inventory.models import Layer, Package, Resource
from observability.tenants.models import Organization

MIB = 1 << 20
NOW = timezone.now().replace(microsecond=0)
HOUR = timedelta(hours=1)
ARN = "arn:aws:lambda:eu-west-1:441022190087:function:orders"
LAYER = "arn:aws:lambda:eu-west-1:441022190087:layer:pandas:1"


@pytest.fixture
def orders(acme: Organization) -> Resource:
    return Resource.objects.create(
        organization=acme, arn=ARN, name="orders", region="eu-west-1", account="441022190087", config={},
        first_seen_at=NOW, last_seen_at=NOW,
    )  # fmt: skip


def keep(resource: Resource, name: str = "a", *, at: datetime = NOW, **fields: Any) -> Package:
    values = {"source": "archive", "code_bytes": 100, "layers_bytes": 20, **fields}
    measured = Measured(digest=name, deployed_at=at, **values)
    return packages.record(
        organization_id=resource.organization_id, resource_id=resource.pk, measured=measured, now=at
    )  # fmt: skip


def history(resource: Resource) -> list[Package]:
    return packages.history(organization_id=resource.organization_id, resource_id=resource.pk)


class TestRecord:
    def test_a_package_is_kept_once(self, orders: Resource) -> None:
        parts = [{"path": "/var/task/small", "bytes": 1}, {"path": "/var/task/large", "bytes": 9}]
        for _ in range(3):
            keep(orders, folders=parts, waste={"tests": 4})
        (package,) = history(orders)
        assert (package.code_bytes, package.layers_bytes, packages.total(package)) == (100, 20, 120)
        assert [part["bytes"] for part in package.folders] == [9, 1]
        assert package.waste == {"tests": 4}

    def test_what_tells_more_stands(self, orders: Resource) -> None:
        keep(orders, source="extension", code_bytes=90, complete=False)
        keep(orders, code_bytes=None, complete=False, problem="not_a_zip")
        assert [(each.code_bytes, each.problem) for each in history(orders)] == [(90, "")]
        keep(orders, source="extension", code_bytes=99)
        keep(orders, source="archive", code_bytes=98, complete=False, problem="too_many_files")
        assert [(each.code_bytes, each.source) for each in history(orders)] == [(99, "extension")]
        keep(orders, source="archive", code_bytes=100)
        keep(orders, source="extension", code_bytes=101)
        assert [(each.code_bytes, each.source) for each in history(orders)] == [(100, "archive")]

    def test_the_history_is_in_the_order_of_deployments(self, orders: Resource) -> None:
        keep(orders, "b", at=NOW - HOUR)
        keep(orders, "a", at=NOW - 2 * HOUR)
        keep(orders, "b", at=NOW)
        assert [(each.digest, each.deployed_at) for each in history(orders)] == [
            ("a", NOW - 2 * HOUR), ("b", NOW - HOUR),
        ]  # fmt: skip

    def test_what_is_deployed_again_is_the_latest(self, orders: Resource) -> None:
        for number, name in enumerate("aba"):
            keep(orders, name, at=NOW - (3 - number) * HOUR)
        assert [each.digest for each in history(orders)] == ["b", "a"]
        assert packages.latest(organization_id=orders.organization_id)[orders.pk].digest == "a"

    def test_the_newest_are_kept(self, orders: Resource, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(packages, "KEPT", 3)
        for number in range(5):
            keep(orders, str(number), at=NOW + number * HOUR)
        assert [each.digest for each in history(orders)] == ["2", "3", "4"]

    def test_layers_are_kept_once_and_read_again_after_a_problem(self, orders: Resource) -> None:
        def layer(size: int | None, problem: str = "") -> None:
            measured = MeasuredLayer(LAYER, unzipped_bytes=size, problem=problem)
            packages.record_layer(organization_id=orders.organization_id, measured=measured, now=NOW)

        layer(None, "not_allowed")
        layer(500)
        layer(600)
        assert [(each.unzipped_bytes, each.problem) for each in Layer.objects.all()] == [(500, "")]
        assert packages.layers(organization_id=orders.organization_id, arns=[LAYER, "other"]).keys() == {LAYER}


class TestInside:
    CONFIG = {
        "code_sha256": "sha-b", "last_modified": (NOW - HOUR).isoformat(), "layers": [{"arn": LAYER, "code_bytes": 9}],
        "versions": [{"version": "7", "code_sha256": "sha-7", "last_modified": (NOW - 5 * HOUR).isoformat()}],
    }  # fmt: skip

    def measure(self, resource: Resource, at: datetime, *, version: str = "$LATEST", size: int = 70) -> None:
        unzipped = {
            "code_bytes": size, "layers_bytes": 30, "files": 3, "complete": True, "version": version,
            "measured_at": at.isoformat(), "folders": [{"path": "/var/task/app", "bytes": size}],
        }  # fmt: skip
        measurements.note(resource.pk, unzipped=unzipped, extensions={})

    def list(self, resource: Resource, now: datetime = NOW) -> None:
        """AWS lists the function, as it has been since an hour ago."""
        resource.refresh_from_db()
        resource.config, resource.listed_at = {**resource.config, **self.CONFIG}, now
        resource.save()
        measurements.settle(
            organization_id=resource.organization_id, account=resource.account, region=resource.region, now=now
        )  # fmt: skip

    def test_what_only_telemetry_knows_is_kept_at_once(self, orders: Resource) -> None:
        self.measure(orders, NOW - 2 * HOUR)
        self.measure(orders, NOW - HOUR, size=80)
        self.measure(orders, NOW, size=80)
        assert [(each.code_bytes, each.source, each.deployed_at) for each in history(orders)] == [
            (70, "extension", NOW - 2 * HOUR), (80, "extension", NOW - HOUR),
        ]  # fmt: skip

    def test_what_is_listed_afterwards_is_the_same_package(self, orders: Resource) -> None:
        self.measure(orders, NOW - HOUR / 2)
        for _ in range(2):
            self.list(orders)
        (package,) = history(orders)
        assert (package.digest, package.deployed_at) == (digest("sha-b", [LAYER]), NOW - HOUR)
        assert (package.code_bytes, package.layers_bytes, package.layers) == (70, 30, [LAYER])
        assert package.folders == [{"path": "/var/task/app", "bytes": 70}]

    @pytest.mark.parametrize("at", [NOW - 2 * HOUR, NOW + HOUR])
    def test_before_the_deployment_or_after_the_listing_it_may_be_of_another(
        self, orders: Resource, at: datetime
    ) -> None:
        self.list(orders, NOW - HOUR / 4)
        self.measure(orders, at)
        self.list(orders)
        assert history(orders) == []

    def test_a_published_version_has_its_own_code(self, orders: Resource) -> None:
        self.list(orders, NOW - HOUR)
        self.measure(orders, NOW - HOUR, version="7")
        self.list(orders)
        assert [(each.digest, each.version) for each in history(orders)] == [(digest("sha-7", [LAYER]), "7")]

    def test_the_archive_is_preferred(self, orders: Resource) -> None:
        self.list(orders, NOW - HOUR)
        self.measure(orders, NOW - HOUR / 2)
        keep(orders, digest("sha-b", [LAYER]), at=NOW - HOUR, code_bytes=71)
        with CaptureQueriesContext(connection) as queries:
            self.list(orders)
        assert not any('"dependencies"' in query["sql"] for query in queries)  # Of ten thousand that is 100 MB.
        assert [(each.code_bytes, each.source) for each in history(orders)] == [(71, "archive")]

    def test_a_listing_of_the_function_settles_it(self, orders: Resource) -> None:
        """As the pipeline does it, with what ``listing`` stores."""

        class Seen:
            type, arn, name, config, tags = "lambda_function", ARN, "orders", self.CONFIG, None

        self.measure(orders, NOW - HOUR / 2)
        place = {"organization_id": orders.organization_id, "account": orders.account, "region": orders.region}
        listing.apply(**place, found=[Seen()], complete={"lambda_function"}, now=NOW)  # type: ignore[arg-type]
        measurements.settle(**place, now=NOW)  # type: ignore[arg-type]
        assert [each.digest for each in history(orders)] == [digest("sha-b", [LAYER])]


def package(code: int | None, layers: int | None = 0, **fields: Any) -> Package:
    values = {"source": "archive", "complete": True, **fields}
    return Package(code_bytes=code, layers_bytes=layers, **values)


class TestDiff:
    def test_tells_what_grew_the_most_first(self) -> None:
        before = package(
            100, 50, folders=[{"path": "/var/task/app", "bytes": 60}, {"path": "/var/task/old", "bytes": 40}],
            dependencies=[
                {"name": "pandas", "version": "2.2", "bytes": 30}, {"name": "six", "version": "1", "bytes": 1},
            ],
        )  # fmt: skip
        after = package(
            190, 50, folders=[{"path": "/var/task/app", "bytes": 65}, {"path": "/var/task/new", "bytes": 125}],
            dependencies=[
                {"name": "pandas", "version": "2.3", "bytes": 30}, {"name": "torch", "version": "2", "bytes": 120},
            ],
        )  # fmt: skip
        diff = packages.diff(before, after)
        assert diff.delta == 90
        assert [(each.name, each.before, each.after, each.delta) for each in diff.folders] == [
            ("/var/task/new", None, 125, 125), ("/var/task/old", 40, None, -40), ("/var/task/app", 60, 65, 5),
        ]  # fmt: skip
        assert [(each.name, each.delta, each.was, each.now) for each in diff.dependencies] == [
            ("torch", 120, "", "2"), ("six", -1, "1", ""), ("pandas", 0, "2.2", "2.3"),
        ]  # fmt: skip

    def test_what_is_not_known_has_no_difference(self) -> None:
        assert packages.diff(package(None), package(10)).delta is None

    def test_compares_only_what_both_tell_where_they_were_measured_differently(self) -> None:
        before = package(
            100, folders=[{"path": "/var/task/app", "bytes": 60}, {"path": "/var/task/lib", "bytes": 40}],
            dependencies=[{"name": "six", "version": "1", "bytes": 1}], source="archive",
        )  # fmt: skip
        after = package(
            100, folders=[{"path": "/var/task/app", "bytes": 65}, {"path": "/opt/x", "bytes": 9}], source="extension"
        )
        diff = packages.diff(before, after)
        assert [(each.name, each.delta) for each in diff.folders] == [("/var/task/app", 5)]
        assert diff.dependencies == []

    def test_what_is_too_small_to_be_told_is_neither_new_nor_gone(self) -> None:
        """Of many folders the extension keeps 30, and we 100: the smallest come and go with the size of others."""
        parts: list[dict[str, Any]] = [{"path": f"/var/task/{number}", "bytes": number} for number in range(1, 11)]
        whole = sum(part["bytes"] for part in parts)
        told, told_again = package(whole, folders=parts[3:]), package(whole, folders=parts)
        assert packages.diff(told, told_again).folders == []
        assert packages.diff(told_again, told).folders == []
        new = package(whole + 20, folders=[*parts, {"path": "/var/task/new", "bytes": 20}])
        assert [each.name for each in packages.diff(told, new).folders] == ["/var/task/new"]
        assert [each.name for each in packages.diff(package(whole), new).folders] == []
        inside = package(whole, 5, folders=[*parts, {"path": "/opt/x", "bytes": 5}], source="extension")
        gone = package(whole, 0, folders=parts, source="extension")
        assert [(each.name, each.delta) for each in packages.diff(inside, gone).folders] == [("/opt/x", -5)]

    def test_dependencies_are_told_up_to_a_number(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(packages, "MOST_DEPENDENCIES", 2)
        parts = [{"name": name, "version": "1", "bytes": size} for name, size in (("a", 9), ("b", 5), ("c", 4))]
        diff = packages.diff(package(20, dependencies=parts[:2]), package(20, dependencies=parts[::2]))
        assert diff.dependencies == [packages.Change("b", 5, None, "1", "")]


class TestForecast:
    def told(self, *sizes: int, **fields: Any) -> tuple[int | None, str] | None:
        forecast = packages.forecast([package(size * MIB, **fields) for size in sizes])
        return (forecast.deployments, forecast.sentence) if forecast else None

    def test_says_when_the_limit_is_reached(self) -> None:
        sentence = "At this rate the limit is reached in about 4 deployments."
        assert self.told(180, 190, 200, 210) == (4, sentence)
        assert self.told(180, 190, 200, 211) == (4, sentence)

    def test_the_next_one_and_the_one_that_did(self) -> None:
        assert self.told(200, 220, 240) == (1, "At this rate the next deployment reaches the limit.")
        assert self.told(200, 230, 251) == (0, "The limit is reached.")

    def test_one_large_change_does_not_make_a_trend(self) -> None:
        assert self.told(100, 100, 100, 100, 100, 100, 100, 200, 200) == (
            None, "It did not keep growing over its last 9 deployments."
        )  # fmt: skip

    def test_is_honest_when_too_little_is_known(self) -> None:
        assert self.told() is None
        assert self.told(100, 200) is None
        assert self.told(100, 150, 200, complete=False) is None
        assert self.told(100, 150, 200, source="image") is None

    def test_only_the_last_deployments_count(self) -> None:
        assert self.told(*range(250, 100, -10), *([200] * packages.LOOK_BACK)) == (
            None, f"It did not keep growing over its last {packages.LOOK_BACK} deployments.",
        )  # fmt: skip


class TestFits:
    def test_code_with_its_layers(self) -> None:
        fit = packages.fits(zipped_bytes=60 * MIB, unzipped_bytes=200 * MIB, layer_bytes={"a": 50 * MIB})
        assert (fit.fits, fit.broken) == (True, [])
        assert [(each.limit.key, each.used, each.exact) for each in fit.gauges] == [
            ("unzipped", 250 * MIB, True), ("layers", 1, True), ("direct_upload", 60 * MIB, True),
        ]  # fmt: skip

    def test_a_byte_too_many(self) -> None:
        fit = packages.fits(zipped_bytes=None, unzipped_bytes=200 * MIB + 1, layer_bytes={"a": 50 * MIB})
        assert fit.fits is False
        assert [each.limit for each in fit.broken] == [limits.UNZIPPED]

    def test_a_layer_too_many(self) -> None:
        fit = packages.fits(zipped_bytes=None, unzipped_bytes=1, layer_bytes=dict.fromkeys("abcdef", 1))
        assert [each.limit for each in fit.broken] == [limits.LAYERS]

    def test_an_unknown_layer_leaves_it_open(self) -> None:
        fit = packages.fits(zipped_bytes=None, unzipped_bytes=MIB, layer_bytes={"a": MIB, "b": None})
        assert (fit.fits, list(fit.unknown), fit.gauges[0].exact) == (None, ["b"], False)


class TestGauges:
    def told(self, config: dict[str, Any], known: Package | None = None, **measured: Any) -> dict[str, tuple[Any, ...]]:
        found = limits.gauges(config, known, **measured)
        return {gauge.limit.key: (gauge.used, round(gauge.share, 3), gauge.exact) for gauge in found}

    def test_of_a_zip(self) -> None:
        config = {
            "package_type": "Zip", "code_bytes": 5 * MIB, "layers": [{}, {}], "memory_mb": 1024, "timeout_s": 900,
            "ephemeral_mb": 1024, "environment_bytes": 1024,
        }  # fmt: skip
        region = {"code_storage_bytes": 15 << 30, "code_storage_limit_bytes": 150 << 30}
        measured = {"tmp_used_bytes": 256 * MIB, "descriptors": 512, "threads": 10}
        assert self.told(config, package(200 * MIB, 25 * MIB), region=region, **measured) == {
            "unzipped": (225 * MIB, 0.9, True), "layers": (2, 0.4, True), "direct_upload": (5 * MIB, 0.1, True),
            "console_editor": (5 * MIB, 1.667, True), "environment": (1024, 0.25, True),
            "code_storage": (15 << 30, 0.1, True), "tmp": (256, 0.25, True), "tmp_size": (1024, 0.1, True),
            "memory": (1024, 0.1, True), "timeout": (900, 1.0, True), "descriptors": (512, 0.5, True),
            "threads": (10, 0.01, True),
        }  # fmt: skip

    def test_of_an_image(self) -> None:
        image = package(None, None, source="image", image_bytes=1 << 30)
        assert self.told({"package_type": "Image", "code_bytes": 0}, image) == {"image": (1 << 30, 0.1, False)}

    def test_of_what_nobody_knows(self) -> None:
        assert self.told({}) == {}
        assert self.told({}, package(100 * MIB, None))["unzipped"] == (100 * MIB, 0.4, False)

    def test_every_limit_has_a_source(self) -> None:
        assert len({limit.key for limit in limits.LIMITS}) == len(limits.LIMITS)
        assert all(limit.source.startswith("https://docs.aws.amazon.com/") and limit.value for limit in limits.LIMITS)
        assert limits.UNZIPPED.value == 262_144_000
