"""Costs against the worked examples of AWS's own pricing page (us-east-1)."""

from datetime import date

import pytest

from observability.telemetry.pricing import invocation_usd, price, prices


def test_mobile_backend_example() -> None:
    """3 million requests of 120 ms at 1,536 MB: 140,000 GB-s beyond the free tier cost $2.33, 2 M requests $0.40."""
    east = price("us-east-1")
    one = invocation_usd(east, billed_ms=120, memory_mb=1536)
    free_tier = 400_000 * east.gb_second + 1_000_000 * east.request
    assert 3_000_000 * one - free_tier == pytest.approx(2.73, abs=0.005)


def test_example_with_ephemeral_storage() -> None:
    """6 million requests of 280 ms at 4,096 MB and 2,048 MB of storage: $105.33 + $1 + $0.08 = $106.41."""
    east = price("us-east-1")
    one = invocation_usd(east, billed_ms=280, memory_mb=4096, ephemeral_mb=2048)
    free_tier = 400_000 * east.gb_second + 1_000_000 * east.request
    assert 6_000_000 * one - free_tier == pytest.approx(106.41, abs=0.005)


def test_storage_within_the_free_allowance_costs_nothing() -> None:
    east = price("us-east-1")
    plain = invocation_usd(east, billed_ms=280, memory_mb=128)
    assert invocation_usd(east, billed_ms=280, memory_mb=128, ephemeral_mb=512) == plain
    assert invocation_usd(east, billed_ms=280, memory_mb=128, ephemeral_mb=0) == plain


def test_arm_costs_a_fifth_less() -> None:
    assert price("us-east-1", "arm64").gb_second == pytest.approx(0.8 * price("us-east-1").gb_second, rel=1e-4)
    assert price("us-east-1", "arm64", provisioned=True).gb_second == pytest.approx(0.0000077778, rel=1e-4)


def test_regions_differ() -> None:
    assert price("af-south-1").gb_second > price("eu-west-1").gb_second == price("us-east-1").gb_second
    assert price("eu-west-1", provisioned=True).gb_second == 0.0000108407


def test_an_unknown_region_is_marked_and_costs_what_home_costs() -> None:
    unknown = price("xx-moon-1", "arm64")
    assert not unknown.known
    assert unknown.gb_second == price("us-east-1", "arm64").gb_second
    assert price("us-east-1").known


def test_the_table_says_when_and_whence() -> None:
    table = prices()
    assert isinstance(table["as_of"], date)
    assert table["source"].startswith("https://aws.amazon.com/")


@pytest.mark.parametrize("region", sorted(prices()["regions"]))
@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_every_row_is_whole_and_of_the_right_magnitude(region: str, architecture: str) -> None:
    for provisioned in (False, True):
        row = price(region, architecture, provisioned=provisioned)
        assert 5e-6 < row.gb_second < 5e-5
        assert 2e-8 < row.storage_gb_second < 1e-7
        assert row.request == pytest.approx(2e-7)
        assert row.known
