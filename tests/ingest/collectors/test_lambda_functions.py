"""Functions: what is asked about them, when, and what becomes of AWS's answers."""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from demo.aws.server import SimulatedAws
from ingest.collector import Function, Harvest, Scope
from ingest.collectors import lambda_functions
from ingest.collectors.lambda_functions import LambdaFunctions, Raw, due, fingerprint
from ingest.pipeline import PATIENCE
from observability.aws import quotas
from observability.aws.problems import AwsError, Trouble
from observability.aws.sessions import Region, Target
from tests.aws_region import RootRegion

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ACCOUNT, REGION = "720155190031", "eu-central-1"
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
SCOPE = Scope(7, ACCOUNT, "aws", REGION, NOW)
SECRET = "postgres://app:hunter2@db/orders"

LISTED = {
    "FunctionName": "checkout", "FunctionArn": ARN + "checkout", "Runtime": "python3.13",
    "Role": f"arn:aws:iam::{ACCOUNT}:role/checkout", "Handler": "app.handler", "CodeSize": 1234, "Description": "pays",
    "Timeout": 10, "MemorySize": 512, "LastModified": "2026-11-20T10:00:00.000+0000", "CodeSha256": "sha-2=",
    "Version": "$LATEST", "RevisionId": "r-2", "PackageType": "Zip", "Architectures": ["arm64"],
    "VpcConfig": {"VpcId": "vpc-1", "SubnetIds": ["s-2", "s-1"], "SecurityGroupIds": ["sg-1"]},
    "DeadLetterConfig": {"TargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"},
    "Environment": {"Variables": {"DATABASE_URL": SECRET, "STAGE": "prod"}},
    "TracingConfig": {"Mode": "Active"},
    "Layers": [{"Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:deps:3", "CodeSize": 99}],
    "EphemeralStorage": {"Size": 1024}, "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
    "LoggingConfig": {"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "WARN",
                      "LogGroup": "/custom/checkout"},
}  # fmt: skip
IMAGE = {
    "FunctionName": "render", "FunctionArn": ARN + "render", "Role": "arn:aws:iam::1:role/r", "CodeSize": 0,
    "Timeout": 3, "MemorySize": 128, "LastModified": "2026-11-20T10:00:00.000+0000", "CodeSha256": "img",
    "Version": "$LATEST", "PackageType": "Image",
}  # fmt: skip
MAPPING = {
    "UUID": "u-1", "EventSourceArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders", "FunctionArn": ARN + "checkout:prod",
    "State": "Enabled", "BatchSize": 10, "MaximumBatchingWindowInSeconds": 5,
    "ScalingConfig": {"MaximumConcurrency": 20}, "FilterCriteria": {"Filters": [{"Pattern": '{"body":["vip"]}'}]},
}  # fmt: skip
SETTINGS = {
    "AccountLimit": {"TotalCodeSize": 80530636800, "CodeSizeUnzipped": 262144000, "CodeSizeZipped": 52428800,
                     "ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900},
    "AccountUsage": {"TotalCodeSize": 5000, "FunctionCount": 2},
}  # fmt: skip
DETAILS: dict[str, Any] = {
    "configuration": {"State": "Active", "LastUpdateStatus": "Successful",
                      "RuntimeVersionConfig": {"RuntimeVersionArn": f"arn:aws:lambda:{REGION}::runtime:abc"}},
    "versions": [{"Versions": [
        LISTED,
        {**LISTED, "Version": "9", "CodeSha256": "sha-1="},
        {**LISTED, "Version": "10", "SnapStart": {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}},
    ]}],
    "aliases": [{"Aliases": [{"Name": "prod", "FunctionVersion": "9",
                              "RoutingConfig": {"AdditionalVersionWeights": {"10": 0.1}}}]}],
    "reserved_concurrency": {"ReservedConcurrentExecutions": 100},
    "event_invoke": [{"FunctionEventInvokeConfigs": [
        {"FunctionArn": ARN + "checkout:prod", "MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60,
         "DestinationConfig": {"OnFailure": {"Destination": f"arn:aws:sqs:{REGION}:{ACCOUNT}:failed"}}}]}],
    "url": [{"FunctionUrlConfigs": [
        {"FunctionArn": ARN + "checkout", "FunctionUrl": "https://x.lambda-url.eu-central-1.on.aws/",
         "AuthType": "NONE", "Cors": {"AllowOrigins": ["*"]}}]}],
    "provisioned": [{"ProvisionedConcurrencyConfigs": [
        {"FunctionArn": ARN + "checkout:prod", "RequestedProvisionedConcurrentExecutions": 5,
         "AllocatedProvisionedConcurrentExecutions": 0, "Status": "IN_PROGRESS"}]}],
}  # fmt: skip
RAW = Raw(
    functions=[LISTED, IMAGE],
    mappings=[{"EventSourceMappings": [MAPPING]}],
    tags=[{"ResourceTagMappingList": [{"ResourceARN": ARN + "checkout", "Tags": [{"Key": "team", "Value": "pay"}]}]}],
    settings=SETTINGS,
    details={"checkout": DETAILS},
    failed=frozenset(),
    lacking=(),
)


def harvest(**other: Any) -> Harvest:
    return LambdaFunctions().transform(replace(RAW, **other), SCOPE)


def config(name: str = "checkout", **other: Any) -> dict[str, Any]:
    return next(dict(found.config) for found in harvest(**other).found if found.name == name)


class TestTransform:
    def test_finds_functions_and_the_account(self) -> None:
        found = {(each.type, each.arn, each.name) for each in harvest().found}
        assert found == {
            ("lambda_function", ARN + "checkout", "checkout"),
            ("lambda_function", ARN + "render", "render"),
            ("aws_account", f"arn:aws:iam::{ACCOUNT}:root", ""),
        }
        assert harvest().complete == {"lambda_function"}

    def test_tells_the_configuration(self) -> None:
        told = {key: value for key, value in config().items() if isinstance(value, str | int)}
        assert told.items() >= {
            ("runtime", "python3.13"), ("handler", "app.handler"), ("memory_mb", 512), ("timeout_s", 10),
            ("architecture", "arm64"), ("ephemeral_mb", 1024), ("package_type", "Zip"), ("code_sha256", "sha-2="),
            ("code_bytes", 1234), ("description", "pays"), ("log_group", "/custom/checkout"), ("log_format", "JSON"),
            ("log_level", "INFO"), ("system_log_level", "WARN"), ("tracing", "Active"), ("snap_start", "None"),
            ("dead_letter", f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"), ("state", "Active"),
            ("runtime_version_arn", f"arn:aws:lambda:{REGION}::runtime:abc"), ("reserved_concurrency", 100),
            ("last_modified", "2026-11-20T10:00:00+00:00"),
        }  # fmt: skip
        assert config()["vpc"] == {"id": "vpc-1", "subnets": ["s-1", "s-2"], "security_groups": ["sg-1"]}
        assert config()["layers"] == [{"arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:deps:3", "code_bytes": 99}]
        assert "version" not in config()

    def test_tells_versions_aliases_and_who_may_call(self) -> None:
        told = config()
        assert [(each["version"], each["code_sha256"]) for each in told["versions"]] == [
            ("10", "sha-2="),
            ("9", "sha-1="),
        ]
        assert told["snapshots"] == [told["last_modified"]]
        assert told["aliases"] == {"prod": {"version": "9", "weights": {"10": 0.1}}}
        assert [(each["qualifier"], each["auth"]) for each in told["url"]] == [("$LATEST", "NONE")]
        assert told["cors"] == {"$LATEST": {"origins": ["*"], "credentials": False}}
        assert [(each["qualifier"], each["retries"]) for each in told["event_invoke"]] == [("prod", 0)]
        assert told["provisioned"] == [{"qualifier": "prod", "requested": 5}]

    def test_tells_what_feeds_it(self) -> None:
        (source,) = config()["event_sources"]
        assert source["source"] == f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders"
        assert (source["qualifier"], source["enabled"], source["batch_size"]) == ("prod", True, 10)
        assert (source["filtered"], source["max_concurrency"]) == (True, 20)
        assert config("render")["event_sources"] == []

    def test_an_image_has_no_runtime(self) -> None:
        assert "runtime" not in config("render")
        assert config("render")["log_group"] == "/aws/lambda/render"

    def test_the_account_tells_its_limits_by_region(self) -> None:
        account = next(each for each in harvest().found if each.type == "aws_account")
        limits = account.config[REGION]
        assert (limits["concurrency_limit"], limits["code_storage_bytes"]) == (1000, 5000)

    def test_tags_that_were_denied_are_unknown(self) -> None:
        assert {each.name: each.tags for each in harvest().found if each.name} == {
            "checkout": {"team": "pay"},
            "render": {},
        }
        assert {each.tags for each in harvest(tags=None).found} == {None}

    def test_what_was_not_answered_is_not_empty(self) -> None:
        told = config(mappings=None, details={"checkout": {**DETAILS, "aliases": None, "provisioned": ()}})
        assert not {"event_sources", "aliases"} & told.keys()
        assert told["provisioned"] == []
        assert "versions" not in config(details={})
        assert {each.type for each in harvest(settings=None).found} == {"lambda_function"}

    def test_surprising_data_fails_loudly(self) -> None:
        with pytest.raises(KeyError):
            harvest(functions=[{"FunctionName": "broken"}])

    def test_is_ready_for_json(self) -> None:
        for each in harvest().found:
            assert json.loads(json.dumps(dict(each.config))) == each.config


class TestEnvironment:
    """Names are kept, values never."""

    def test_no_value_leaves(self) -> None:
        text = repr(harvest())
        assert "DATABASE_URL" in text
        assert SECRET not in text
        assert "hunter2" not in text

    def test_a_changed_value_shows(self) -> None:
        def digests(**variables: str) -> dict[str, str]:
            return config(functions=[{**LISTED, "Environment": {"Variables": variables}}])["environment"]  # type: ignore[no-any-return]

        before, after = digests(STAGE="prod", URL="a"), digests(STAGE="prod", URL="b")
        assert before["STAGE"] == after["STAGE"]
        assert before["URL"] != after["URL"]
        assert digests(A="same")["A"] != digests(B="same")["B"]

    def test_another_secret_key_makes_other_digests(self, settings: Any) -> None:
        before = config()["environment"]
        settings.SECRET_KEY = "another-key-another-key-another-key-another-key-another"
        after = config()["environment"]
        assert before.keys() == after.keys() == {"DATABASE_URL", "STAGE"}
        assert {digest.partition(":")[0] for digest in before.values()}.isdisjoint(
            digest.partition(":")[0] for digest in after.values()
        )

    def test_tells_how_much_of_the_room_for_variables_is_taken(self) -> None:
        taken = {"Variables": {"STAGE": "prod", "NAME": "Zürich"}}
        assert config(functions=[{**LISTED, "Environment": taken}])["environment_bytes"] == 33
        assert config("render")["environment_bytes"] == len("{}")

    def test_what_may_not_be_decrypted_is_unknown(self) -> None:
        denied = {"Error": {"ErrorCode": "AccessDeniedException", "Message": "kms:Decrypt"}}
        assert "environment" not in config(functions=[{**LISTED, "Environment": denied}])
        assert config("render")["environment"] == {}


class TestDue:
    """Who is asked about in detail."""

    def functions(self, count: int) -> list[dict[str, Any]]:
        return [{**LISTED, "FunctionName": f"f{number:04}"} for number in range(count)]

    def seen(self, functions: list[dict[str, Any]], ago: timedelta) -> dict[str, Any]:
        minute = int((NOW - ago).timestamp()) // 60
        return {"seen": {each["FunctionName"]: [fingerprint(each), minute] for each in functions}}

    def test_a_few_in_the_first_run_all_others_in_the_next(self) -> None:
        functions = self.functions(100)
        first = due(functions, {}, now=NOW)
        assert first == [each["FunctionName"] for each in functions[: lambda_functions.FIRST]]
        then = due(functions, self.seen(functions[:10], timedelta()), now=NOW)
        assert then == [each["FunctionName"] for each in functions[10:]]

    def test_nobody_who_was_just_asked(self) -> None:
        functions = self.functions(100)
        assert due(functions, self.seen(functions, timedelta(minutes=59)), now=NOW) == []

    @pytest.mark.parametrize(("key", "value"), [("RevisionId", "r-3"), ("LastModified", "x"), ("CodeSha256", "x")])
    def test_who_changed(self, key: str, value: str) -> None:
        functions = self.functions(3)
        seen = self.seen(functions, timedelta(minutes=5))
        functions[1] = {**functions[1], key: value}
        assert due(functions, seen, now=NOW) == ["f0001"]

    def test_whose_turn_it_is_so_that_a_day_is_enough_for_all(self) -> None:
        functions = self.functions(5_000)
        turn = due(functions, self.seen(functions, timedelta(hours=20)), now=NOW)
        assert len(turn) == 18
        assert len(turn) * 288 >= 5_000
        assert len(due(functions[:30], self.seen(functions[:30], timedelta(hours=20)), now=NOW)) == 5

    def test_one_that_fails_lets_others_go_first(self) -> None:
        functions = self.functions(60)
        raw = replace(RAW, functions=functions, details={}, failed=frozenset({"f0000"}))
        cursor = LambdaFunctions().transform(raw, SCOPE).cursor
        assert due(functions, cursor, now=NOW)[-1] == "f0000"
        assert "left" not in cursor

    def test_the_cursor_forgets_who_is_gone(self) -> None:
        scope = replace(SCOPE, cursor={"seen": {"gone": ["x", 1], "render": [fingerprint(IMAGE), 2]}})
        assert LambdaFunctions().transform(RAW, scope).cursor == {
            "seen": {"checkout": [fingerprint(LISTED), int(NOW.timestamp()) // 60], "render": [fingerprint(IMAGE), 2]}
        }


class TestGoingOn:
    """What is left when time is up is asked about at once, without listing all again."""

    def first(self, aws: RootRegion) -> Harvest:
        asked = iter([False, True])
        return collect(aws, replace(SCOPE, time_is_up=lambda: next(asked)))

    def after(self, found: Harvest, minutes: int = 1, **known: Any) -> Scope:
        now = NOW + timedelta(minutes=minutes)
        return replace(SCOPE, cursor=json.loads(json.dumps(found.cursor)), now=now, **known)

    def test_reads_what_is_left_and_nothing_else(self, aws: RootRegion) -> None:
        first = self.first(aws)
        assert first.more
        assert {each.name for each in first.found} == {"checkout", "idle", ""}
        aws.calls.clear()
        then = collect(aws, self.after(first))
        assert not {"list_functions", "list_event_source_mappings", "get_resources"} & set(aws.calls)
        (idle,) = then.found
        assert (idle.type, idle.arn, idle.name) == ("lambda_function", ARN + "idle", "idle")
        assert idle.config["aliases"] == {}
        assert idle.tags is None
        assert "runtime" not in idle.config
        assert then.complete == frozenset()

    def test_ends_with_a_listing_that_finds_nothing_left(self, aws: RootRegion) -> None:
        then = collect(aws, self.after(self.first(aws)))
        assert then.more
        assert then.cursor.keys() == {"seen"}
        aws.calls.clear()
        last = collect(aws, self.after(then))
        assert aws.calls["list_functions"] == 1
        assert not aws.calls["list_aliases"]
        assert not last.more

    @pytest.mark.parametrize(
        ("minutes", "known"), [(5, {}), (1, {"functions": {"new": Function(9, ARN + "new", "new", {}, None)}})]
    )
    def test_lists_when_it_is_time_and_when_somebody_is_new(
        self, aws: RootRegion, minutes: int, known: dict[str, Any]
    ) -> None:
        first = self.first(aws)
        aws.calls.clear()
        found = collect(aws, self.after(first, minutes, **known))
        assert aws.calls["list_functions"] == 1
        assert "aliases" in next(each for each in found.found if each.name == "idle").config

    def test_a_function_that_was_deleted_meanwhile_does_not_come_back(self, aws: RootRegion) -> None:
        first = self.first(aws)
        aws.call("lambda", "delete_function", FunctionName="idle")
        assert collect(aws, self.after(first)).found == []

    def test_waits_when_aws_has_had_enough(self, aws: RootRegion, monkeypatch: pytest.MonkeyPatch) -> None:
        throttle(aws, monkeypatch, "checkout")
        found = collect(aws)
        assert not found.more
        assert {each.name for each in found.found} == {"checkout", "idle", ""}

    def test_does_not_forget_what_the_listing_was_denied(self, aws: RootRegion, simulated_aws: SimulatedAws) -> None:
        simulated_aws.deny(ACCOUNT, "lambda:GetAccountSettings")
        assert collect(aws, self.after(self.first(aws))).lacking == ("lambda:GetAccountSettings",)


@pytest.fixture
def aws(simulated_aws: SimulatedAws) -> RootRegion:
    """An account with a function of two versions that a queue feeds, and one of none."""
    aws = RootRegion(simulated_aws.account(ACCOUNT), REGION)
    aws.call("iam", "create_role", RoleName="r", AssumeRolePolicyDocument="{}")
    for name in ("checkout", "idle"):
        aws.call(
            "lambda", "create_function", FunctionName=name, Runtime="python3.13", Handler="a.h",
            Code={"ZipFile": package()}, Role=f"arn:aws:iam::{ACCOUNT}:role/r",
            Environment={"Variables": {"URL": SECRET}}, Tags={"team": name},
        )  # fmt: skip
    version = aws.call("lambda", "publish_version", FunctionName="checkout")["Version"]
    aws.call("lambda", "create_alias", FunctionName="checkout", Name="prod", FunctionVersion=version)
    aws.call("lambda", "put_function_concurrency", FunctionName="checkout", ReservedConcurrentExecutions=7)
    aws.call("sqs", "create_queue", QueueName="orders")
    aws.call(
        "lambda", "create_event_source_mapping", FunctionName="checkout",
        EventSourceArn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders",
    )  # fmt: skip
    aws.calls.clear()
    return aws


def package() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a.py", "def h(event, context): pass")
    return content.getvalue()


def collect(aws: Region, scope: Scope = SCOPE) -> Harvest:
    collector = LambdaFunctions()
    return collector.transform(collector.fetch(aws, scope), scope)


class TestFetch:
    def test_finds_everything(self, aws: RootRegion) -> None:
        found = collect(aws)
        told = {each.name: each for each in found.found}
        assert {(each.type, each.name) for each in found.found} == {
            ("lambda_function", "checkout"), ("lambda_function", "idle"), ("aws_account", ""),
        }  # fmt: skip
        checkout = told["checkout"].config
        assert (told["checkout"].tags, told["idle"].tags) == ({"team": "checkout"}, {"team": "idle"})
        assert checkout["aliases"] == {"prod": {"version": "1", "weights": {}}}
        assert (checkout["reserved_concurrency"], told["idle"].config["reserved_concurrency"]) == (7, None)
        assert [each["source"] for each in checkout["event_sources"]] == [f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders"]
        assert checkout["environment"].keys() == {"URL"}
        assert SECRET not in repr(found)
        assert found.lacking == ()

    def test_asks_little_when_nothing_changed(self, aws: RootRegion) -> None:
        first = collect(aws)
        assert sum(aws.calls.values()) == 4 + 7 + 6
        aws.calls.clear()
        again = collect(aws, replace(SCOPE, cursor=first.cursor, now=NOW + timedelta(minutes=5)))
        assert set(aws.calls) == {
            "list_functions", "list_event_source_mappings", "get_resources", "get_account_settings",
        }  # fmt: skip
        assert again.cursor == first.cursor
        assert "aliases" not in next(each for each in again.found if each.name == "checkout").config

    def test_a_denied_detail_loses_nothing_else(self, aws: RootRegion, simulated_aws: SimulatedAws) -> None:
        for action in ("lambda:ListAliases", "lambda:ListEventSourceMappings", "lambda:GetAccountSettings"):
            simulated_aws.deny(ACCOUNT, action)
        found = collect(aws)
        told = {each.name: each.config for each in found.found}
        assert told.keys() == {"checkout", "idle"}
        assert not {"aliases", "event_sources"} & told["checkout"].keys()
        assert told["checkout"]["reserved_concurrency"] == 7
        assert found.complete == {"lambda_function"}
        assert found.lacking == ("lambda:GetAccountSettings", "lambda:ListAliases", "lambda:ListEventSourceMappings")

    def test_a_denied_listing_is_no_listing(self, aws: RootRegion, simulated_aws: SimulatedAws) -> None:
        simulated_aws.deny(ACCOUNT, "lambda:ListFunctions")
        with pytest.raises(AwsError) as caught:
            collect(aws)
        assert (caught.value.trouble, caught.value.action) == (Trouble.ACCESS_DENIED, "lambda:ListFunctions")

    def test_throttled_details_wait_for_the_next_run(self, aws: RootRegion, monkeypatch: pytest.MonkeyPatch) -> None:
        throttle(aws, monkeypatch, "idle")
        found = collect(aws)
        assert {each.name for each in found.found} == {"checkout", "idle", ""}
        monkeypatch.undo()
        again = collect(aws, replace(SCOPE, cursor=found.cursor, now=NOW + timedelta(minutes=5)))
        assert "aliases" in next(each for each in again.found if each.name == "idle").config


def throttle(aws: RootRegion, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let AWS refuse to tell the aliases of one function for now."""
    pages = aws.pages

    def refuse(service: str, operation: str, **parameters: Any) -> Any:
        if operation == "list_aliases" and parameters["FunctionName"] == name:
            raise AwsError(Trouble.THROTTLED, "lambda:ListAliases")
        return pages(service, operation, **parameters)

    monkeypatch.setattr(aws, "pages", refuse)


class Paced:
    """Fulfils ``Region`` for many functions, by a clock of its own: every call takes its turn, and some time."""

    target = Target(ACCOUNT, "aws", "", "", "acme")
    region = REGION

    def __init__(self, functions: int) -> None:
        self.names = [f"f{number:04}" for number in range(functions)]
        self.now = NOW
        self.free_at: dict[str, datetime] = {}
        self.calls: Counter[str] = Counter()

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        family = quotas.family(service, operation)
        turn = max(self.now, self.free_at.get(family, self.now))
        self.free_at[family] = turn + timedelta(seconds=1 / quotas.RATES[family].per_second)
        self.now = turn + timedelta(seconds=0.06)
        self.calls[operation] += 1
        return {"FunctionArn": ARN, "State": "Active", "AccountLimit": SETTINGS["AccountLimit"],
                "AccountUsage": SETTINGS["AccountUsage"]}  # fmt: skip

    def pages(self, service: str, operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        if operation in ("list_functions", "get_resources"):
            size = 50 if operation == "list_functions" else 100
            for start in range(0, len(self.names), size):
                part = self.names[start : start + size]
                told = [{**LISTED, "FunctionName": name, "FunctionArn": ARN + name} for name in part]
                yield self.call(service, operation) | {"Functions": told, "ResourceTagMappingList": []}
            return
        versions = [{**LISTED, "Version": "1"}]
        kinds = ("Aliases", "FunctionEventInvokeConfigs", "FunctionUrlConfigs", "ProvisionedConcurrencyConfigs")
        empty: dict[str, list[Any]] = {kind: [] for kind in (*kinds, "EventSourceMappings")}
        yield self.call(service, operation) | empty | {"Versions": versions}


class TestPace:
    """A simulated first hour of an account with a thousand functions, each with a published version: seven calls."""

    def test_a_thousand_functions_are_known_in_a_quarter_of_an_hour(self) -> None:
        aws, told, listings, runs = Paced(1_000), set[str](), [], []
        cursor: Mapping[str, Any] = {}
        while len(told) < 1_000:
            begun, before = aws.now, aws.calls["list_functions"]
            scope = replace(SCOPE, cursor=cursor, now=begun, time_is_up=lambda: aws.now - begun >= PATIENCE)  # noqa: B023
            found = collect(aws, scope)
            cursor = json.loads(json.dumps(found.cursor))
            told |= {each.name for each in found.found if "state" in each.config}
            runs.append(aws.now - begun)
            listings += [begun] if aws.calls["list_functions"] > before else []
            assert found.more or len(told) == 1_000
            aws.now += timedelta(seconds=2)  # Until the next tick.
        assert aws.now - NOW < timedelta(minutes=15)
        assert max(runs) < timedelta(seconds=20)
        assert all(later - earlier < timedelta(minutes=6) for earlier, later in pairwise(listings))
        assert len(listings) >= 3
