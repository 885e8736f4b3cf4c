"""Functions that carry the same dependency as others, byte for byte, which could be one layer of all.

A layer counts against the 250 MB like code does; what it saves is uploading and storing the same again and again.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from alerts.finding import Severity
from alerts.fixes import cli, option, steps
from alerts.reconfigure import function_cli
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from observability.inventory.dependencies import is_shipped
from observability.inventory.limits import LAYERS, MIB
from observability.ui.units import size

Key = tuple[str, str, str, str]
"""Account, region, architecture and digest: what one layer can serve."""

FOLDERS = {"python": "python/", "node": "nodejs/node_modules/", "java": "java/lib/", "ruby": "ruby/gems/"}
NAMED = 5
LEAST = MIB // 4
"""Smaller dependencies are not worth a layer, and there are many."""

_CARRIERS: WeakKeyDictionary[Estate, Mapping[Key, Sequence[Subject]]] = WeakKeyDictionary()


class SharedDependency:
    kind = "shared_dependency"
    title = "Several functions carry the same dependency"
    why = "One layer for all makes deployments small and quick, and an update is made once instead of everywhere."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html"
    pillar = Pillar.OPERATIONS
    severity = Severity.INFO
    effort = Effort.HOURS
    measure = Measure.PACKAGE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("functions", "Only where so many functions carry it", 3, "functions", 2),
        Knob("mb", "Only where it takes over", 5, "MB"),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        if subject.package is None or not _has_room(subject):
            return
        carriers = _carriers(estate)
        shared = [
            each for each in subject.package.dependencies
            if each["bytes"] >= LEAST
            and len(carriers.get(_key(subject, each), ())) >= knobs["functions"]
            and not _comes_along(subject, each)
        ]  # fmt: skip
        total = sum(each["bytes"] for each in shared)
        if total <= knobs["mb"] * MIB:
            return
        largest = carriers[_key(subject, shared[0])]
        others = [other.name for other in largest[: NAMED + 1] if other is not subject][:NAMED]
        names = [str(each["name"]) for each in shared]
        yield Advice(
            text=f"{subject.name} carries {_some(names)} ({size(total)}), as other functions do, byte for byte.",
            evidence=[
                *((f"{each['name']} {each.get('version') or ''}".strip(),
                   f"{size(each['bytes'])}, in {len(carriers[_key(subject, each)])} functions")
                  for each in shared[:8]),
                (f"{names[0]} is also in", _some(others)),
                ("Layers it has", f"{len(subject.config.get('layers') or ())} of {LAYERS.value}"),
            ],
            fixes=_fixes(subject, shared),
            confidence=Confidence.HIGH,
            saved_bytes=total,
        )  # fmt: skip


def _has_room(subject: Subject) -> bool:
    config = subject.config
    return config.get("package_type") == "Zip" and len(config.get("layers") or ()) < LAYERS.value


def _comes_along(subject: Subject, dependency: Mapping[str, Any]) -> bool:
    """With the runtime: leaving it out is better advice than a layer."""
    return is_shipped(dependency["name"], dependency["ecosystem"], subject.config.get("runtime") or "")


def _key(subject: Subject, dependency: Mapping[str, Any]) -> Key:
    architecture = str(subject.config.get("architecture") or "")
    return subject.account, subject.region, architecture, str(dependency["digest"])


def _carriers(estate: Estate) -> Mapping[Key, Sequence[Subject]]:
    """The functions that carry each dependency in their zip; made once for an estate."""
    if estate not in _CARRIERS:
        found: dict[Key, list[Subject]] = defaultdict(list)
        for function in estate.of_type("lambda_function"):
            if function.package is not None and function.config.get("package_type") == "Zip":
                for dependency in function.package.dependencies:
                    if dependency["bytes"] >= LEAST:
                        found[_key(function, dependency)].append(function)
        _CARRIERS[estate] = found
    return _CARRIERS[estate]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _fixes(subject: Subject, shared: Sequence[Mapping[str, Any]]) -> list[Fix]:
    layer = f"shared-{shared[0]['name'].strip('@').replace('/', '-').replace('.', '-')}"[:64]
    folder = FOLDERS.get(shared[0]["ecosystem"], "")
    runtime = subject.config.get("runtime") or ""
    arn = f"arn:{subject.arn.split(':')[1]}:lambda:{subject.region}:{subject.account}:layer:{layer}:1"
    kept = [str(each["arn"]) for each in subject.config.get("layers") or ()]
    return [
        steps(
            f"Put {_some([str(each['name']) for each in shared])} below {folder} in a zip of their own.",
            "Publish it as a layer with the first command, and add it with the second, to each of the functions.",
            "Leave them out of the functions' own packages, and deploy those again.",
        ),
        cli(
            "lambda publish-layer-version", subject.region, option("layer-name", layer), "--zip-file fileb://layer.zip",
            option("compatible-runtimes", runtime), option("compatible-architectures", subject.config["architecture"]),
        ),
        function_cli(subject, "update-function-configuration", f"--layers {' '.join([*kept, arn])}"),
    ]  # fmt: skip
