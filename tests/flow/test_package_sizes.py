"""A deployed zip, weighed: through the role of the template, the schedule and the pipeline, into the history."""

import json
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from demo.aws.archives import archive
from demo.aws.customers import Customers
from demo.aws.server import PRINCIPAL, SimulatedAws
from demo.packages import Files
from ingest import pipeline, schedule
from ingest.models import Collection
from observability.aws import role, sessions
from observability.aws.models import AwsAccount
from observability.inventory import packages
from observability.inventory.models import Layer, Package, Resource
from observability.telemetry.partitions import maintain
from observability.tenants.models import Organization

ACCOUNT, REGION = "720155190031", "eu-central-1"
MINUTE = timedelta(minutes=1)
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


class Company:
    """One function with a layer, in an account that is connected."""

    def __init__(self, aws: SimulatedAws, organization: Organization, tiers: list[str], now: datetime) -> None:
        self.lambda_ = aws.account(ACCOUNT).client("lambda", REGION)
        made = aws.account(ACCOUNT).client("iam").create_role(
            RoleName="functions", AssumeRolePolicyDocument=json.dumps(TRUST)
        )  # fmt: skip
        layer = self.lambda_.publish_layer_version(
            LayerName="pandas", Content={"ZipFile": archive({"python/pandas/frame.py": 30_000_000})}
        )
        self.lambda_.create_function(
            FunctionName="ledger", Runtime="python3.13", Handler="app.handler", Role=made["Role"]["Arn"],
            Code={"ZipFile": archive({"app.py": 100})}, Layers=[layer["LayerVersionArn"]],
        )  # fmt: skip
        self.account = AwsAccount.objects.create(
            organization=organization, name="shop", account_id=ACCOUNT, external_id="x" * 43, regions=[REGION],
            role_arn=f"arn:aws:iam::{ACCOUNT}:role/nightjar", tiers=tiers, status=AwsAccount.Status.CONNECTED,
            created_at=now, connected_at=now,
        )  # fmt: skip
        Customers(aws).deploy(role.of_connection(self.account, principal=PRINCIPAL))

    def deploy(self, files: Files) -> None:
        self.lambda_.update_function_code(FunctionName="ledger", ZipFile=archive(files))

    def collect(self, now: datetime) -> list[Collection]:
        """As workers do: functions, then what they are made of."""
        for kind in ("lambda_functions", "package_sizes"):
            schedule.plan(now=now)
            Collection.objects.exclude(kind=kind).update(due_at=now + timedelta(days=1))
            Collection.objects.filter(kind=kind).update(due_at=now)
            for pk in schedule.claim(now=now, at_once=10):
                pipeline.collect(collection_id=pk, clock=lambda: now)
        return list(Collection.objects.filter(kind__in=("lambda_functions", "package_sizes")))


@pytest.fixture
def company(simulated_aws: SimulatedAws, acme: Organization, request: pytest.FixtureRequest) -> Company:
    sessions.forget()
    now = timezone.now()
    maintain(now=now)
    return Company(simulated_aws, acme, getattr(request, "param", ["base", "sizes"]), now)


def test_every_deployment_is_weighed(company: Company, acme: Organization) -> None:
    now = timezone.now()
    for number in range(4):
        company.deploy({"app.py": 100, "data.bin": 40_000_000 * (number + 1)})
        assert {row.trouble for row in company.collect(now + number * 10 * MINUTE)} == {""}
    function = Resource.objects.get(name="ledger")
    history = packages.history(organization_id=acme.pk, resource_id=function.pk)
    assert [(each.code_bytes, each.layers_bytes, each.source) for each in history] == [
        (40_000_000 * number + 100, 30_000_000, "archive") for number in range(1, 5)
    ]
    (layer,) = Layer.objects.all()
    assert (layer.unzipped_bytes, layer.problem) == (30_000_000, "")
    forecast = packages.forecast(history)
    assert forecast is not None
    assert forecast.sentence == "At this rate the limit is reached in about 2 deployments."
    diff = packages.diff(history[0], history[-1])
    assert [(change.name, change.delta) for change in diff.folders] == [("/var/task", 120_000_000)]


@pytest.mark.parametrize("company", [["base"]], indirect=True)
def test_without_the_tier_nothing_is_asked(company: Company) -> None:
    assert [row.kind for row in company.collect(timezone.now())] == ["lambda_functions"]
    assert not Package.objects.exists()
