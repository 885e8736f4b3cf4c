"""The packages of the pretend company: what the simulated AWS hands out, and what is to be seen in it."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from pytest_django import Settings

from demo import packages
from demo.aws import deployments, estate
from demo.aws.archives import archive
from demo.aws.server import SimulatedAws
from demo.catalogue import ACCOUNT, CATALOGUE, SHOP
from demo.environment import born
from ingest.collector import Function, Harvest, Scope
from ingest.collectors.lambda_functions import LambdaFunctions
from ingest.collectors.package_sizes import PackageSizes
from observability.inventory.contents import Measured
from observability.inventory.limits import UNZIPPED
from tests.aws_region import RootRegion

NOW = datetime(2026, 11, 25, 14, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def company(aws_server: SimulatedAws) -> Iterator[SimulatedAws]:
    """Built once for this file, because it takes seconds."""
    aws_server.reset()
    estate.build(aws_server)
    release = packages.ROUND * 50 + 20
    deployments.catch_up(aws_server, release)
    deployments.deploy(aws_server, release)
    yield aws_server
    aws_server.reset()


def collect(aws: SimulatedAws, account: str, region: str) -> tuple[dict[str, list[Measured]], Harvest]:
    """The packages of each function, the newest version last."""
    there, scope = RootRegion(aws.account(account), region), Scope(7, account, "aws", region, NOW)
    listed = LambdaFunctions().transform(LambdaFunctions().fetch(there, scope), scope)
    functions = {
        each.name: Function(number, each.arn, each.name, each.config, None)
        for number, each in enumerate(listed.found)
        if each.type == "lambda_function"
    }
    scope = replace(scope, functions=functions)
    harvest = PackageSizes().transform(PackageSizes().fetch(there, scope), scope)
    assert not harvest.lacking
    assert not harvest.more
    names = {function.resource_id: name for name, function in functions.items()}
    found: dict[str, list[Measured]] = {name: [] for name in functions}
    for resource_id, measured in sorted(harvest.packages, key=lambda each: each[1].deployed_at):
        found[names[resource_id]].append(measured)
    return found, harvest


def test_archives_hold_what_they_list() -> None:
    files = packages.CODE["checkout-api"]
    with zipfile.ZipFile(io.BytesIO(archive(files))) as opened:
        assert opened.testzip() is None
        assert sum(info.file_size for info in opened.infolist()) == packages.size(files)


def test_a_package_grows_with_every_release(company: SimulatedAws, settings: Settings) -> None:
    settings.AWS_ENDPOINT_URL = company.url
    found, _ = collect(company, SHOP, "eu-central-1")
    sizes = [measured.code_bytes or 0 for measured in found[packages.GROWING]]
    assert len(sizes) == deployments.PAST + 1
    assert {after - before for before, after in pairwise(sizes)} == {packages.STEP}
    assert sizes[-1] > 0.8 * UNZIPPED.value
    waste = found[packages.GROWING][-1].waste
    assert waste.keys() == {"shipped", "tests"}


def test_acme_has_everything_that_advice_is_for(company: SimulatedAws, settings: Settings) -> None:
    settings.AWS_ENDPOINT_URL = company.url
    found, harvest = collect(company, ACCOUNT, "eu-west-1")
    more, _ = collect(company, ACCOUNT, "us-east-1")
    found |= more
    (fraud,) = found["fraud-score"]
    assert 0.9 < ((fraud.code_bytes or 0) + (fraud.layers_bytes or 0)) / UNZIPPED.value < 1
    pandas = [
        each["digest"] for (package,) in found.values() for each in package.dependencies if each["name"] == "pandas"
    ]
    assert (len(pandas), len(set(pandas))) == (3, 1)
    wasted = {key for (package,) in found.values() for key in package.waste}
    assert wasted == {"shipped", "tests", "caches", "development", "maps", "types", "foreign", "symbols"}
    assert {layer.arn.split(":")[4] for layer in harvest.layers} >= {ACCOUNT, "905418337712"}


def test_one_function_is_an_image(company: SimulatedAws, settings: Settings) -> None:
    settings.AWS_ENDPOINT_URL = company.url
    found, _ = collect(company, SHOP, "us-east-1")
    assert [each.image_bytes for each in found["shop-sessions"]] == [packages.IMAGES["shop-sessions"]]


def test_extensions_measure_what_aws_hands_out(company: SimulatedAws, settings: Settings) -> None:
    settings.AWS_ENDPOINT_URL = company.url
    found, _ = collect(company, ACCOUNT, "eu-west-1")
    for function in (each for each in CATALOGUE if each.region == "eu-west-1"):
        told = next(record for type_, record in born(function) if type_ == "nightjar.size")
        (package,) = found[function.name]
        assert (package.code_bytes, package.layers_bytes) == (told["codeBytes"], told["layersBytes"])
