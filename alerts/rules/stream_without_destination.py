"""Streams of which a record that cannot be handled is tried for days, while everything behind it waits."""

from collections.abc import Iterable, Mapping
from typing import Any

from alerts.finding import Severity
from alerts.fixes import cli, option, terraform
from alerts.reconfigure import failure_queue, in_order, in_template, on_failure
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from observability.ui.units import number

STREAMS = {"kinesis": "Kinesis", "dynamodb": "DynamoDB"}
RETRIES = 3


class StreamWithoutDestination:
    kind = "stream_without_destination"
    title = "One bad record holds up a stream"
    why = "Lambda tries a failing batch until its records expire, a day or longer; meanwhile the shard stands still."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        for mapping in subject.config.get("event_sources") or ():
            service = STREAMS.get(mapping["source"].split(":")[2] if mapping["source"].startswith("arn:") else "")
            endless = mapping.get("retries") is None or mapping["retries"] < 0
            if service and mapping.get("enabled", True) and (endless or not mapping.get("on_failure")):
                yield _advice(subject, mapping, service, endless)


def _advice(function: Subject, mapping: Mapping[str, Any], service: str, endless: bool) -> Advice:
    name = mapping["source"].split("/")[1]
    where = "goes nowhere" if not mapping.get("on_failure") else "goes to its destination far too late"
    return Advice(
        text=f"A batch of the {service} stream {name} that {function.name} fails on "
        f"{'is tried until its records expire, and then ' if endless else ''}{where}.",
        evidence=[
            ("Retries", "until the records expire" if endless else number(mapping["retries"])),
            ("Destination on failure", mapping.get("on_failure") or "none"),
            ("Batch", f"up to {number(mapping.get('batch_size'))} records"),
            ("Failed runs", f"{number(function.rollup.errors)} of {number(function.rollup.invocations)}"),
        ],
        fixes=_fixes(function, mapping, name),
        confidence=Confidence.HIGH,
        topic=name,
    )


def _fixes(function: Subject, mapping: Mapping[str, Any], name: str) -> list[Fix]:
    queue, make = failure_queue(function)
    target = mapping.get("on_failure") or queue
    fixes = [
        cli(
            "lambda update-event-source-mapping", function.region, option("uuid", mapping["uuid"]),
            option("maximum-retry-attempts", RETRIES), "--bisect-batch-on-function-error", on_failure(target),
        ),
        terraform(
            "aws_lambda_event_source_mapping", f"{function.name}_{name}",
            f"maximum_retry_attempts = {RETRIES}", "bisect_batch_on_function_error = true", "destination_config {",
            "  on_failure {", f'    destination_arn = "{target}"', "  }", "}",
        ),
        in_template(
            function, "Events:", "  Stream:", "    Properties:", f"      MaximumRetryAttempts: {RETRIES}",
            "      BisectBatchOnFunctionError: true", "      DestinationConfig:", "        OnFailure:",
            f"          Destination: {target}",
        ),
    ]  # fmt: skip
    return in_order(function, [*([make] if target == queue else []), *fixes])
