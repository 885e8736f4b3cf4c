"""Packages that carry tests, caches, source maps and the like, which no run ever reads."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.inventory.limits import MIB
from observability.inventory.waste import BY_KEY, SHIPPED
from observability.ui.units import percent, size


class PackageWaste:
    kind = "package_waste"
    title = "Package carries what no run needs"
    why = "Every deployment uploads it, every version stores it, every new environment loads it, the limit counts it."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html"
    pillar = Pillar.PERFORMANCE
    severity = Severity.INFO
    effort = Effort.HOURS
    measure = Measure.PACKAGE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("mb", "Only where it is over", 5, "MB"),
        Knob("share", "Only where it is over", 5, "% of the package", 0, 100),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        package = subject.package
        if package is None or not package.code_bytes:
            return
        waste = {key: taken for key, taken in package.waste.items() if key in BY_KEY and key != SHIPPED.key and taken}
        total, whole = sum(waste.values()), package.code_bytes + (package.layers_bytes or 0)
        if total <= knobs["mb"] * MIB or total / whole * 100 <= knobs["share"]:
            return
        largest = sorted(waste.items(), key=lambda pair: (-pair[1], pair[0]))
        yield Advice(
            text=f"{size(total)} of the {size(whole)} of {subject.name} need not be deployed: "
            f"{', '.join(BY_KEY[key].title.lower() for key, _ in largest[:3])}.",
            evidence=[
                *((BY_KEY[key].title, size(taken)) for key, taken in largest),
                ("Together", f"{size(total)}, {percent(total / whole)} of the package"),
            ],
            fixes=[steps(*(f"{BY_KEY[key].title}: {BY_KEY[key].advice}" for key, _ in largest))],
            confidence=Confidence.MEDIUM,
            saved_bytes=total,
        )
