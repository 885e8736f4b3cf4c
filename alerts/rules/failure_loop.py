"""Functions whose failures come back to them."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import steps
from alerts.reconfigure import function_cli
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject


class FailureLoop:
    kind = "failure_loop"
    title = "Failures are fed back to the same function"
    why = "An event that always fails goes round and round, at full price, until somebody stops it."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.MINUTES
    measure = Measure.ERRORS
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        for target, how in _targets(subject):
            if _comes_back(target, subject, estate):
                name = target.split(":")[-1]
                yield Advice(
                    text=f"What {subject.name} fails on goes to {name}, which calls {subject.name} again.",
                    evidence=[("From", subject.name), (how, target), ("Back to", subject.arn)],
                    fixes=[
                        steps(
                            f"Send failures somewhere that nothing reads by itself, and not to {name}.",
                            "If they should be tried again, let a person or a schedule move them back.",
                        ),
                        function_cli(subject, "put-function-recursion-config", "--recursive-loop Terminate"),
                    ],
                    confidence=Confidence.HIGH,
                    topic=name,
                )


def _targets(subject: Subject) -> Iterable[tuple[str, str]]:
    """Where failures go, each once, and what it is called in AWS's settings."""
    config = subject.config
    told = {each["on_failure"]: "Destination on failure" for each in config.get("event_sources") or ()
            if each.get("on_failure")}  # fmt: skip
    told |= {each["on_failure"]: "Destination on failure" for each in config.get("event_invoke") or ()
             if each.get("on_failure")}  # fmt: skip
    if config.get("dead_letter"):
        told[config["dead_letter"]] = "Dead-letter queue"
    return sorted(told.items())


def _comes_back(target: str, subject: Subject, estate: Estate) -> bool:
    sources = {each["source"] for each in subject.config.get("event_sources") or () if each.get("enabled", True)}
    topic = estate.by_arn.get(target)
    subscribed = topic is not None and subject.arn in (topic.config.get("subscribers") or ())
    return target in sources or target == subject.arn or subscribed
