"""Queues that hand a message out again while the function may still be working on it."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from alerts.finding import Severity
from alerts.fixes import option, sam, set_queue, terraform
from alerts.reconfigure import function_cli
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject

LONGEST_S = 43_200


class VisibilityTimeout:
    kind = "visibility_timeout"
    title = "Queue hands messages out again too soon"
    why = (
        "Lambda retries a throttled batch for a while. If the queue shows its messages again by then, they are worked "
        "on twice, or end up in the dead-letter queue without having failed."
    )
    source = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("times", "Visibility timeout of at least so many times the function's", 6, "times", 1, 100),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        timeout_s = subject.config.get("timeout_s")
        for mapping in subject.config.get("event_sources") or ():
            queue = estate.by_arn.get(mapping["source"])
            if timeout_s and queue and queue.type == "sqs_queue" and mapping.get("enabled", True):
                yield from _advice(subject, queue, mapping, knobs["times"])


def _advice(function: Subject, queue: Subject, mapping: Mapping[str, Any], times: float) -> Iterable[Advice]:
    timeout_s, window_s = function.config["timeout_s"], mapping.get("window_s") or 0
    visible_s = queue.config.get("visibility_timeout_s")
    wanted = min(LONGEST_S, math.ceil(timeout_s * times + window_s))
    if visible_s is None or visible_s >= wanted:
        return
    fixes = [
        set_queue(queue, {"VisibilityTimeout": str(wanted)}),
        terraform("aws_sqs_queue", queue.name, f"visibility_timeout_seconds = {wanted}"),
        sam("AWS::SQS::Queue", queue.name, f"VisibilityTimeout: {wanted}"),
    ]
    shorter = math.floor((visible_s - window_s) / times)
    if shorter >= 1 and (function.p99_ms or math.inf) < shorter * 500:
        fixes.append(function_cli(function, "update-function-configuration", option("timeout", shorter)))
    yield Advice(
        text=f"{queue.name} shows a message again after {visible_s:g} s, but {function.name} may take {timeout_s:g} s "
        f"for it; {wanted} s would be safe.",
        evidence=[
            ("Visibility timeout", f"{visible_s:g} s"),
            ("Function's timeout", f"{timeout_s:g} s"),
            ("Waits for a batch", f"up to {window_s:g} s"),
            ("Safe from", f"{wanted} s, which is {times:g} times the timeout" + (" and the wait" if window_s else "")),
        ],
        fixes=fixes,
        confidence=Confidence.HIGH,
        topic=queue.name,
    )
