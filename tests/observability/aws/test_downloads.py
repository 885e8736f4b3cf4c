"""Which addresses of AWS's are called: those of its storage, or the very server that the operator named as AWS."""

import pytest
from pytest_django import Settings

from observability.aws.downloads import Download, DownloadError, Failure

GOOD = (
    "https://awslambda-eu-central-1-tasks.s3.eu-central-1.amazonaws.com/snapshots/1/f?X-Amz-Expires=600&a=%2B",
    "https://prod-04-2014-layers.s3.us-east-1.amazonaws.com/snapshots/1/l?versionId=x",
    "https://awslambda-us-west-2-tasks.s3-us-west-2.amazonaws.com/f",
    "https://s3.us-east-1.amazonaws.com/awslambda-us-east-1-tasks/f",
    "https://bucket.s3.amazonaws.com/f",
    "https://bucket.s3.dualstack.eu-west-3.amazonaws.com/f",
    "https://bucket.s3-fips.us-gov-west-1.amazonaws.com/f",
    "https://bucket.s3.cn-north-1.amazonaws.com.cn/f",
    "https://bucket.s3.eusc-de-east-1.amazonaws.eu/f",
)
BAD = (
    "http://bucket.s3.amazonaws.com/f",
    "https://bucket.s3.amazonaws.com:8443/f",
    "https://user@bucket.s3.amazonaws.com/f",
    "https://bucket.s3.amazonaws.com@evil.example/f",
    "https://bucket.s3.amazonaws.com.evil.example/f",
    "https://evil.example/bucket.s3.amazonaws.com",
    "https://evils3.amazonaws.com/f",
    "https://s3-evil-123.us-east-1.elb.amazonaws.com/f",
    "https://ec2-203-0-113-7.compute-1.amazonaws.com/f",
    "https://abc.execute-api.us-east-1.amazonaws.com/f",
    "https://bucket.s3.us-east-1.amazonaws.com\\@evil.example/f",
    "https://bucket.s3.amazonaws.com/f\r\nHost: evil.example",
    "https://bucket.s3.amazonaws.com/f f",
    "https://bucket.s3.amazonaws.com./f",
    "https://bücket.s3.amazonaws.com/f",
    "https://[::1]/f", "https://[::1/f", "https://127.0.0.1/f", "https://169.254.169.254/latest",
    "https://bucket.s3.amazonaws.com:99999/f",
    "ftp://bucket.s3.amazonaws.com/f", "file:///etc/passwd", "s3://bucket/f", "//bucket.s3.amazonaws.com/f", "", "f",
    "http://127.0.0.1:5000/f",
    "https://bucket.s3.amazonaws.com/" + "f" * 9_000,
)  # fmt: skip


@pytest.mark.parametrize("url", GOOD)
def test_storage_of_aws_is_called(settings: Settings, url: str) -> None:
    settings.AWS_ENDPOINT_URL = ""
    assert Download(url).size is None


@pytest.mark.parametrize("url", BAD)
def test_nobody_else_is(settings: Settings, url: str) -> None:
    settings.AWS_ENDPOINT_URL = ""
    with pytest.raises(DownloadError) as caught:
        Download(url)
    assert caught.value.failure is Failure.ADDRESS


def test_the_server_that_stands_for_aws_is_called(settings: Settings) -> None:
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:5000"
    assert Download("http://127.0.0.1:5000/packages/f?signature=1")
    for url in ("http://127.0.0.1:5001/f", "https://127.0.0.1:5000/f", "http://u@127.0.0.1:5000/f", "http://[::1]/f"):
        with pytest.raises(DownloadError):
            Download(url)
