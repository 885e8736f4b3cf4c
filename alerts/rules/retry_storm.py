"""Functions that mostly run because AWS tries failed events again."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import option, steps
from alerts.reconfigure import on_asynchronous
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from alerts.saving import mean_usd, per_month
from observability.ui.units import dollars, number, percent

RETRIED = 2 / 3
"""Of the failed runs of an event that always fails, at most so many are retries."""


class RetryStorm:
    kind = "retry_storm"
    title = "Many runs are only retries"
    why = "Each failed event is run three times by default: three times the price, and more load on what is down."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"
    pillar = Pillar.COST
    severity = Severity.WARNING
    effort = Effort.HOURS
    measure = Measure.ERRORS
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("share", "Only where more of the runs are retries than", 20, "%", 1, 100),
        Knob("retries", "Only from so many retries in two weeks on", 100, "retries", 1),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        events, runs = subject.total("AsyncEventsReceived"), subject.total("Invocations")
        errors = max(subject.total("Errors") or 0, subject.rollup.errors)
        if not events or not runs:
            return
        retries = min(runs - events, errors * RETRIED)
        if retries < knobs["retries"] or retries / runs * 100 <= knobs["share"]:
            return
        wasted = per_month(retries * mean_usd(subject), subject, estate)
        yield Advice(
            text=f"About {percent(retries / runs)} of the runs of {subject.name} are retries of events that failed.",
            evidence=[
                ("Events", number(events)),
                ("Runs", number(runs)),
                ("Failed runs", number(errors)),
                ("Retries, about", number(retries)),
                ("They cost", f"{dollars(wasted)} a month"),
            ],
            fixes=[
                steps(
                    "Mend the error that happens most often: see the errors of this function.",
                    "What cannot succeed the second time should not be raised: log it, put it aside, and return.",
                ),
                *([on_asynchronous(subject, option("maximum-retry-attempts", 0))] if _is_kept(subject) else []),
            ],
            confidence=Confidence.LOW,
            usd_month=None if wasted is None else (0.0, wasted),
        )


def _is_kept(subject: Subject) -> bool:
    """Whether what fails is kept somewhere; else an event that is not tried again would be lost."""
    told = subject.config.get("event_invoke") or ()
    return bool(subject.config.get("dead_letter") or any(each.get("on_failure") for each in told))
