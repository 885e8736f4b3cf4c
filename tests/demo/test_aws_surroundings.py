"""What is counted around the simulated functions follows from what those did."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from demo.aws import traffic
from demo.aws.surroundings import EUROPE, FUNCTIONS, backlog, figures
from demo.catalogue import SHOP
from ingest.collectors.resource_metrics import MEASURED

NOW = datetime(2026, 11, 25, 14, 30, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def totals(start: datetime, end: datetime) -> dict[tuple[str, str], float]:
    """The sum of each metric, by the name of what it is of."""
    found: dict[tuple[str, str], float] = defaultdict(float)
    for data in figures(start, end, NOW).values():
        for datum in data:
            found[datum["Dimensions"][0]["Value"], datum["MetricName"]] += datum["StatisticValues"]["Sum"]
    return found


def test_figures_are_the_same_however_they_are_sliced() -> None:
    middle = NOW - 23 * MINUTE
    whole, parts = (
        figures(NOW - 60 * MINUTE, NOW, NOW),
        [figures(NOW - 60 * MINUTE, middle, NOW), figures(middle, NOW, NOW)],
    )
    assert whole == {place: [datum for part in parts for datum in part.get(place, ())] for place in whole}


def test_everything_that_is_read_of_an_account_is_there() -> None:
    told = {namespace for _, namespace in figures(NOW - HOUR, NOW, NOW)}
    assert told == {measured.namespace for measured in MEASURED.values()}
    read = {measure.metric for each in MEASURED.values() for measure in each.signs + each.details}
    counted = {name for _, name in totals(NOW - DAY, NOW)}
    assert counted <= read


def test_what_fails_is_told_everywhere() -> None:
    end = NOW.replace(minute=0)
    counted = totals(end - DAY, end)
    minutes = [end - number * MINUTE for number in range(1, DAY // MINUTE + 1)]
    failed = {
        name: sum(bool(run.failure) for minute in minutes for run in traffic.runs(FUNCTIONS[name], minute, NOW))
        for name in ("shop-orders-api", "shop-thumbnails", "shop-invoice", "shop-order-worker")
    }
    assert all(failed.values())
    assert counted["none", "5xx"] == failed["shop-orders-api"]
    assert counted["shop-media", "5XXError"] == failed["shop-thumbnails"]
    machine = f"arn:aws:states:{EUROPE}:{SHOP}:stateMachine:shop-invoicing"
    assert counted[machine, "ExecutionsFailed"] == failed["shop-invoice"]
    assert counted["shop-orders-dead", "ApproximateNumberOfMessagesVisible"] > failed["shop-order-worker"]
    assert counted["shop-ledger-clock", "FailedInvocations"] == 24


def test_orders_pile_up_when_the_demo_starts_and_are_handled_in_the_end() -> None:
    waiting = [backlog(NOW + number * MINUTE, NOW) for number in range(150)]
    assert waiting[0] == 75
    assert max(waiting) == waiting[15] == 120
    assert waiting[80:] == [0] * 70
