"""Streams whose readers are so far behind that records are about to be lost."""

from collections.abc import Iterable, Mapping

from alerts import lately, wiring
from alerts.finding import Severity
from alerts.fixes import cli, option, sam, steps, terraform
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from alerts.text import duration
from observability.ui.units import percent

WEEK_H = 168


class StreamRecordsExpire:
    """A record that nobody read in time is deleted; a failing batch holds up its shard for as long."""

    kind = "stream_records_expire"
    title = "Records expire before they are read"
    why = "A reader is behind by a good part of the stream's retention. What is not read by its end is gone."
    source = "https://docs.aws.amazon.com/streams/latest/dev/troubleshooting-consumers.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.CRITICAL
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("kinesis_stream",)
    knobs: tuple[Knob, ...] = (Knob("share", "Behind by", 50, "% of the retention", least=1, most=100),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        age_ms = lately.peak(subject, "GetRecords.IteratorAgeMilliseconds", estate, days=1)
        retention_s = subject.config.get("retention_s")
        if age_ms is None or not retention_s or age_ms / 10 < retention_s * knobs["share"]:
            return
        readers = ", ".join(feed.function.name for feed in wiring.feeds(subject, estate))
        hours = max(WEEK_H, 2 * retention_s // 3_600)
        yield Advice(
            text=f"A reader of {subject.name} is {duration(age_ms / 1000)} behind, and records are kept for "
            f"{duration(retention_s)}.",
            evidence=[
                ("Oldest record read", f"{duration(age_ms / 1000)} old"),
                ("Retention", duration(retention_s)),
                ("Of the retention", percent(age_ms / 1000 / retention_s)),
                ("Read by", readers or "no function"),
            ],
            fixes=[
                cli(
                    "kinesis increase-stream-retention-period", subject.region, option("stream-name", subject.name),
                    option("retention-period-hours", hours),
                ),
                terraform("aws_kinesis_stream", subject.name, f"retention_period = {hours}"),
                sam("AWS::Kinesis::Stream", subject.name, f"RetentionPeriodHours: {hours}"),
                steps(
                    f"That wins time. Then see why {readers or 'the reader'} is slow: errors or throttles.",
                    "Set a maximum age and a failure destination, so that one bad batch does not hold up its shard.",
                ),
            ],
            confidence=Confidence.MEDIUM,
            severity=None if _lasts(subject, estate, retention_s * knobs["share"] * 10) else Severity.WARNING,
        )  # fmt: skip


def _lasts(subject: Subject, estate: Estate, age_ms: float) -> bool:
    """Whether it is so today and was yesterday: who begins with the oldest records is behind once, and catches up."""
    ages = lately.values(subject, "GetRecords.IteratorAgeMilliseconds", "Maximum", estate, days=2)[-2:]
    return len(ages) > 1 and min(ages) >= age_ms
