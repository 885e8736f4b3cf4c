"""APIs that take long to answer."""

from collections.abc import Iterable, Mapping

from alerts import lately
from alerts.finding import Severity
from alerts.fixes import steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import milliseconds, number

DAYS = 2


class ApiSlow:
    kind = "api_slow"
    title = "API answers slowly"
    why = "People wait for every one of these requests."
    source = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html"
    pillar = Pillar.PERFORMANCE
    severity = Severity.WARNING
    effort = Effort.DAYS
    measure = Measure.NONE
    types: tuple[str, ...] = ("rest_api", "http_api")
    knobs: tuple[Knob, ...] = (
        Knob("mean_ms", "Answers take on average", 1_000, "ms", least=1),
        Knob("requests", "Only with at least so many requests in two days", 100, "requests"),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        mean = lately.mean(subject, "Latency", estate, days=DAYS)
        requests = lately.total(subject, "Count", estate, days=DAYS) or 0
        if mean is None or mean < knobs["mean_ms"] or requests < knobs["requests"]:
            return
        behind = lately.mean(subject, "IntegrationLatency", estate, days=DAYS)
        yield Advice(
            text=f"{subject.name} takes {milliseconds(mean)} to answer, on average over two days.",
            evidence=[
                ("Average answer", milliseconds(mean)),
                ("Of that, what is behind it", milliseconds(behind)),
                ("Slowest answer", milliseconds(lately.peak(subject, "Latency", estate, days=DAYS))),
                ("Requests", number(requests)),
            ],
            fixes=[
                steps(
                    "Look at the functions behind it for slow calls and cold starts: most of the time is spent there.",
                    "Give them more memory, which gives them more CPU, or cache what does not change.",
                    "What takes seconds by nature, answer with 202 and do it behind a queue.",
                )
            ],
            confidence=Confidence.MEDIUM,
        )
