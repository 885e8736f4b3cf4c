"""The template in a bucket, from which CloudFormation takes it."""

from collections.abc import Iterator

import boto3
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from moto import mock_aws
from pytest_django import Settings

from observability.aws import sessions, stack
from observability.aws.management.commands.publish_role_template import address


@pytest.fixture(autouse=True)
def _aws(settings: Settings) -> Iterator[None]:
    settings.AWS_ENDPOINT_URL = ""
    with mock_aws():
        sessions.forget()
        yield
    sessions.forget()


def test_the_template_is_uploaded_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    s3 = boto3.client("s3", "eu-west-1")
    s3.create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    call_command("publish_role_template", bucket="templates", region="eu-west-1")
    told = capsys.readouterr().out.strip()
    assert told == "ROLE_TEMPLATE_URL=https://templates.s3.eu-west-1.amazonaws.com/nightjar/role.yaml"
    stored = s3.get_object(Bucket="templates", Key="nightjar/role.yaml")
    assert stored["Body"].read() == stack.TEMPLATE.read_bytes()


def test_a_bucket_that_does_not_exist_is_told() -> None:
    with pytest.raises(CommandError, match="NoSuchBucket"):
        call_command("publish_role_template", bucket="nowhere", region="eu-west-1")


def test_each_partition_has_its_own_domain() -> None:
    assert address("b", "cn-north-1", "k") == "https://b.s3.cn-north-1.amazonaws.com.cn/k"
    assert address("b", "us-gov-west-1", "k") == "https://b.s3.us-gov-west-1.amazonaws.com/k"
