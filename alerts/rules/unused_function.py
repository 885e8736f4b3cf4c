"""Functions that nobody calls."""

import re
from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import steps
from alerts.reconfigure import STACK, function_cli
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from alerts.saving import MONTH_S, memory_mb, price_of
from alerts.wiring import reached, wiring
from observability.ui.units import dollars, size

OF_DEPLOYMENTS = re.compile(
    r"custom.?resource|CustomCDK|AutoDelete(Objects|Images)|LogRetention|BucketNotif|framework-(on|is)|AWS679f53fac002430c",
    re.IGNORECASE,
)
"""What the CDK calls functions that CloudFormation runs when a stack changes; without them it could not change."""


class UnusedFunction:
    kind = "unused_function"
    title = "Function is not used"
    why = "It may still be attacked, must be kept up to date, and takes code storage; nobody remembers what it was for."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html"
    pillar = Pillar.OPERATIONS
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.COST
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (Knob("days", "Only when it has not run for", 13, "days", 1, 14),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        config, days = subject.config, estate.days_of(subject)
        if not config or days < knobs["days"] or config.get("reserved_concurrency") == 0 or _ran(subject):
            return
        if not reached(subject, estate, days=knobs["days"]) or _only_seldom(subject, estate):
            return
        sources = [each for each in config.get("event_sources") or () if each.get("enabled", True)]
        kept = sum(each["code_bytes"] for each in config.get("versions") or ()) + (config.get("code_bytes") or 0)
        warm = sum(each["requested"] for each in config.get("provisioned") or ())
        usd = warm * memory_mb(subject) / 1024 * price_of(subject).concurrency_gb_second * MONTH_S
        yield Advice(
            text=f"Nobody has called {subject.name} for {days:.0f} days or longer.",
            evidence=[
                ("Runs", "0"),
                ("Triggers that are on", str(len(sources))),
                ("Last changed", str(config.get("last_modified") or "not known")[:10]),
                ("Code and versions", size(kept)),
                *([("Kept warm all the same", f"{warm:,}, {dollars(usd)} a month")] if warm else []),
            ],
            fixes=[
                steps(
                    "Make sure that nothing calls it once a month or once a year: look at its triggers and its owner.",
                    "Keep its code, then delete it. To be careful, reserve 0 executions for it first, for a while.",
                ),
                _deletion(subject),
            ],
            confidence=Confidence.MEDIUM,
            usd_month=(usd, usd) if usd else None,
            saved_bytes=kept or None,
        )


def _only_seldom(subject: Subject, estate: Estate) -> bool:
    """Whether it is meant to: only deployments call it, or it runs at CloudFront's edge, where it is not counted."""
    return bool(OF_DEPLOYMENTS.search(subject.name)) or (subject.account, subject.name) in wiring(estate).at_edge


def _deletion(subject: Subject) -> Fix:
    """A stack that deployed it would miss it."""
    if stack := subject.tags.get(STACK):
        return steps(f"Take it out of the template of the stack {stack}, and deploy that.")
    return function_cli(subject, "delete-function")


def _ran(subject: Subject) -> bool:
    told = ("Invocations", "Throttles", "AsyncEventsReceived")
    return bool(subject.rollup.invocations or any(subject.total(metric) for metric in told))
