"""The sentences that people read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alerts.models import Anomaly
from alerts.watching import reasons
from alerts.watching.judging import Sight
from alerts.watching.series import BY_NAME, METRICS
from observability.ui.units import NOTHING

AT = datetime(2026, 11, 16, 14, 0, tzinfo=UTC)
SLOW = Sight(1, BY_NAME["duration_p95"], AT, 4100.0, 700.0, 620.0, 940.0, 44.0, 1, fresh=True)


def test_the_reason_tells_the_value_and_what_is_usual() -> None:
    assert reasons.reason(SLOW) == f"p95 duration is 4.10 s, usually 620{NOTHING}940 ms at this hour"


def test_the_day_of_the_week_is_named_where_days_differ() -> None:
    told = reasons.reason(replace(SLOW, by_day=True))
    assert told == f"p95 duration is 4.10 s, usually 620{NOTHING}940 ms on Mondays at this hour"


@pytest.mark.parametrize(
    ("metric", "low", "high", "told"),
    [
        ("invocations", 0.0, 12.4, "at most 12"),
        ("invocations", 20.0, 45.0, f"20{NOTHING}45"),
        ("throttles", 0.0, 0.0, "none"),
        ("errors", 0.0, 2.5, "at most 2.50%"),
        ("duration_p95", 900.0, 1500.0, f"900 ms{NOTHING}1.50 s"),
        ("memory", 80.0, 90.0, f"80{NOTHING}90 MB"),
        ("cost", 0.1, 0.15, f"$0.10{NOTHING}$0.15"),
    ],
)
def test_what_is_usual(metric: str, low: float, high: float, told: str) -> None:
    assert reasons.band(BY_NAME[metric], low, high) == told


def test_a_deployment_and_what_drives_it_are_named() -> None:
    sight = replace(SLOW, beside={"cold_starts": (40.0, 4.0), "invocations": (100.0, 100.0)})
    told = {"deployment": {"since": reasons.since("42", AT - timedelta(minutes=12), AT)},
            "drivers": reasons.drivers(sight)}  # fmt: skip
    assert reasons.sentence(sight, told) == (
        f"p95 duration is 4.10 s, usually 620{NOTHING}940 ms at this hour, since v42, 12 minutes before, "
        "while share of cold starts is 10 times the usual."
    )


def test_cost_is_explained_by_what_grew() -> None:
    sight = Sight(1, BY_NAME["cost"], AT, 1.2, 0.12, 0.1, 0.15, 40.0, 1, fresh=True,
                  beside={"invocations": (910.0, 100.0), "duration_p50": (100.0, 100.0)})  # fmt: skip
    assert reasons.drivers(sight) == ["invocations are 9.1 times the usual"]


@pytest.mark.parametrize(
    ("version", "minutes", "told"),
    [("7", 0, "since v7, at the same time"), ("$LATEST", 1, "since $LATEST, 1 minute before")],
)
def test_how_long_after_a_deployment(version: str, minutes: int, told: str) -> None:
    assert reasons.since(version, AT - timedelta(minutes=minutes), AT) == told


def test_many_resources_are_named_and_counted() -> None:
    rows = [
        Anomaly(resource_id=number, metric="errors", surprise=float(number), reason="", value=1, low=0, high=1)
        for number in range(1, 8)
    ]
    names = {number: f"f{number}" for number in range(1, 8)}
    assert reasons.title_of_many(rows, names) == "7 resources became unusual at once, among them f7 and f6"
    assert reasons.reason_of_many(rows, names).startswith(
        "At the same time, share of errors went far from usual in f7, f6, f5, f4, f3 and 2 more. "
    )


def test_resources_of_the_same_name_are_counted_each() -> None:
    rows = [Anomaly(resource_id=number, metric="errors", surprise=1.0, value=1, low=0, high=1) for number in (1, 2, 3)]
    names = {1: "api", 2: "api", 3: "import"}
    assert reasons.title_of_many(rows, names) == "3 resources became unusual at once, among them api and import"
    assert " in api, import and 1 more. " in reasons.reason_of_many(rows, names)
    assert " in api and import. " in reasons.reason_of_many(rows[1:], {2: "api", 3: "import"})


@pytest.mark.parametrize(
    ("count", "ending"),
    [
        (1, "r0."),
        (3, "r2."),
        (4, "r2. 1 more metric is unusual as well."),
        (6, "r2. 3 more metrics are unusual as well."),
    ],
)
def test_the_rest_of_the_metrics_is_counted(count: int, ending: str) -> None:
    rows = [Anomaly(metric="errors", reason=f"r{number}.") for number in range(count)]
    assert reasons.reasons(rows).endswith(ending)


def test_every_metric_has_a_next_step_and_an_amount() -> None:
    for metric in METRICS:
        row = Anomaly(resource_id=1, metric=metric.name, value=1234.0, low=1.0, high=2.0)
        assert reasons.next_step(row, many=False)
        assert "1" in reasons.title(row, "checkout")
        assert len(reasons.title(row, "x" * 140)) <= 300
