"""From the demo's simulated accounts to the inventory, by every collector that finds something; and again."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from demo.aws.estate import EUROPE, build
from demo.aws.server import SimulatedAws
from demo.catalogue import SHOP
from ingest.collector import Harvest, Scope
from ingest.collectors import BY_KIND
from observability.inventory.listing import Applied, apply
from observability.inventory.models import Deployment, Resource
from observability.tenants.models import Organization
from tests.aws_region import RootRegion

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
FINDERS = (
    "lambda_functions", "event_sources", "queues", "tables", "gateways", "state_machines", "streams", "topics",
    "log_groups",
)  # fmt: skip


class Discovery:
    """Runs the collectors as a worker does, with their cursors."""

    def __init__(self, aws: RootRegion, organization: Organization) -> None:
        self.aws, self.organization = aws, organization
        self.cursors: dict[str, Any] = {}

    def run(self, now: datetime) -> list[tuple[Harvest, Applied]]:
        return [self.collect(kind, now) for kind in FINDERS]

    def collect(self, kind: str, now: datetime) -> tuple[Harvest, Applied]:
        finder, cursor = BY_KIND[kind], self.cursors.get(kind, {})
        scope = Scope(self.organization.pk, SHOP, "aws", EUROPE, now, cursor)
        harvest = finder.transform(finder.fetch(self.aws, scope), scope)
        applied = apply(
            organization_id=self.organization.pk, account=SHOP, region=EUROPE, found=harvest.found,
            complete=harvest.complete, now=now,
        )  # fmt: skip
        self.cursors[kind] = harvest.cursor
        return harvest, applied


@pytest.fixture
def discovery(simulated_aws: SimulatedAws, acme: Organization) -> Discovery:
    build(simulated_aws)
    return Discovery(RootRegion(simulated_aws.account(SHOP), EUROPE), acme)


def test_everything_is_found_and_nothing_changes_by_itself(discovery: Discovery) -> None:
    for harvest, applied in discovery.run(NOW):
        assert (harvest.lacking, applied.changed, applied.gone) == ((), 0, 0)
    types = Counter(Resource.objects.values_list("type", flat=True))
    assert types.keys() >= {"lambda_function", "sqs_queue", "schedule_rule", "aws_account"}
    before = list(Resource.objects.order_by("pk").values_list("arn", "config"))
    for minutes in range(5, 30, 5):
        for _, applied in discovery.run(NOW + timedelta(minutes=minutes)):
            assert (applied.new, applied.gone, applied.deployments) == (0, 0, 0)
    after = dict(Resource.objects.values_list("arn", "config"))
    assert all(config.items() <= after[arn].items() for arn, config in before)
    assert all("aliases" in config for arn, config in after.items() if ":function:" in arn)
    assert not Deployment.objects.exists()


def test_a_changed_and_a_deleted_function_are_noticed(discovery: Discovery) -> None:
    discovery.run(NOW)
    changed, deleted = Resource.objects.filter(type="lambda_function").order_by("name")[:2]
    discovery.aws.call(
        "lambda", "update_function_configuration", FunctionName=changed.name, MemorySize=3008,
        Environment={"Variables": {"TOKEN": "hunter2"}},
    )  # fmt: skip
    discovery.aws.call("lambda", "delete_function", FunctionName=deleted.name)
    _, applied = discovery.collect("lambda_functions", NOW + timedelta(minutes=5))
    assert (applied.changed, applied.gone, applied.deployments) == (2, 1, 1)  # The account has one function less.
    deployment = Deployment.objects.get()
    assert deployment.resource == changed
    assert deployment.changes["memory_mb"] == [changed.config["memory_mb"], 3008]
    assert "TOKEN" in deployment.changes["environment"][1]
    assert "hunter2" not in repr(deployment.changes) + repr(list(Resource.objects.values_list("config")))
    assert Resource.objects.get(pk=deleted.pk).gone_at == NOW + timedelta(minutes=5)
