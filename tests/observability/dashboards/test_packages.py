"""The page of packages: functions, layers, and code storage."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from observability.aws.models import AwsAccount
from observability.dashboards.code_storage import stores
from observability.inventory.models import Resource
from observability.tenants.models import Organization
from tests.packages import LAYER, MIB, carry, grown, layer, package

GIB = 1 << 30


def text(client: Client, query: str = "") -> str:
    answer = client.get(f"/o/acme/packages/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def function(acme: Organization, name: str, **config: Any) -> Resource:
    now = timezone.now()
    return Resource.objects.create(
        organization=acme, arn=f"arn:aws:lambda:eu-west-1:123456789012:function:{name}", name=name,
        region="eu-west-1", account="123456789012", config=config, first_seen_at=now, last_seen_at=now,
    )  # fmt: skip


def names(page: str) -> list[str]:
    """The functions of the table, in its order."""
    return [part.partition('"')[0] for part in page.split('truncate max-sm:max-w-[38vw]" title="')[1:]]


@pytest.fixture
def account(acme: Organization) -> AwsAccount:
    now = timezone.now()
    return AwsAccount.objects.create(
        organization=acme, name="prod", account_id="123456789012", role_arn="arn:aws:iam::123456789012:role/nightjar",
        external_id="secret", status=AwsAccount.Status.CONNECTED, created_at=now, connected_at=now, tiers=["base"],
    )  # fmt: skip


class TestFunctions:
    @pytest.mark.usefixtures("acme")
    def test_say_how_to_begin(self, alice_in: Client) -> None:
        page = text(alice_in)
        assert "No packages yet" in page
        assert "/o/acme/aws/connect/" in page
        assert "/o/acme/extension/" in page

    def test_tell_how_full_they_are(self, alice_in: Client, checkout: Resource) -> None:
        carry(checkout, "numpy:3", code_bytes=60 * MIB)
        package(checkout, code_bytes=160 * MIB, layers_bytes=40 * MIB)
        page = text(alice_in)
        assert "80.0%" in page
        assert "200 MB" in page
        assert "60 MB" in page
        assert "Zip&#x27;s directory" in page
        assert f"/o/acme/functions/{checkout.pk}/?tab=package" in page
        assert "only the zipped size is known" not in page

    def test_tell_least_sizes_as_such(self, alice_in: Client, checkout: Resource) -> None:
        package(checkout, code_bytes=99 * MIB, complete=False)
        assert "at least</span> 99 MB" in text(alice_in)

    def test_never_unzip_an_image(self, alice_in: Client, checkout: Resource) -> None:
        carry(checkout, package_type="Image")
        package(checkout, source="image", image_bytes=5 * GIB, code_bytes=None, layers_bytes=None)
        page = text(alice_in)
        assert "50.0%" in page
        assert "5 GB" in page
        assert ">Registry</td>" in page

    @pytest.mark.parametrize(
        ("tiers", "told"),
        [([], "with the permission for package sizes"), (["base"], "Choose it for an account"),
         (["base", "sizes"], "Nightjar may read it")],
    )  # fmt: skip
    def test_say_what_would_tell_more(
        self, alice_in: Client, checkout: Resource, account: AwsAccount, tiers: list[str], told: str
    ) -> None:
        carry(checkout, code_bytes=3 * MIB)
        AwsAccount.objects.update(tiers=tiers, connected_at=timezone.now() if tiers else None)
        page = text(alice_in)
        assert "Of 1 function only the zipped size is known" in page
        assert told in page
        assert "not known" in page
        assert "3 MB" in page

    def test_say_what_could_not_be_read(self, alice_in: Client, checkout: Resource) -> None:
        package(checkout, code_bytes=None, layers_bytes=None, problem="not_a_zip")
        page = text(alice_in)
        assert "could not be read" in page
        assert "The package is not a zip archive. (1)" in page

    @pytest.mark.parametrize(
        ("sizes", "told"),
        [
            ([200, 210, 220, 230], "in about 2 deployments"),
            ([220, 230, 240, 248], "next deployment"),
            ([230, 240, 251], "reached"),
            ([100, 100, 100], "not at its rate"),
            ([10, 11, 12], "in about 238 deployments"),
        ],
    )
    def test_foresee_the_limit(self, alice_in: Client, checkout: Resource, sizes: list[int], told: str) -> None:
        grown(checkout, sizes)
        assert told in text(alice_in)

    def test_tell_what_the_last_deployment_added(self, alice_in: Client, checkout: Resource) -> None:
        grown(checkout, [100, 112])
        assert "+12 MB" in text(alice_in)

    @pytest.mark.parametrize(
        ("query", "order"),
        [
            ("", ["big", "grows", "small", "zip"]),
            ("?sort=name", ["big", "grows", "small", "zip"]),
            ("?sort=soonest", ["grows", "big", "small", "zip"]),
            ("?sort=growth", ["grows", "big", "small", "zip"]),
            ("?sort=zipped", ["zip", "big", "grows", "small"]),
            ("?sort=nonsense", ["big", "grows", "small", "zip"]),
            ("?q=s*ll", ["small"]),
            ("?source=zipped", ["zip"]),
            ("?source=archive&region=eu-west-1", ["big", "grows", "small"]),
            ("?region=nowhere", []),
            (f"?layer={LAYER}numpy:3", ["small"]),
        ],
    )
    def test_can_be_found_and_ordered(self, alice_in: Client, acme: Organization, query: str, order: list[str]) -> None:
        package(function(acme, "big"), code_bytes=240 * MIB)
        grown(function(acme, "grows"), [100, 110, 120])
        package(carry(function(acme, "small"), "numpy:3"), code_bytes=MIB)
        function(acme, "zip", code_bytes=70 * MIB)
        page = text(alice_in, query)
        assert names(page) == order
        assert order or "No function matches" in page

    def test_of_others_and_gone_ones_are_not_there(
        self, alice_in: Client, acme: Organization, rival: Organization
    ) -> None:
        package(function(rival, "theirs"))
        gone = function(acme, "gone")
        package(gone)
        Resource.objects.filter(pk=gone.pk).update(gone_at=timezone.now())
        assert names(text(alice_in)) == []

    def test_ask_no_more_when_there_are_more(self, alice_in: Client, acme: Organization, checkout: Resource) -> None:
        def asked() -> int:
            text(alice_in)
            with CaptureQueriesContext(connection) as queries:
                text(alice_in)
            return len(queries)

        grown(checkout, [1, 2, 3])
        few = asked()
        for number in range(60):
            grown(function(acme, f"more-{number}"), [10, 20, 30 + number])
        assert asked() == few <= 12


class TestLayers:
    @pytest.mark.usefixtures("acme")
    def test_say_how_to_begin(self, alice_in: Client) -> None:
        assert "No layers yet" in text(alice_in, "?view=layers")

    def test_are_missing_where_no_function_carries_one(self, alice_in: Client, checkout: Resource) -> None:
        assert "No function carries a layer" in text(alice_in, "?view=layers")

    def test_tell_who_carries_what(self, alice_in: Client, acme: Organization, checkout: Resource) -> None:
        carry(checkout, "numpy:3")
        carry(function(acme, "orders"), "numpy:3", "tools:1")
        layer(checkout, "numpy", 3, dependencies=[{"name": "numpy", "bytes": 30}])
        page = text(alice_in, "?view=layers")
        assert "2 functions" in page
        assert "checkout, orders" in page
        assert "40 MB" in page
        assert "16.0%" in page
        assert "not known" in page  # What tools hold.

    def test_tell_which_are_behind(self, alice_in: Client, acme: Organization, checkout: Resource) -> None:
        carry(checkout, "numpy:3")
        carry(function(acme, "orders"), "numpy:5")
        page = text(alice_in, "?view=layers")
        assert page.count("behind: v5 is known here") == 1

    def test_tell_which_belong_to_others(self, alice_in: Client, checkout: Resource) -> None:
        vendor = "arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Extension:65"
        checkout.config["layers"] = [{"arn": vendor, "code_bytes": 1}, "arn:strange"]
        checkout.save()
        page = text(alice_in, "?view=layers")
        assert "another account&#x27;s" in page or "another account's" in page
        assert "Datadog-Extension" in page


class TestStorage:
    @pytest.fixture
    def region(self, acme: Organization) -> Resource:
        now = timezone.now()
        allowed = {"code_storage_bytes": 70 * GIB, "code_storage_limit_bytes": 75 * GIB}
        return Resource.objects.create(
            organization=acme, type="aws_account", arn="arn:aws:iam::123456789012:root", name="", region="",
            account="123456789012", config={"eu-west-1": allowed, "tags": {}}, first_seen_at=now, last_seen_at=now,
        )  # fmt: skip

    @pytest.mark.usefixtures("acme")
    def test_says_how_to_begin(self, alice_in: Client) -> None:
        assert "No code storage known yet" in text(alice_in, "?view=storage")

    def test_tells_when_it_is_full(self, acme: Organization, region: Resource, checkout: Resource) -> None:
        now = timezone.now()
        published = [
            {
                "version": str(number),
                "code_bytes": GIB,
                "last_modified": (now - timedelta(days=10 - number)).isoformat(),
            }
            for number in range(5, 0, -1)
        ]
        checkout.config["versions"] = published
        checkout.save()
        (store,) = stores(acme, now=now)
        assert store.published == 5 * GIB
        assert store.full_at == now + timedelta(days=30)
        assert (store.prunable_versions, store.prunable_bytes) == (2, 2 * GIB)

    def test_hands_over_the_command_that_makes_room(
        self, alice_in: Client, region: Resource, checkout: Resource, account: AwsAccount
    ) -> None:
        old = (timezone.now() - timedelta(days=90)).isoformat()
        checkout.config["versions"] = [
            {"version": str(number), "code_bytes": MIB, "last_modified": old} for number in range(9, 0, -1)
        ]
        checkout.save()
        page = text(alice_in, "?view=storage")
        assert "prod, eu-west-1" in page
        assert "93.3%" in page
        assert "at this pace it lasts for years" in page
        assert "1 to 6" in page
        assert "--function-name checkout --qualifier $v" in page

    def test_says_when_it_is_full_already(self, alice_in: Client, region: Resource) -> None:
        Resource.objects.filter(pk=region.pk).update(config={"eu-west-1": {"code_storage_bytes": 80 * GIB}})
        assert ">full</span>" in text(alice_in, "?view=storage")

    def test_takes_any_view(self, alice_in: Client, region: Resource) -> None:
        text(alice_in, "?view=nonsense")
