"""Which actions a role really allows, and that a change is on record once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.validate import ParamValidator

from observability.aws import connecting, needs, permissions, sessions
from observability.aws.models import AwsAccount
from observability.aws.needs import Need
from observability.aws.problems import AwsError
from observability.tenants.models import AuditEntry, Organization
from tests.observability.aws.cloud import THEIRS, Cloud, Reply, error

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DENIED: list[Reply] = [(400, error("AccessDeniedException", "no"))]
GONE: list[Reply] = [(400, error("ResourceNotFoundException", "no"))]
BAD: list[Reply] = [(400, error("ValidationException", "no"))]


def need(action: str, probe: tuple[str, str, dict[str, Any]] | None, tier: str = "base") -> Need:
    return Need(action, "why", "without", "*", "wild", tier, ("collector",), probe)


NEEDS = (
    need("logs:DescribeLogGroups", ("logs", "describe_log_groups", {"limit": 1})),
    need("dynamodb:DescribeTable", ("dynamodb", "describe_table", {"TableName": "nightjar-probe"})),
    need("kinesis:ListStreams", ("kinesis", "list_streams", {})),
    need("logs:PutSubscriptionFilter", None),
    need(
        "logs:ListTagsForResource",
        (
            "logs",
            "list_tags_for_resource",
            {"resourceArn": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:x"},
        ),
        tier="sizes",
    ),
)


@pytest.mark.parametrize("need", [need for need in needs.needs() if need.probe], ids=lambda need: need.action)
def test_every_probe_is_a_call_that_botocore_accepts(need: Need) -> None:
    assert need.probe is not None
    service, operation, parameters = need.probe
    client = sessions._client(service, "eu-west-1")
    api_name = client.meta.method_to_api_mapping[operation]
    report = ParamValidator().validate(parameters, client.meta.service_model.operation_model(api_name).input_shape)
    assert not report.has_errors(), report.generate_report()


@pytest.fixture
def account(cloud: Cloud, acme: Organization, monkeypatch: pytest.MonkeyPatch) -> AwsAccount:
    monkeypatch.setattr(needs, "needs", lambda: NEEDS)
    account = connecting.start(
        organization=acme,
        actor=None,
        name="production",
        account_id=THEIRS,
        regions=["eu-west-1"],
        tiers=["sizes"],
        selection={},
        now=NOW,
    )
    cloud.trust(account.role_arn, {"StringEquals": {"sts:ExternalId": account.external_id}})
    return account


@pytest.fixture
def probe(account: AwsAccount) -> Callable[[], list[str]]:
    def run() -> list[str]:
        permissions.probe(account=AwsAccount.objects.get(), now=NOW)
        kept = AwsAccount.objects.get().permissions
        return [kept.get(need.action, "not tried") for need in NEEDS]

    return run


def changes() -> list[dict[str, list[str]]]:
    entries = AuditEntry.objects.filter(action="aws_account.permissions_changed").order_by("number")
    return list(entries.values_list("detail", flat=True))


def test_every_action_is_tried_in_a_region_of_the_connection(cloud: Cloud, probe: Callable[[], list[str]]) -> None:
    cloud.answers |= {"dynamodb:DescribeTable": DENIED, "kinesis:ListStreams": GONE}
    assert probe() == ["allowed", "denied", "allowed", "unknown", "allowed"]
    tried = [call for call in cloud.calls if not call.action.startswith("sts:")]
    assert {call.region for call in tried} == {"eu-west-1"}
    assert tried[-1].parameters["resourceArn"] == f"arn:aws:logs:eu-west-1:{THEIRS}:x"
    assert not changes()  # There was nothing to compare with.


def test_only_the_tiers_of_the_connection_are_tried(account: AwsAccount, probe: Callable[[], list[str]]) -> None:
    AwsAccount.objects.update(tiers=["base"])
    assert probe()[-1] == "not tried"


def test_what_aws_does_not_tell_stays_as_it_was(cloud: Cloud, probe: Callable[[], list[str]]) -> None:
    cloud.answers |= {"dynamodb:DescribeTable": DENIED, "kinesis:ListStreams": BAD}
    assert probe()[:3] == ["allowed", "denied", "unknown"]
    cloud.answers |= {"logs:DescribeLogGroups": BAD, "dynamodb:DescribeTable": BAD}
    assert probe()[:3] == ["allowed", "denied", "unknown"]
    assert not changes()


def test_drift_is_recorded_once(cloud: Cloud, probe: Callable[[], list[str]]) -> None:
    probe()
    cloud.answers["kinesis:ListStreams"] = DENIED
    probe()
    probe()
    assert changes() == [{"now_allowed": [], "now_denied": ["kinesis:ListStreams"]}]
    del cloud.answers["kinesis:ListStreams"]
    probe()
    assert changes()[1:] == [{"now_allowed": ["kinesis:ListStreams"], "now_denied": []}]


def test_a_role_that_is_lost_meanwhile_changes_nothing(
    cloud: Cloud, account: AwsAccount, probe: Callable[[], list[str]]
) -> None:
    probe()
    before = AwsAccount.objects.get().permissions
    del cloud.roles[account.role_arn]
    with pytest.raises(AwsError, match="role_gone"):
        probe()
    assert AwsAccount.objects.get().permissions == before
    assert not changes()


def test_while_one_is_denied_the_next_look_is_soon(cloud: Cloud, probe: Callable[[], list[str]]) -> None:
    AwsAccount.objects.update(check_at=NOW + timedelta(days=1))
    cloud.answers["kinesis:ListStreams"] = DENIED
    assert "denied" in probe()
    assert AwsAccount.objects.get().check_at == NOW + timedelta(minutes=15)
