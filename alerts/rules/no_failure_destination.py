"""Functions that are called asynchronously and keep nothing of the events that they fail on (F7)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from weakref import WeakKeyDictionary

from alerts.finding import Severity
from alerts.fixes import steps, terraform
from alerts.reconfigure import failure_queue, in_order, in_template, on_asynchronous, on_failure
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from observability.ui.units import number

_TOPICS: WeakKeyDictionary[Estate, Mapping[str, Sequence[str]]] = WeakKeyDictionary()


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
        topics = _topics(estate).get(subject.arn, ())
        if "event_invoke" not in config or (events < knobs["events"] and not topics):
            return
        if config.get("dead_letter") or any(each.get("on_failure") for each in config["event_invoke"]):
            return
        told = f"Of {number(events)} events" if events else f"Of the messages of {', '.join(topics[:3])}"
        tries = 1 + next((each["retries"] for each in config["event_invoke"] if each.get("retries") is not None), 2)
        yield Advice(
            text=f"{told} to {subject.name} in two weeks, those that fail {_times(tries)} are thrown away.",
            evidence=[
                ("Asynchronous events", number(events)),
                ("Topics that send to it", ", ".join(topics) or "none"),
                ("Dead-letter queue", "none"),
                ("Destination on failure", "none"),
                ("Failed runs", number(subject.rollup.errors)),
            ],
            fixes=_fixes(subject),
            confidence=Confidence.HIGH,
            severity=Severity.WARNING if subject.rollup.errors else Severity.INFO,
        )


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _topics(estate: Estate) -> Mapping[str, Sequence[str]]:
    """The topics that call each function, by its ARN; made once for an estate."""
    if estate not in _TOPICS:
        found: dict[str, list[str]] = defaultdict(list)
        for topic in estate.of_type("sns_topic"):
            for subscriber in topic.config.get("subscribers") or ():
                found[subscriber].append(topic.name)
        _TOPICS[estate] = dict(found)
    return _TOPICS[estate]


def _fixes(subject: Subject) -> list[Fix]:
    queue, make = failure_queue(subject)
    written = terraform(
        "aws_lambda_function_event_invoke_config", subject.name, f'function_name = "{subject.name}"',
        "destination_config {", "  on_failure {", f'    destination = "{queue}"', "  }", "}",
    )  # fmt: skip
    in_stack = in_template(subject, "EventInvokeConfig:", "  DestinationConfig:", "    OnFailure:", "      Type: SQS")
    return [
        *in_order(subject, [make, on_asynchronous(subject, on_failure(queue)), written, in_stack]),
        steps(f"Let the function's role send to it: sqs:SendMessage on {queue}."),
    ]
