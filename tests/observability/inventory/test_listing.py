"""From AWS's listings to resources and deployments."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from observability.inventory.listing import Applied, apply
from observability.inventory.models import Deployment, Resource
from observability.inventory.resources import Function, Resources
from observability.tenants.models import Organization
from tests.conftest import ARN

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LATER = NOW + 5 * MINUTE


@dataclass(frozen=True)
class Seen:
    name: str
    config: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] | None = None
    type: str = "lambda_function"
    arn: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "arn", self.arn or ARN + self.name)


def listing(
    organization: Organization,
    *found: Seen,
    now: datetime = NOW,
    region: str = "eu-west-1",
    complete: bool = True,
    since: datetime | None = None,
) -> Applied:
    types = {"lambda_function"} if complete else set()
    return apply(
        organization_id=organization.pk,
        account="123456789012",
        region=region,
        found=found,
        complete=types,
        now=now,
        since=since,
    )


def checkout(at: datetime = NOW, /, **config: Any) -> Seen:
    return Seen("checkout", {"memory_mb": 128, "code_sha256": "a", "last_modified": at.isoformat(), **config})


def telemetry(organization: Organization, version: str = "", *, now: datetime = NOW, **config: Any) -> None:
    Resources().resolve(organization.pk, [Function(ARN + "checkout", version, config)], now=now)


class TestResources:
    def test_what_is_new_is_stored(self, acme: Organization) -> None:
        assert listing(acme, Seen("checkout", {"memory_mb": 128}, {"team": "pay"})) == Applied(new=1)
        row = Resource.objects.get()
        assert (row.arn, row.name, row.type) == (ARN + "checkout", "checkout", "lambda_function")
        assert (row.account, row.region) == ("123456789012", "eu-west-1")
        assert row.config == {"memory_mb": 128, "tags": {"team": "pay"}}
        assert row.listed_at == row.first_seen_at == NOW
        assert not Deployment.objects.exists()

    def test_what_has_no_region_belongs_to_all(self, acme: Organization) -> None:
        account = Seen("", {"eu-west-1": {"limit": 1000}}, type="aws_account", arn="arn:aws:iam::123456789012:root")
        listing(acme, account)
        Resource.objects.update(name="Production")
        listing(acme, Seen("", {"us-east-1": {}}, type="aws_account", arn=account.arn), region="us-east-1", now=LATER)
        row = Resource.objects.get()
        assert (row.name, row.region) == ("Production", "global")
        assert row.config == {"eu-west-1": {"limit": 1000}, "us-east-1": {}}

    def test_what_only_telemetry_told_stays(self, acme: Organization) -> None:
        telemetry(acme, "7", runtime="python3.13")
        assert listing(acme, checkout()) == Applied(changed=1)
        row = Resource.objects.get()
        assert (row.config["version"], row.config["runtime"], row.config["memory_mb"]) == ("7", "python3.13", 128)

    def test_tags_that_are_not_told_stay_and_none_are_none(self, acme: Organization) -> None:
        for tags, kept in (({"a": "b"}, {"a": "b"}), (None, {"a": "b"}), ({}, {})):
            listing(acme, Seen("checkout", tags=tags))
            assert Resource.objects.get().config["tags"] == kept

    def test_every_organization_has_its_own(self, acme: Organization, rival: Organization) -> None:
        listing(acme, checkout())
        listing(rival, checkout())
        listing(rival, now=LATER)
        assert Resource.objects.get(organization=acme).gone_at is None
        assert Resource.objects.get(organization=rival).gone_at == LATER

    def test_costs_the_same_for_hundreds(self, acme: Organization) -> None:
        def queries(count: int, size: int, now: datetime) -> int:
            found = [Seen(f"f{number}", {"memory_mb": size, "code_sha256": str(size)}) for number in range(count)]
            with CaptureQueriesContext(
                connection,
            ) as seen:
                listing(acme, *found, now=now)
            return len(seen)

        queries(2, 128, NOW)
        few = queries(2, 256, NOW + MINUTE)
        queries(300, 256, NOW + 2 * MINUTE)
        assert queries(300, 512, NOW + 3 * MINUTE) == few <= 12
        assert Deployment.objects.count() == 302


class TestGone:
    @pytest.fixture(autouse=True)
    def _two(self, acme: Organization) -> None:
        listing(acme, Seen("checkout"), Seen("billing"))

    def gone(self) -> dict[str, datetime | None]:
        return dict(Resource.objects.values_list("name", "gone_at"))

    def test_is_what_a_complete_listing_lacks_once(self, acme: Organization) -> None:
        assert listing(acme, Seen("checkout"), now=LATER).gone == 1
        assert listing(acme, Seen("checkout"), now=LATER + MINUTE).gone == 0
        assert self.gone() == {"checkout": None, "billing": LATER}

    def test_nothing_when_the_listing_is_not_complete(self, acme: Organization) -> None:
        assert listing(acme, Seen("checkout"), now=LATER, complete=False).gone == 0
        assert listing(acme, now=LATER, complete=False).gone == 0
        assert self.gone() == {"checkout": None, "billing": None}

    def test_is_what_all_parts_of_a_listing_lack(self, acme: Organization) -> None:
        listing(acme, Seen("checkout"), now=LATER, complete=False)
        listing(acme, Seen("mail"), now=LATER + MINUTE, since=LATER)
        assert self.gone() == {"checkout": None, "mail": None, "billing": LATER + MINUTE}

    def test_nothing_elsewhere(self, acme: Organization) -> None:
        assert listing(acme, now=LATER, region="us-east-1").gone == 0
        queue = Seen("orders", type="sqs_queue", arn="arn:aws:sqs:eu-west-1:123456789012:orders")
        listing(acme, queue, complete=False)
        listing(acme, now=LATER)
        assert self.gone() == {"checkout": LATER, "billing": LATER, "orders": None}

    def test_comes_back(self, acme: Organization) -> None:
        listing(acme, Seen("checkout"), now=LATER)
        assert listing(acme, Seen("checkout"), Seen("billing"), now=LATER + MINUTE) == Applied(changed=1)
        assert self.gone() == {"checkout": None, "billing": None}

    def test_an_older_listing_knows_no_better(self, acme: Organization) -> None:
        listing(acme, Seen("checkout", {"memory_mb": 256}), Seen("billing"), Seen("new"), now=LATER)
        assert listing(acme, Seen("checkout", {"memory_mb": 128}), now=NOW + MINUTE) == Applied()
        assert Resource.objects.get(name="checkout").config == {"memory_mb": 256}

    def test_what_telemetry_just_told_of_is_not_missed_yet(self, acme: Organization) -> None:
        Resources().resolve(acme.pk, [Function(ARN + "fresh")], now=NOW)
        for minutes, gone in ((5, None), (11, NOW + 11 * MINUTE)):
            listing(acme, Seen("checkout"), Seen("billing"), now=NOW + minutes * MINUTE)
            assert self.gone()["fresh"] == gone


class TestDeployments:
    def test_a_changed_function_is_one_with_its_difference(self, acme: Organization) -> None:
        listing(acme, checkout())
        at = NOW + 2 * MINUTE
        assert listing(acme, checkout(at, code_sha256="b", memory_mb=256, tags={}), now=LATER).deployments == 1
        deployment = Deployment.objects.get()
        assert deployment.changes == {"code_sha256": ["a", "b"], "memory_mb": [128, 256]}
        assert (deployment.deployed_at, deployment.listed_at) == (at, LATER)
        assert deployment.version.startswith("$LATEST 2026-11-25 ")

    def test_is_found_once_however_often_it_is_listed(self, acme: Organization) -> None:
        for minutes in range(4):
            listing(acme, checkout(code_sha256="ab"[minutes > 1]), now=NOW + minutes * MINUTE)
        assert Deployment.objects.count() == 1

    def test_there_and_back_are_two(self, acme: Organization) -> None:
        for minutes, memory_mb in enumerate([128, 256, 128, 256]):
            at = NOW + minutes * MINUTE
            listing(acme, checkout(at, memory_mb=memory_mb), now=at)
        assert Deployment.objects.count() == 3

    def test_what_changes_without_a_time_of_its_own_changed_now(self, acme: Organization) -> None:
        listing(acme, checkout(reserved_concurrency=None))
        listing(acme, checkout(reserved_concurrency=5), now=LATER)
        deployment = Deployment.objects.get()
        assert (deployment.changes, deployment.deployed_at) == ({"reserved_concurrency": [None, 5]}, LATER)

    def test_what_is_told_for_the_first_time_is_none(self, acme: Organization) -> None:
        listing(acme, checkout())
        listing(acme, checkout(aliases={"prod": {"version": "7", "weights": {}}}, state="Active"), now=LATER)
        assert not Deployment.objects.exists()

    @pytest.mark.parametrize(
        ("key", "before", "after", "told"),
        [
            ("layers", [{"arn": "l:1", "code_bytes": 5}], [{"arn": "l:2", "code_bytes": 6}], [["l:1"], ["l:2"]]),
            (
                "aliases",
                {"prod": {"version": "7", "weights": {}}, "dev": {"version": "1", "weights": {}}},
                {"prod": {"version": "7", "weights": {"8": 0.1}}, "dev": {"version": "1", "weights": {}}},
                [{"prod": "7"}, {"prod": "7 and 8 (10 %)"}],
            ),
            (
                "environment",
                {"OLD": "k:1", "URL": "k:2", "SAME": "k:3"},
                {"NEW": "k:4", "URL": "k:5", "SAME": "k:3"},
                [["OLD"], ["NEW", "URL (new value)"]],
            ),
            ("runtime_version_arn", "arn:1", "arn:2", ["arn:1", "arn:2"]),
            ("vpc", {}, {"id": "vpc-1"}, [{}, {"id": "vpc-1"}]),
        ],
    )
    def test_differences_are_short(self, acme: Organization, key: str, before: Any, after: Any, told: Any) -> None:
        listing(acme, checkout(**{key: before}))
        listing(acme, checkout(**{key: after}), now=LATER)
        assert Deployment.objects.get().changes == {key: told}

    def test_another_key_for_digests_is_no_change(self, acme: Organization) -> None:
        listing(acme, checkout(environment={"URL": "old:1"}))
        listing(acme, checkout(environment={"URL": "new:2"}), now=LATER)
        assert not Deployment.objects.exists()

    @pytest.mark.parametrize("key", ["state", "description", "versions", "code_bytes", "tags"])
    def test_not_everything_is_one(self, acme: Organization, key: str) -> None:
        listing(acme, checkout(**{key: 1}))
        listing(acme, checkout(**{key: 2}), now=LATER)
        assert not Deployment.objects.exists()


class TestTelemetryAndListing:
    """Both tell of the same change; it is one deployment."""

    @pytest.fixture(autouse=True)
    def _known(self, acme: Organization) -> None:
        telemetry(acme, "7", memory_mb=128, now=NOW - MINUTE)
        listing(acme, checkout(NOW - MINUTE))

    def only(self) -> Deployment:
        return Deployment.objects.get()

    def test_telemetry_first(self, acme: Organization) -> None:
        telemetry(acme, "8", memory_mb=256, now=NOW + MINUTE + timedelta(seconds=20))
        listing(acme, checkout(NOW + MINUTE, code_sha256="b", memory_mb=256), now=LATER)
        changes = {"version": ["7", "8"], "code_sha256": ["a", "b"], "memory_mb": [128, 256]}
        assert (self.only().version, self.only().changes) == ("8", changes)
        assert (self.only().deployed_at, self.only().listed_at) == (NOW + MINUTE, LATER)

    def test_listing_first(self, acme: Organization) -> None:
        listing(acme, checkout(NOW + MINUTE, code_sha256="b", memory_mb=256), now=NOW + 2 * MINUTE)
        for resources in (Resources(), Resources()):
            for version, memory_mb in (("7", 128), ("8", 256), ("7", 128), ("8", 256)):
                told = Function(ARN + "checkout", version, {"memory_mb": memory_mb})
                resources.resolve(acme.pk, [told], now=NOW + 3 * MINUTE)
        changes = {"version": ["7", "8"], "code_sha256": ["a", "b"], "memory_mb": [128, 256]}
        assert (self.only().version, self.only().changes) == ("8", changes)
        assert self.only().deployed_at == NOW + MINUTE
        assert Resource.objects.get().config["memory_mb"] == 256

    def test_two_deployments_are_two(self, acme: Organization) -> None:
        telemetry(acme, "8", now=NOW + MINUTE)
        telemetry(acme, "9", now=NOW + 3 * MINUTE)
        listing(acme, checkout(NOW + 3 * MINUTE, code_sha256="c"), now=LATER)
        told = {deployment.version: set(deployment.changes) for deployment in Deployment.objects.all()}
        assert told == {"8": {"version"}, "9": {"version", "code_sha256"}}

    def test_an_alias_and_the_version_behind_it_are_one_however_late(self, acme: Organization) -> None:
        def prod(version: str) -> dict[str, Any]:
            return {"prod": {"version": version, "weights": {}}}

        listing(acme, checkout(NOW - MINUTE, aliases=prod("7")), now=NOW + MINUTE)
        listing(acme, checkout(NOW - MINUTE, aliases=prod("8")), now=NOW + 2 * MINUTE)
        telemetry(acme, "8", now=NOW + timedelta(hours=3))
        assert (self.only().version, set(self.only().changes)) == ("8", {"aliases", "version"})

    def test_old_settings_of_old_environments_say_nothing(self, acme: Organization) -> None:
        telemetry(acme, "7", memory_mb=64, runtime="python3.13", now=NOW + MINUTE)
        assert Resource.objects.get().config["memory_mb"] == 128
        assert Resource.objects.get().config["runtime"] == "python3.13"
        assert not Deployment.objects.exists()

    def test_telemetry_is_believed_again_when_nobody_lists(self, acme: Organization) -> None:
        moment = NOW + timedelta(days=2)
        telemetry(acme, "7", memory_mb=256, now=moment)
        assert self.only().changes == {"memory_mb": [128, 256]}
        listing(acme, checkout(moment - MINUTE, code_sha256="b", memory_mb=256), now=moment + 3 * MINUTE)
        assert self.only().changes == {"memory_mb": [128, 256], "code_sha256": ["a", "b"]}


@pytest.mark.django_db(transaction=True)
class TestAtTheSameTime:
    def test_a_change_is_one_deployment_whoever_notices(self) -> None:
        acme = Organization.objects.create(name="Acme", slug="acme")
        telemetry(acme, "7", now=NOW - MINUTE)
        listing(acme, checkout())

        def notice(number: int) -> None:
            try:
                if number % 2:
                    telemetry(acme, "8", now=NOW + 2 * MINUTE)
                else:
                    listing(acme, checkout(NOW + MINUTE, code_sha256="b"), now=NOW + (number + 2) * MINUTE)
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(notice, range(16)))
        deployment = Deployment.objects.get()
        assert (deployment.version, set(deployment.changes)) == ("8", {"version", "code_sha256"})

    def test_a_function_is_one_resource_whoever_finds_it(self) -> None:
        acme = Organization.objects.create(name="Acme", slug="acme")

        def find(number: int) -> None:
            try:
                if number % 2:
                    telemetry(acme, "7")
                else:
                    listing(acme, *(Seen(f"f{each}") for each in range(50)), checkout())
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(find, range(16)))
        assert Resource.objects.count() == 51
        assert not Deployment.objects.exists()
