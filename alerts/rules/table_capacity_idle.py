"""Tables that are paid for capacity which nobody uses."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import cli, option, sam, terraform
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from alerts.wiring import reached
from observability.telemetry.pricing import around
from observability.ui.units import dollars, number, percent

HOURS, DAYS, DAY_S = 730, 30.4, 86_400
"""Of a month, and seconds of a day."""

FREE = 25
"""So many units of each kind an account has for free, all its tables together."""


class TableCapacityIdle:
    """Of the table alone: indexes have capacity of their own, which would save as well."""

    kind = "table_capacity_idle"
    title = "Provisioned capacity of a table is idle"
    why = "Provisioned capacity costs the same whether it is used or not. On demand, this table would cost less."
    source = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CostOptimization_TableCapacityMode.html"
    pillar = Pillar.COST
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("dynamodb_table",)
    knobs: tuple[Knob, ...] = (
        Knob("usd", "Would save at least", 5, "USD a month"),
        Knob("days", "Measured for at least", 7, "days", least=1, most=14),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        days, config = estate.days_of(subject), subject.config
        read, written = subject.total("ConsumedReadCapacityUnits"), subject.total("ConsumedWriteCapacityUnits")
        if config.get("billing") != "PROVISIONED" or days < knobs["days"] or (read is None and written is None):
            return
        if not reached(subject, estate, days=knobs["days"]):
            return
        reads, writes = (read or 0) / days, (written or 0) / days
        paid = _provisioned(config["read_capacity"], config["write_capacity"])
        needed = DAYS * (
            reads * around("dynamodb_million_reads") + writes * around("dynamodb_million_writes")
        ) / 1e6  # fmt: skip
        if paid - needed < knobs["usd"]:
            return
        used = (reads + writes) / DAY_S / (config["read_capacity"] + config["write_capacity"])
        least = max(0.0, paid - needed - _provisioned(FREE, FREE))
        yield Advice(
            text=f"{subject.name} uses {percent(used)} of the capacity that is paid for.",
            evidence=[
                ("Provisioned", f"{config['read_capacity']} read, {config['write_capacity']} write units"),
                ("Used a day", f"{number(reads)} read, {number(writes)} write units"),
                ("Costs now", f"{dollars(paid)} a month"),
                ("On demand", f"{dollars(needed)} a month"),
            ],
            fixes=[
                cli(
                    "dynamodb update-table", subject.region, option("table-name", subject.name),
                    option("billing-mode", "PAY_PER_REQUEST"),
                ),
                terraform("aws_dynamodb_table", subject.name, 'billing_mode = "PAY_PER_REQUEST"'),
                sam("AWS::DynamoDB::Table", subject.name, "BillingMode: PAY_PER_REQUEST"),
            ],
            confidence=Confidence.MEDIUM,
            usd_month=(least, paid - needed),
        )  # fmt: skip


def _provisioned(reads: float, writes: float) -> float:
    """USD a month."""
    return HOURS * (reads * around("dynamodb_read_hour") + writes * around("dynamodb_write_hour"))
