"""Functions whose logs cost more than running them does."""

from collections.abc import Iterable, Mapping

from alerts import wiring
from alerts.finding import Severity
from alerts.fixes import steps, terraform, together
from alerts.reconfigure import function_cli, in_template, logging_config
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from alerts.saving import MONTH_DAYS, per_month
from observability.telemetry.pricing import log_gb
from observability.ui.units import dollars, size

GB = 1e9
LEVEL = "WARN"


class LogsCostMoreThanCompute:
    kind = "logs_cost_more_than_compute"
    title = "Logs cost more than compute"
    why = (
        "Writing a line to CloudWatch costs more than the milliseconds in which it is made. Most lines are never read."
    )
    source = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html"
    pillar = Pillar.COST
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("log_group",)
    knobs: tuple[Knob, ...] = (
        Knob("usd", "Logs cost at least", 5, "USD a month"),
        Knob("times", "Times the cost of compute", 1, "times", least=0.1, most=100),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        writers = wiring.wiring(estate).writers.get((subject.account, subject.region, subject.name), ())
        written = subject.config.get("daily_bytes")
        spent = [per_month(function.rollup.cost_usd, function, estate) for function in writers]
        if not written or not writers or None in spent:
            return
        monthly = written * MONTH_DAYS
        logs = monthly / GB * log_gb(subject.region, subject.config.get("class") or "STANDARD")
        compute = sum(usd or 0 for usd in spent)
        if logs < knobs["usd"] or logs < compute * knobs["times"]:
            return
        names = ", ".join(function.name for function in writers)
        yield Advice(
            text=f"The logs of {names} cost {dollars(logs)} a month, running costs {dollars(compute)}.",
            evidence=[
                ("Logs", f"{dollars(logs)} a month"),
                ("Compute", f"{dollars(compute)} a month"),
                ("Written", f"{size(monthly)} a month"),
                ("Log level", ", ".join(sorted({f.config.get("log_level") or "not set" for f in writers}))),
            ],
            fixes=_fixes(writers),
            confidence=Confidence.MEDIUM,
            usd_month=(0.0, logs),
        )


def _fixes(writers: Iterable[Subject]) -> list[Fix]:
    """Lambda filters by level only what is logged as JSON."""
    functions = list(writers)
    return [
        together(
            *(
                function_cli(function, "update-function-configuration", logging_config(function, LEVEL))
                for function in functions
            )
        ),
        terraform(
            "aws_lambda_function", functions[0].name,
            "logging_config {", '  log_format            = "JSON"', f'  application_log_level = "{LEVEL}"', "}",
        ),
        in_template(functions[0], "LoggingConfig:", "  LogFormat: JSON", f"  ApplicationLogLevel: {LEVEL}"),
        steps("Log a summary of each run rather than every step, and no whole events or answers."),
    ]  # fmt: skip
