"""Queues that fill faster than they are emptied."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from alerts import lately, wiring
from alerts.finding import Severity
from alerts.fixes import cli, option, steps, together
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from observability.ui.units import number

DAYS = 3
MORE = 5
"""So many more executions at a time are proposed."""


class QueueGrowing:
    """By the most messages that waited on each of the last days: a backlog that comes and goes is none."""

    kind = "queue_growing"
    title = "Queue is growing"
    why = "Its backlog rises from day to day: messages come in faster than they are handled, and soon wait too long."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"
    pillar = Pillar.PERFORMANCE
    severity = Severity.WARNING
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("sqs_queue",)
    knobs: tuple[Knob, ...] = (
        Knob("messages", "Backlog of at least", 100, "messages", least=1),
        Knob("growth", "Growth within three days", 50, "%", least=1),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        most = lately.values(subject, "ApproximateNumberOfMessagesVisible", "Maximum", estate, days=DAYS)[-DAYS:]
        if len(most) < DAYS or wiring.holds_failures(subject, estate):
            return
        first, last = most[0], most[-1]
        rises = all(before < after for before, after in pairwise(most))
        if not rises or last < knobs["messages"] or last < first * (1 + knobs["growth"] / 100):
            return
        sent = lately.total(subject, "NumberOfMessagesSent", estate, days=DAYS) or 0
        done = lately.total(subject, "NumberOfMessagesDeleted", estate, days=DAYS) or 0
        yield Advice(
            text=f"{number(last)} messages wait in {subject.name}, up from {number(first)} two days before.",
            evidence=[
                ("Most waiting, by day", " → ".join(map(number, most))),
                ("Sent", f"{number(sent)} in {DAYS} days"),
                ("Handled", f"{number(done)} in {DAYS} days"),
            ],
            fixes=_fixes(subject, estate),
            confidence=Confidence.MEDIUM,
        )


def _fixes(queue: Subject, estate: Estate) -> list[Fix]:
    """Let more executions read from it, where a mapping holds them back."""
    feeds = wiring.feeds(queue, estate)
    names = ", ".join(feed.function.name for feed in feeds)
    held = [feed.mapping for feed in feeds if feed.mapping.get("max_concurrency")]
    look = f"Look for errors, throttles and slow calls of {names or 'whoever reads from this queue'}."
    found = [steps(look, "Raise its batch size, its memory or its concurrency.")]
    return [*found, together(*(_more(queue, mapping) for mapping in held))] if held else found


def _more(queue: Subject, mapping: Mapping[str, Any]) -> Fix:
    most = option("scaling-config", f"MaximumConcurrency={mapping['max_concurrency'] + MORE}")
    return cli("lambda update-event-source-mapping", queue.region, option("uuid", mapping["uuid"]), most)
