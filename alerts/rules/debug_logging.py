"""Functions that log at debug level all day."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.reconfigure import configure, logging_config
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.telemetry.pricing import log_gb
from observability.ui.units import dollars, number

LOUD = {"TRACE", "DEBUG"}


class DebugLogging:
    kind = "debug_logging"
    title = "Debug logs are on"
    why = "Debug lines are paid by the gigabyte like all others, hide what matters, and often hold data of customers."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html"
    pillar = Pillar.COST
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("days", "Only when nothing was changed for", 2, "days"),
        Knob("invocations", "Only where it ran at least so often", 100, "times", 1),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        level, runs = subject.config.get("log_level"), subject.rollup.invocations
        since = max(subject.deployed_at or subject.first_seen_at, subject.first_seen_at)
        days = (estate.now - since).total_seconds() / 86_400
        if level not in LOUD or runs < knobs["invocations"] or days < knobs["days"]:
            return
        yield Advice(
            text=f"{subject.name} has logged at level {level} for {days:.0f} days.",
            evidence=[
                ("Level", str(level)),
                ("Runs in two weeks", number(runs)),
                ("A gigabyte of logs", dollars(log_gb(subject.region))),
            ],
            fixes=configure(
                subject,
                [logging_config(subject, "INFO")],
                ["logging_config {", '  log_format = "JSON"', '  application_log_level = "INFO"', "}"],
                ["LoggingConfig:", "  LogFormat: JSON", "  ApplicationLogLevel: INFO"],
            ),
            confidence=Confidence.HIGH,
        )
