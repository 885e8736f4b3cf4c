"""Functions on x86 that could run on Graviton, where a millisecond costs a fifth less."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import option, steps, terraform
from alerts.reconfigure import function_cli, in_order, in_template
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from alerts.saving import time_month
from alerts.wiring import wiring
from observability.inventory.runtimes import runtimes
from observability.telemetry.pricing import price
from observability.ui.units import dollars, percent

SLOWER, FASTER = 1.1, 0.9
"""What the same code takes on the other processor, at worst and at best."""


class Arm64Payback:
    kind = "arm64_payback"
    title = "Graviton would be cheaper"
    why = "AWS charges about a fifth less for arm64, and most code runs there as fast or faster."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html"
    pillar = Pillar.COST
    severity = Severity.INFO
    effort = Effort.HOURS
    measure = Measure.COST
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (Knob("usd", "Only where it may save at least", 1, "USD a month"),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        config = subject.config
        if config.get("architecture") != "x86_64" or not _is_able(config):
            return
        if (subject.account, subject.name) in wiring(estate).at_edge:
            return  # There is no Graviton at the edge.
        cost = time_month(subject, estate)
        cheaper = price(subject.region, "arm64").gb_second / price(subject.region).gb_second
        if cost is None or cost * (1 - cheaper * FASTER) < knobs["usd"]:
            return
        low, high = (max(0.0, cost * (1 - cheaper * factor)) for factor in (SLOWER, FASTER))
        yield Advice(
            text=f"{subject.name} runs on x86; on arm64 the same time would cost {percent(1 - cheaper)} less.",
            evidence=[
                ("Running time costs", f"{dollars(cost)} a month on x86"),
                ("The same on arm64", f"{dollars(cost * cheaper)} a month"),
                ("Runtime", str(config.get("runtime") or "container image")),
                ("Layers to replace", str(len(config.get("layers") or ()))),
            ],
            fixes=_fixes(subject),
            confidence=Confidence.MEDIUM,
            usd_month=(low, high),
        )


def _is_able(config: Mapping[str, object]) -> bool:
    """Images are built for it; of runtimes the oldest lack it."""
    if config.get("package_type") == "Image":
        return True
    runtime = runtimes().get(str(config.get("runtime") or ""))
    return runtime is not None and runtime.arm64


def _fixes(subject: Subject) -> list[Fix]:
    image = subject.config.get("package_type") == "Image"
    built = option("image-uri", "IMAGE_BUILT_FOR_ARM64") if image else option("zip-file", "fileb://function.zip")
    build = "docker buildx build --platform linux/arm64" if image else "pip install --platform manylinux2014_aarch64 …"
    return [
        steps(
            f"Build again for arm64, for example with {build}; code without compiled parts needs no change.",
            "Use the arm64 version of every layer and extension.",
            "Deploy, send a part of the calls to it with an alias, and compare durations here.",
        ),
        *in_order(
            subject,
            [
                function_cli(subject, "update-function-code", option("architectures", "arm64"), built),
                terraform("aws_lambda_function", subject.name, 'architectures = ["arm64"]'),
                in_template(subject, "Architectures: [arm64]"),
            ],
        ),
    ]
