"""Packages that carry the AWS SDK, which the runtime has already."""

from collections.abc import Iterable, Mapping
from typing import Any

from alerts.finding import Severity
from alerts.fixes import steps
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.inventory.dependencies import is_shipped
from observability.inventory.limits import MIB
from observability.ui.units import size

HOW = {
    "python": "Leave boto3 and botocore out of what you install: pip install -r requirements.txt without them.",
    "node": "Tell the bundler that it is there: esbuild --external:@aws-sdk/*, or move it to devDependencies.",
    "ruby": "Move the aws-sdk gems to a Bundler group that is not installed.",
}


class RuntimeShipped:
    kind = "runtime_shipped"
    title = "Package carries the AWS SDK"
    why = "Lambda's runtime has it. Only a version of your own choice is a reason to bring it; updates are then yours."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"
    pillar = Pillar.PERFORMANCE
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.PACKAGE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (Knob("mb", "Only where it takes over", 5, "MB"),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        package, runtime = subject.package, subject.config.get("runtime") or ""
        if package is None:
            return
        carried = [each for each in package.dependencies if is_shipped(each["name"], each["ecosystem"], runtime)]
        total = sum(each["bytes"] for each in carried)
        if total <= knobs["mb"] * MIB:
            return
        yield Advice(
            text=f"{subject.name} brings {size(total)} of AWS SDK that {runtime} has already.",
            evidence=[*map(_told, carried[:8]), ("Together", size(total))],
            fixes=[
                steps(
                    HOW.get(carried[0]["ecosystem"], "Leave it out of the package."),
                    "Try it once: AWS updates its copy, so code that needs a newer call than it has would fail.",
                )
            ],
            confidence=Confidence.MEDIUM,
            saved_bytes=total,
        )


def _told(dependency: Mapping[str, Any]) -> tuple[str, str]:
    return f"{dependency['name']} {dependency.get('version') or ''}".strip(), size(dependency["bytes"])
