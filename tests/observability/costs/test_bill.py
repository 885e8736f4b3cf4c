"""A month of six functions, worked out by hand from AWS's price list: exact to the cent. November 2026 has 30 days."""

from datetime import UTC, datetime, timedelta

import pytest

from observability.costs.bill import Bill, Configuration, Period, Usage, kept_ready, snapshot, standing, used
from observability.telemetry.pricing import invocation_usd
from observability.telemetry.records import Window

FIRST, LAST = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
NOVEMBER = Window(FIRST, LAST)
HOUR = timedelta(hours=1)


def day(number: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, 11, number, hour, minute, tzinfo=UTC)


def exactly(bill: Bill, **lines: float) -> Bill:
    """The bill, after every line of it was found to be what was worked out by hand, to a millionth of a cent."""
    assert dict(bill.lines) == pytest.approx(dict(Bill(**lines).lines), abs=1e-8)
    return bill


def checkout() -> Bill:
    """x86, 1,536 MB: 3,000,000 invocations of 120 ms, 30,000 of them after an initialization of 800 ms.

    compute   3,000,000 x 0.120 s x 1.5 GB = 540,000 GB-s x 0.0000166667 = 9.000018
    init         30,000 x 0.800 s x 1.5 GB =  36,000 GB-s x 0.0000166667 = 0.6000012
    requests  3 million x 0.20                                           = 0.60        together 10.2000192
    """
    usage = Usage(invocations=3_000_000, billed_ms=360_000_000 + 24_000_000, init_ms=24_000_000)
    bill = used(usage, Configuration("us-east-1", 1536))
    return exactly(bill, compute=9.000018, init=0.6000012, requests=0.60)


def thumbnails() -> Bill:
    """arm64 in Frankfurt, 512 MB: 8,000,000 invocations of 250 ms.

    compute   8,000,000 x 0.250 s x 0.5 GB = 1,000,000 GB-s x 0.0000133334 = 13.3334
    requests  8 million x 0.20                                             =  1.60     together 14.9334
    """
    bill = used(Usage(invocations=8_000_000, billed_ms=2e9), Configuration("eu-central-1", 512, "arm64"))
    return exactly(bill, compute=13.3334, requests=1.60)


def quotes() -> Bill:
    """x86, 1,024 MB, 10 x provisioned on the 5th from 09:00 to 11:02 and again from the 16th on.

    Of 2,000,000 invocations of 100 ms it served 1,200,000.

    provisioned  2 h 2 min, rounded up to 2 h 5 min: 7,500 s x 10 GB = 75,000 GB-s x 0.0000041667 =  0.3125025
                 15 days: 1,296,000 s x 10 GB = 12,960,000 GB-s x 0.0000041667                    = 54.000432
    compute      1,200,000 x 0.1 s x 1 GB = 120,000 GB-s x 0.0000097222                           =  1.166664
                   800,000 x 0.1 s x 1 GB =  80,000 GB-s x 0.0000166667                           =  1.333336
    requests     2 million x 0.20                               =  0.40                  together 57.2129345
    """
    off, on = Configuration("us-east-1", 1024), Configuration("us-east-1", 1024, concurrency=10)
    periods = [
        Period(off, FIRST, day(5, 9)),
        Period(on, day(5, 9), day(5, 11, 2)),
        Period(off, day(5, 11, 2), day(16)),
        Period(on, day(16), LAST),
    ]
    usage = Usage(invocations=2_000_000, billed_ms=200_000_000, provisioned_ms=120_000_000)
    bill = used(usage, off) + standing(kept_ready(periods), NOVEMBER)
    return exactly(bill, provisioned=54.3129345, compute=2.5, requests=0.40)


def transcode() -> Bill:
    """x86, 4,096 MB and 10,240 MB of /tmp, of which 512 are free: 100,000 invocations of 60 s.

    compute   6,000,000 s x 4 GB   = 24,000,000 GB-s x 0.0000166667   = 400.0008
    storage   6,000,000 s x 9.5 GB = 57,000,000 GB-s x 0.0000000309   =   1.7613
    requests  0.1 million x 0.20                                      =   0.02      together 401.7821
    """
    configuration = Configuration("us-east-1", 4096, ephemeral_mb=10_240)
    bill = used(Usage(invocations=100_000, billed_ms=6e9), configuration)
    return exactly(bill, compute=400.0008, storage=1.7613, requests=0.02)


def report() -> Bill:
    """SnapStart for Python, 2,048 MB: a version from the 11th on, another for an hour, of which three are billed.

    1,000,000 invocations of 300 ms, 50,000 of them after a restore of which 40 ms are billed.

    snapshots  20 days: 1,728,000 s x 2 GB = 3,456,000 GB-s x 0.0000015046 =  5.1998976
               3 h: 10,800 s x 2 GB = 21,600 GB-s x 0.0000015046           =  0.03249936
    restores   50,000 x 2 GB = 100,000 GB x 0.0001397998                   = 13.97998
    compute    300,000 s x 2 GB = 600,000 GB-s x 0.0000166667              = 10.00002
    init         2,000 s x 2 GB =   4,000 GB-s x 0.0000166667              =  0.0666668
    requests   1 million x 0.20                                            =  0.20       together 29.47906376
    """
    configuration = Configuration("us-east-1", 2048, runtime="python3.13")
    usage = Usage(invocations=1_000_000, billed_ms=302_000_000, init_ms=2_000_000, restores=50_000)
    charges = [
        snapshot(configuration, published_at=day(11), until=LAST),
        snapshot(configuration, published_at=day(20), until=day(20, 1)),
    ]
    bill = used(usage, configuration) + standing(charges, NOVEMBER)
    return exactly(bill, snapstart=19.21237696, compute=10.00002, init=0.0666668, requests=0.20)


def forecast() -> Bill:
    """An image on arm64 in Ireland, 10,240 MB: 20,000 invocations of 45 s, 400 of them after 9 s of initialization.

    compute   900,000 s x 10 GB = 9,000,000 GB-s x 0.0000133334 = 120.0006
    init        3,600 s x 10 GB =    36,000 GB-s x 0.0000133334 =   0.4800024
    requests  0.02 million x 0.20                               =   0.004         together 120.4846024
    """
    usage = Usage(invocations=20_000, billed_ms=903_600_000, init_ms=3_600_000)
    bill = used(usage, Configuration("eu-west-1", 10_240, "arm64"))
    return exactly(bill, compute=120.0006, init=0.4800024, requests=0.004)


def test_a_month_of_six_functions_is_exact_to_the_cent() -> None:
    """10.2000192 + 14.9334 + 57.2129345 + 401.7821 + 29.47906376 + 120.4846024 = 634.09211986"""
    bills = [checkout(), thumbnails(), quotes(), transcode(), report(), forecast()]
    assert [round(bill.total, 2) for bill in bills] == [10.20, 14.93, 57.21, 401.78, 29.48, 120.48]
    assert round(sum(bills, Bill()).total, 2) == 634.09


def test_a_bill_agrees_with_what_each_invocation_was_stored_with() -> None:
    configuration = Configuration("eu-west-1", 1769, "arm64", ephemeral_mb=2048, runtime="python3.13")
    one = invocation_usd(configuration.price(), billed_ms=345, memory_mb=1769, ephemeral_mb=2048, restored=True)
    bill = used(Usage(invocations=1000, billed_ms=345_000, init_ms=90_000, restores=1000), configuration)
    assert bill.total == pytest.approx(1000 * one)


def test_java_restores_and_keeps_snapshots_for_free() -> None:
    configuration = Configuration("us-east-1", 1024, runtime="java21")
    assert used(Usage(invocations=1, restores=1), configuration).snapstart == 0
    assert snapshot(configuration, published_at=FIRST, until=LAST).within(NOVEMBER) == 0


def test_more_concurrency_and_more_memory_each_count_from_their_own_time() -> None:
    """1 x 1 GB for an hour, 2 x 1 GB for an hour, 2 x 2 GB until now: 7 GB-hours, and nothing is rounded."""
    sizes = [(1024, 1), (1024, 2), (2048, 2)]
    periods = [
        Period(Configuration("us-east-1", memory, concurrency=count), FIRST + n * HOUR, FIRST + (n + 1) * HOUR)
        for n, (memory, count) in enumerate(sizes)
    ]
    [found] = [standing(kept_ready(periods), NOVEMBER).provisioned]
    assert found == pytest.approx(7 * 3600 * 0.0000041667)


def test_rounding_begins_where_it_was_switched_on_not_where_it_was_changed() -> None:
    """On at 00:00, changed at 00:03, off at 00:04: that is five minutes, three of one and two of two."""
    minute = timedelta(minutes=1)
    one, two, none = (Configuration("us-east-1", 1024, concurrency=count) for count in (1, 2, 0))
    periods = [
        Period(one, FIRST, FIRST + 3 * minute),
        Period(two, FIRST + 3 * minute, FIRST + 4 * minute),
        Period(none, FIRST + 4 * minute, LAST),
    ]
    assert standing(kept_ready(periods), NOVEMBER).provisioned == pytest.approx((180 + 2 * 120) * 0.0000041667)


def test_only_the_part_of_a_charge_within_the_window_counts() -> None:
    on = Configuration("us-east-1", 1024, concurrency=1)
    [charge] = kept_ready([Period(on, FIRST - HOUR, LAST + HOUR)])
    assert charge.within(Window(FIRST, FIRST + HOUR)) == pytest.approx(3600 * 0.0000041667)
    assert charge.within(Window(LAST + 2 * HOUR, LAST + 3 * HOUR)) == 0
