"""Rules that were switched off not long ago."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from alerts.finding import Severity
from alerts.fixes import cli, option, steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.ui.units import number


class RuleSwitchedOff:
    kind = "rule_switched_off"
    title = "Rule was switched off"
    why = "It ran within the last two weeks and does not any more. Rules switched off for a test are easily forgotten."
    source = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-delete-rule.html"
    pillar = Pillar.OPERATIONS
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("schedule_rule",)
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        ran, config = subject.total("Invocations"), subject.config
        if config.get("state") != "DISABLED" or not ran:
            return
        names = [arn.rpartition(":")[2] for arn in config.get("targets") or ()]
        last = _last(subject)
        told = option("name", subject.name), option("event-bus-name", config.get("bus") or "default")
        yield Advice(
            text=f"{subject.name} is switched off. It last ran on {last:%d %B}.",
            evidence=[
                ("Ran", f"{number(ran)} times in two weeks"),
                ("Last ran", f"{last:%d %B}"),
                ("Runs", config.get("expression") or "on events"),
                ("Targets", ", ".join(names) or "not known"),
            ],
            fixes=[
                cli("events enable-rule", subject.region, *told),
                steps("If it should stay off, delete it, so that nobody wonders."),
            ],
            confidence=Confidence.MEDIUM,
        )


def _last(rule: Subject) -> datetime:
    return max(each.at for each in rule.points["Invocations", "Sum"] if each.value)
