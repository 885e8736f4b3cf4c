"""Topics that store messages as they are."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import cli, option, sam, steps, terraform
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject

KEY = "alias/aws/sns"


class TopicUnencrypted:
    kind = "topic_unencrypted"
    title = "Topic is not encrypted"
    why = "Messages are stored in the clear until they are delivered."
    source = "https://docs.aws.amazon.com/sns/latest/dg/sns-server-side-encryption.html"
    pillar = Pillar.SECURITY
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("sns_topic",)
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        if subject.config.get("encrypted") is not False:
            return
        yield Advice(
            text=f"{subject.name} stores its messages unencrypted.",
            evidence=[("Encryption at rest", "off")],
            fixes=[
                steps(
                    "Look first who publishes to it. S3, EventBridge and alarms of CloudWatch cannot with AWS's key: "
                    "then take a key of your own, whose policy lets them use it.",
                ),
                cli(
                    "sns set-topic-attributes", subject.region, option("topic-arn", subject.arn),
                    "--attribute-name KmsMasterKeyId", option("attribute-value", KEY),
                ),
                terraform("aws_sns_topic", subject.name, f'kms_master_key_id = "{KEY}"'),
                sam("AWS::SNS::Topic", subject.name, f"KmsMasterKeyId: {KEY}"),
            ],
            confidence=Confidence.HIGH,
        )  # fmt: skip
