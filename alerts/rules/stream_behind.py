"""Streams whose readers, other than functions, fall behind."""

from collections.abc import Iterable, Mapping

from alerts import lately, wiring
from alerts.finding import Severity
from alerts.fixes import steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from alerts.text import duration


class StreamBehind:
    """A function that reads a stream tells its own iterator age; here are those that tell nothing."""

    kind = "stream_behind"
    title = "Reader of a stream is behind"
    why = "Records are read later and later after they were written, and in the end they expire unread."
    source = "https://docs.aws.amazon.com/streams/latest/dev/troubleshooting-consumers.html"
    pillar = Pillar.PERFORMANCE
    severity = Severity.WARNING
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("kinesis_stream",)
    knobs: tuple[Knob, ...] = (Knob("seconds", "Behind by", 60, "seconds", least=1),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        age_ms = lately.peak(subject, "GetRecords.IteratorAgeMilliseconds", estate, days=1)
        if age_ms is None or age_ms / 1000 < knobs["seconds"] or wiring.feeds(subject, estate):
            return
        yield Advice(
            text=f"Whoever reads {subject.name} was {duration(age_ms / 1000)} behind within the last day.",
            evidence=[
                ("Oldest record read", f"{duration(age_ms / 1000)} old"),
                ("Shards", str(subject.config.get("shards", "not known"))),
            ],
            fixes=[
                steps(
                    "Find the reader, and whether it fails, waits, or has too little to run on.",
                    "Let one reader run for each shard, and add shards if that is not enough.",
                )
            ],
            confidence=Confidence.MEDIUM,
        )
