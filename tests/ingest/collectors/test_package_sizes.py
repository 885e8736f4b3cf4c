"""Packages, layers and images: which are read, how often, and what becomes of what they hold."""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from demo.aws.server import SimulatedAws
from ingest.collector import Function, Harvest, Scope, is_granted
from ingest.collectors import package_sizes
from ingest.collectors.lambda_functions import LambdaFunctions
from ingest.collectors.package_sizes import PackageSizes
from observability.aws import archives
from observability.aws.archives import Archive, Status
from observability.aws.models import Tier
from observability.aws.problems import AwsError, Trouble
from observability.inventory.contents import Measured
from tests.aws_region import RootRegion

ACCOUNT, OTHER, REGION = "720155190031", "441022190087", "eu-central-1"
SCOPE = Scope(7, ACCOUNT, "aws", REGION, datetime(2026, 11, 25, 12, tzinfo=UTC))
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
HANDLER = {"app.py": b"def handler(event, context): pass\n"}
PANDAS = {"python/pandas/frame.py": bytes(4_000), "python/pandas/tests/test_frame.py": bytes(1_000)}


def zipped(files: Mapping[str, bytes]) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            target.writestr(zipfile.ZipInfo(name, (2026, 11, 2, 9, 30, 0)), content, zipfile.ZIP_DEFLATED)
    return memory.getvalue()


class Fleet:
    """A region with functions, and what a collector knows of them after they were listed."""

    def __init__(self, aws: SimulatedAws) -> None:
        self.aws = aws
        self.region = RootRegion(aws.account(ACCOUNT), REGION)
        made = aws.account(ACCOUNT).client("iam", REGION).create_role(
            RoleName="functions", AssumeRolePolicyDocument=json.dumps(TRUST)
        )  # fmt: skip
        self.role = made["Role"]["Arn"]

    def add(self, name: str, files: Mapping[str, bytes] = HANDLER, *layers: str, **settings: Any) -> None:
        code = {"Runtime": "python3.12", "Handler": "app.handler", "Code": {"ZipFile": zipped(files)}} | settings
        self.region.call("lambda", "create_function", FunctionName=name, Role=self.role, Layers=list(layers), **code)

    def change(self, name: str, files: Mapping[str, bytes]) -> None:
        self.region.call("lambda", "update_function_code", FunctionName=name, ZipFile=zipped(files))

    def layer(self, name: str, files: Mapping[str, bytes], account: str = ACCOUNT) -> str:
        client = self.aws.account(account).client("lambda", REGION)
        return str(client.publish_layer_version(LayerName=name, Content={"ZipFile": zipped(files)})["LayerVersionArn"])

    def scope(self, scope: Scope = SCOPE, **changes: Any) -> Scope:
        listed = LambdaFunctions().transform(LambdaFunctions().fetch(self.region, SCOPE), SCOPE)
        ids = count(1)
        functions = {
            each.name: Function(next(ids), each.arn, each.name, each.config, None)
            for each in sorted(listed.found, key=lambda each: each.name)
            if each.type == "lambda_function"
        }
        self.region.calls.clear()
        return replace(scope, functions=functions, **changes)

    def collect(self, scope: Scope) -> Harvest:
        return PackageSizes().transform(PackageSizes().fetch(self.region, scope), scope)


@pytest.fixture
def fleet(simulated_aws: SimulatedAws) -> Fleet:
    return Fleet(simulated_aws)


def only(harvest: Harvest) -> Measured:
    ((_, measured),) = harvest.packages
    return measured


class TestPackages:
    def test_of_code_and_layers_every_byte_is_told(self, fleet: Fleet) -> None:
        layer = fleet.layer("pandas", PANDAS)
        content = {**HANDLER, "boto3/session.py": bytes(9_000), "boto3/tests/test_session.py": bytes(500)}
        fleet.add("ledger", content, layer)
        harvest = fleet.collect(fleet.scope())
        ((resource_id, measured),) = harvest.packages
        assert (resource_id, measured.source, measured.version) == (1, "archive", "$LATEST")
        assert (measured.code_bytes, measured.layers_bytes, measured.files) == (9_534, 5_000, 3)
        assert (measured.zipped_bytes, measured.complete, measured.problem) == (len(zipped(content)), True, "")
        assert measured.layers == [layer]
        assert measured.waste == {"shipped": 9_500}
        assert [(each["name"], each["bytes"]) for each in measured.dependencies] == [("boto3", 9_500)]
        assert measured.folders[0] == {"path": "/var/task/boto3", "bytes": 9_000}
        (held,) = harvest.layers
        assert (held.arn, held.unzipped_bytes, held.files, held.problem) == (layer, 5_000, 2, "")
        assert held.zipped_bytes == len(zipped(PANDAS))
        assert [each["name"] for each in held.dependencies] == ["pandas"]

    def test_what_did_not_change_is_not_read_again(self, fleet: Fleet) -> None:
        layer = fleet.layer("pandas", PANDAS)
        for name in ("a", "b"):
            fleet.add(name, HANDLER | {name: b""}, layer)
        first = fleet.collect(fleet.scope())
        assert fleet.region.calls == {"get_function": 2, "get_layer_version_by_arn": 1}
        fleet.change("b", HANDLER | {"more.py": bytes(100)})
        second = fleet.collect(fleet.scope(cursor=first.cursor))
        assert fleet.region.calls == {"get_function": 1}
        assert (only(second).code_bytes, only(second).layers_bytes, second.layers) == (134, 5_000, [])
        third = fleet.collect(fleet.scope(cursor=second.cursor))
        assert (third.packages, fleet.region.calls) == ([], {})
        assert third.cursor == second.cursor

    def test_the_newest_versions_are_its_history(self, fleet: Fleet) -> None:
        fleet.add("ledger")
        for number in range(7):
            fleet.change("ledger", HANDLER | {"data": bytes(1_000 * number)})
            fleet.region.call("lambda", "publish_version", FunctionName="ledger")
        fleet.change("ledger", HANDLER | {"data": bytes(9_000)})
        harvest = fleet.collect(fleet.scope())
        sizes = {measured.version: measured.code_bytes for _, measured in harvest.packages}
        assert sizes == {"$LATEST": 9_034, "7": 6_034, "6": 5_034, "5": 4_034, "4": 3_034, "3": 2_034}
        assert fleet.collect(fleet.scope(cursor=harvest.cursor)).packages == []

    def test_a_function_that_was_just_deleted_is_left_out(self, fleet: Fleet) -> None:
        fleet.add("ledger")
        scope = fleet.scope()
        fleet.region.call("lambda", "delete_function", FunctionName="ledger")
        assert fleet.collect(scope).packages == []

    def test_code_that_is_no_zip_is_told_as_such(self, fleet: Fleet) -> None:
        fleet.add("ledger", Code={"ZipFile": b"not a zip"})
        harvest = fleet.collect(fleet.scope())
        measured = only(harvest)
        assert (measured.code_bytes, measured.complete, measured.problem) == (None, False, "not_a_zip")
        assert fleet.collect(fleet.scope(cursor=harvest.cursor)).packages == []


class TestLayers:
    @pytest.fixture
    def foreign(self, fleet: Fleet) -> str:
        """A layer that another account publishes."""
        arn = fleet.layer("agent", {"extensions/agent": bytes(7_000)}, account=OTHER)
        fleet.add("ledger", HANDLER, arn)
        return arn

    def test_those_of_other_accounts_are_read(self, fleet: Fleet, foreign: str) -> None:
        measured = only(fleet.collect(fleet.scope()))
        assert (measured.layers_bytes, measured.complete) == (7_000, True)

    def test_one_that_its_owner_keeps_to_himself_is_told_as_such(
        self, fleet: Fleet, foreign: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.deny(fleet, monkeypatch)
        harvest = fleet.collect(fleet.scope())
        measured = only(harvest)
        assert (measured.code_bytes, measured.layers_bytes, measured.complete) == (34, 0, False)
        assert [(each.arn, each.unzipped_bytes, each.problem) for each in harvest.layers] == [
            (foreign, None, "not_allowed")
        ]
        assert harvest.lacking == ()

    def test_it_is_asked_for_again_after_hours(
        self, fleet: Fleet, foreign: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            self.deny(fleet, patch)
            cursor = fleet.collect(fleet.scope()).cursor
        soon = fleet.scope(now=SCOPE.now + timedelta(hours=2), cursor=cursor)
        assert fleet.collect(soon).packages == []
        later = fleet.scope(now=SCOPE.now + timedelta(hours=4), cursor=cursor)
        assert only(fleet.collect(later)).complete

    def test_an_own_one_that_is_denied_is_a_permission_that_lacks(
        self, fleet: Fleet, simulated_aws: SimulatedAws
    ) -> None:
        fleet.add("ledger", HANDLER, fleet.layer("pandas", PANDAS))
        simulated_aws.deny(ACCOUNT, "lambda:GetLayerVersion")
        harvest = fleet.collect(fleet.scope())
        assert harvest.lacking == ("lambda:GetLayerVersion",)
        assert not only(harvest).complete

    def deny(self, fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
        call = fleet.region.call

        def refuse(service: str, operation: str, **parameters: Any) -> dict[str, Any]:
            if operation == "get_layer_version_by_arn":
                raise AwsError(Trouble.ACCESS_DENIED, "lambda:GetLayerVersion", "not authorized")
            return call(service, operation, **parameters)

        monkeypatch.setattr(fleet.region, "call", refuse)


class TestImages:
    @pytest.fixture
    def digest(self, fleet: Fleet) -> str:
        fleet.region.call("ecr", "create_repository", repositoryName="shop/models")
        layers = [{"digest": "sha256:" + "ab" * 32, "size": 600_000_000}]
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": {"size": 612_345_678}, "layers": layers}
        put = fleet.region.call(
            "ecr", "put_image",
            repositoryName="shop/models", imageManifest=json.dumps(manifest), imageTag="v1",
        )  # fmt: skip
        digest = str(put["image"]["imageId"]["imageDigest"])
        uri = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/shop/models@{digest}"
        fleet.region.call(
            "lambda", "create_function",
            FunctionName="models", Role=fleet.role, PackageType="Image", Code={"ImageUri": uri},
        )  # fmt: skip
        return digest

    def test_the_registry_tells_their_size(self, fleet: Fleet, digest: str) -> None:
        measured = only(fleet.collect(fleet.scope()))
        assert (measured.source, measured.image_bytes, measured.complete) == ("image", 612_345_678, True)
        assert (measured.code_bytes, measured.layers_bytes, measured.zipped_bytes) == (None, None, None)

    def test_one_that_is_gone(self, fleet: Fleet, digest: str) -> None:
        fleet.region.call("ecr", "batch_delete_image", repositoryName="shop/models", imageIds=[{"imageDigest": digest}])
        measured = only(fleet.collect(fleet.scope()))
        assert (measured.image_bytes, measured.complete, measured.problem) == (None, False, "package_missing")

    def test_a_denied_registry(self, fleet: Fleet, digest: str, simulated_aws: SimulatedAws) -> None:
        simulated_aws.deny(ACCOUNT, "ecr:DescribeImages")
        harvest = fleet.collect(fleet.scope())
        assert (only(harvest).problem, harvest.lacking) == ("not_allowed", ("ecr:DescribeImages",))


class TestRun:
    def test_a_denied_tier_is_said_and_costs_one_call(self, fleet: Fleet, simulated_aws: SimulatedAws) -> None:
        for name in "abc":
            fleet.add(name)
        simulated_aws.deny(ACCOUNT, "lambda:GetFunction")
        harvest = fleet.collect(fleet.scope())
        assert (harvest.packages, harvest.lacking, harvest.more) == ([], ("lambda:GetFunction",), False)
        assert fleet.region.calls == {"get_function": 1}

    def test_a_denied_function_does_not_keep_the_others_from_being_read(
        self, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An organization's policy may deny a single one, by its tags."""
        for name in "abc":
            fleet.add(name, {name: b"1"})
        call = fleet.region.call

        def refuse(service: str, operation: str, **parameters: Any) -> dict[str, Any]:
            if parameters.get("FunctionName") == "a" and operation == "get_function":
                raise AwsError(Trouble.ACCESS_DENIED, "lambda:GetFunction", "not authorized")
            return call(service, operation, **parameters)

        monkeypatch.setattr(fleet.region, "call", refuse)
        harvest = fleet.collect(fleet.scope())
        assert (harvest.packages, harvest.lacking) == ([], ("lambda:GetFunction",))
        rest = fleet.collect(fleet.scope(cursor=harvest.cursor))
        assert (len(rest.packages), rest.lacking) == (2, ())
        monkeypatch.undo()
        later = fleet.scope(cursor=rest.cursor, now=SCOPE.now + package_sizes.AGAIN)
        assert len(fleet.collect(later).packages) == 1

    def test_a_run_ends_in_time_and_the_next_goes_on(self, fleet: Fleet) -> None:
        for name in "abc":
            fleet.add(name, {name: b"1"})
        looks = count()
        harvest = fleet.collect(fleet.scope(time_is_up=lambda: next(looks) >= 2))
        assert (len(harvest.packages), harvest.more) == (2, True)
        rest = fleet.collect(fleet.scope(cursor=harvest.cursor))
        assert (len(rest.packages), rest.more) == (1, False)

    def test_many_layers_take_several_runs(self, fleet: Fleet) -> None:
        layers = [fleet.layer(name, {f"python/{name}.py": b"1"}) for name in ("a", "b", "c")]
        fleet.add("ledger", HANDLER, *layers)
        looks = count()
        harvest = fleet.collect(fleet.scope(time_is_up=lambda: next(looks) >= 3))
        assert ([layer.arn for layer in harvest.layers], harvest.packages) == (layers[:2], [])
        assert harvest.more
        rest = fleet.collect(fleet.scope(cursor=harvest.cursor))
        assert ([layer.arn for layer in rest.layers], only(rest).layers_bytes) == (layers[2:], 3)

    def test_a_storage_out_of_reach_is_not_asked_for_everything(
        self, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in "abcd":
            fleet.add(name, {name: b"1"})
        with monkeypatch.context() as patch:
            patch.setattr(archives, "read", lambda url: Archive(Status.UNREACHABLE, None))
            harvest = fleet.collect(fleet.scope())
        assert [measured.problem for _, measured in harvest.packages] == ["unreachable"] * 2
        assert not harvest.more
        rest = fleet.collect(fleet.scope(cursor=harvest.cursor))
        assert [measured.code_bytes for _, measured in rest.packages] == [1, 1]
        later = fleet.scope(cursor=rest.cursor, now=SCOPE.now + package_sizes.AGAIN)
        assert [measured.code_bytes for _, measured in fleet.collect(later).packages] == [1, 1]

    def test_throttling_keeps_what_was_learnt(self, fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in "abc":
            fleet.add(name)
        scope, call, calls = fleet.scope(), fleet.region.call, count(1)

        def throttle(service: str, operation: str, **parameters: Any) -> dict[str, Any]:
            if next(calls) > allowed:
                raise AwsError(Trouble.THROTTLED, "lambda:GetFunction", "Rate exceeded")
            return call(service, operation, **parameters)

        monkeypatch.setattr(fleet.region, "call", throttle)
        allowed = 2
        assert len(fleet.collect(scope).packages) == 2
        allowed = 0
        with pytest.raises(AwsError):
            fleet.collect(scope)


def test_it_only_runs_where_it_was_granted() -> None:
    assert not is_granted(PackageSizes(), ["base"])
    assert is_granted(PackageSizes(), [Tier.BASE, Tier.SIZES])
    assert package_sizes.TIER == Tier.SIZES
    assert is_granted(LambdaFunctions(), [])
