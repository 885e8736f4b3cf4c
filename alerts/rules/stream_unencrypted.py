"""Streams that store records as they are."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import cli, option, sam, terraform
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject

KEY = "alias/aws/kinesis"


class StreamUnencrypted:
    kind = "stream_unencrypted"
    title = "Stream is not encrypted"
    why = "Records are stored in the clear. Encryption under AWS's own key costs next to nothing and no change of code."
    source = "https://docs.aws.amazon.com/streams/latest/dev/what-is-sse.html"
    pillar = Pillar.SECURITY
    severity = Severity.WARNING
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("kinesis_stream",)
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        if subject.config.get("encrypted") is not False:
            return
        yield Advice(
            text=f"{subject.name} stores its records unencrypted.",
            evidence=[("Encryption at rest", "off")],
            fixes=[
                cli(
                    "kinesis start-stream-encryption", subject.region, option("stream-name", subject.name),
                    "--encryption-type KMS", option("key-id", KEY),
                ),
                terraform("aws_kinesis_stream", subject.name, 'encryption_type = "KMS"', f'kms_key_id = "{KEY}"'),
                sam(
                    "AWS::Kinesis::Stream", subject.name,
                    "StreamEncryption:", "  EncryptionType: KMS", f"  KeyId: {KEY}",
                ),
            ],
            confidence=Confidence.HIGH,
        )  # fmt: skip
