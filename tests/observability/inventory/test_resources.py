"""From ARNs to resources, and from what functions tell about themselves to deployments."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from observability.inventory.models import Deployment, Resource
from observability.inventory.resources import Function, InvalidArnError, Resources, UnknownOrganizationError
from observability.tenants.models import Organization
from tests.conftest import ARN

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def checkout(version: str = "$LATEST", **config: object) -> Function:
    return Function(ARN + "checkout", version, config)


class TestResolve:
    @pytest.mark.parametrize(
        ("arn", "region"),
        [
            ("arn:aws:lambda:eu-west-1:123456789012:function:pay-out_2", "eu-west-1"),
            ("arn:aws-cn:lambda:cn-north-1:123456789012:function:pay-out_2", "cn-north-1"),
            ("arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:pay-out_2", "us-gov-west-1"),
        ],
    )
    def test_an_unknown_arn_becomes_a_resource(self, acme: Organization, arn: str, region: str) -> None:
        [resource_id] = Resources().resolve(acme.pk, [Function(arn)], now=NOW)
        resource = Resource.objects.get(organization=acme)
        assert (resource.pk, resource.arn, resource.type) == (resource_id, arn, "lambda_function")
        assert (resource.name, resource.region, resource.account) == ("pay-out_2", region, "123456789012")
        assert resource.first_seen_at == resource.last_seen_at == NOW

    def test_a_qualifier_names_no_other_resource(self, acme: Organization) -> None:
        arn = ARN + "checkout"
        ids = Resources().resolve(acme.pk, [Function(arn), Function(f"{arn}:prod"), Function(f"{arn}:7")], now=NOW)
        assert len(set(ids)) == 1
        assert Resource.objects.get().arn == arn

    def test_every_organization_has_its_own(self, acme: Organization, rival: Organization) -> None:
        resources = Resources()
        ids = {resources.resolve(owner.pk, [checkout()], now=NOW)[0] for owner in (acme, rival)}
        assert len(ids) == 2

    def test_what_is_known_costs_no_query(
        self, acme: Organization, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        resources = Resources()
        functions = [checkout(memory_mb=512), Function(ARN + "billing")]
        ids = resources.resolve(acme.pk, functions, now=NOW)
        with django_assert_num_queries(0):
            assert resources.resolve(acme.pk, functions * 50, now=NOW + 59 * SECOND) == ids * 50

    def test_last_seen_is_noted_once_a_minute(self, acme: Organization) -> None:
        resources = Resources()
        for seconds in (0, 30, 61, 90):
            resources.resolve(acme.pk, [checkout()], now=NOW + seconds * SECOND)
        assert Resource.objects.get().last_seen_at == NOW + 61 * SECOND

    def test_what_sends_telemetry_itself_is_known_by_that(self, acme: Organization) -> None:
        """A function that was only listed before, and in another process as well, is noticed at once."""
        resources = Resources()
        resources.resolve(acme.pk, [checkout()], now=NOW)
        for again, now in ((resources, NOW + 70 * SECOND), (Resources(), NOW + 140 * SECOND)):
            Resource.objects.update(pushed_at=None, last_seen_at=now)
            again.resolve(acme.pk, [checkout()], now=now)
            assert Resource.objects.get().pushed_at == now

    def test_what_is_told_is_added(self, acme: Organization) -> None:
        resources = Resources()
        resources.resolve(acme.pk, [checkout("3", runtime="python3.13", memory_mb=512)], now=NOW)
        resources.resolve(acme.pk, [checkout("", log_group="/aws/lambda/checkout")], now=NOW)
        assert Resource.objects.get().config == {
            "version": "3", "runtime": "python3.13", "memory_mb": 512, "log_group": "/aws/lambda/checkout",
        }  # fmt: skip
        assert not Deployment.objects.exists()

    def test_an_organization_must_exist(self, db: None) -> None:
        with pytest.raises(UnknownOrganizationError):
            Resources().resolve(999_999, [checkout()], now=NOW)

    def test_a_deleted_resource_is_noticed_within_a_minute(self, acme: Organization) -> None:
        resources = Resources()
        resources.resolve(acme.pk, [checkout()], now=NOW)
        Organization.objects.all().delete()
        resources.resolve(acme.pk, [checkout()], now=NOW + 61 * SECOND)
        with pytest.raises(UnknownOrganizationError):
            resources.resolve(acme.pk, [checkout()], now=NOW + 62 * SECOND)

    @pytest.mark.parametrize("arn", ["", "arn:aws:s3:::bucket", "arn:aws:lambda:eu-west-1:1:function:x"])
    def test_anything_else_is_no_function(self, acme: Organization, arn: str) -> None:
        with pytest.raises(InvalidArnError):
            Resources().resolve(acme.pk, [Function(arn)], now=NOW)


class TestDeployments:
    def test_a_new_version_is_one(self, acme: Organization) -> None:
        resources = Resources()
        resources.resolve(acme.pk, [checkout("7", memory_mb=512)], now=NOW)
        resources.resolve(acme.pk, [checkout("8", memory_mb=1024)], now=NOW + SECOND)
        deployment = Deployment.objects.get()
        assert (deployment.version, deployment.deployed_at) == ("8", NOW + SECOND)
        assert deployment.changes == {"version": ["7", "8"], "memory_mb": [512, 1024]}

    def test_is_dated_by_the_telemetry_that_tells_of_it(self, acme: Organization) -> None:
        resources = Resources()
        resources.resolve(acme.pk, [checkout("7")], now=NOW, at=NOW - 3 * SECOND)
        resources.resolve(acme.pk, [checkout("8")], now=NOW, at=NOW - 2 * SECOND)
        resources.resolve(acme.pk, [checkout("9")], now=NOW, at=NOW + SECOND)
        assert [d.deployed_at for d in acme.deployments.order_by("version")] == [NOW - 2 * SECOND, NOW]

    def test_a_changed_setting_is_one(self, acme: Organization) -> None:
        resources = Resources()
        resources.resolve(acme.pk, [checkout(timeout_s=3.0)], now=NOW)
        resources.resolve(acme.pk, [checkout(timeout_s=10.0)], now=NOW)
        deployment = Deployment.objects.get()
        assert deployment.changes == {"timeout_s": [3.0, 10.0]}
        assert deployment.version.startswith("$LATEST 2026-11-20 ")

    def test_old_and_new_side_by_side_are_one_change(self, acme: Organization) -> None:
        """While environments are replaced, reports of both alternate; in a second process as well."""
        for resources in (Resources(), Resources()):
            for _ in range(3):
                resources.resolve(acme.pk, [checkout("7", memory_mb=512)], now=NOW)
                resources.resolve(acme.pk, [checkout("8", memory_mb=1024)], now=NOW)
        assert [d.version for d in Deployment.objects.all()] == ["8"]
        assert Resource.objects.get().config["memory_mb"] == 1024
