"""Advice about how functions begin, and on which processor they run."""

import pytest

from alerts.rule import Advice, Subject
from alerts.rules.arm64_payback import Arm64Payback
from alerts.rules.cold_start_cost import ColdStartCost
from alerts.rules.cold_starts import ColdStarts
from alerts.rules.snap_start_payback import SnapStartPayback
from observability.telemetry.records import Rollup
from tests.alerts.rules.cases import case, function, rollup, twins

MONTH = 30.4 / 14
EU_GB_SECOND = 0.0000133334


def cold(starts: int, init_ms: float, runs: int = 20_000) -> Rollup:
    return rollup(
        runs, cold_starts=starts, init_ms=starts * init_ms, billed_ms=round(runs * 200 + starts * init_ms)
    )  # fmt: skip


def java(**config: object) -> Subject:
    return function(config={"runtime": "java21", "snap_start": "None", **config}, rollup=cold(150, 4_000))


COSTLY = cold(200_000, 1_000, 2_000_000)

twins(ColdStarts(), problem=function(rollup=cold(400, 900)), clean=function(rollup=cold(190, 900)))
twins(
    ColdStartCost(),
    problem=function(rollup=COSTLY),
    clean=function(rollup=cold(4_000, 400, 2_000_000)),
)
twins(SnapStartPayback(), problem=java(), clean=java(snap_start="PublishedVersions"))
twins(
    Arm64Payback(),
    problem=function(config={"architecture": "x86_64"}, rollup=rollup(2_000_000)),
    clean=function(rollup=rollup(2_000_000)),
)


class TestColdStarts:
    def test_does_not_mind_short_ones_or_a_function_that_runs_seldom(self) -> None:
        assert not case(function(rollup=cold(400, 450))).advice(ColdStarts())
        assert not case(function(rollup=cold(300, 900, runs=300))).advice(ColdStarts())

    def test_offers_warm_environments_where_there_is_no_snap_start(self) -> None:
        node = function(config={"runtime": "nodejs24.x"}, rollup=cold(400, 900))
        (advice,) = case(node).advice(ColdStarts())
        assert "put-provisioned-concurrency-config" in advice.fixes[-1].text

    def test_offers_snap_start_where_there_is(self) -> None:
        (advice,) = case(function(rollup=cold(400, 900))).advice(ColdStarts())
        assert any("--snap-start ApplyOn=PublishedVersions" in fix.text for fix in advice.fixes)

    def test_offers_nothing_that_aws_refuses(self) -> None:
        """SnapStart and provisioned concurrency exclude each other; images and EFS have no SnapStart."""
        snapped = function(config={"snap_start": "PublishedVersions"}, rollup=cold(400, 900))
        (advice,) = case(snapped).advice(ColdStarts())
        assert [fix.way for fix in advice.fixes] == ["steps", "steps"]
        image = function(config={"package_type": "Image"}, rollup=cold(400, 900))
        (advice,) = case(image).advice(ColdStarts())
        assert not any("--snap-start" in fix.text for fix in advice.fixes)


class TestColdStartCost:
    def test_tells_starts_from_runs_in_dollars(self) -> None:
        (advice,) = case(function(rollup=COSTLY)).advice(ColdStartCost())
        starts = 200_000 * 0.5 * EU_GB_SECOND * MONTH
        runs = 2_000_000 * 0.2 * 0.5 * EU_GB_SECOND * MONTH
        assert advice.evidence[0] == ("Starts cost", f"${starts:.2f} a month")
        assert advice.evidence[1] == ("Runs cost", f"${runs:.2f} a month")
        assert advice.usd_month is not None
        assert advice.usd_month[1] < starts

    def test_knows_each_language(self) -> None:
        (advice,) = case(function(rollup=COSTLY)).advice(ColdStartCost())
        assert "importtime" in advice.fixes[0].text


class TestSnapStartPayback:
    def test_is_free_for_java(self) -> None:
        (advice,) = _snap(java())
        starts = 150 * 4 * 0.5 * EU_GB_SECOND * MONTH
        assert advice.usd_month == pytest.approx((starts / 2, starts))
        assert advice.saved_ms == 2_000

    def test_costs_others_a_snapshot_and_each_restore(self) -> None:
        python = function(rollup=cold(150, 4_000))
        (advice,) = _snap(python)
        kept = 0.5 * 0.0000015046 * 30.4 * 86_400
        restored = 150 * 0.5 * 0.0001397998 * MONTH
        assert ("SnapStart costs", f"${kept + restored:.2f} a month for one version") in advice.evidence
        assert advice.usd_month is None, "It costs more than the starts do."

    def test_is_not_worth_much_money(self) -> None:
        assert not case(function(rollup=cold(150, 4_000))).advice(SnapStartPayback(), usd=1)

    @pytest.mark.parametrize(
        "config",
        [
            {"runtime": "nodejs24.x"},
            {"package_type": "Image"},
            {"ephemeral_mb": 1_024},
            {"file_systems": ["arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-1"]},
            {"provisioned": [{"qualifier": "live", "requested": 1}]},
        ],
    )
    def test_is_not_advised_where_aws_does_not_offer_it(self, config: dict[str, object]) -> None:
        assert not _snap(java(**config))


class TestArm64Payback:
    def test_saves_a_fifth_more_or_less(self) -> None:
        (advice,) = _arm(runtime="python3.13")
        cost = 2_000_000 * 0.2 * 0.5 * 0.0000166667 * MONTH
        assert advice.usd_month == pytest.approx((cost * 0.12, cost * 0.28), rel=1e-4)

    def test_knows_what_cannot_run_there(self) -> None:
        assert not _arm(runtime="go1.x")
        assert not _arm(runtime="cobol74")

    def test_rebuilds_images(self) -> None:
        (advice,) = _arm(runtime=None, package_type="Image")
        assert "--platform linux/arm64" in advice.fixes[0].text


def _snap(subject: Subject) -> list[Advice]:
    return case(subject).advice(SnapStartPayback())


def _arm(**config: object) -> list[Advice]:
    x86 = function(config={"architecture": "x86_64", **config}, rollup=rollup(2_000_000))
    return case(x86).advice(Arm64Payback())
