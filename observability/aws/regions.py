"""The regions that can be watched, by partition and part of the world."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REGIONS = Path(__file__).with_name("regions.json")
PRESELECTED = ("us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2", "ap-northeast-1")
"""What a first connection starts from: where most functions of most accounts are."""


@dataclass(frozen=True, slots=True)
class AwsRegion:
    """One region. An ``opt_in`` one must first be enabled in the account."""

    code: str
    name: str
    area: str
    partition: str
    opt_in: bool


@cache
def regions() -> tuple[AwsRegion, ...]:
    """All of them, those of one area together."""
    return tuple(AwsRegion(**entry) for entry in json.loads(REGIONS.read_text()))


def within_reach(home_region: str) -> list[AwsRegion]:
    """The regions of our own part of AWS: no role can be assumed across its borders."""
    ours = partitions([home_region])
    return [region for region in regions() if not ours or region.partition in ours]


def partitions(codes: Iterable[str]) -> set[str]:
    """The partitions of these regions; those that nobody knows have none."""
    wanted = set(codes)
    return {region.partition for region in regions() if region.code in wanted}


def home(codes: Iterable[str], partition: str) -> str:
    """Where the stack of a role is made, which itself belongs to no region: the first that is watched."""
    mine = [region for region in regions() if region.partition == partition]
    wanted = set(codes)
    return next((region.code for region in mine if region.code in wanted and not region.opt_in), mine[0].code)


def partition_of(region: str) -> str:
    """The partition of one region; of one that is not known, the usual one."""
    return next(iter(partitions([region])), "aws")
