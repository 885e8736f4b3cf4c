"""Functions whose code and layers come close to what AWS unpacks."""

from collections.abc import Iterable, Iterator, Mapping

from alerts.finding import Severity
from alerts.fixes import steps
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Package, Pillar, Subject
from observability.inventory.limits import UNZIPPED, unzipped
from observability.inventory.waste import BY_KEY
from observability.ui.units import percent, size

NAMED = 3


class PackageLarge:
    kind = "package_large"
    title = "Package nears the 250 MB limit"
    why = "Code and all layers together may unpack to 250 MB. The deployment that goes beyond it fails."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
    pillar = Pillar.OPERATIONS
    severity = Severity.INFO
    effort = Effort.HOURS
    measure = Measure.PACKAGE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("used", "Tell when more is taken than", 80, "% of 250 MB", 1, 100),
        Knob("warn", "Warn when more is taken than", 90, "% of 250 MB", 1, 100),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        package = subject.package
        gauge = unzipped(package) if package and subject.config.get("package_type") != "Image" else None
        if package is None or gauge is None or gauge.share * 100 <= knobs["used"]:
            return
        waste = sum(package.waste.values())
        yield Advice(
            text=f"{subject.name} unpacks to {'' if gauge.exact else 'at least '}{size(gauge.used)}, that is "
            f"{percent(gauge.share)} of what AWS allows.",
            evidence=[*_evidence(package, gauge.used), ("Need not be deployed", size(waste))],
            fixes=[_fix(package, gauge.used, waste)],
            confidence=Confidence.HIGH if gauge.exact else Confidence.MEDIUM,
            saved_bytes=waste or None,
            severity=Severity.WARNING if gauge.share * 100 > knobs["warn"] else None,
        )


def _evidence(package: Package, used: float) -> Iterator[tuple[str, str]]:
    yield "Code, unzipped", size(package.code_bytes)
    yield f"Layers, unzipped ({len(package.layers)})", size(package.layers_bytes)
    yield "Left", size(UNZIPPED.value - used)
    for each in package.dependencies[:NAMED]:
        yield f"{each['name']} {each.get('version') or ''}".strip(), size(each["bytes"])


def _fix(package: Package, used: float, waste: int) -> Fix:
    """What is not needed first; then what can be fetched, and what another kind of package takes."""
    by_size = sorted(package.waste.items(), key=lambda pair: (-pair[1], pair[0]))
    lean = [
        f"{BY_KEY[key].title}, {size(taken)}: {BY_KEY[key].advice}" for key, taken in by_size[:NAMED] if key in BY_KEY
    ]
    after = f"That leaves {size(used - waste)}, {percent((used - waste) / UNZIPPED.value)} of the limit."
    return steps(
        *lean,
        *([after] if lean else []),
        "Load models and other data from S3 into /tmp when they are first needed, or from EFS.",
        "Layers do not help here: they count as well. A container image may take 10 GB.",
    )
