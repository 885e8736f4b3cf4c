"""The one door to AWS: whose credentials sign, what is tried again and for how long, what is counted."""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from observability.aws import quotas, sessions, usage
from observability.aws.problems import AwsError, Trouble
from observability.aws.quotas import Rate, SpentError
from observability.aws.sessions import Identity, Region, Target
from tests.observability.aws.cloud import OURS, THEIRS, Cloud, Reply, error
from tests.observability.aws.conftest import ROLE

GROUPS = "logs:DescribeLogGroups"
THROTTLED: Reply = (400, error("ThrottlingException", "Rate exceeded"))
BROKEN: Reply = (500, error("InternalFailure", "sorry"))
EXPIRED: Reply = (400, error("ExpiredTokenException", "The security token included in the request is expired"))


@pytest.fixture
def aws(target: Target, monkeypatch: pytest.MonkeyPatch) -> Region:
    monkeypatch.setattr(sessions, "FIRST_WAIT_S", 0.002)
    return sessions.region(target, "eu-west-1")


def groups(aws: Region, **parameters: Any) -> dict[str, Any]:
    return aws.call("logs", "describe_log_groups", **parameters)


class TestRoles:
    def test_are_assumed_once_with_the_external_id_and_the_organizations_name(self, cloud: Cloud, aws: Region) -> None:
        for _ in range(5):
            groups(aws)
        assumed = [call for call in cloud.calls if call.action == "sts:AssumeRole"]
        assert [call.parameters["ExternalId"] for call in assumed] == ["the-id"]
        assert {call.arn for call in cloud.calls if call.action == GROUPS} == {
            f"arn:aws:sts::{THEIRS}:assumed-role/nightjar-12345678/acme"
        }

    def test_lend_their_credentials_to_no_other(self, cloud: Cloud, target: Target) -> None:
        targets = []
        for number in range(8):
            role = f"arn:aws:iam::{number:012}:role/nightjar"
            cloud.trust(role, {"StringEquals": {"sts:ExternalId": f"id-{number}"}})
            targets.append(Target(f"{number:012}", "aws", role, f"id-{number}", f"customer-{number}"))

        def seen(target: Target) -> tuple[str, str]:
            return target.account, sessions.region(target, "eu-west-1").call("sts", "get_caller_identity")["Account"]

        with ThreadPoolExecutor(8) as pool:
            pairs = list(pool.map(seen, targets * 10))
        assert all(wanted == found for wanted, found in pairs)
        assert len(pairs) == 80

    def test_sign_nothing_that_nobody_asked_for(self, cloud: Cloud) -> None:
        client = sessions._client("sts", "us-east-1")
        with pytest.raises(LookupError):
            client.get_caller_identity()
        assert not cloud.calls

    @pytest.mark.parametrize(
        ("organization", "name"),
        [("acme", "acme"), ("a", "a-"), ("ä b/ç" * 20, "--b--" * 12 + "--b-"), ("x" * 80, "x" * 64)],
    )
    def test_have_session_names_that_aws_accepts(
        self, cloud: Cloud, target: Target, organization: str, name: str
    ) -> None:
        groups(sessions.region(replace(target, organization=organization), "eu-west-1"))
        assert cloud.calls[0].parameters["RoleSessionName"] == name

    def test_that_do_not_trust_us_cannot_be_had(self, cloud: Cloud, target: Target) -> None:
        with pytest.raises(AwsError) as failure:
            groups(sessions.region(replace(target, external_id="wrong"), "eu-west-1"))
        assert (failure.value.trouble, failure.value.action) == (Trouble.ROLE_GONE, "sts:AssumeRole")
        assert cloud.count("sts:AssumeRole") == 1  # A denial is not tried again.

    def test_share_one_client_for_each_service_and_region(self, cloud: Cloud, target: Target) -> None:
        for number in range(5):
            other = replace(target, organization=f"customer-{number}")
            groups(sessions.region(other, "eu-west-1"))
        assert len(sessions._clients) == 2  # STS at home, and this one.

    def test_do_not_pile_up_clients(self, cloud: Cloud, target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sessions, "CLIENTS", 3)
        for number in range(6):
            groups(sessions.region(target, f"eu-west-{number}"))
        assert len(sessions._clients) == 3


class TestIdentity:
    def test_of_our_own(self, cloud: Cloud) -> None:
        assert sessions.own_identity() == Identity(OURS, f"arn:aws:iam::{OURS}:user/nightjar")
        sessions.own_identity()
        assert cloud.count("sts:GetCallerIdentity") == 1

    def test_of_our_own_when_we_have_none(self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
        monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
        with pytest.raises(AwsError, match="own_credentials"):
            sessions.own_identity()
        with pytest.raises(AwsError, match="own_credentials"):
            sessions.assume(role_arn=ROLE, external_id="the-id", session_name="acme")

    def test_of_our_own_when_aws_does_not_know_us(self, cloud: Cloud) -> None:
        cloud.answers["sts:GetCallerIdentity"] = [(403, error("InvalidClientTokenId", "Who?"))]
        with pytest.raises(AwsError, match="own_credentials"):
            sessions.own_identity()

    def test_of_a_role(self, cloud: Cloud, target: Target) -> None:
        lease = sessions.assume(role_arn=ROLE, external_id="the-id", session_name="check")
        assert sessions.identity(lease).account == THEIRS


class TestTryingAgain:
    @pytest.mark.parametrize("failure", [THROTTLED, BROKEN, (503, {}), (429, {})])
    def test_helps_against_what_passes(self, cloud: Cloud, aws: Region, failure: Reply) -> None:
        cloud.answers[GROUPS] = [failure, failure, (200, {"logGroups": [{"logGroupName": "a"}]})]
        assert groups(aws)["logGroups"] == [{"logGroupName": "a"}]
        assert cloud.count(GROUPS) == 3

    @pytest.mark.parametrize(
        "code", ["AccessDeniedException", "ResourceNotFoundException", "InvalidParameterException"]
    )
    def test_is_no_use_against_what_stays(self, cloud: Cloud, aws: Region, code: str) -> None:
        cloud.answers[GROUPS] = [(400, error(code, ""))]
        with pytest.raises(AwsError) as failure:
            groups(aws)
        assert failure.value.action == GROUPS
        assert cloud.count(GROUPS) == 1

    def test_ends_in_time(self, cloud: Cloud, aws: Region, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sessions, "LAST_START_S", 0.3)
        cloud.answers[GROUPS] = [BROKEN]
        begun = time.monotonic()
        with pytest.raises(AwsError, match="unreachable"):
            groups(aws)
        assert time.monotonic() - begun < 0.5
        assert 3 < cloud.count(GROUPS) < 60

    def test_leaves_room_for_the_slowest_answer(self) -> None:
        assert sessions.LAST_START_S + sessions.CONNECT_S + sessions.READ_S <= sessions.WHOLE_S <= 20
        assert (sessions.CONFIG.connect_timeout, sessions.CONFIG.read_timeout) == (3, 8)
        assert sessions.CONFIG.retries["total_max_attempts"] == 1

    def test_goes_for_a_server_that_hangs_up(self, cloud: Cloud, aws: Region) -> None:
        groups(aws)
        cloud.answers[GROUPS] = [(0, None), (200, {"logGroups": []})]
        assert groups(aws)["logGroups"] == []

    def test_waits_at_random_for_longer_and_longer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        limits: list[float] = []

        class Dice:
            def uniform(self, low: float, high: float) -> float:
                limits.append(high)
                return 0.0

        monkeypatch.setattr(sessions, "SystemRandom", Dice)
        persistence = sessions._Persistence()
        for _ in range(7):
            assert persistence(AwsError(Trouble.THROTTLED, GROUPS))
        assert limits == [0.25, 0.5, 1, 2, 4, 4, 4]
        assert not persistence(SpentError(Trouble.THROTTLED, GROUPS))

    def test_uses_new_credentials_when_the_old_ones_ran_out_early(self, cloud: Cloud, aws: Region) -> None:
        groups(aws)
        for session in cloud.sessions.values():
            session.ends_at = 0
        groups(aws)
        assert (cloud.count("sts:AssumeRole"), cloud.count(GROUPS)) == (2, 3)

    def test_uses_new_credentials_only_once(self, cloud: Cloud, aws: Region) -> None:
        cloud.answers[GROUPS] = [EXPIRED]
        with pytest.raises(AwsError, match="expired"):
            groups(aws)
        assert cloud.count("sts:AssumeRole") == 2


class TestCredentials:
    """R26: what can happen to them while a collection is under way."""

    def test_are_renewed_at_80_percent_of_their_life(
        self, cloud: Cloud, aws: Region, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        groups(aws)
        for share, assumed in ((0.79, 1), (0.81, 2), (1.6, 2), (1.62, 3)):
            later = share * 3_600
            monkeypatch.setattr(sessions._leases, "_clock", lambda later=later: time.monotonic() + later)
            groups(aws)
            assert cloud.count("sts:AssumeRole") == assumed

    @pytest.mark.parametrize("minutes", [-10, 10])
    def test_live_as_long_by_a_wrong_clock(self, cloud: Cloud, target: Target, minutes: int) -> None:
        cloud.skew = timedelta(minutes=minutes)
        lease = sessions.assume(role_arn=ROLE, external_id="the-id", session_name="acme")
        assert 3_598 <= lease.life_s <= 3_600

    def test_of_a_wrong_clock_are_our_trouble_and_not_the_customers(self, cloud: Cloud, aws: Region) -> None:
        cloud.answers["sts:AssumeRole"] = [(403, error("SignatureDoesNotMatch", "Signature expired: 1 is earlier"))]
        with pytest.raises(AwsError) as failure:
            groups(aws)
        assert failure.value.trouble == Trouble.CLOCK
        assert failure.value.ours

    def test_of_a_role_that_was_deleted_are_dead(self, cloud: Cloud, aws: Region) -> None:
        groups(aws)
        del cloud.roles[ROLE]
        with pytest.raises(AwsError) as failure:
            groups(aws)
        assert failure.value.trouble == Trouble.ROLE_GONE

    def test_of_a_changed_external_id_cannot_be_renewed(self, cloud: Cloud, aws: Region, target: Target) -> None:
        groups(aws)
        cloud.trust(ROLE, {"StringEquals": {"sts:ExternalId": "another"}})
        sessions._leases._held[target].renew_at = 0
        with pytest.raises(AwsError) as failure:
            groups(aws)
        assert failure.value.trouble == Trouble.ROLE_GONE

    def test_in_a_region_that_is_not_enabled_are_not_to_blame(self, cloud: Cloud, aws: Region, target: Target) -> None:
        cloud.disabled = {"af-south-1"}
        for _ in range(2):
            with pytest.raises(AwsError) as failure:
                groups(sessions.region(target, "af-south-1"))
            assert failure.value.trouble == Trouble.REGION_DISABLED
        groups(aws)
        assert cloud.count("sts:AssumeRole") == 1

    @pytest.mark.parametrize(
        ("role", "trouble"), [("taken", Trouble.REGION_DISABLED), ("refused", Trouble.ACCOUNT_SUSPENDED)]
    )
    def test_of_an_account_that_is_not_served_tell_a_region_from_a_suspension(
        self, cloud: Cloud, aws: Region, role: str, trouble: Trouble
    ) -> None:
        groups(aws)
        cloud.answers["logs:DescribeLogGroups"] = [(403, error("OptInRequired", "It needs a subscription."))]
        if role == "refused":
            cloud.answers["sts:AssumeRole"] = [(403, error("AccessDenied", "Not authorized."))]
        with pytest.raises(AwsError) as failure:
            groups(aws)
        assert failure.value.trouble == trouble
        assert failure.value.detail == "OptInRequired: It needs a subscription."

    def test_of_one_customer_that_are_lost_leave_the_others_alone(self, cloud: Cloud, aws: Region) -> None:
        role = f"arn:aws:iam::{THEIRS}:role/other"
        gone = sessions.region(Target(THEIRS, "aws", role, "id", "other"), "eu-west-1")
        for _ in range(3):
            with pytest.raises(AwsError, match="role_gone"):
                groups(gone)
            groups(aws)


class TestPages:
    def test_go_on_past_empty_ones_until_there_is_no_token(self, cloud: Cloud, aws: Region) -> None:
        pages = {
            None: ([], "a"),
            "a": ([{"logGroupName": "x"}], "b"),
            "b": ([], "c"),
            "c": ([{"logGroupName": "y"}], ""),
        }

        def answer(asked: Mapping[str, Any]) -> Reply:
            found, token = pages[asked.get("nextToken")]
            return 200, {"logGroups": found} | ({"nextToken": token} if token else {})

        cloud.answers[GROUPS] = answer
        found = [len(page["logGroups"]) for page in aws.pages("logs", "describe_log_groups", limit=50)]
        assert found == [0, 1, 0, 1]
        assert all(call.parameters["limit"] == 50 for call in cloud.calls if call.action == GROUPS)

    def test_stop_where_the_service_says_that_there_are_no_more(self, cloud: Cloud, aws: Region) -> None:
        more = {"StreamNames": ["a"], "NextToken": "t", "HasMoreStreams": True}
        cloud.answers["kinesis:ListStreams"] = [(200, more), (200, more | {"HasMoreStreams": False})]
        assert len(list(aws.pages("kinesis", "list_streams"))) == 2

    def test_are_one_where_there_is_nothing_to_turn(self, cloud: Cloud, aws: Region) -> None:
        assert len(list(aws.pages("dynamodb", "describe_table", TableName="orders"))) == 1

    def test_turn_where_botocore_has_no_rule_for_it(self, cloud: Cloud, aws: Region) -> None:
        cloud.answers["events:ListEventBuses"] = [(200, {"NextToken": "t"}), (200, {})]
        assert len(list(aws.pages("events", "list_event_buses"))) == 2

    def test_that_repeat_themselves_are_no_listing(self, cloud: Cloud, aws: Region) -> None:
        cloud.answers[GROUPS] = [(200, {"nextToken": "again"})]
        with pytest.raises(AwsError, match="repeats itself"):
            list(aws.pages("logs", "describe_log_groups"))

    def test_are_budgeted_tried_again_and_counted_one_by_one(self, cloud: Cloud, aws: Region) -> None:
        cloud.answers[GROUPS] = [(200, {"nextToken": "a"}), THROTTLED, (200, {"nextToken": "b"}), BROKEN, (200, {})]
        assert len(list(aws.pages("logs", "describe_log_groups"))) == 3
        (today,) = usage.of_account(THEIRS, days=1, now=timezone.now())
        assert today.calls == {"log_descriptions": 5}


class TestBudget:
    def test_is_kept_also_when_many_threads_call(
        self, cloud: Cloud, aws: Region, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(quotas.RATES, "log_descriptions", Rate(40, 5))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: groups(aws), range(40)))
        times = [call.at for call in cloud.calls if call.action == GROUPS]
        assert max(sum(start <= at < start + 0.5 for at in times) for start in times) <= 26

    def test_that_is_spent_is_an_error_and_not_a_call(
        self, cloud: Cloud, aws: Region, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(quotas.RATES, "log_descriptions", Rate(0.01))
        groups(aws)
        with pytest.raises(AwsError, match="throttled"):
            groups(aws)
        assert cloud.count(GROUPS) == 1

    def test_shrinks_when_aws_throttles(self, cloud: Cloud, aws: Region) -> None:
        cloud.answers[GROUPS] = [THROTTLED, (200, {})]
        groups(aws)
        assert float(quotas.connection().hget(f"aws:budget:{THEIRS}:eu-west-1:log_descriptions", "share") or 1) < 1

    def test_counts_the_metrics_that_are_asked_for(self, aws: Region) -> None:
        queries = [{"MetricStat": {}}, {"MetricStat": {}}, {"Expression": "m1 / m2"}]
        assert sessions._metrics({"MetricDataQueries": queries}) == 2
        assert sessions._metrics({}) == 0


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("lambda", "list_functions", "lambda:ListFunctions"),
        ("stepfunctions", "list_state_machines", "states:ListStateMachines"),
        ("resourcegroupstaggingapi", "get_resources", "tag:GetResources"),
        ("apigateway", "get_rest_apis", "apigateway:GET"),
        ("apigatewayv2", "get_apis", "apigateway:GET"),
        ("sqs", "get_queue_attributes", "sqs:GetQueueAttributes"),
    ],
)
def test_actions_are_named_as_iam_names_them(cloud: Cloud, service: str, operation: str, action: str) -> None:
    assert sessions._action(service, operation, "eu-west-1") == action


def test_forgetting_is_safe_while_others_call(cloud: Cloud, aws: Region, target: Target) -> None:
    stop = threading.Event()

    def forget() -> None:
        while not stop.is_set():
            sessions.forget(target)

    thread = threading.Thread(target=forget)
    thread.start()
    try:
        for _ in range(10):
            groups(aws)
    finally:
        stop.set()
        thread.join()
