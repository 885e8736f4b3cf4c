"""APIs that refuse many requests."""

from collections.abc import Iterable, Mapping

from alerts import lately
from alerts.finding import Severity
from alerts.fixes import steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import number, percent

DAYS = 2
ERRORS = {"rest_api": "4XXError", "http_api": "4xx"}


class ApiClientErrors:
    kind = "api_client_errors"
    title = "API refuses many requests"
    why = "A broken client, an expired key or somebody who probes: each shows as a wave of refused requests."
    source = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html"
    pillar = Pillar.OPERATIONS
    severity = Severity.INFO
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("rest_api", "http_api")
    knobs: tuple[Knob, ...] = (
        Knob("share", "Refused", 5, "% of requests", least=0, most=100),
        Knob("errors", "At least", 50, "refused requests in two days", least=1),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        errors, requests, share = lately.failures(subject, ERRORS[subject.type], "Count", estate, days=DAYS)
        if errors < knobs["errors"] or share * 100 <= knobs["share"]:
            return
        yield Advice(
            text=f"{subject.name} refused {percent(share)} of its requests within two days.",
            evidence=[("Client errors (4XX)", number(errors)), ("Requests", number(requests))],
            fixes=[
                steps(
                    "Group the access log by status, path and caller: 401 and 403 are keys, 404 paths, 429 throttling.",
                    "Mend the client, or have AWS WAF keep out who only probes.",
                    "If this is how it should be, raise this rule's threshold.",
                )
            ],
            confidence=Confidence.MEDIUM,
        )
