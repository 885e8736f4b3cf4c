"""Tables that nobody reads or writes."""

from collections.abc import Iterable, Mapping

from alerts import lately, wiring
from alerts.finding import Severity
from alerts.fixes import cli, option, steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.telemetry.pricing import around
from observability.ui.units import number, size

GIB = 1 << 30
HOURS = 730


class TableUnused:
    kind = "table_unused"
    title = "Table is not used"
    why = (
        "Nobody read or wrote it for two weeks. What it stores, and any provisioned capacity, is paid for all the same."
    )
    source = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CostOptimization_UnusedResources.html"
    pillar = Pillar.COST
    severity = Severity.INFO
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("dynamodb_table",)
    knobs: tuple[Knob, ...] = (Knob("days", "Days without a request", 13, "days", least=3, most=14),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        days, config = int(knobs["days"]), subject.config
        metrics = ("ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits")
        if estate.days_of(subject) < days or not config.get("status") or not wiring.reached(subject, estate, days=days):
            return
        if any(lately.total(subject, metric, estate, days=days) for metric in metrics):
            return
        usd = config["size_bytes"] / GIB * around("dynamodb_gb_month")
        if config["billing"] == "PROVISIONED":
            usd += HOURS * config["read_capacity"] * around("dynamodb_read_hour")
            usd += HOURS * config["write_capacity"] * around("dynamodb_write_hour")
        backup = option("backup-name", f"{subject.name}-before-deletion")
        yield Advice(
            text=f"Nobody read or wrote {subject.name} in the last {days} days.",
            evidence=[
                ("Reads and writes", f"none in {days} days"),
                ("Items", number(config["items"])),
                ("Size", size(config["size_bytes"])),
                ("Billing", config["billing"].lower().replace("_", " ")),
            ],
            fixes=[
                steps(
                    "Ask who owns the table, and whether a yearly job needs it.",
                    "Back it up with the first command. Delete it with the second when the backup is there.",
                ),
                cli("dynamodb create-backup", subject.region, option("table-name", subject.name), backup),
                cli("dynamodb delete-table", subject.region, option("table-name", subject.name)),
            ],
            confidence=Confidence.MEDIUM,
            usd_month=(0.0, usd),
        )
