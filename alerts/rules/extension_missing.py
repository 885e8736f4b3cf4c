"""Functions that are killed in the middle of runs, where only an extension can still say what happened."""

from collections.abc import Iterable, Mapping
from typing import Any

from alerts.finding import Severity
from alerts.fixes import steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.inventory.limits import LAYERS
from observability.ui.units import counted, number

OURS = "nightjar"


class ExtensionMissing:
    kind = "extension_missing"
    title = "An extension would see these crashes"
    why = (
        "Code that is killed cannot report anything, and logs are read minutes later. An extension is a process of its "
        "own: it outlives the crash, and sees memory, CPU and /tmp up to then."
    )
    source = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-extensions.html"
    pillar = Pillar.OPERATIONS
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (Knob("crashes", "From so many killed runs in two weeks on", 5, "runs", 1),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        config, rollup = subject.config, subject.rollup
        killed, layers = rollup.timeouts + rollup.out_of_memory, config.get("layers") or ()
        if killed < knobs["crashes"] or not config or _is_there(config):
            return
        image = config.get("package_type") == "Image"
        if not image and len(layers) >= LAYERS.value:
            return
        yield Advice(
            text=f"{counted(killed, 'run')} of {subject.name} {'was' if killed == 1 else 'were'} killed, and no "
            "extension was there to say why.",
            evidence=[
                ("Timed out", number(rollup.timeouts)),
                ("Out of memory", number(rollup.out_of_memory)),
                ("Extensions", ", ".join(sorted(config.get("extensions") or {})) or "none known"),
                ("Layers", f"{len(layers)} of {LAYERS.value}"),
            ],
            fixes=[
                steps(
                    "Copy Nightjar's extension into the image, below /opt/extensions." if image else
                    "Add the layer of Nightjar's extension: its page here has the ARN and the key.",
                    "It costs little memory and no time of a run; its own page tells exactly how much.",
                    "Secrets and settings can come through an extension as well: AWS has one for both.",
                )
            ],
            confidence=Confidence.MEDIUM,
        )  # fmt: skip


def _is_there(config: Mapping[str, Any]) -> bool:
    layers = [str(each["arn"]) for each in config.get("layers") or ()]
    return any(OURS in name.lower() for name in (*(config.get("extensions") or {}), *layers))
