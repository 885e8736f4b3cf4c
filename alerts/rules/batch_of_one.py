"""Functions that are started for every single message, though they could take ten at a time."""

from collections.abc import Iterable, Mapping
from typing import Any

from alerts.finding import Severity
from alerts.fixes import cli, option, steps, terraform
from alerts.reconfigure import in_order, in_template
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from alerts.saving import per_month, price_of, time_month
from observability.ui.units import dollars, number

BATCH = 10
SHARED = 0.5
"""Of the running time, at best, that messages of a batch need only once."""

SOURCES = {"sqs": "queue", "kinesis": "stream", "dynamodb": "stream"}


class BatchOfOne:
    kind = "batch_of_one"
    title = "A run for every single message"
    why = "Each run pays its request and begins anew: opening connections, reading settings. A batch does that once."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"
    pillar = Pillar.COST
    severity = Severity.INFO
    effort = Effort.HOURS
    measure = Measure.COST
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (Knob("usd", "Only where it may save at least", 1, "USD a month"),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        sources = [each for each in subject.config.get("event_sources") or () if each.get("enabled", True)]
        single = [each for each in sources if each.get("batch_size") == 1 and _service(each) in SOURCES]
        if len(single) != 1 or len(sources) != 1:
            return
        runs, time = subject.rollup.invocations, time_month(subject, estate)
        requests = per_month(runs * (1 - 1 / BATCH) * price_of(subject).request, subject, estate)
        if requests is None or time is None or requests + time * SHARED < knobs["usd"]:
            return
        name = single[0]["source"].split(":")[5].split("/")[-1 if _service(single[0]) == "sqs" else 1]
        yield Advice(
            text=f"{subject.name} runs once for every message of the {SOURCES[_service(single[0])]} {name}.",
            evidence=[
                ("Batch", "1"),
                ("Runs in two weeks", number(runs)),
                (f"Requests that batches of {BATCH} spare", f"{dollars(requests)} a month"),
                ("Running time costs", f"{dollars(time)} a month"),
            ],
            fixes=_fixes(subject, single[0], name),
            confidence=Confidence.LOW,
            usd_month=(requests, requests + time * SHARED),
        )


def _service(mapping: Mapping[str, Any]) -> str:
    """That of the source's ARN; of Kafka that somebody runs himself there is none."""
    return str((mapping["source"].split(":") + [""] * 3)[2])


def _fixes(subject: Subject, mapping: Mapping[str, Any], name: str) -> list[Fix]:
    partial = "ReportBatchItemFailures"
    return [
        steps(
            "Let the handler go through all records of an event, if it only reads the first.",
            "Let it answer which of them failed (batchItemFailures), so that only those are tried again.",
            "Then raise the batch size; see that a whole batch is done within the timeout.",
        ),
        *in_order(
            subject,
            [
                cli(
                    "lambda update-event-source-mapping", subject.region, option("uuid", mapping["uuid"]),
                    option("batch-size", BATCH), f"--function-response-types {partial}",
                ),
                terraform(
                    "aws_lambda_event_source_mapping", f"{subject.name}_{name}", f"batch_size = {BATCH}",
                    f'function_response_types = ["{partial}"]',
                ),
                in_template(
                    subject, "Events:", "  Messages:", "    Properties:", f"      BatchSize: {BATCH}",
                    f"      FunctionResponseTypes: [{partial}]",
                ),
            ],
        ),
    ]  # fmt: skip
