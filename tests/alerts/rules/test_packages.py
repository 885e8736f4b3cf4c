"""Advice about what functions are deployed as: zips, layers, images, and what is in them."""

from datetime import timedelta
from typing import Any

import pytest

from alerts.finding import Severity
from alerts.rule import Advice, Confidence, Subject
from alerts.rules.extension_missing import ExtensionMissing
from alerts.rules.image_large import ImageLarge
from alerts.rules.layers_full import LayersFull
from alerts.rules.package_as_image import PackageAsImage
from alerts.rules.package_large import PackageLarge
from alerts.rules.package_waste import PackageWaste
from alerts.rules.runtime_shipped import RuntimeShipped
from alerts.rules.shared_dependency import SharedDependency
from tests.alerts.rules.cases import NOW, Case, case, function, package, rollup, twins

MIB, GIB = 1 << 20, 1 << 30


def sized(mib: float, name: str = "checkout", **fields: Any) -> Subject:
    return function(name, package=package(code_bytes=int(mib * MIB), zipped_bytes=int(mib * MIB / 3), **fields))


def image(name: str, gib: float = 0.4) -> Subject:
    told = package(zipped_bytes=None, code_bytes=None, layers_bytes=None, image_bytes=int(gib * GIB), history=())
    return function(name, config={"package_type": "Image", "runtime": None, "handler": None}, package=told)


def dependency(name: str, mib: float, *, ecosystem: str = "python", digest: str = "") -> dict[str, Any]:
    return {"name": name, "version": "2.1.0", "ecosystem": ecosystem, "bytes": int(mib * MIB), "files": 100,
            "digest": digest or name}  # fmt: skip


def carrying(name: str, *dependencies: dict[str, Any], **config: Any) -> Subject:
    return function(name, config=config, package=package(code_bytes=80 * MIB, dependencies=dependencies))


def layers(number: int) -> list[dict[str, Any]]:
    arn = "arn:aws:lambda:eu-west-1:123456789012:layer"
    return [{"arn": f"{arn}:part-{each}:1", "code_bytes": each * 1_000_000} for each in range(1, number + 1)]


def grown(*mib: float) -> tuple[Any, ...]:
    return tuple((NOW - timedelta(days=7 * (len(mib) - place)), int(each * MIB)) for place, each in enumerate(mib))


pandas, boto3 = dependency("pandas", 40), dependency("boto3", 1)
three = [carrying(name, pandas) for name in ("checkout", "billing", "reports")]
twins(PackageLarge(), problem=sized(210), clean=sized(180))
twins(PackageAsImage(), problem=sized(240), clean=sized(190))
twins(
    PackageWaste(),
    problem=sized(80, waste={"tests": 9 * MIB, "maps": 3 * MIB}),
    clean=sized(80, waste={"tests": 2 * MIB}),
)
twins(
    RuntimeShipped(),
    problem=carrying("checkout", dependency("botocore", 18), boto3),
    clean=carrying("checkout", dependency("botocore", 18, ecosystem="node"), boto3),
)
twins(SharedDependency(), problem=case(*three), clean=case(*three[:2]))
twins(LayersFull(), problem=function(config={"layers": layers(5)}), clean=function(config={"layers": layers(4)}))
twins(ImageLarge(), problem=image("vision", 2), clean=image("vision"))
twins(
    ExtensionMissing(),
    problem=function(rollup=rollup(timeouts=4, out_of_memory=3)),
    clean=function(config={"extensions": {"nightjar": "2026-11-22"}}),
)


class TestPackageLarge:
    def test_says_what_to_leave_out_first(self) -> None:
        (advice,) = case(sized(230, waste={"tests": 30 * MIB, "maps": 10 * MIB})).advice(PackageLarge())
        assert advice.severity == Severity.WARNING
        assert advice.saved_bytes == 40 * MIB
        lines = advice.fixes[0].text.splitlines()
        assert lines[0].startswith("1. Tests, 30 MB:")
        assert lines[2] == "3. That leaves 190 MB, 76.0% of the limit."

    def test_counts_layers_and_is_not_sure_of_those_it_cannot_read(self) -> None:
        (advice,) = case(sized(150, layers_bytes=70 * MIB, complete=False)).advice(PackageLarge())
        assert "at least 220 MB" in advice.text
        assert advice.confidence == Confidence.MEDIUM

    def test_does_not_know_what_nobody_measured(self) -> None:
        assert not case(function(package=package(code_bytes=None, layers_bytes=None))).advice(PackageLarge())

    def test_does_not_mind_images(self) -> None:
        assert not case(image("vision", 9)).advice(PackageLarge())


class TestPackageAsImage:
    def test_is_not_needed_where_it_fits_without_its_waste(self) -> None:
        assert not case(sized(240, waste={"tests": 40 * MIB})).advice(PackageAsImage())

    def test_is_foreseen_from_how_it_grows(self) -> None:
        (advice,) = case(sized(215, history=grown(140, 165, 190, 215))).advice(PackageAsImage())
        assert "fits for about 2 more deployments" in advice.text
        assert not case(sized(200, history=grown(185, 190, 195, 200))).advice(PackageAsImage())

    def test_follows_a_team_that_lives_in_images(self) -> None:
        images = [image(f"vision-{number}") for number in range(4)]
        (advice,) = case(sized(140), *images).advice(PackageAsImage())
        assert "80.0% of this account's functions are images" in advice.text
        assert not case(sized(60), *images).advice(PackageAsImage()), "A small zip stays a zip."
        assert not case(sized(140), *images[:2], function("other")).advice(PackageAsImage())

    def test_says_what_an_image_needs_and_what_stays(self) -> None:
        (advice,) = case(sized(240)).advice(PackageAsImage())
        steps = advice.fixes[0].text
        for word in ("Runtime API", "public.ecr.aws/lambda/python:3.13", "cold starts", "15 minutes", "app.handler"):
            assert word in steps

    @pytest.mark.parametrize(("runtime", "base"), [("nodejs24.x", "nodejs:24"), ("java21", "java:21"),
                                                   ("provided.al2023", "provided:al2023")])  # fmt: skip
    def test_names_the_base_image_of_each_runtime(self, runtime: str, base: str) -> None:
        large = function(config={"runtime": runtime}, package=package(code_bytes=240 * MIB))
        (advice,) = case(large).advice(PackageAsImage())
        assert f"public.ecr.aws/lambda/{base}:" in advice.fixes[0].text


class TestPackageWaste:
    def test_leaves_the_sdk_to_another_rule(self) -> None:
        assert not case(sized(80, waste={"shipped": 20 * MIB})).advice(PackageWaste())

    def test_can_be_told_to_mind_more(self) -> None:
        little = case(sized(80, waste={"tests": 4 * MIB}))
        assert not little.advice(PackageWaste())
        assert little.advice(PackageWaste(), mb=1, share=1)


class TestRuntimeShipped:
    def test_sums_up_the_whole_sdk(self) -> None:
        (advice,) = case(carrying("checkout", dependency("botocore", 18), boto3, pandas)).advice(RuntimeShipped())
        assert advice.saved_bytes == 19 * MIB

    def test_knows_what_node_has(self) -> None:
        sdk = dependency("@aws-sdk/client-s3", 9, ecosystem="node")
        assert case(carrying("web", sdk, runtime="nodejs24.x")).advice(RuntimeShipped())
        assert not case(carrying("web", sdk, runtime="nodejs16.x")).advice(RuntimeShipped())


class TestSharedDependency:
    def test_names_who_else_and_publishes_a_layer(self) -> None:
        (advice,) = _shared(*three)
        assert advice.text == "checkout carries pandas (40 MB), as other functions do, byte for byte."
        assert ("pandas is also in", "billing, reports") in advice.evidence
        assert "--layer-name shared-pandas" in advice.fixes[1].text
        assert "below python/ in a zip" in advice.fixes[0].text

    def test_takes_only_the_very_same_bytes_on_the_same_architecture_in_one_place(self) -> None:
        other = carrying("other", dependency("pandas", 40, digest="another build"))
        x86 = carrying("x86", pandas, architecture="x86_64")
        abroad = function("abroad", package=package(dependencies=[pandas]), region="us-east-1")
        assert not _shared(three[0], three[1], other, x86, abroad)

    def test_needs_room_for_one_more_layer(self) -> None:
        assert not _shared(carrying("full", pandas, layers=layers(5)), *three)

    def test_leaves_the_sdk_to_another_rule(self) -> None:
        sdk = dependency("botocore", 18)
        assert not _shared(*(carrying(name, sdk) for name in ("a", "b", "c")))

    def test_can_be_told_how_many_are_several(self) -> None:
        assert Case(three[0], (three[1],)).advice(SharedDependency(), functions=2)


class TestImageLarge:
    def test_warns_when_half_of_the_limit_is_taken_compressed(self) -> None:
        assert case(image("vision", 6)).advice(ImageLarge())[0].severity == Severity.WARNING


class TestExtensionMissing:
    def test_knows_ours_by_its_layer_too(self) -> None:
        ours = [{"arn": "arn:aws:lambda:eu-west-1:123456789012:layer:nightjar-arm64:3", "code_bytes": 1}]
        assert not _killed(layers=ours)

    def test_does_not_advise_what_has_no_room(self) -> None:
        assert not _killed(layers=layers(5))
        assert _killed(package_type="Image", layers=[])


def _shared(first: Subject, *others: Subject) -> list[Advice]:
    return case(first, *others).advice(SharedDependency())


def _killed(**config: Any) -> list[Advice]:
    return case(function(config=config, rollup=rollup(timeouts=9))).advice(ExtensionMissing())
