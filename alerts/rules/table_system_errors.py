"""Tables whose requests DynamoDB itself could not serve."""

from collections.abc import Iterable, Mapping

from alerts import lately
from alerts.finding import Severity
from alerts.fixes import steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import counted, number

DAYS = 2


class TableSystemErrors:
    kind = "table_system_errors"
    title = "DynamoDB failed by itself"
    why = "AWS answered with errors of its own. SDKs try again; code that does not loses data."
    source = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.INFO
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("dynamodb_table",)
    knobs: tuple[Knob, ...] = (Knob("errors", "Errors in two days", 1, "errors", least=1),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        errors = lately.total(subject, "SystemErrors", estate, days=DAYS) or 0
        if errors < knobs["errors"]:
            return
        yield Advice(
            text=f"DynamoDB could not serve {counted(errors, 'request')} to {subject.name} within two days.",
            evidence=[("System errors", f"{number(errors)} in two days")],
            fixes=[
                steps(
                    "Look at AWS's health dashboard for DynamoDB in this region.",
                    "See that whoever calls the table tries again, with growing pauses, as AWS's SDKs do.",
                    "Make writes idempotent: one that failed may have been done.",
                )
            ],
            confidence=Confidence.MEDIUM,
        )
