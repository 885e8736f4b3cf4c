"""Rules and schedules whose failed events are thrown away."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import cli, option, sam, steps, terraform, together
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject

LONGEST = {"MessageRetentionPeriod": "1209600"}


class RuleWithoutDeadLetters:
    kind = "rule_without_dead_letters"
    title = "Rule has no dead-letter queue"
    why = (
        "After a day of tries EventBridge drops the event, and nobody knows. A dead-letter queue keeps it and says why."
    )
    source = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("schedule_rule",)
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        unguarded = subject.config.get("unguarded")
        if not unguarded or subject.config.get("state") != "ENABLED":
            return
        names = ", ".join(arn.rpartition(":")[2] for arn in unguarded)
        yield Advice(
            text=f"If {subject.name} cannot run {names}, the event is lost.",
            evidence=[("Targets without a dead-letter queue", names)],
            fixes=_fixes(subject),
            confidence=Confidence.HIGH,
        )


def _fixes(rule: Subject) -> list[Fix]:
    """A command that sets a target needs all of it, and we do not keep what it passes on."""
    queue = f"{rule.name}-dlq"
    arn = f"{':'.join(rule.arn.split(':')[:2])}:sqs:{rule.region}:{rule.account}:{queue}"
    create = cli("sqs create-queue", rule.region, option("queue-name", queue), option("attributes", LONGEST))
    block = ("dead_letter_config {", f'  arn = "{arn}"', "}")
    if rule.config.get("kind") == "schedule":
        read = cli("scheduler get-schedule", rule.region, option("name", rule.name))
        return [
            together(create, read),
            steps("Set DeadLetterConfig in the schedule's target, with aws scheduler update-schedule."),
            terraform("aws_scheduler_schedule", rule.name, "target {", *(f"  {line}" for line in block), "}"),
        ]
    told = option("rule", rule.name), option("event-bus-name", rule.config.get("bus") or "default")
    return [
        together(create, cli("events list-targets-by-rule", rule.region, *told)),
        steps("Add DeadLetterConfig to each target that the command shows, with aws events put-targets."),
        terraform("aws_cloudwatch_event_target", rule.name, *block),
        sam("AWS::Events::Rule", rule.name, "Targets:", "  - DeadLetterConfig:", f"      Arn: {arn}"),
    ]
