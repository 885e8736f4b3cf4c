"""Tables that one command deletes."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import cli, option, sam, terraform
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import number, size


class TableUnprotected:
    kind = "table_unprotected"
    title = "Table is not protected against deletion"
    why = "A wrong command or a renamed resource in a template deletes the table with everything in it."
    source = (
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"
        "WorkingWithTables.Basics.html#WorkingWithTables.Basics.DeletionProtection"
    )
    pillar = Pillar.RELIABILITY
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("dynamodb_table",)
    knobs: tuple[Knob, ...] = (Knob("items", "Only with at least so many items", 1_000, "items"),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        items = subject.config.get("items", 0)
        if subject.config.get("deletion_protection") is not False or items < knobs["items"]:
            return
        yield Advice(
            text=f"{subject.name} and its {number(items)} items can be deleted by one command.",
            evidence=[
                ("Deletion protection", "off"),
                ("Items", number(items)),
                ("Size", size(subject.config.get("size_bytes"))),
            ],
            fixes=[
                cli(
                    "dynamodb update-table", subject.region, option("table-name", subject.name),
                    "--deletion-protection-enabled",
                ),
                terraform("aws_dynamodb_table", subject.name, "deletion_protection_enabled = true"),
                sam("AWS::DynamoDB::Table", subject.name, "DeletionProtectionEnabled: true"),
            ],
            confidence=Confidence.HIGH,
        )  # fmt: skip
