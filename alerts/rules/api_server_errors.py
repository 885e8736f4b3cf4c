"""APIs that answer with errors of their own."""

from collections.abc import Iterable, Mapping

from alerts import lately
from alerts.finding import Severity
from alerts.fixes import steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import number, percent

DAYS = 2
GRAVE, MANY = 0.1, 50
"""Of all requests, and at least: then it cannot wait."""

ERRORS = {"rest_api": "5XXError", "http_api": "5xx"}


class ApiServerErrors:
    """What callers see, also where no function counts as failed: a handled exception, a time-out, a wrong answer."""

    kind = "api_server_errors"
    title = "API answers with server errors"
    why = "Callers got nothing. A function that catches its exceptions and answers 500 shows no error of its own."
    source = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("rest_api", "http_api")
    knobs: tuple[Knob, ...] = (
        Knob("share", "Server errors", 1, "% of requests", least=0, most=100),
        Knob("errors", "At least", 5, "errors in two days", least=1),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        errors, requests, share = lately.failures(subject, ERRORS[subject.type], "Count", estate, days=DAYS)
        if errors < knobs["errors"] or share * 100 <= knobs["share"]:
            return
        yield Advice(
            text=f"{subject.name} answered {percent(share)} of its requests with a server error within two days.",
            evidence=[("Server errors (5XX)", number(errors)), ("Requests", number(requests))],
            fixes=[
                steps(
                    "Look at the failures and logs of the functions behind it in the same minutes.",
                    "None there? Then it is a time-out, a missing permission, or an answer of the wrong shape: the "
                    "API's access log says which.",
                )
            ],
            confidence=Confidence.MEDIUM,
            severity=Severity.CRITICAL if _is_grave(subject) else None,
        )


def _is_grave(subject: Subject) -> bool:
    """Whether many fail on the newest day: what was mended yesterday wakes nobody."""
    counted, failed = (subject.points.get((metric, "Sum"), ()) for metric in ("Count", ERRORS[subject.type]))
    day = max((each.at for each in counted), default=None)
    requests, errors = (sum(each.value or 0 for each in told if each.at == day) for told in (counted, failed))
    return errors >= MANY and errors > requests * GRAVE
