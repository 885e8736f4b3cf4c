"""Functions that are left behind on an old version of a layer of which others use a newer one."""

from collections.abc import Iterable, Mapping
from weakref import WeakKeyDictionary

from alerts.finding import Severity
from alerts.fixes import terraform
from alerts.reconfigure import function_cli, in_order, in_template
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject

Key = tuple[str, str, str]
"""Layer, runtime and architecture: a newer version may be built for others."""

_NEWEST: WeakKeyDictionary[Estate, dict[Key, int]] = WeakKeyDictionary()


class StaleLayer:
    kind = "stale_layer"
    title = "Layer is behind"
    why = "Mended bugs and closed holes of the newer version are missing here, and two versions run beside each other."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html"
    pillar = Pillar.OPERATIONS
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (Knob("versions", "Only when it is behind by", 1, "versions", 1),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        arns = _arns(subject)
        behind = {
            arn: newest for arn in arns if (newest := _newest(estate).get(_key(subject, arn), 0)) - _split(arn)[1]
            >= knobs["versions"]
        }  # fmt: skip
        if not behind:
            return
        names = [_name(arn) for arn in behind]
        yield Advice(
            text=f"{subject.name} has an older version of {', '.join(names[:3])} than other functions.",
            evidence=[
                (_name(arn), f"version {_split(arn)[1]} here, version {newest} elsewhere")
                for arn, newest in behind.items()
            ],
            fixes=_fixes(subject, [f"{_split(arn)[0]}:{behind[arn]}" if arn in behind else arn for arn in arns]),
            confidence=Confidence.HIGH,
        )


def _newest(estate: Estate) -> Mapping[Key, int]:
    """The newest version of each layer that any function like it has; made once for an estate."""
    if estate not in _NEWEST:
        newest: dict[Key, int] = {}
        for function in estate.of_type("lambda_function"):
            for arn in _arns(function):
                key = _key(function, arn)
                newest[key] = max(_split(arn)[1], newest.get(key, 0))
        _NEWEST[estate] = newest
    return _NEWEST[estate]


def _key(function: Subject, arn: str) -> Key:
    return _split(arn)[0], str(function.config.get("runtime")), str(function.config.get("architecture"))


def _arns(function: Subject) -> list[str]:
    return [str(each["arn"]) for each in function.config.get("layers") or ()]


def _split(arn: str) -> tuple[str, int]:
    layer, _, version = arn.rpartition(":")
    return layer, int(version) if version.isdecimal() else 0


def _name(arn: str) -> str:
    return _split(arn)[0].rpartition(":")[2]


def _fixes(subject: Subject, arns: list[str]) -> list[Fix]:
    quoted = ", ".join(f'"{arn}"' for arn in arns)
    return in_order(
        subject,
        [
            function_cli(subject, "update-function-configuration", f"--layers {' '.join(arns)}"),
            terraform("aws_lambda_function", subject.name, f"layers = [{quoted}]"),
            in_template(subject, "Layers:", *(f"  - {arn}" for arn in arns)),
        ],
    )
