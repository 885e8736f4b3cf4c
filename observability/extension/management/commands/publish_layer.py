"""Put the extension where functions can take it from: as a layer in each region that has any."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from observability.aws.problems import AwsError, Trouble, sentence
from observability.aws.regions import regions
from observability.extension import layers

WORDS = {
    Trouble.ACCESS_DENIED: "The credentials of this server may not do this; docs/operating.md says what they need.",
    Trouble.OWN_CREDENTIALS: "There are no valid AWS credentials on this server; boto3 looks for them.",
    Trouble.UNREACHABLE: "AWS did not answer in time. Run this again: nothing is published twice.",
    Trouble.REGION_DISABLED: "The credentials are not valid, or the account has not enabled this region.",
}


class Command(BaseCommand):
    help = "Publish the layers that `make extension` built to regions of our own AWS account and print their ARNs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--region", action="append", required=True, type=_region, help="can be given several times")
        parser.add_argument(
            "--architecture", action="append", choices=layers.ARCHITECTURES, help="only this one (both of them)"
        )
        parser.add_argument(
            "--account", action="append", default=[], type=_account, help="an AWS account that may use the layers"
        )
        parser.add_argument("--public", action="store_true", help="every AWS account may use the layers")

    def handle(self, *args: Any, **options: Any) -> None:
        architectures = options["architecture"] or layers.ARCHITECTURES
        for architecture in architectures:
            if not layers.archive(architecture).exists():
                raise CommandError(f"{layers.archive(architecture)} does not exist: run `make extension` first.")
        readers = [layers.EVERYBODY] if options["public"] else options["account"]
        for region in dict.fromkeys(options["region"]):
            for architecture in architectures:
                self._publish(region, architecture, readers)
        if not readers:
            self.stderr.write("Only functions of our own AWS account can use them: see --account and --public.")

    def _publish(self, region: str, architecture: str, readers: list[str]) -> None:
        try:
            layer, made = layers.publish(region=region, architecture=architecture, readers=readers, now=timezone.now())
        except AwsError as error:
            told = WORDS.get(error.trouble) or sentence(error.trouble)
            raise CommandError(f"{region}, {architecture}: {told} ({error})") from None
        self.stdout.write(layer.arn)
        self.stderr.write(f"{region}, {architecture}: {'published' if made else 'was published before, unchanged'}")


def _region(text: str) -> str:
    if text not in {region.code for region in regions()}:
        raise ArgumentTypeError(f"AWS has no region {text}")
    return text


def _account(text: str) -> str:
    if not re.fullmatch(r"\d{12}", text):
        raise ArgumentTypeError(f"an AWS account is 12 digits, not {text}")
    return text
