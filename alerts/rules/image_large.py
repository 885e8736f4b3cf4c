"""Functions whose container image is very large."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from alerts.saving import mean_init_ms
from observability.inventory.limits import GIB, IMAGE
from observability.ui.units import milliseconds, percent, size


class ImageLarge:
    kind = "image_large"
    title = "Container image is very large"
    why = "It is slow to build, push and deploy; what a start reads is loaded first. The limit is 10 GB, uncompressed."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/images-create.html"
    pillar = Pillar.PERFORMANCE
    severity = Severity.INFO
    effort = Effort.HOURS
    measure = Measure.PACKAGE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("gb", "Tell when it is over, compressed", 1.5, "GB", 0, 10),
        Knob("warn", "Warn when it is over, compressed", 5, "GB", 0, 10),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        image = subject.package.image_bytes if subject.package else None
        if not image or image <= knobs["gb"] * GIB:
            return
        yield Advice(
            text=f"The image of {subject.name} is {size(image)} compressed, and more once it is unpacked.",
            evidence=[
                ("In the registry, compressed", f"{size(image)}, {percent(image / IMAGE.value)} of the limit at least"),
                ("Mean cold start", milliseconds(mean_init_ms(subject) or None)),
                ("Cold starts in two weeks", f"{subject.rollup.cold_starts:,}"),
            ],
            fixes=[
                steps(
                    "Build in stages, and copy only what runs into the last one.",
                    "Begin with AWS's base image or a slim one: AWS's are mostly cached where functions run.",
                    "Install without caches and development tools: pip --no-cache-dir, npm ci --omit=dev.",
                    "Load models from S3 or EFS instead of shipping them.",
                )
            ],
            confidence=Confidence.MEDIUM,
            severity=Severity.WARNING if image > knobs["warn"] * GIB else None,
        )
