from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from alerts.detector import FactWindow, Filling
from alerts.detectors.oversized_deployment import OversizedDeployment
from alerts.finding import Finding
from tests.alerts.facts import NOW, window

MIB, GIB = 1 << 20, 1 << 30
FULL = Filling(
    resource_id=1, name="checkout", limit_name="unzipped", used=234 * MIB, limit=250 * MIB, version="42",
    since=NOW - timedelta(hours=2), at=NOW, message="Grown.", detail={"digest": "d"},
)  # fmt: skip


def found(*fillings: Filling) -> list[Finding]:
    facts: FactWindow = replace(window(), packages=fillings)
    return list(OversizedDeployment().detect(facts))


class TestOversizedDeployment:
    @pytest.mark.parametrize(
        ("used", "severity"),
        [(199, None), (200, "info"), (224, "info"), (225, "warning"), (249, "warning"), (250, "critical"),
         (260, "critical")],
    )  # fmt: skip
    def test_is_as_loud_as_the_package_is_full(self, used: int, severity: str | None) -> None:
        findings = found(replace(FULL, used=used * MIB))
        assert [finding.severity for finding in findings] == ([severity] if severity else [])

    def test_heeds_the_thresholds_of_the_organization(self) -> None:
        assert found(replace(FULL, thresholds=(0.95, 0.97, 1.0))) == []
        assert found(replace(FULL, thresholds=(0.95, 0.5, 1.0)))[0].severity == "warning"

    @pytest.mark.parametrize(
        ("fields", "title"),
        [
            ({}, "checkout fills 93 % of the 250 MB limit"),
            ({"used": 250 * MIB - 1}, "checkout fills 99 % of the 250 MB limit"),
            ({"used": 250 * MIB}, "checkout fills 100 % of the 250 MB limit"),
            ({"used": 260 * MIB}, "checkout is over the limit of 250 MB: 104 %"),
            (
                {"limit_name": "image", "used": 9 * GIB, "limit": 10 * GIB},
                "The image of checkout fills 90 % of the 10 GB limit",
            ),
            (
                {"limit_name": "environment", "used": 4000, "limit": 4096},
                "The environment of checkout fills 97 % of the 4 KB limit",
            ),
            (
                {"limit_name": "code_storage", "name": "eu-west-1 in prod", "used": 70 * GIB, "limit": 75 * GIB},
                "Code storage of eu-west-1 in prod fills 93 % of the 75 GB limit",
            ),
        ],
    )  # fmt: skip
    def test_says_what_fills_which_limit(self, fields: dict[str, Any], title: str) -> None:
        assert found(replace(FULL, **fields))[0].title == title

    def test_counts_a_package_once(self) -> None:
        (finding,) = found(FULL)
        assert (finding.count, finding.first_at, finding.last_at) == (1, NOW - timedelta(hours=2), NOW)
        assert found(replace(FULL, news=False))[0].count == 0

    def test_keeps_what_it_saw(self) -> None:
        (finding,) = found(FULL)
        assert finding.detail["message"] == "Grown."
        assert (finding.detail["version"], finding.detail["type"], finding.detail["digest"]) == ("42", "unzipped", "d")

    def test_is_one_problem_for_each_limit_region_and_severity(self) -> None:
        again = replace(FULL, used=230 * MIB, version="43", detail={"digest": "e"})
        louder, other = replace(FULL, used=251 * MIB), replace(FULL, limit_name="image")
        regions = [replace(FULL, limit_name="code_storage", detail={"region": region}) for region in ("a", "b")]
        first, *others = found(FULL, again, louder, other, *regions)
        assert others[0].fingerprint == first.fingerprint
        assert len({finding.fingerprint for finding in (first, *others)}) == 5
