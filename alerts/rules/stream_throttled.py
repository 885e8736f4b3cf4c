"""Streams that refuse records because too many come at once."""

from collections.abc import Iterable, Mapping

from alerts import lately
from alerts.finding import Severity
from alerts.fixes import cli, option, sam, steps, terraform
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from observability.ui.units import number

DAYS = 2


class StreamThrottled:
    kind = "stream_throttled"
    title = "Stream throttles writers or readers"
    why = (
        "A shard takes 1 MB or 1,000 records a second, and gives 2 MB. What is beyond is refused: a producer that does "
        "not try again loses records, and a reader falls behind."
    )
    source = "https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html"
    pillar = Pillar.PERFORMANCE
    severity = Severity.WARNING
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("kinesis_stream",)
    knobs: tuple[Knob, ...] = (Knob("times", "Refused in two days", 10, "times", least=1),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        writes = lately.total(subject, "WriteProvisionedThroughputExceeded", estate, days=DAYS) or 0
        reads = lately.total(subject, "ReadProvisionedThroughputExceeded", estate, days=DAYS) or 0
        if writes + reads < knobs["times"]:
            return
        config = subject.config
        yield Advice(
            text=f"{subject.name} refused {number(writes + reads)} records or reads within two days.",
            evidence=[
                ("Records refused", number(writes)),
                ("Reads refused", number(reads)),
                ("Shards", str(config.get("shards", "not known"))),
                ("Mode", config.get("mode", "not known").lower().replace("_", " ")),
            ],
            fixes=_fixes(subject, writes=bool(writes)),
            confidence=Confidence.MEDIUM,
        )


def _fixes(stream: Subject, *, writes: bool) -> list[Fix]:
    keys = steps(
        "Look whether one partition key gets most of the records: more shards do not help a hot one.",
        "Readers that share a shard share its 2 MB a second: give them enhanced fan-out.",
    )
    shards = stream.config.get("shards")
    if not writes or not shards or stream.config.get("mode") != "PROVISIONED":
        return [keys]
    target = option("target-shard-count", 2 * shards)
    name = option("stream-name", stream.name)
    return [
        cli("kinesis update-shard-count", stream.region, name, target, "--scaling-type UNIFORM_SCALING"),
        terraform("aws_kinesis_stream", stream.name, f"shard_count = {2 * shards}"),
        sam("AWS::Kinesis::Stream", stream.name, f"ShardCount: {2 * shards}"),
        keys,
    ]
