"""Streams that nobody writes to."""

from collections.abc import Iterable, Mapping

from alerts import lately, wiring
from alerts.finding import Severity
from alerts.fixes import cli, option, steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.telemetry.pricing import around

HOURS = 730


class StreamUnused:
    kind = "stream_unused"
    title = "Stream is not used"
    why = "Nobody wrote a record for two weeks, and its shards are paid by the hour."
    source = "https://docs.aws.amazon.com/wellarchitected/latest/framework/cost_decomissioning_resources_track.html"
    pillar = Pillar.COST
    severity = Severity.INFO
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("kinesis_stream",)
    knobs: tuple[Knob, ...] = (Knob("days", "Days without a record", 13, "days", least=3, most=14),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        days, shards = int(knobs["days"]), subject.config.get("shards")
        if not shards or estate.days_of(subject) < days or not wiring.reached(subject, estate, days=days):
            return
        if lately.total(subject, "IncomingRecords", estate, days=days):
            return
        provisioned = subject.config.get("mode") == "PROVISIONED"
        hourly = shards * around("kinesis_shard_hour") if provisioned else around("kinesis_on_demand_hour")
        yield Advice(
            text=f"Nobody wrote to {subject.name} in the last {days} days.",
            evidence=[("Records", f"none in {days} days"), ("Shards", str(shards))],
            fixes=[
                steps("Ask who owns the stream, and whether its producer is broken.", "Delete it if nobody needs it."),
                cli("kinesis delete-stream", subject.region, option("stream-name", subject.name)),
            ],
            confidence=Confidence.MEDIUM,
            usd_month=(hourly * HOURS, hourly * HOURS),
        )
