"""Tables that refuse requests because too many come at once."""

from collections.abc import Iterable, Mapping

from alerts import lately
from alerts.finding import Severity
from alerts.fixes import cli, option, sam, steps, terraform
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from observability.ui.units import number

DAYS = 2


class TableThrottled:
    kind = "table_throttled"
    title = "Table throttles requests"
    why = "DynamoDB refuses what is beyond a table's capacity. Callers wait and try again, and in the end they fail."
    source = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/troubleshooting-throttling.html"
    pillar = Pillar.PERFORMANCE
    severity = Severity.WARNING
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("dynamodb_table",)
    knobs: tuple[Knob, ...] = (Knob("requests", "Throttled requests in two days", 100, "requests", least=1),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        reads = lately.total(subject, "ReadThrottleEvents", estate, days=DAYS) or 0
        writes = lately.total(subject, "WriteThrottleEvents", estate, days=DAYS) or 0
        if reads + writes < knobs["requests"]:
            return
        config, provisioned = subject.config, subject.config.get("billing") == "PROVISIONED"
        capacity = f"{config['read_capacity']} read, {config['write_capacity']} write" if provisioned else "on demand"
        yield Advice(
            text=f"{subject.name} refused {number(reads + writes)} requests within two days.",
            evidence=[
                ("Throttled reads", number(reads)),
                ("Throttled writes", number(writes)),
                ("Capacity", capacity if config else "not known"),
            ],
            fixes=_fixes(subject) if provisioned else [_spread(subject)],
            confidence=Confidence.MEDIUM,
        )


def _fixes(table: Subject) -> list[Fix]:
    mode = option("billing-mode", "PAY_PER_REQUEST")
    return [
        cli("dynamodb update-table", table.region, option("table-name", table.name), mode),
        terraform("aws_dynamodb_table", table.name, 'billing_mode = "PAY_PER_REQUEST"'),
        sam("AWS::DynamoDB::Table", table.name, "BillingMode: PAY_PER_REQUEST"),
        steps("Or let Application Auto Scaling raise and lower the capacity with the load."),
    ]


def _spread(table: Subject) -> Fix:
    return steps(
        f"Find the hot key of {table.name}: CloudWatch Contributor Insights for DynamoDB shows it.",
        "Spread its items over more partition keys, or cache what is read most.",
        "Check that no maximum throughput is set on the table or on one of its indexes.",
    )
