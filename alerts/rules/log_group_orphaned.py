"""Log groups of functions that are gone."""

import re
from collections.abc import Iterable, Mapping

from alerts import wiring
from alerts.finding import Severity
from alerts.fixes import cli, option, steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.telemetry.pricing import price, prices
from observability.ui.units import size

GB = 1e9
PREFIX = "/aws/lambda/"
AT_EDGE = re.compile(r"/aws/lambda/[a-z]{2}(-[a-z]+)+-\d\.")
"""Lambda@Edge writes where its callers are, not where its function is."""


class LogGroupOrphaned:
    """Only where functions are known at all: else all would look deleted."""

    kind = "log_group_orphaned"
    title = "Log group of a deleted function"
    why = "Deleting a function leaves its logs behind. They are paid for, and nobody looks after what is in them."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html"
    pillar = Pillar.COST
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("log_group",)
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        place = (subject.account, subject.region)
        writers = wiring.wiring(estate).writers
        if not subject.name.startswith(PREFIX) or AT_EDGE.match(subject.name) or not subject.config:
            return
        if (*place, subject.name) in writers or not any(each[:2] == place for each in writers):
            return
        if subject.config.get("daily_bytes"):
            return
        stored = subject.config.get("stored_bytes") or 0
        usd = stored / GB * price(subject.region).log_gb_month
        yield Advice(
            text=f"No function writes to {subject.name} any more.",
            evidence=[
                ("Function", f"{subject.name.removeprefix(PREFIX)}, which does not exist"),
                ("Stored", size(stored)),
                ("Retention", _retention(subject.config.get("retention_days"))),
            ],
            fixes=[
                steps("Export what you must keep, with aws logs create-export-task.", "Delete the log group."),
                cli("logs delete-log-group", subject.region, option("log-group-name", subject.name)),
            ],
            confidence=Confidence.HIGH,
            usd_month=(usd * prices()["default"]["log_compression"], usd),
        )


def _retention(days: int | None) -> str:
    return f"{days} days" if days else "never expires"
