"""APIs that nobody calls."""

from collections.abc import Iterable, Mapping

from alerts import lately, wiring
from alerts.finding import Severity
from alerts.fixes import cli, option, steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject

COMMANDS = {
    "rest_api": ("apigateway delete-rest-api", "rest-api-id"),
    "http_api": ("apigatewayv2 delete-api", "api-id"),
}


class ApiUnused:
    """CloudWatch does not tell apart REST APIs that share a name; of those nothing is known."""

    kind = "api_unused"
    title = "API is not called"
    why = "Nobody seems to need it, and it is one door more to watch, with code behind it that ages."
    source = "https://docs.aws.amazon.com/wellarchitected/latest/framework/cost_decomissioning_resources_track.html"
    pillar = Pillar.SECURITY
    severity = Severity.INFO
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("rest_api", "http_api")
    knobs: tuple[Knob, ...] = (Knob("days", "Days without a request", 13, "days", least=3, most=14),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        days = int(knobs["days"])
        if estate.days_of(subject) < days or not subject.config.get("stages"):
            return
        if subject.config.get("protocol") == "WEBSOCKET":
            return  # AWS counts their messages, not requests.
        if not wiring.reached(subject, estate, days=days) or lately.total(subject, "Count", estate, days=days):
            return
        if _has_namesake(subject, estate):
            return
        command, which = COMMANDS[subject.type]
        yield Advice(
            text=f"Nobody called {subject.name} in the last {days} days.",
            evidence=[
                ("Requests", f"none in {days} days"),
                ("Endpoint", (subject.config.get("endpoint") or "regional").lower()),
                ("Stages", ", ".join(stage["name"] for stage in subject.config["stages"])),
            ],
            fixes=[
                steps("Ask who owns the API, and whether a yearly job calls it.", "Delete it, then what is behind it."),
                cli(command, subject.region, option(which, subject.config["id"])),
            ],
            confidence=Confidence.MEDIUM,
        )


def _has_namesake(api: Subject, estate: Estate) -> bool:
    place = (api.name, api.account, api.region)
    same = (each for each in estate.of_type("rest_api") if (each.name, each.account, each.region) == place)
    return api.type == "rest_api" and sum(1 for _ in same) > 1
