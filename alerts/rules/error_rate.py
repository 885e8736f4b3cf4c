"""Functions of which more runs fail than one may shrug off."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import cli, option, steps
from alerts.lately import total
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from alerts.saving import mean_usd, per_month
from observability.ui.units import dollars, number, percent

LONG = "two weeks"
"""What failed some time in so long may be over: it wakes nobody."""


class ErrorRate:
    kind = "error_rate"
    title = "Too many runs fail"
    why = (
        "Callers get errors, or AWS runs the same event again and again, which costs money and may lose it in the end."
    )
    source = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.HOURS
    measure = Measure.ERRORS
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("rate", "Warn when more runs fail than", 1, "%", 0, 100),
        Knob("critical", "Critical when more runs fail than", 10, "%", 0, 100),
        Knob("days", "Look at the last", 3, "days", 1, 14),
        Knob("invocations", "Only where it ran at least so often", 50, "times"),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        days = int(knobs["days"])
        runs, errors, span = _lately(subject, estate, days)
        if not runs or runs < knobs["invocations"] or errors / runs * 100 <= knobs["rate"]:
            return
        rate, rollup = errors / runs, subject.rollup
        wasted = per_month(rollup.errors * mean_usd(subject), subject, estate)
        yield Advice(
            text=f"{percent(rate)} of the runs of {subject.name} fail.",
            evidence=[
                (f"Failed in {span}", f"{number(errors)} of {number(runs)} runs"),
                ("Timed out in two weeks", number(rollup.timeouts)),
                ("Out of memory in two weeks", number(rollup.out_of_memory)),
                ("Failed runs cost", f"{dollars(wasted)} a month"),
            ],
            fixes=_fixes(subject),
            confidence=Confidence.MEDIUM,
            usd_month=(0.0, wasted) if wasted else None,
            severity=Severity.CRITICAL if rate * 100 > knobs["critical"] and span != LONG else None,
        )


def _lately(subject: Subject, estate: Estate, days: int) -> tuple[float, float, str]:
    """Runs, failed ones, and of how long: as CloudWatch counted them; what reports tell where it counted no failure."""
    if subject.total("Errors") is None:
        return subject.rollup.invocations, subject.rollup.errors, LONG
    runs = total(subject, "Invocations", estate, days=days) or 0
    return runs, min(runs, total(subject, "Errors", estate, days=days) or 0), f"the last {days} days"


def _fixes(subject: Subject) -> list[Fix]:
    group = subject.config.get("log_group") or f"/aws/lambda/{subject.name}"
    pattern = '?ERROR ?Exception ?"Task timed out" ?"Runtime exited"'
    return [
        steps(
            "Open the errors of this function and take the group that happens most often.",
            "Mend it, or catch what is expected, so that only real failures count.",
            "If a deployment began it, send the alias back to the version before.",
        ),
        cli("logs tail", subject.region, option("since", "1d"), option("filter-pattern", pattern), group),
    ]
