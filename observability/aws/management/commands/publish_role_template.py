"""Put the role's template where CloudFormation can take it from, which is what makes connecting one click."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from observability.aws import sessions, stack
from observability.aws.problems import AwsError, sentence
from observability.aws.regions import partition_of

KEY = "nightjar/role.yaml"
DOMAINS = {"aws-cn": "amazonaws.com.cn"}


class Command(BaseCommand):
    help = "Upload observability/aws/role.yaml to an S3 bucket of ours and print the URL for ROLE_TEMPLATE_URL."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bucket", required=True, help="an S3 bucket whose objects customers may read")
        parser.add_argument("--region", required=True, help="the region of the bucket")
        parser.add_argument("--key", default=KEY, help=f"the name of the object ({KEY})")

    def handle(self, *args: Any, bucket: str, region: str, key: str, **options: Any) -> None:
        content = {"Body": stack.TEMPLATE.read_bytes(), "ContentType": "application/yaml"}
        try:
            sessions.own_call("s3", "put_object", region=region, Bucket=bucket, Key=key, **content)
        except AwsError as error:
            raise CommandError(f"{sentence(error.trouble)} ({error})") from None
        self.stdout.write(f"ROLE_TEMPLATE_URL={address(bucket, region, key)}")
        self.stderr.write("Customers must be able to read it: docs/operating.md has the bucket's policy.")


def address(bucket: str, region: str, key: str) -> str:
    """Where S3 serves the object; CloudFormation takes templates from nowhere else."""
    partition = partition_of(region)
    return f"https://{bucket}.s3.{region}.{DOMAINS.get(partition, 'amazonaws.com')}/{key}"
