"""Functions that are called asynchronously and keep nothing of the events that they fail on (F7)."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import option, terraform
from alerts.reconfigure import function_cli, in_order, in_template
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import number


class NoFailureDestination:
    kind = "no_failure_destination"
    title = "Failed events are lost"
    why = "After its retries Lambda throws an asynchronous event away. Without a destination nobody can run it again."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (Knob("events", "From so many events in two weeks on", 1, "events", 1),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        config, events = subject.config, subject.total("AsyncEventsReceived") or 0
        topics = [
            each.name for each in estate.of_type("sns_topic") if subject.arn in each.config.get("subscribers", ())
        ]
        if "event_invoke" not in config or (events < knobs["events"] and not topics):
            return
        if config.get("dead_letter") or any(each.get("on_failure") for each in config["event_invoke"]):
            return
        queue = f"arn:{subject.arn.split(':')[1]}:sqs:{subject.region}:{subject.account}:{subject.name}-failed"
        told = f"Of {number(events)} events" if events else f"Of the messages of {', '.join(topics[:3])}"
        yield Advice(
            text=f"{told} to {subject.name} in two weeks, those that fail three times are thrown away.",
            evidence=[
                ("Asynchronous events", number(events)),
                ("Topics that send to it", ", ".join(topics) or "none"),
                ("Dead-letter queue", "none"),
                ("Destination on failure", "none"),
                ("Failed runs", number(subject.rollup.errors)),
            ],
            fixes=in_order(
                subject,
                [
                    function_cli(
                        subject, "put-function-event-invoke-config",
                        option("destination-config", {"OnFailure": {"Destination": queue}}),
                    ),
                    terraform(
                        "aws_lambda_function_event_invoke_config", subject.name,
                        f'function_name = "{subject.name}"', "destination_config {", "  on_failure {",
                        f'    destination = "{queue}"', "  }", "}",
                    ),
                    in_template(
                        subject, "EventInvokeConfig:", "  DestinationConfig:", "    OnFailure:", "      Type: SQS"
                    ),
                ],
            ),
            confidence=Confidence.HIGH,
            severity=Severity.WARNING if subject.rollup.errors else Severity.INFO,
        )  # fmt: skip
