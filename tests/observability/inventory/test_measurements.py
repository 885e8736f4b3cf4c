"""Facts from inside an environment: the best measurement wins in whatever order they come, and none is a deployment."""

from itertools import permutations
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from observability.inventory import listing
from observability.inventory.measurements import note
from observability.inventory.models import Deployment, Resource
from observability.inventory.resources import Function, Resources
from tests.conftest import ARN
from tests.observability.inventory.test_listing import Seen


def measured(
    code: int = 1000, *, layers: int = 0, complete: bool = True, version: str = "$LATEST", minute: int = 0
) -> dict[str, Any]:
    return {
        "code_bytes": code, "layers_bytes": layers, "files": 3, "complete": complete, "version": version,
        "measured_at": f"2026-11-23T03:{minute:02}:00+00:00", "folders": [],
    }  # fmt: skip


def unzipped(resource: Resource) -> Any:
    resource.refresh_from_db()
    return resource.config.get("unzipped")


@pytest.mark.parametrize(
    ("kept", "other"),
    [
        pytest.param(measured(1), measured(1, complete=False, minute=5), id="as large, and complete"),
        pytest.param(measured(1000), measured(400, complete=False, minute=5), id="complete, before one cut short"),
        pytest.param(
            measured(2000, complete=False, minute=5), measured(1000), id="more than there was, though cut short"
        ),
        pytest.param(measured(900, minute=5), measured(1000), id="later, and the code became smaller"),
        pytest.param(
            measured(900, complete=False, minute=5), measured(800, complete=False), id="later of two cut short"
        ),
        pytest.param(measured(1, complete=False, version="8"), measured(2, version="7", minute=5), id="newer version"),
        pytest.param(measured(1, version="10"), measured(2, version="9", minute=5), id="versions are numbers"),
        pytest.param(measured(1, version="3", minute=5), measured(2), id="later, of a published version"),
    ],
)
def test_the_better_measurement_is_kept_in_either_order(
    checkout: Resource, kept: dict[str, Any], other: dict[str, Any]
) -> None:
    for order in permutations([kept, other]):
        Resource.objects.update(config={})
        for each in [*order, *order]:
            note(checkout.pk, unzipped=each, extensions={})
        assert unzipped(checkout) == kept


def test_it_is_no_deployment_and_outlives_a_listing(checkout: Resource) -> None:
    now = timezone.now()
    note(checkout.pk, unzipped=measured(1), extensions={"nightjar": "2026-11-23"})
    where: Any = {"organization_id": checkout.organization_id, "account": checkout.account, "region": checkout.region}
    for size in (5, 6):
        found = Seen("checkout", {"code_bytes": size, "code_sha256": "a"})
        listing.apply(**where, found=[found], complete=["lambda_function"], now=now)
    note(checkout.pk, unzipped=measured(2, minute=1), extensions={})
    Resources().resolve(checkout.organization_id, [Function(ARN + "checkout", "", {"memory_mb": 512})], now=now)
    assert Deployment.objects.count() == 0
    assert unzipped(checkout) == measured(2, minute=1)
    assert checkout.config["code_bytes"] == 6
    assert checkout.config["extensions"] == {"nightjar": "2026-11-23"}


def test_what_is_known_costs_one_query_and_nothing_costs_none(
    checkout: Resource, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    note(checkout.pk, unzipped=measured(), extensions={"nightjar": "2026-11-23"})
    with django_assert_num_queries(1):
        note(checkout.pk, unzipped=measured(minute=9), extensions={"nightjar": "2026-11-23"})
    with django_assert_num_queries(0):
        note(checkout.pk, unzipped=None, extensions={})


def test_a_resource_that_is_gone_is_left_alone(db: None) -> None:
    note(1, unzipped=measured(), extensions={})


def test_extensions_are_forgotten_a_week_after_the_others_went_on_without_them(checkout: Resource) -> None:
    for names in ({"old": "2026-11-01"}, {"nightjar": "2026-11-08"}, {"nightjar": "2026-11-02", "old": "2026-10-01"}):
        note(checkout.pk, unzipped=None, extensions=names)
    checkout.refresh_from_db()
    assert checkout.config["extensions"] == {"nightjar": "2026-11-08", "old": "2026-11-01"}
    note(checkout.pk, unzipped=None, extensions={"nightjar": "2026-11-09"})
    checkout.refresh_from_db()
    assert checkout.config["extensions"] == {"nightjar": "2026-11-09"}
