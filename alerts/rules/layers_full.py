"""Functions that have as many layers as AWS allows."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.inventory.limits import LAYERS
from observability.ui.units import size


class LayersFull:
    kind = "layers_full"
    title = "No room for another layer"
    why = "Five layers are the limit, those of extensions among them. The next tool that is a layer cannot be added."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
    pillar = Pillar.OPERATIONS
    severity = Severity.INFO
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (Knob("layers", "Tell from so many layers on", 5, "layers", 1, 5),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        layers = subject.config.get("layers") or ()
        if len(layers) < knobs["layers"]:
            return
        by_size = sorted(layers, key=lambda layer: (layer.get("code_bytes") or 0, layer["arn"]))
        yield Advice(
            text=f"{subject.name} has {len(layers)} of the {LAYERS.value} layers that a function may have.",
            evidence=[(_name(each["arn"]), f"{size(each.get('code_bytes'))} zipped") for each in by_size],
            fixes=[
                steps(
                    f"Put the smallest together: {', '.join(_name(each['arn']) for each in by_size[:2])} fit into one "
                    "layer, if both are yours.",
                    "Move what only this function uses into its own package.",
                    "Remove what it does not use any more: layers of old tools stay where they were put.",
                )
            ],
            confidence=Confidence.HIGH,
        )


def _name(arn: str) -> str:
    return ":".join(arn.split(":")[6:]) or arn
