"""Costs against the worked examples of AWS's own pricing page (us-east-1)."""

from datetime import date

import pytest

from observability.telemetry.pricing import invocation_usd, log_gb, pays_for_snapshots, price, prices


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


def test_example_of_provisioned_concurrency() -> None:
    """100 at 1,536 MB for 8 hours: 4,320,000 GB-s cost $18; 500,000 requests of 100 ms in that time cost $0.73."""
    busy = price("us-east-1", provisioned=True)
    assert 100 * 1536 / 1024 * 8 * 3600 * busy.concurrency_gb_second == pytest.approx(18.00, abs=0.005)
    one = invocation_usd(busy, billed_ms=100, memory_mb=1536)
    assert 500_000 * (one - busy.request) == pytest.approx(0.73, abs=0.005)


def test_example_of_snapstart() -> None:
    """1 GB cached for 31 days costs $4.03, 74,400 restores of it $10.40."""
    east = price("us-east-1")
    assert 31 * 86_400 * east.snapshot_gb_second == pytest.approx(4.03, abs=0.005)
    plain = invocation_usd(east, billed_ms=2000, memory_mb=1024)
    restored = invocation_usd(east, billed_ms=2000, memory_mb=1024, restored=True)
    assert 74_400 * (restored - plain) == pytest.approx(10.40, abs=0.005)
    assert pays_for_snapshots("python3.13")
    assert pays_for_snapshots("dotnet8")
    assert not pays_for_snapshots("java21")


def test_logs_and_metrics_have_prices() -> None:
    assert (log_gb("us-east-1"), log_gb("us-east-1", "INFREQUENT_ACCESS"), log_gb("us-east-1", "DELIVERY")) == (
        0.5,
        0.25,
        0,
    )
    assert [log_gb(region) for region in ("eu-west-1", "eu-central-1")] == [0.57, 0.63]
    assert price("us-east-1").log_gb_month == 0.03


@pytest.mark.parametrize("region", sorted(prices()["regions"]))
@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_every_row_is_whole_and_of_the_right_magnitude(region: str, architecture: str) -> None:
    for provisioned in (False, True):
        row = price(region, architecture, provisioned=provisioned)
        assert 5e-6 < row.gb_second < 5e-5
        assert 2e-8 < row.storage_gb_second < 1e-7
        assert 2e-7 <= row.request < 3e-7
        assert 3e-6 < row.concurrency_gb_second < row.gb_second
        assert 1e-6 < row.snapshot_gb_second < 2e-6
        assert 1e-4 < row.restore_gb < 2e-4
        assert 0.4 < log_gb(region) < 1.0
        assert row.known
