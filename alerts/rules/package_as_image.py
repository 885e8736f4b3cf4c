"""Functions that are better deployed as a container image: zips that cannot fit, and those of teams that use images.

A zip with layers is the better choice while it fits: AWS keeps its runtime up to date, and it is quicker to deploy.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import combinations
from statistics import median
from weakref import WeakKeyDictionary

from alerts.finding import Severity
from alerts.fixes import cli, option, steps
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Package, Pillar, Subject
from observability.inventory.limits import IMAGE, UNZIPPED, unzipped
from observability.ui.units import counted, percent, size

BASE = re.compile(r"(provided|[a-z]+)\.?(al\d+|\d+(?:\.\d+)?)")
"""Of a runtime's name: the name and the tag of AWS's base image."""

Kinds = Mapping[tuple[str, str], int]
_KINDS: WeakKeyDictionary[Estate, Kinds] = WeakKeyDictionary()

FEWEST, LOOK_BACK = 3, 10
"""Deployments whose growth is looked at."""

TEAM = 3
"""So many images an account has at least where the team is said to live in them."""


class PackageAsImage:
    kind = "package_as_image"
    title = "Deploy it as a container image"
    why = "A zip with its layers ends at 250 MB, an image at 10 GB. The price is to maintain the base image yourself."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/images-create.html"
    pillar = Pillar.OPERATIONS
    severity = Severity.INFO
    effort = Effort.DAYS
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("lean", "When even without what it does not need it takes over", 90, "% of 250 MB", 1, 100),
        Knob("deployments", "Or when it will not fit within so many deployments", 3, "deployments", 0, 100),
        Knob("team", "Or when so many of the account's functions are images", 60, "%", 1, 100),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        package = subject.package
        gauge = unzipped(package) if package and subject.config.get("package_type") != "Image" else None
        if package is None or gauge is None:
            return
        lean = gauge.used - sum(package.waste.values())
        left, images = _deployments_left(package), _images(subject, estate)
        if lean / UNZIPPED.value * 100 > knobs["lean"]:
            reason = f"Even without what it does not need, {subject.name} takes {size(lean)} of 250 MB"
        elif left is not None and left <= knobs["deployments"]:
            reason = f"{subject.name} grows so fast that it fits for about {counted(left, 'more deployment')}"
        elif images * 100 >= knobs["team"] and gauge.share > 0.5:
            reason = f"{percent(images)} of this account's functions are images already, and {subject.name} is large"
        else:
            return
        yield Advice(
            text=f"{reason}: as a container image it may take 10 GB.",
            evidence=[
                ("Unzipped, with layers", f"{size(gauge.used)}, {percent(gauge.share)} of 250 MB"),
                ("Of that not needed", size(gauge.used - lean)),
                ("Deployments until it is full", "not foreseen" if left is None else f"about {left}"),
                ("Functions that are images", percent(images)),
                ("As an image it takes", f"{percent(gauge.used / IMAGE.value)} of 10 GB, without the base image"),
            ],
            fixes=_fixes(subject),
            confidence=Confidence.MEDIUM,
        )


def _deployments_left(package: Package) -> int | None:
    """At the median growth of its last deployments; None where it does not grow, or they are too few."""
    sizes = [size for _, size in package.history][-LOOK_BACK:]
    if len(sizes) < FEWEST:
        return None
    step = median((sizes[j] - sizes[i]) / (j - i) for i, j in combinations(range(len(sizes)), 2))
    return max(0, math.ceil((UNZIPPED.value - sizes[-1]) / step)) if step > 0 else None


def _images(subject: Subject, estate: Estate) -> float:
    """The share of images among the account's functions; 0 where they are few. Counted once for an estate."""
    if estate not in _KINDS:
        _KINDS[estate] = Counter(
            (each.account, str(each.config.get("package_type"))) for each in estate.of_type("lambda_function")
        )
    images, zips = (_KINDS[estate].get((subject.account, kind), 0) for kind in ("Image", "Zip"))
    return images / (images + zips) if images >= TEAM else 0.0


def _fixes(subject: Subject) -> list[Fix]:
    config, name = subject.config, subject.name
    role = config.get("role") or "ROLE"
    registry = f"{subject.account}.dkr.ecr.{subject.region}.amazonaws.com/{name}:1"
    runtime = str(config.get("runtime") or "")
    match = BASE.match(runtime)
    base = f"{match[1]}:{match[2]}" if match else "provided:al2023"
    return [
        steps(
            f"Begin a Dockerfile with FROM public.ecr.aws/lambda/{base}: AWS's base images implement the "
            "Runtime API. On any other base add the runtime interface client of your language.",
            f'COPY the code to ${{LAMBDA_TASK_ROOT}} and end with CMD ["{config.get("handler") or "app.handler"}"].',
            "Copy the content of layers and extensions into the image, below /opt: an image cannot have layers.",
            "A function cannot change its kind: create a new one beside it, then move triggers and aliases.",
            "What stays: cold starts, the limit of 15 minutes, memory and price. What comes: you patch the base image.",
        ),
        cli("ecr create-repository", subject.region, option("repository-name", name)),
        cli(
            "lambda create-function", subject.region, option("function-name", f"{name}-image"),
            "--package-type Image", option("code", f"ImageUri={registry}"), option("role", role),
            option("memory-size", config.get("memory_mb") or 512), option("timeout", config.get("timeout_s") or 30),
        ),
    ]  # fmt: skip
