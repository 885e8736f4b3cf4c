"""Triggers that somebody switched off, and left so while events pile up behind them."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import cli, option, steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from alerts.wiring import source_name
from observability.ui.units import number


class TriggerOff:
    kind = "trigger_off"
    title = "Trigger is switched off"
    why = "Messages and records wait behind it until they expire, and then are gone. Nothing else says so."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html"
    pillar = Pillar.OPERATIONS
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (Knob("days", "Only when nothing was changed for", 7, "days"),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        since = max(subject.deployed_at or subject.first_seen_at, subject.first_seen_at)
        days = (estate.now - since).total_seconds() / 86_400
        if days < knobs["days"]:
            return
        for mapping in subject.config.get("event_sources") or ():
            if mapping.get("enabled", True):
                continue
            source = estate.by_arn.get(mapping["source"])
            waiting = source.peak("ApproximateNumberOfMessagesVisible") if source else None
            name = source.name if source else source_name(mapping["source"])
            uuid = option("uuid", mapping["uuid"])
            yield Advice(
                text=f"{name} no longer feeds {subject.name}: its trigger has been off for {days:.0f} days or longer.",
                evidence=[
                    ("Source", mapping["source"]),
                    ("Messages waiting", "not known" if waiting is None else f"up to {number(waiting)}"),
                    ("Nothing changed for", f"{days:.0f} days"),
                ],
                fixes=[
                    cli("lambda update-event-source-mapping", subject.region, uuid, "--enabled"),
                    steps("If it is not needed any more, delete it with the command below, and then its queue."),
                    cli("lambda delete-event-source-mapping", subject.region, uuid),
                ],
                confidence=Confidence.HIGH,
                topic=mapping["uuid"],
                severity=Severity.WARNING if waiting else None,
            )
