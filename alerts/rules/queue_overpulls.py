"""Queues that hand a function more batches than it may work on, so that messages fail without having been tried."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import cli, option, terraform
from alerts.reconfigure import in_order, in_template
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import number

LEAST, MOST = 2, 1_000
"""Of the maximum concurrency of a trigger, as AWS allows it."""


class QueueOverpulls:
    kind = "queue_overpulls"
    title = "Queue takes more than its function may run"
    why = (
        "Lambda takes messages from the queue before it knows whether the function may run. Throttled ones go back and "
        "count as received, until they are in the dead-letter queue."
    )
    source = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.MINUTES
    measure = Measure.ERRORS
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (Knob("throttles", "From so many throttled batches in two weeks on", 1, "batches", 1),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        reserved = subject.config.get("reserved_concurrency")
        throttles = subject.total("Throttles") or subject.rollup.throttles
        if not reserved or throttles < knobs["throttles"]:
            return
        for mapping in subject.config.get("event_sources") or ():
            most, wanted = mapping.get("max_concurrency"), min(MOST, max(LEAST, reserved))
            if not _is_queue(mapping["source"]) or (most is not None and most <= wanted) or not mapping["enabled"]:
                continue
            name = mapping["source"].split(":")[-1]
            yield Advice(
                text=f"{name} may run {subject.name} {number(most) if most else 'any number of'} times at once, but "
                f"{reserved:,} is all that is reserved for it.",
                evidence=[
                    ("Most that the trigger asks for", number(most) if most else "no limit"),
                    ("Reserved for the function", f"{reserved:,}"),
                    ("Throttled batches", number(throttles)),
                ],
                fixes=in_order(
                    subject,
                    [
                        cli(
                            "lambda update-event-source-mapping", subject.region, option("uuid", mapping["uuid"]),
                            f"--scaling-config MaximumConcurrency={wanted}",
                        ),
                        terraform(
                            "aws_lambda_event_source_mapping", f"{subject.name}_{name}", "scaling_config {",
                            f"  maximum_concurrency = {wanted}", "}",
                        ),
                        in_template(
                            subject, "Events:", "  Queue:", "    Properties:", "      ScalingConfig:",
                            f"        MaximumConcurrency: {wanted}",
                        ),
                    ],
                ),
                confidence=Confidence.HIGH,
                topic=name,
            )  # fmt: skip


def _is_queue(arn: str) -> bool:
    return arn.split(":")[2:3] == ["sqs"]
