"""Log groups that never delete anything."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import cli, option, sam, terraform
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.telemetry.pricing import price, prices
from observability.ui.units import dollars, size

GB = 1e9
MONTH_DAYS = 30.4
ALLOWED = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""


class LogsKeptForEver:
    """AWS bills what is kept compressed, and does not say by how much: so there is a range."""

    kind = "logs_kept_for_ever"
    title = "Logs are kept for ever"
    why = (
        "Every line that was ever written is paid for each month. Old logs may also hold what should be deleted by law."
    )
    source = (
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html"
        "#SettingLogRetention"
    )
    pillar = Pillar.COST
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("log_group",)
    knobs: tuple[Knob, ...] = (Knob("days", "Retention to propose", 30, "days", least=1, most=3653),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        if "retention_days" not in subject.config or subject.config["retention_days"] is not None:
            return
        days = min(ALLOWED, key=lambda allowed: abs(allowed - knobs["days"]))
        stored, daily = subject.config.get("stored_bytes") or 0, subject.config.get("daily_bytes") or 0
        monthly = price(subject.region).log_gb_month
        most = max(0.0, stored - daily * days) / GB * monthly
        grows = daily * MONTH_DAYS / GB * monthly
        yield Advice(
            text=f"{subject.name} keeps its logs for ever, {size(stored)} so far.",
            evidence=[
                ("Retention", "never expires"),
                ("Stored", size(stored)),
                ("Written", f"{size(daily)} a day" if daily else "not known"),
                ("Gets dearer by", f"up to {dollars(grows)} each month"),
            ],
            fixes=[
                cli(
                    "logs put-retention-policy", subject.region, option("log-group-name", subject.name),
                    option("retention-in-days", days),
                ),
                terraform(
                    "aws_cloudwatch_log_group", subject.name,
                    f'name              = "{subject.name}"', f"retention_in_days = {days}",
                ),
                sam(
                    "AWS::Logs::LogGroup", subject.name,
                    f"LogGroupName: {subject.name}", f"RetentionInDays: {days}",
                ),
            ],
            confidence=Confidence.HIGH,
            usd_month=(most * prices()["default"]["log_compression"], most),
        )  # fmt: skip
