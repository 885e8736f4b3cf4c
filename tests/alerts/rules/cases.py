"""Twins: for every rule a resource that has its problem, and one that is just as real and has not.

The test module of a rule registers its twins with ``twins``; ``test_catalogue`` holds every rule to them, and no rule
may speak up about the clean twin of another one. So start from the builders, whose resources are healthy in every way
that any rule knows, and change only what the rule is about. Names need to be unique within a case only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from alerts.rule import Advice, Estate, Package, Rule, Subject
from observability.telemetry.records import Reading, Rollup, Window

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DAYS = 14
WINDOW = Window(NOW - timedelta(days=DAYS), NOW)
ACCOUNT, REGION = "123456789012", "eu-west-1"
TAGS = {"owner": "payments", "stage": "prod"}

ARNS = {
    "lambda_function": "arn:aws:lambda:{region}:{account}:function:{name}",
    "sqs_queue": "arn:aws:sqs:{region}:{account}:{name}",
    "dynamodb_table": "arn:aws:dynamodb:{region}:{account}:table/{name}",
    "kinesis_stream": "arn:aws:kinesis:{region}:{account}:stream/{name}",
    "sns_topic": "arn:aws:sns:{region}:{account}:{name}",
    "state_machine": "arn:aws:states:{region}:{account}:stateMachine:{name}",
    "rest_api": "arn:aws:apigateway:{region}::/restapis/{name}",
    "http_api": "arn:aws:apigateway:{region}::/apis/{name}",
    "schedule_rule": "arn:aws:events:{region}:{account}:rule/{name}",
    "log_group": "arn:aws:logs:{region}:{account}:log-group:{name}",
    "aws_account": "arn:aws:iam::{account}:root",
}


def arn(type_: str, name: str) -> str:
    return ARNS[type_].format(region=REGION, account=ACCOUNT, name=name)


def subject(type_: str, name: str, config: Mapping[str, Any] | None = None, **fields: Any) -> Subject:
    """A resource with exactly this config, known for three months; ``fields`` are those of ``Subject``."""
    values: dict[str, Any] = {
        "resource_id": 0,
        "type": type_,
        "arn": arn(type_, name),
        "name": name,
        "region": "" if type_ == "aws_account" else REGION,
        "account": ACCOUNT,
        "config": dict(config or {}),
        "first_seen_at": NOW - timedelta(days=90),
    }
    return Subject(**(values | fields))


def daily(**values: float | tuple[float, ...]) -> dict[tuple[str, str], list[Reading]]:
    """Daily readings: ``Invocations_Sum=1400`` is so much every day, a tuple is that of the last days.

    The last ``_`` parts metric and statistic; write ``GetRecords.IteratorAgeMilliseconds_Maximum`` with ``**{…}``.
    """
    return {tuple(key.rsplit("_", 1)): _days(value) for key, value in values.items()}  # type: ignore[misc]


def _days(value: float | tuple[float, ...]) -> list[Reading]:
    values = value if isinstance(value, tuple) else (value,) * DAYS
    first = NOW - timedelta(days=len(values))
    return [Reading(first + timedelta(days=place), float(each)) for place, each in enumerate(values)]


def rollup(invocations: int = 20_000, *, duration_ms: float = 200.0, **fields: Any) -> Rollup:
    """So many runs in two weeks that took so long each on average; few of them failed or began cold.

    ``fields`` are those of ``Rollup``: sums over all of the runs.
    """
    values = {
        "invocations": invocations,
        "errors": invocations // 5_000,
        "cold_starts": invocations // 500,
        "billed_ms": round(invocations * duration_ms),
        "cost_usd": invocations * (0.0000002 + duration_ms / 1000 * 0.5 * 0.0000133334),
        "duration_ms": invocations * duration_ms,
        "init_ms": invocations // 500 * 250.0,
        "max_memory_mb": 330,
        "memory_mb": 512,
    }
    return Rollup(**(values | fields))


def function(name: str = "checkout", config: Mapping[str, Any] | None = None, **fields: Any) -> Subject:
    """A healthy Lambda function; ``config`` and ``fields`` replace single things of it."""
    told = {
        "runtime": "python3.13",
        "handler": "app.handler",
        "memory_mb": 512,
        "timeout_s": 30,
        "architecture": "arm64",
        "ephemeral_mb": 512,
        "package_type": "Zip",
        "code_sha256": "0" * 43 + "=",
        "code_bytes": 3_000_000,
        "description": "Takes orders.",
        "role": f"arn:aws:iam::{ACCOUNT}:role/{name}",
        "layers": [],
        "log_group": f"/aws/lambda/{name}",
        "log_format": "JSON",
        "log_level": "INFO",
        "system_log_level": "INFO",
        "vpc": {},
        "tracing": "Active",
        "snap_start": "None",
        "dead_letter": "",
        "file_systems": [],
        "last_modified": "2026-11-01T08:00:00+00:00",
        "environment": {"STAGE": "abcdef:0123456789abcdef"},
        "state": "Active",
        "state_reason": "",
        "update_status": "Successful",
        "versions": [],
        "aliases": {},
        "event_invoke": [
            {"qualifier": "$LATEST", "retries": 2, "max_age_s": 21_600, "on_success": "",
             "on_failure": arn("sqs_queue", "failed-events")},
        ],
        "url": [],
        "provisioned": [],
        "event_sources": [],
        "tags": TAGS,
    }  # fmt: skip
    values: dict[str, Any] = {
        "rollup": rollup(),
        "p95_ms": 420.0,
        "p99_ms": 800.0,
        "points": daily(Invocations_Sum=20_000 / DAYS, Duration_Maximum=2_000, ConcurrentExecutions_Maximum=4),
        "package": package(),
        "deployed_at": NOW - timedelta(days=22),
    }
    return subject("lambda_function", name, told | dict(config or {}), **(values | fields))


def queue(name: str = "orders", config: Mapping[str, Any] | None = None, **fields: Any) -> Subject:
    """A healthy queue that functions with a timeout of up to 30 s may read."""
    told = {
        "visibility_timeout_s": 180,
        "retention_s": 345_600,
        "delay_s": 0,
        "wait_s": 20,
        "max_message_bytes": 1_048_576,
        "fifo": False,
        "dead_letter": arn("sqs_queue", "elsewhere-dlq"),
        "max_receives": 5,
        "encrypted": True,
        "tags": TAGS,
    }
    points = daily(
        ApproximateNumberOfMessagesVisible_Maximum=3,
        ApproximateNumberOfMessagesNotVisible_Maximum=2,
        ApproximateAgeOfOldestMessage_Maximum=12,
        NumberOfMessagesSent_Sum=2_000,
        NumberOfMessagesReceived_Sum=2_000,
        NumberOfMessagesDeleted_Sum=2_000,
    )
    return _like("sqs_queue", name, told, config, points, fields)


def table(name: str = "carts", config: Mapping[str, Any] | None = None, **fields: Any) -> Subject:
    """A healthy table on demand."""
    told = {
        "status": "ACTIVE",
        "billing": "PAY_PER_REQUEST",
        "read_capacity": 0,
        "write_capacity": 0,
        "class": "STANDARD",
        "keys": ["id"],
        "indexes": [],
        "size_bytes": 40_000_000,
        "items": 90_000,
        "stream": "",
        "deletion_protection": True,
        "recovery": True,
        "tags": TAGS,
    }
    points = daily(ConsumedReadCapacityUnits_Sum=40_000, ConsumedWriteCapacityUnits_Sum=9_000)
    return _like("dynamodb_table", name, told, config, points, fields)


def rest_api(name: str = "shop", config: Mapping[str, Any] | None = None, **fields: Any) -> Subject:
    """A healthy REST API with one stage; ``stage`` changes that."""
    told = {"id": name, "description": "", "endpoint": "REGIONAL", "compresses_from_bytes": 1_024, "stages": [stage()]}
    points = daily(
        Count_Sum=20_000, **{"4XXError_Sum": 200, "5XXError_Sum": 2}, Latency_Average=120, Latency_Maximum=2_400,
        IntegrationLatency_Average=100,
    )  # fmt: skip
    return _like("rest_api", name, told | {"tags": TAGS}, config, points, fields)


def stage(name: str = "prod", **settings: Any) -> dict[str, Any]:
    """A stage of an API, of REST and HTTP alike."""
    log = arn("log_group", "/api/shop")
    told = {"name": name, "tracing": True, "access_log": log, "cached": False, "auto_deploy": True, "throttled": True}
    return told | settings


def http_api(name: str = "web", config: Mapping[str, Any] | None = None, **fields: Any) -> Subject:
    told = {"id": name, "description": "", "protocol": "HTTP", "url": f"https://{name}.example", "stages": [stage()]}
    points = daily(
        Count_Sum=20_000, **{"4xx_Sum": 200, "5xx_Sum": 2}, Latency_Average=120, Latency_Maximum=2_400,
        IntegrationLatency_Average=100,
    )  # fmt: skip
    return _like("http_api", name, told | {"tags": TAGS}, config, points, fields)


def stream(name: str = "clicks", config: Mapping[str, Any] | None = None, **fields: Any) -> Subject:
    """A healthy stream whose two shards are half used."""
    told = {
        "status": "ACTIVE", "mode": "PROVISIONED", "shards": 2, "retention_s": 86_400, "encrypted": True,
        "consumers": 0, "tags": TAGS,
    }  # fmt: skip
    points = daily(
        IncomingRecords_Sum=40_000_000,
        IncomingBytes_Sum=80e9,
        **{"GetRecords.IteratorAgeMilliseconds_Maximum": 900},
    )
    return _like("kinesis_stream", name, told, config, points, fields)


def topic(name: str = "news", config: Mapping[str, Any] | None = None, **fields: Any) -> Subject:
    """A healthy topic with one function subscribed."""
    told = {
        "fifo": False,
        "subscribers": [arn("lambda_function", "notify")],
        "other_subscribers": {},
        "subscriptions": [subscription()],
        "dead_letters": [arn("sqs_queue", "news-dlq")],
        "encrypted": True,
        "public": False,
        "tags": TAGS,
    }
    points = daily(NumberOfMessagesPublished_Sum=500, NumberOfNotificationsDelivered_Sum=500)
    return _like("sns_topic", name, told, config, points, fields)


def subscription(function: str = "notify", **settings: Any) -> dict[str, Any]:
    return {
        "arn": arn("sns_topic", "news") + ":0f3f6a62-0000-4000-8000-000000000001",
        "endpoint": arn("lambda_function", function),
        "dead_letter": arn("sqs_queue", "news-dlq"),
    } | settings


def machine(name: str = "invoicing", config: Mapping[str, Any] | None = None, **fields: Any) -> Subject:
    """A healthy state machine that is busy a few times a day."""
    told = {
        "type": "STANDARD", "status": "ACTIVE", "role": f"arn:aws:iam::{ACCOUNT}:role/{name}", "log_level": "ERROR",
        "log_groups": [arn("log_group", f"/sfn/{name}")], "tracing": True, "functions": [], "states": 5, "tags": TAGS,
    }  # fmt: skip
    points = daily(
        ExecutionsStarted_Sum=40, ExecutionsSucceeded_Sum=40, ExecutionTime_Average=40_000, ExecutionTime_Maximum=90_000
    )
    return _like("state_machine", name, told, config, points, fields)


def clock(name: str = "nightly", config: Mapping[str, Any] | None = None, **fields: Any) -> Subject:
    """A healthy rule of EventBridge that runs a function by the clock."""
    told = {
        "kind": "rule", "expression": "rate(1 hour)", "timezone": "UTC", "pattern": "", "bus": "default",
        "state": "ENABLED", "description": "", "targets": [arn("lambda_function", "ledger")], "unguarded": [],
        "dead_letters": [arn("sqs_queue", "nightly-dlq")], "tags": TAGS,
    }  # fmt: skip
    return _like("schedule_rule", name, told, config, daily(Invocations_Sum=24), fields)


def log_group(name: str = "/aws/lambda/checkout", config: Mapping[str, Any] | None = None, **fields: Any) -> Subject:
    """A healthy log group; put its function beside it."""
    told = {
        "retention_days": 30, "class": "STANDARD", "stored_bytes": 60_000_000, "daily_bytes": 2_000_000, "tags": TAGS,
    }  # fmt: skip
    return _like("log_group", name, told, config, {}, fields)


def _like(
    type_: str, name: str, told: Mapping[str, Any], config: Mapping[str, Any] | None, points: Any, fields: Any
) -> Subject:
    return subject(type_, name, {**told, **(config or {})}, **({"points": points} | fields))


def package(**fields: Any) -> Package:
    """A small zip without anything that need not be in it."""
    values: dict[str, Any] = {
        "zipped_bytes": 3_000_000,
        "code_bytes": 9_000_000,
        "layers_bytes": 0,
        "image_bytes": None,
        "complete": True,
        "history": ((NOW - timedelta(days=22), 9_000_000),),
    }
    return Package(**(values | fields))


@dataclass(frozen=True)
class Case:
    """A resource and what stands around it. Each gets its number here, the one that matters the first."""

    subject: Subject
    others: tuple[Subject, ...] = ()

    @property
    def estate(self) -> Estate:
        subjects = [replace(each, resource_id=place) for place, each in enumerate((self.subject, *self.others), 1)]
        return Estate(
            organization_id=1,
            now=NOW,
            window=WINDOW,
            subjects={each.resource_id: each for each in subjects},
            by_arn={each.arn: each for each in subjects},
        )

    def advice(self, rule: Rule, **turned: float) -> list[Advice]:
        """What a rule says about the resource, with some of its knobs turned."""
        estate = self.estate
        knobs = {knob.name: knob.default for knob in rule.knobs} | turned
        return list(rule.advise(estate.subjects[1], estate, knobs)) if self.subject.type in rule.types else []


def case(subject: Subject, *others: Subject) -> Case:
    return Case(subject, others)


@dataclass(frozen=True)
class Twins:
    """``beside`` names rules that may speak up about the clean twin too, because nobody can be clean for all."""

    rule: Rule
    problem: Case
    clean: Case
    beside: frozenset[str] = frozenset()


TWINS: dict[str, Twins] = {}
"""By kind of rule; call ``load`` first."""


def twins(rule: Rule, *, problem: Case | Subject, clean: Case | Subject, beside: tuple[str, ...] = ()) -> Twins:
    """Register a rule's twins; its test module calls this once for each rule, and may use what it answers."""
    made = Twins(rule, _case(problem), _case(clean), frozenset(beside))
    TWINS[rule.kind] = made
    return made


def _case(given: Case | Subject) -> Case:
    return given if isinstance(given, Case) else Case(given)


def load() -> dict[str, Twins]:
    """Everybody's twins."""
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        if path.stem != "test_catalogue":
            import_module(f"tests.alerts.rules.{path.stem}")
    return TWINS
