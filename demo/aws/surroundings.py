"""What CloudWatch counts of the queues, tables, APIs and the rest around the shop's functions.

It follows from the invocations of those functions, so that both tell one story: what fails ends up in a dead-letter
queue, and every three hours the table throttles writes, the worker falls behind, and orders wait for it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any, NamedTuple

from moto.apigatewayv2.models import apigatewayv2_backends

from demo.aws.traffic import HOUR, MINUTE, MISSES, SCHEDULES, datum, is_missed, iterator_age_ms, runs
from demo.catalogue import FLEET, SHOP
from demo.telemetry import Run

EUROPE, AMERICA = "eu-central-1", "us-east-1"
FUNCTIONS = {function.name: function for function in FLEET}
ROUND, GROWS_FOR, LEAD = timedelta(hours=3), timedelta(minutes=40), timedelta(minutes=25)
"""How often orders pile up, how long, and since when they do when the demo first starts."""

GROWTH, SHRINKAGE = 3, 2
"""Orders more and fewer in a minute."""

KEPT = 12 * HOUR
"""After so long somebody has looked through a dead-letter queue."""


Values = Mapping[str, Sequence[float]]


class Told(NamedTuple):
    """What a service tells of one resource in one minute: the values of each metric."""

    region: str
    namespace: str
    dimensions: dict[str, str]
    values: Values


def figures(start: datetime, end: datetime, anchor: datetime) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """CloudWatch's data of the minutes in ``[start, end)``, by region and namespace, as PutMetricData takes them."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for number in range((end - start) // MINUTE):
        minute = start + number * MINUTE
        for tell in (queues, dead_letters, gateways, table, machine, stream, topic, rule):
            for told in tell(minute, anchor):
                found[told.region, told.namespace] += (
                    datum(told.dimensions, minute, name, values) for name, values in told.values.items() if values
                )
    return found


def queues(minute: datetime, anchor: datetime) -> Iterator[Told]:
    """The orders that wait for their worker, which takes those thrice that it cannot handle."""
    handled, before = ran("shop-order-worker", minute, anchor), backlog(minute - MINUTE, anchor)
    waiting, failed = backlog(minute, anchor), failures(handled)
    yield Told(
        EUROPE,
        "AWS/SQS",
        {"QueueName": "shop-orders"},
        {
            "ApproximateNumberOfMessagesVisible": [waiting],
            "ApproximateNumberOfMessagesNotVisible": [failed + bool(handled)],
            "ApproximateAgeOfOldestMessage": [waiting * 60 // 4],
            "NumberOfMessagesSent": [max(0, len(handled) + waiting - before)],
            "NumberOfMessagesReceived": [len(handled) + 2 * failed],
            "NumberOfMessagesDeleted": [len(handled) - failed],
        },
    )


def dead_letters(minute: datetime, anchor: datetime) -> Iterator[Told]:
    """What workers could not handle. AWS does not count as sent what a queue itself moves to another."""
    for region, name, function in (
        (EUROPE, "shop-orders-dead", "shop-order-worker"),
        (AMERICA, "shop-notify-dead", "shop-notify"),
    ):
        if dead := lost(function, minute, anchor):
            values: Values = {
                "ApproximateNumberOfMessagesVisible": [len(dead)],
                "ApproximateAgeOfOldestMessage": [(minute + MINUTE - dead[0]).total_seconds()],
            }
            yield Told(region, "AWS/SQS", {"QueueName": name}, values)


def gateways(minute: datetime, anchor: datetime) -> Iterator[Told]:
    """APIs, which answer some requests without asking a function."""
    for region, dimensions, function, client_error, server_error in (
        (EUROPE, {"ApiId": http_api()}, "shop-orders-api", "4xx", "5xx"),
        (AMERICA, {"ApiName": "shop-media"}, "shop-thumbnails", "4XXError", "5XXError"),
    ):
        answered = ran(function, minute, anchor)
        refused = int(Random(f"refused {function} {minute.isoformat()}").random() < 0.2)
        took = [run.duration_ms for run in answered]
        values: Values = {
            "Count": [len(answered) + refused],
            client_error: [refused],
            server_error: [failures(answered)],
            "Latency": [duration + 9 for duration in took],
            "IntegrationLatency": took,
        }
        if answered or refused:
            yield Told(region, "AWS/ApiGateway", dimensions, values)


def table(minute: datetime, anchor: datetime) -> Iterator[Told]:
    """Orders, written as they come and as they are handled. DynamoDB tells nothing of zeros."""
    orders = len(ran("shop-orders-api", minute, anchor))
    counted = {
        "ConsumedReadCapacityUnits": 0.5 * orders,
        "ConsumedWriteCapacityUnits": orders + len(ran("shop-order-worker", minute, anchor)),
        "WriteThrottleEvents": max(0, backlog(minute, anchor) - backlog(minute - MINUTE, anchor)),
    }
    told = {name: [value] for name, value in counted.items() if value}
    yield Told(EUROPE, "AWS/DynamoDB", {"TableName": "shop-orders"}, told)


def machine(minute: datetime, anchor: datetime) -> Iterator[Told]:
    """Invoices, one an execution."""
    made = ran("shop-invoice", minute, anchor)
    values: Values = {
        "ExecutionsStarted": [len(made)],
        "ExecutionsSucceeded": [len(made) - failures(made)],
        "ExecutionsFailed": [failures(made)],
        "ExecutionTime": [run.duration_ms + 40 for run in made],
    }
    if made:
        arn = f"arn:aws:states:{EUROPE}:{SHOP}:stateMachine:shop-invoicing"
        yield Told(EUROPE, "AWS/States", {"StateMachineArn": arn}, values)


def stream(minute: datetime, anchor: datetime) -> Iterator[Told]:
    """Changes of stock, forty with each invocation."""
    stocked = ran("shop-stock", minute, anchor)
    records = 40 * len(stocked)
    values: Values = {
        "GetRecords.IteratorAgeMilliseconds": [iterator_age_ms(FUNCTIONS["shop-stock"], minute) if stocked else 0.0],
        "IncomingRecords": [records],
        "IncomingBytes": [310 * records],
    }
    yield Told(EUROPE, "AWS/Kinesis", {"StreamName": "shop-stock"}, values)


def topic(minute: datetime, anchor: datetime) -> Iterator[Told]:
    """What people are told of."""
    published = [len(ran("shop-notify", minute, anchor))]
    if any(published):
        values: Values = {"NumberOfMessagesPublished": published, "NumberOfNotificationsDelivered": published}
        yield Told(AMERICA, "AWS/SNS", {"TopicName": "shop-events"}, values)


def rule(minute: datetime, anchor: datetime) -> Iterator[Told]:
    """The clock of the ledger, which fails to run it once an hour."""
    if minute.minute % SCHEDULES[MISSES] == 0:
        values: Values = {"Invocations": [1], "FailedInvocations": [1] if is_missed(FUNCTIONS[MISSES], minute) else []}
        yield Told(EUROPE, "AWS/Events", {"RuleName": f"{MISSES}-clock"}, values)


def ran(function: str, minute: datetime, anchor: datetime) -> list[Run]:
    return runs(FUNCTIONS[function], minute, anchor)


def failures(ended: list[Run]) -> int:
    return sum(bool(run.failure) for run in ended)


def backlog(minute: datetime, anchor: datetime) -> int:
    """How many orders wait: more and more for a while, then fewer, then none."""
    since = (minute - anchor + LEAD) % ROUND
    most = GROWTH * (GROWS_FOR // MINUTE)
    return max(0, min(GROWTH * (since // MINUTE), most - SHRINKAGE * ((since - GROWS_FOR) // MINUTE)))


def lost(function: str, minute: datetime, anchor: datetime) -> list[datetime]:
    """When those invocations began, of the last hours, that failed for good."""
    hour = minute.replace(minute=0, second=0, microsecond=0)
    hours = range(KEPT // HOUR, -1, -1)
    found = [at for back in hours for at in lost_in(function, hour - back * HOUR, anchor)]
    return [at for at in found if minute + MINUTE - KEPT <= at < minute + MINUTE]


@lru_cache(maxsize=64)
def lost_in(function: str, hour: datetime, anchor: datetime) -> list[datetime]:
    every = (run for number in range(60) for run in ran(function, hour + number * MINUTE, anchor))
    return [run.started_at for run in every if run.failure]


def http_api() -> str:
    """The id of the shop's HTTP API, which AWS chose."""
    apis = apigatewayv2_backends[SHOP][EUROPE].apis.values()
    return next((str(api.api_id) for api in apis if api.name == "shop"), "none")
