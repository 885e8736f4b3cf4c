"""The simulated AWS answers as AWS does where moto would not."""

import io
import json
import time
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ClientError

from demo.aws.server import PRINCIPAL, Account, SimulatedAws
from demo.aws.server import session as botocore_session

CUSTOMER = "720155190031"
REGION = "eu-central-1"
POLICY = {"Version": "2012-10-17"}
NOW = int(time.time() * 1000)


@pytest.fixture
def customer(simulated_aws: SimulatedAws) -> Account:
    return simulated_aws.account(CUSTOMER)


@pytest.fixture
def role(customer: Account) -> str:
    """A role that trusts us with the external id ``right`` and may read a little."""
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": f"arn:aws:iam::{PRINCIPAL}:root"},
        "Condition": {"StringEquals": {"sts:ExternalId": "right"}},
    }
    iam = customer.client("iam")
    made = iam.create_role(RoleName="nightjar-1", AssumeRolePolicyDocument=json.dumps(POLICY | {"Statement": [trust]}))
    actions = ["lambda:ListFunctions", "lambda:GetLayerVersion", "logs:Filter*", "apigateway:GET", "tag:GetResources"]
    policy = POLICY | {"Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    iam.put_role_policy(RoleName="nightjar-1", PolicyName="nightjar", PolicyDocument=json.dumps(policy))
    arn: str = made["Role"]["Arn"]
    return arn


class Session:
    """Clients with the credentials of an assumed role."""

    def __init__(self, aws: SimulatedAws, role: str, **extra: Any) -> None:
        sts = aws.account(PRINCIPAL).client("sts")
        self.credentials = sts.assume_role(RoleArn=role, RoleSessionName="acme", **extra)["Credentials"]
        self.url = aws.url

    def client(self, service: str, region: str = REGION) -> Any:
        return botocore_session().create_client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=self.credentials["AccessKeyId"],
            aws_secret_access_key=self.credentials["SecretAccessKey"],
            aws_session_token=self.credentials["SessionToken"],
        )


@pytest.fixture
def session(simulated_aws: SimulatedAws, role: str) -> Session:
    return Session(simulated_aws, role, ExternalId="right")


def refusal(error: pytest.ExceptionInfo[ClientError]) -> str:
    code: str = error.value.response["Error"]["Code"]
    return code


def package(text: str = "def handler(event, context): pass") -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py"), text)
    return memory.getvalue()


class TestAssumingARole:
    def test_needs_the_external_id_and_leads_into_the_other_account(self, session: Session) -> None:
        identity = session.client("sts").get_caller_identity()
        assert identity["Account"] == CUSTOMER
        assert identity["Arn"] == f"arn:aws:sts::{CUSTOMER}:assumed-role/nightjar-1/acme"

    @pytest.mark.parametrize("extra", [{}, {"ExternalId": "wrong"}])
    def test_is_refused_without_it(self, simulated_aws: SimulatedAws, role: str, extra: dict[str, str]) -> None:
        with pytest.raises(ClientError) as error:
            Session(simulated_aws, role, **extra)
        assert refusal(error) == "AccessDenied"

    def test_is_refused_where_there_is_no_such_role(self, simulated_aws: SimulatedAws, role: str) -> None:
        with pytest.raises(ClientError) as error:
            Session(simulated_aws, role + "-other", ExternalId="right")
        assert refusal(error) == "AccessDenied"

    def test_is_refused_to_other_accounts(self, simulated_aws: SimulatedAws, role: str) -> None:
        sts = simulated_aws.account("111111111111").client("sts")
        with pytest.raises(ClientError) as error:
            sts.assume_role(RoleArn=role, RoleSessionName="acme", ExternalId="right")
        assert refusal(error) == "AccessDenied"

    def test_may_come_with_a_policy_that_allows_less(self, simulated_aws: SimulatedAws, role: str) -> None:
        statement = {"Effect": "Allow", "Action": ["lambda:ListFunctions", "sqs:ListQueues"], "Resource": "*"}
        less = json.dumps(POLICY | {"Statement": [statement]})
        session = Session(simulated_aws, role, ExternalId="right", Policy=less)
        assert session.client("lambda").list_functions()["Functions"] == []
        for service, operation in (("apigateway", "get_rest_apis"), ("sqs", "list_queues")):
            with pytest.raises(ClientError) as error:
                getattr(session.client(service), operation)()
            assert refusal(error) in ("AccessDenied", "AccessDeniedException")

    @pytest.mark.parametrize("policy", ["no json", '{"Statement": [{"Action": "*"}]}', json.dumps("x" * 2_050)])
    def test_is_refused_with_a_policy_that_is_none(self, simulated_aws: SimulatedAws, role: str, policy: str) -> None:
        with pytest.raises(ClientError) as error:
            Session(simulated_aws, role, ExternalId="right", Policy=policy)
        assert refusal(error) in ("MalformedPolicyDocument", "MalformedPolicyDocumentException")

    def test_works_with_a_role_that_a_stack_made(self, simulated_aws: SimulatedAws, customer: Account) -> None:
        principal = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::" + PRINCIPAL + ":root"}}
        condition = {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}}
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, "Condition": condition}
        properties = {"RoleName": "stacked", "AssumeRolePolicyDocument": POLICY | {"Statement": [trust]}}
        template = {
            "Parameters": {"ExternalId": {"Type": "String"}},
            "Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}},
        }
        customer.client("cloudformation").create_stack(
            StackName="nightjar",
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": "ExternalId", "ParameterValue": "secret"}],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        assert Session(simulated_aws, f"arn:aws:iam::{CUSTOMER}:role/stacked", ExternalId="secret")


class TestASession:
    @pytest.mark.parametrize(
        ("service", "operation"),
        [("lambda", "list_functions"), ("apigateway", "get_rest_apis"), ("apigatewayv2", "get_apis"),
         ("resourcegroupstaggingapi", "get_resources")],
    )  # fmt: skip
    def test_may_what_its_role_allows(self, session: Session, service: str, operation: str) -> None:
        assert getattr(session.client(service), operation)()

    @pytest.mark.parametrize(
        ("service", "operation"),
        [("lambda", "get_account_settings"), ("sqs", "list_queues"), ("cloudwatch", "list_metrics"),
         ("sns", "list_topics"), ("scheduler", "list_schedules"), ("iam", "list_roles"),
         ("stepfunctions", "list_state_machines"), ("dynamodb", "list_tables"), ("kinesis", "list_streams"),
         ("events", "list_rules"), ("cloudformation", "list_stacks"), ("account", "list_regions")],
    )  # fmt: skip
    def test_may_nothing_else(self, session: Session, service: str, operation: str) -> None:
        with pytest.raises(ClientError) as error:
            getattr(session.client(service), operation)()
        assert refusal(error).startswith("AccessDenied")
        assert "not authorized to perform" in str(error.value)

    def test_loses_what_is_denied_and_gets_it_back(self, simulated_aws: SimulatedAws, session: Session) -> None:
        simulated_aws.deny(CUSTOMER, "lambda:List*")
        with pytest.raises(ClientError) as error:
            session.client("lambda").list_functions()
        assert refusal(error) == "AccessDeniedException"
        simulated_aws.allow(CUSTOMER, "lambda:List*")
        assert session.client("lambda").list_functions()

    def test_ends_when_its_time_is_over(self, simulated_aws: SimulatedAws, session: Session) -> None:
        simulated_aws.expire(CUSTOMER)
        with pytest.raises(ClientError) as error:
            session.client("lambda").list_functions()
        assert refusal(error) == "ExpiredTokenException"

    def test_ends_with_its_role(self, simulated_aws: SimulatedAws, session: Session, role: str) -> None:
        simulated_aws.delete_role(role)
        with pytest.raises(ClientError) as error:
            session.client("lambda").list_functions()
        assert refusal(error) == "UnrecognizedClientException"

    def test_is_unknown_in_a_disabled_region(self, simulated_aws: SimulatedAws, session: Session) -> None:
        simulated_aws.disable_region(CUSTOMER, "us-east-1")
        with pytest.raises(ClientError) as error:
            session.client("lambda", "us-east-1").list_functions()
        assert refusal(error) == "UnrecognizedClientException"
        assert session.client("lambda", REGION).list_functions()

    def test_is_worth_nothing_in_a_suspended_account(
        self, simulated_aws: SimulatedAws, session: Session, role: str
    ) -> None:
        simulated_aws.suspend(CUSTOMER)
        with pytest.raises(ClientError) as error:
            session.client("lambda").list_functions()
        assert refusal(error) == "OptInRequired"
        with pytest.raises(ClientError) as error:
            Session(simulated_aws, role, ExternalId="right")
        assert refusal(error) == "AccessDenied"


@pytest.fixture
def logs(customer: Account) -> Any:
    client = customer.client("logs")
    client.create_log_group(logGroupName="/aws/lambda/a")
    for stream in ("one", "two"):
        client.create_log_stream(logGroupName="/aws/lambda/a", logStreamName=stream)
    return client


def put(logs: Any, stream: str, *messages: tuple[int, str]) -> None:
    events = [{"timestamp": NOW + offset, "message": message} for offset, message in messages]
    logs.put_log_events(logGroupName="/aws/lambda/a", logStreamName=stream, logEvents=events)


def pages(logs: Any, **wanted: Any) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = []
    token: dict[str, str] = {}
    while True:
        page = logs.filter_log_events(logGroupName="/aws/lambda/a", **wanted, **token)
        found.append(page["events"])
        if "nextToken" not in page:
            return found
        token = {"nextToken": page["nextToken"]}


class TestLogs:
    def test_come_in_order_of_time_over_all_streams_and_pages(self, logs: Any) -> None:
        put(logs, "one", (0, "a"), (2, "c"))
        put(logs, "two", (1, "b"), (3, "d"), (3, "e"))
        found = pages(logs, startTime=NOW, limit=2)
        assert [[event["message"] for event in page] for page in found] == [["a", "b"], ["c", "d"], ["e"]]
        assert found[0][1]["logStreamName"] == "two"

    def test_a_window_holds_both_of_its_ends(self, logs: Any) -> None:
        put(logs, "one", (0, "a"), (1, "b"), (2, "c"), (3, "d"))
        (found,) = pages(logs, startTime=NOW + 1, endTime=NOW + 2)
        assert [event["message"] for event in found] == ["b", "c"]

    def test_ids_are_unique_even_for_equal_lines(self, logs: Any) -> None:
        put(logs, "one", (0, "a"), (0, "a"))
        put(logs, "two", (0, "a"))
        put(logs, "one", (0, "a"))
        (found,) = pages(logs, startTime=0)
        assert len({event["eventId"] for event in found}) == 4

    def test_ids_are_the_same_when_the_same_happens_again(self, simulated_aws: SimulatedAws, logs: Any) -> None:
        put(logs, "one", (0, "a"), (0, "a"))
        (before,) = pages(logs, startTime=0)
        simulated_aws.reset()
        logs.create_log_group(logGroupName="/aws/lambda/a")
        logs.create_log_stream(logGroupName="/aws/lambda/a", logStreamName="one")
        put(logs, "one", (0, "a"), (0, "a"))
        (after,) = pages(logs, startTime=0)
        assert [event["eventId"] for event in before] == [event["eventId"] for event in after]

    def test_a_late_event_is_found_between_the_others(self, logs: Any) -> None:
        put(logs, "one", (5, "b"))
        put(logs, "one", (1, "a"))
        (found,) = pages(logs, startTime=NOW)
        assert [event["message"] for event in found] == ["a", "b"]

    def test_infrequent_access_cannot_be_filtered(self, customer: Account) -> None:
        client = customer.client("logs")
        client.create_log_group(logGroupName="rare", logGroupClass="INFREQUENT_ACCESS")
        assert client.describe_log_groups()["logGroups"][0]["logGroupClass"] == "INFREQUENT_ACCESS"
        with pytest.raises(ClientError) as error:
            client.filter_log_events(logGroupName="rare")
        assert refusal(error) == "InvalidOperationException"


class TestMetrics:
    def test_are_summed_by_minute_and_metric(self, customer: Account) -> None:
        client = customer.client("cloudwatch")
        minute = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)  # noqa: TID251
        self.put(client, "Invocations", minute, Value=3)
        self.put(client, "Invocations", minute + timedelta(seconds=59), Value=4)
        self.put(client, "Invocations", minute + timedelta(seconds=60), Value=5)
        spread = {"SampleCount": 4, "Sum": 100, "Minimum": 10, "Maximum": 40}
        self.put(client, "Duration", minute, StatisticValues=spread)
        queries = [("Invocations", "Sum"), ("Duration", "Average"), ("Duration", "Maximum"), ("Errors", "Sum")]
        answer = client.get_metric_data(
            StartTime=minute,
            EndTime=minute + timedelta(minutes=2),
            ScanBy="TimestampAscending",
            MetricDataQueries=[self.query(n, name, stat) for n, (name, stat) in enumerate(queries)],
        )
        assert [found["Values"] for found in answer["MetricDataResults"]] == [[7, 5], [25], [40], []]
        assert answer["MetricDataResults"][0]["Timestamps"][0] == minute

    def test_recently_active_leaves_out_the_others(self, customer: Account) -> None:
        client = customer.client("cloudwatch")
        now = datetime.now(UTC)  # noqa: TID251
        self.put(client, "Invocations", now, Value=1)
        self.put(client, "Errors", now - timedelta(hours=4), Value=1)
        assert len(client.list_metrics(Namespace="AWS/Lambda")["Metrics"]) == 2
        (recent,) = client.list_metrics(Namespace="AWS/Lambda", RecentlyActive="PT3H")["Metrics"]
        assert recent["MetricName"] == "Invocations"

    @staticmethod
    def put(client: Any, name: str, at: datetime, **value: Any) -> None:
        dimensions = [{"Name": "FunctionName", "Value": "a"}]
        datum = {"MetricName": name, "Dimensions": dimensions, "Timestamp": at} | value
        client.put_metric_data(Namespace="AWS/Lambda", MetricData=[datum])

    @staticmethod
    def query(number: int, name: str, stat: str) -> dict[str, Any]:
        dimensions = [{"Name": "FunctionName", "Value": "a"}]
        metric = {"Namespace": "AWS/Lambda", "MetricName": name, "Dimensions": dimensions}
        return {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}}


class TestFunctions:
    @pytest.fixture
    def function(self, customer: Account, role: str) -> Any:
        client = customer.client("lambda")
        layer = client.publish_layer_version(LayerName="lib", Content={"ZipFile": package("import this")})
        return client.create_function(
            FunctionName="a",
            Runtime="python3.13",
            Role=role,
            Handler="app.handler",
            Code={"ZipFile": package()},
            Layers=[layer["LayerVersionArn"]],
            LoggingConfig={"LogFormat": "JSON", "LogGroup": "/shared"},
        )

    def test_say_where_they_log(self, customer: Account, function: Any) -> None:
        (found,) = customer.client("lambda").list_functions()["Functions"]
        assert found["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": "/shared"}

    def test_can_be_downloaded_whole_and_in_parts(self, customer: Account, function: Any) -> None:
        url = customer.client("lambda").get_function(FunctionName="a")["Code"]["Location"]
        assert urllib3.request("GET", url).data == package()
        answer = urllib3.request("GET", url, headers={"Range": "bytes=-22"})
        assert answer.status == 206
        assert answer.headers["Content-Range"].endswith(f"/{len(package())}")
        assert answer.data == package()[-22:]

    def test_cannot_be_downloaded_from_an_address_made_up(self, customer: Account, function: Any) -> None:
        url = customer.client("lambda").get_function(FunctionName="a")["Code"]["Location"]
        assert urllib3.request("GET", url.replace("/a/", "/b/")).status == 403

    def test_layers_are_found_by_their_arn(self, session: Session, function: Any) -> None:
        found = session.client("lambda").get_layer_version_by_arn(Arn=function["Layers"][0]["Arn"])
        assert urllib3.request("GET", found["Content"]["Location"]).data == package("import this")

    def test_what_moto_lacks_is_answered(self, customer: Account, function: Any) -> None:
        client = customer.client("lambda")
        assert client.get_account_settings()["AccountUsage"]["FunctionCount"] == 1
        assert client.list_provisioned_concurrency_configs(FunctionName="a")["ProvisionedConcurrencyConfigs"] == []
        assert client.list_function_url_configs(FunctionName="a")["FunctionUrlConfigs"] == []
        with pytest.raises(ClientError) as error:
            client.list_function_url_configs(FunctionName="b")
        assert refusal(error) == "ResourceNotFoundException"
