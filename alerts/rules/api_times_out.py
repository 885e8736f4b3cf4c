"""APIs that give up on what is behind them."""

from collections.abc import Iterable, Mapping

from alerts import lately
from alerts.finding import Severity
from alerts.fixes import steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import milliseconds

LIMITS_MS = {"rest_api": 29_000, "http_api": 30_000}
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html, unless it was raised."""

DAYS = 2


class ApiTimesOut:
    kind = "api_times_out"
    title = "API requests run into the time limit"
    why = (
        "API Gateway gives up after 29 or 30 seconds and answers 504, while the function behind it runs on and is paid."
    )
    source = "https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.DAYS
    measure = Measure.NONE
    types: tuple[str, ...] = ("rest_api", "http_api")
    knobs: tuple[Knob, ...] = (Knob("share", "Slowest answer", 95, "% of the limit", least=1, most=100),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        slowest, limit = lately.peak(subject, "Latency", estate, days=DAYS), LIMITS_MS[subject.type]
        if slowest is None or slowest < limit * knobs["share"] / 100:
            return
        yield Advice(
            text=f"The slowest request to {subject.name} took {milliseconds(slowest)}; the limit is "
            f"{milliseconds(limit)}.",
            evidence=[("Slowest answer", milliseconds(slowest)), ("Limit", milliseconds(limit))],
            fixes=[
                steps(
                    "Find the function behind it that runs so long, and set its timeout below the API's.",
                    "Answer at once with 202, and do the work behind a queue or in a state machine.",
                    "The limit of a regional REST API can be raised in Service Quotas.",
                )
            ],
            confidence=Confidence.MEDIUM,
        )
