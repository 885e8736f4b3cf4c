"""Tables that cannot be taken back to where they were before a mistake."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import cli, option, sam, terraform
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import number, size


class TableWithoutRecovery:
    kind = "table_without_recovery"
    title = "Table has no point-in-time recovery"
    why = (
        "A faulty deployment can overwrite every item. With recovery on, the table can be restored to any second of "
        "the last 35 days; without it, only backups that somebody made help."
    )
    source = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("dynamodb_table",)
    knobs: tuple[Knob, ...] = (Knob("items", "Only with at least so many items", 1, "items"),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        items = subject.config.get("items", 0)
        if subject.config.get("recovery") is not False or items < knobs["items"]:
            return
        yield Advice(
            text=f"{subject.name} could not be restored after a mistake.",
            evidence=[
                ("Point-in-time recovery", "off"),
                ("Items", number(items)),
                ("Size", size(subject.config.get("size_bytes"))),
            ],
            fixes=[
                cli(
                    "dynamodb update-continuous-backups", subject.region, option("table-name", subject.name),
                    "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true",
                ),
                terraform("aws_dynamodb_table", subject.name, "point_in_time_recovery {", "  enabled = true", "}"),
                sam(
                    "AWS::DynamoDB::Table", subject.name,
                    "PointInTimeRecoverySpecification:", "  PointInTimeRecoveryEnabled: true",
                ),
            ],
            confidence=Confidence.HIGH,
        )  # fmt: skip
