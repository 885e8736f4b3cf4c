"""State machines that log nothing."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import cli, option, sam, terraform, together
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject


class StateMachineWithoutLogs:
    """Standard workflows at least keep a history for 90 days; Express ones keep nothing."""

    kind = "state_machine_without_logs"
    title = "State machine logs nothing"
    why = "When an execution fails, nobody can see at which step and with what. Express workflows leave no trace."
    source = "https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html"
    pillar = Pillar.OPERATIONS
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("state_machine",)
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        if subject.config.get("log_level") != "OFF":
            return
        express = subject.config.get("type") == "EXPRESS"
        group = f"/aws/vendedlogs/states/{subject.name}-Logs"
        arn = f"{':'.join(subject.arn.split(':')[:2])}:logs:{subject.region}:{subject.account}:log-group:{group}:*"
        wanted = {
            "level": "ERROR",
            "includeExecutionData": False,
            "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}],
        }
        change = cli(
            "stepfunctions update-state-machine", subject.region, option("state-machine-arn", subject.arn),
            option("logging-configuration", wanted),
        )  # fmt: skip
        yield Advice(
            text=f"{subject.name} logs nothing"
            + (", and as an Express workflow it keeps no history either." if express else "."),
            evidence=[("Type", subject.config["type"].capitalize()), ("Log level", "off")],
            fixes=[
                together(cli("logs create-log-group", subject.region, option("log-group-name", group)), change),
                terraform(
                    "aws_sfn_state_machine", subject.name,
                    "logging_configuration {", '  level           = "ERROR"', f'  log_destination = "{arn}"', "}",
                ),
                sam(
                    "AWS::Serverless::StateMachine", subject.name,
                    "Logging:", "  Level: ERROR", "  Destinations:", "    - CloudWatchLogsLogGroup:",
                    f"        LogGroupArn: {arn}",
                ),
            ],
            confidence=Confidence.HIGH,
            severity=Severity.WARNING if express else None,
        )  # fmt: skip
