"""Functions that come close to the executions that are reserved for them."""

import math
from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import option, terraform
from alerts.reconfigure import function_cli, in_order, in_template
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import number, percent

ROOM = 1.5


class ReservedNearlyUsed:
    kind = "reserved_nearly_used"
    title = "Reserved executions are nearly used up"
    why = "What is reserved is also the most a function may use: the next call beyond it is throttled."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (Knob("used", "Tell when more were in use than", 80, "%", 1, 100),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        reserved, peak = subject.config.get("reserved_concurrency"), subject.peak("ConcurrentExecutions")
        if not reserved or reserved < 2 or not peak or peak / reserved * 100 <= knobs["used"]:
            return
        if subject.total("Throttles") or subject.rollup.throttles:
            return
        wanted = max(reserved + 1, math.ceil(peak * ROOM))
        yield Advice(
            text=f"{subject.name} ran {number(peak)} times at once, that is {percent(peak / reserved)} of the "
            f"{reserved:,} reserved for it.",
            evidence=[("Most at the same time", number(peak)), ("Reserved", f"{reserved:,}"), ("Throttled", "0")],
            fixes=in_order(
                subject,
                [
                    function_cli(subject, "put-function-concurrency", option("reserved-concurrent-executions", wanted)),
                    terraform("aws_lambda_function", subject.name, f"reserved_concurrent_executions = {wanted}"),
                    in_template(subject, f"ReservedConcurrentExecutions: {wanted}"),
                ],
            ),
            confidence=Confidence.MEDIUM,
        )
