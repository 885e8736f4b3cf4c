"""Rules of EventBridge that are run late because too many are."""

from collections.abc import Iterable, Mapping

from alerts import lately
from alerts.finding import Severity
from alerts.fixes import steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import counted, number

DAYS = 2


class RuleThrottled:
    kind = "rule_throttled"
    title = "Rule is throttled"
    why = "EventBridge runs an account's targets at a limited rate. Beyond it, events wait and functions run late."
    source = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html"
    pillar = Pillar.PERFORMANCE
    severity = Severity.WARNING
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("schedule_rule",)
    knobs: tuple[Knob, ...] = (Knob("times", "Throttled in two days", 1, "times", least=1),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        throttled = lately.total(subject, "ThrottledRules", estate, days=DAYS) or 0
        if throttled < knobs["times"]:
            return
        ran = lately.total(subject, "Invocations", estate, days=DAYS) or 0
        yield Advice(
            text=f"{subject.name} was throttled {counted(throttled, 'time')} within two days.",
            evidence=[("Throttled", number(throttled)), ("Ran", number(ran))],
            fixes=[
                steps(
                    "Narrow the rule's pattern, so that it matches only what its target needs.",
                    "Ask for a higher quota of invocations in Service Quotas.",
                )
            ],
            confidence=Confidence.MEDIUM,
        )
