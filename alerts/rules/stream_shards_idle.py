"""Streams with more shards than their records need."""

import math
from collections.abc import Iterable, Mapping

from alerts import lately
from alerts.finding import Severity
from alerts.fixes import cli, option, sam, terraform
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from alerts.wiring import reached
from observability.telemetry.pricing import around
from observability.ui.units import number, size

DAY_S, HOURS, DAYS = 86_400, 730, 14
SHARD_BYTES, SHARD_RECORDS = 1_000_000, 1_000
"""What a shard takes in a second."""

CAUTIOUS = 10
"""Times the average: how much room is left by whoever saves the least."""


class StreamShardsIdle:
    """By the busiest day, for within a day we know no more than the sum; hence the room above its average."""

    kind = "stream_shards_idle"
    title = "Stream has more shards than it needs"
    why = "Every shard is paid by the hour, full or empty."
    source = "https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-resharding.html"
    pillar = Pillar.COST
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("kinesis_stream",)
    knobs: tuple[Knob, ...] = (
        Knob("room", "Room above the busiest day's average", 4, "times", least=1, most=CAUTIOUS),
        Knob("days", "Measured for at least", 7, "days", least=1, most=DAYS),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        shards, known = subject.config.get("shards", 0), estate.days_of(subject)
        bytes_ = max(lately.values(subject, "IncomingBytes", "Sum", estate, days=DAYS), default=0.0)
        records = max(lately.values(subject, "IncomingRecords", "Sum", estate, days=DAYS), default=0.0)
        if subject.config.get("mode") != "PROVISIONED" or known < knobs["days"] or not records:
            return
        if not reached(subject, estate, days=knobs["days"]):
            return
        needed = _shards(bytes_, records, room=knobs["room"])
        if needed >= shards:
            return
        hourly = HOURS * around("kinesis_shard_hour")
        least = max(0, shards - _shards(bytes_, records, room=CAUTIOUS))
        # AWS halves a stream at most in one go.
        target = max(needed, math.ceil(shards / 2))
        yield Advice(
            text=f"{subject.name} has {shards} shards; {needed} would do for {knobs['room']:g} times its busiest day.",
            evidence=[
                ("Shards", str(shards)),
                ("Busiest day", f"{size(bytes_)} in {number(records)} records"),
                ("Needed", f"{needed}, with room for {knobs['room']:g} times that"),
            ],
            fixes=[
                cli(
                    "kinesis update-shard-count", subject.region, option("stream-name", subject.name),
                    option("target-shard-count", target), "--scaling-type UNIFORM_SCALING",
                ),
                terraform("aws_kinesis_stream", subject.name, f"shard_count = {target}"),
                sam("AWS::Kinesis::Stream", subject.name, f"ShardCount: {target}"),
            ],
            confidence=Confidence.LOW,
            usd_month=(least * hourly, (shards - needed) * hourly),
        )  # fmt: skip


def _shards(bytes_: float, records: float, *, room: float) -> int:
    """How many shards carry that much a day with so much room."""
    return max(1, math.ceil(max(bytes_ / SHARD_BYTES, records / SHARD_RECORDS) * room / DAY_S))
