"""Functions whose asynchronous events AWS gave up on (F7)."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import steps
from alerts.lately import total
from alerts.reconfigure import failure_queue, on_asynchronous, on_failure
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from observability.ui.units import counted, elapsed, number, percent


class AsyncEventsDropped:
    kind = "async_events_dropped"
    title = "Events were given up"
    why = "These events were accepted, but never handled: retries ran out, or they waited for too long."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.HOURS
    measure = Measure.ERRORS
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("events", "From so many events on", 1, "events", 1),
        Knob("critical", "Critical when so many are lost", 10, "events", 1),
        Knob("days", "Look at the last", 3, "days", 1, 14),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        days = int(knobs["days"])
        dropped, received = (
            total(subject, metric, estate, days=days) or 0 for metric in ("AsyncEventsDropped", "AsyncEventsReceived")
        )
        if dropped < knobs["events"]:
            return
        kept = subject.config.get("dead_letter") or next(
            (each["on_failure"] for each in subject.config.get("event_invoke") or () if each.get("on_failure")), ""
        )
        lost = not kept and "event_invoke" in subject.config
        where = "nothing of them is left" if lost else "where they are is not known"
        where = f"they are in {kept.split(':')[-1]}" if kept else where
        age = subject.peak("AsyncEventAge")
        yield Advice(
            text=f"AWS gave up {counted(dropped, 'event')} for {subject.name} in {days} days; {where}.",
            evidence=[
                ("Given up", number(dropped)),
                ("Received", number(received)),
                ("Share", percent(dropped / max(received, dropped))),
                ("Oldest event", elapsed(age / 1000) if age else "not known"),
                ("Kept in", kept or ("nothing" if lost else "not known")),
            ],
            fixes=_fixes(subject, kept),
            confidence=Confidence.HIGH,
            severity=Severity.CRITICAL if lost and dropped >= knobs["critical"] else None,
        )


def _fixes(subject: Subject, kept: str) -> list[Fix]:
    if kept:
        return [steps("Mend why they failed: see the errors of this function.", f"Then run again what is in {kept}.")]
    queue, make = failure_queue(subject)
    return [
        make,
        on_asynchronous(subject, on_failure(queue)),
        steps(
            f"Let the function's role send to the queue: sqs:SendMessage on {queue}.",
            "Mend why the events failed: see the errors of this function.",
            "Ask whoever sent the lost ones to send them again; their runs are listed under errors.",
        ),
    ]
