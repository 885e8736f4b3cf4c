"""Who held the concurrency when a function was throttled."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.watching import blame
from observability.inventory.models import Resource
from observability.tenants.models import Organization
from tests.alerts.watching.numbers import Numbers

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 16, 14, 0, tzinfo=UTC)


def function(organization: Organization, name: str, region: str = "eu-west-1", **config: Any) -> Resource:
    return Resource.objects.create(
        organization=organization, arn=f"arn:aws:lambda:{region}:1:function:{name}", name=name, region=region,
        account="1", config=config, first_seen_at=AT, last_seen_at=AT,
    )  # fmt: skip


def numbers(concurrent: dict[int, float], utilized: dict[int, float] | None = None) -> Any:
    def steady(values: dict[int, float]) -> Any:
        return {key: lambda at, value=value: value if abs(at - AT) < timedelta(minutes=9) else None
                for key, value in values.items()}  # fmt: skip

    return Numbers(points={blame.CONCURRENT: steady(concurrent), blame.UTILIZED: steady(utilized or {})})


def sentence(store: Any, resource: Resource) -> str:
    return blame.Pools(store, resource.organization_id).sentence(resource.pk, AT)


def test_names_who_holds_the_pool_of_the_region(acme: Organization) -> None:
    throttled, hungry, small = (function(acme, name) for name in ("checkout", "import", "small"))
    elsewhere = function(acme, "elsewhere", region="us-east-1")
    store = numbers({throttled.pk: 20, hungry.pk: 870, small.pk: 40, elsewhere.pk: 900})
    assert sentence(store, throttled) == "Of 1,000 concurrent executions in the region, import held 870."


def test_knows_the_limit_of_the_account(acme: Organization) -> None:
    throttled, hungry = function(acme, "checkout"), function(acme, "import")
    Resource.objects.create(
        organization=acme, type="aws_account", arn="arn:aws:iam::1:root", name="Prod", region="global", account="1",
        config={"eu-west-1": {"concurrency_limit": 50}}, first_seen_at=AT, last_seen_at=AT,
    )  # fmt: skip
    assert "Of 50 concurrent executions" in sentence(numbers({hungry.pk: 30}), throttled)


def test_names_reservations_that_nobody_uses(acme: Organization) -> None:
    throttled = function(acme, "checkout")
    idle = function(acme, "idle", reserved_concurrency=400)
    warm = function(acme, "warm", provisioned=[{"qualifier": "live", "requested": 100}])
    told = sentence(numbers({idle.pk: 5, warm.pk: 3}, {warm.pk: 0.03}), throttled)
    assert told == "Reserved or provisioned and not used were 395 for idle and 97 for warm."


@pytest.mark.parametrize(
    ("reserved", "told"),
    [(0, "has 0 reserved executions, which switches it off"), (10, "may run 10 at once")],
)
def test_its_own_reservation_comes_first(acme: Organization, reserved: int, told: str) -> None:
    throttled, hungry = function(acme, "checkout", reserved_concurrency=reserved), function(acme, "import")
    assert told in sentence(numbers({throttled.pk: reserved, hungry.pk: 900}), throttled)


def test_says_nothing_where_nothing_is_known(acme: Organization) -> None:
    throttled = function(acme, "checkout")
    assert sentence(numbers({}), throttled) == ""
    assert blame.Pools(numbers({}), acme.pk).of(0, AT) is None


def test_of_many_that_are_throttled_at_once_everything_is_read_once(
    acme: Organization, django_assert_num_queries: Any
) -> None:
    throttled = [function(acme, f"f{number}") for number in range(20)]
    pools = blame.Pools(numbers({throttled[0].pk: 900}), acme.pk)
    with django_assert_num_queries(3):
        told = [pools.sentence(each.pk, AT) for each in throttled]
    assert told[1] == told[19] == "Of 1,000 concurrent executions in the region, f0 held 900."
    assert told[0] == ""
