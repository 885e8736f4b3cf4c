"""The parts of a function's configuration that are lists or have parts of their own: a phrase for each entry."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from observability.dashboards.kinds import service
from observability.ui.awsicons import LOOKS
from observability.ui.units import size

Entry = Mapping[str, Any]

SHOWN_VERSIONS = 10
LATEST = "$LATEST"


def span(seconds: float) -> str:
    """A configured length of time: ``10 s``, ``15 min``, ``4 days``; never rounded."""
    for unit, length in (("day", 86_400), ("hour", 3600), ("min", 60)):
        if seconds >= length and seconds % length == 0:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 and unit != 'min' else ''}"
    return f"{seconds:g} s"


def named(arn: str) -> str:
    """``SQS orders`` for an ARN of a service that we know; anything else as it is."""
    parts = arn.split(":", 5)
    known = LOOKS.get(service(parts[2])) if len(parts) == 6 and parts[0] == "arn" else None
    if known is None:
        return arn
    name = parts[5].partition("/stream/")[0].partition("/")[2] or parts[5].split("/")[-1]
    return f"{known.name} {name.removeprefix('function:')}"


def environment(names: Mapping[str, Any]) -> Iterator[str]:
    """Names alone: what belongs to them never leaves the inventory."""
    yield from sorted(names)


def aliases(found: Mapping[str, Entry]) -> Iterator[str]:
    for name, alias in sorted(found.items()):
        shared = [f"{float(part):.0%} of calls to {version}" for version, part in alias["weights"].items()]
        yield ", ".join([f"{name}: version {alias['version']}", *shared])


def versions(found: Sequence[Entry]) -> Iterator[str]:
    """The newest; a function can have thousands."""
    for version in found[:SHOWN_VERSIONS]:
        yield f"{version['version']}: {size(version['code_bytes'])}, {str(version['last_modified'])[:10]}"
    if len(found) > SHOWN_VERSIONS:
        yield f"and {len(found) - SHOWN_VERSIONS:,} older ones"


def layers(found: Sequence[Entry | str]) -> Iterator[str]:
    for layer in found:
        arn = layer if isinstance(layer, str) else str(layer["arn"])
        name, _, version = arn.partition(":layer:")[2].partition(":")
        told = f"{name}, version {version}" if version else arn
        yield told if isinstance(layer, str) else f"{told}, {size(layer['code_bytes'])}"


def unzipped(found: Entry) -> Iterator[str]:
    least = "" if found["complete"] else "at least "
    total, code, layers = found["code_bytes"] + found["layers_bytes"], found["code_bytes"], found["layers_bytes"]
    yield f"{least}{size(total)}: code {size(code)}, layers {size(layers)}"
    for folder in found["folders"][:SHOWN_VERSIONS]:
        yield f"{folder['path']}: {size(folder['bytes'])}"


def event_sources(found: Sequence[Entry]) -> Iterator[str]:
    for source in found:
        told = [
            "" if source.get("enabled", True) else "switched off",
            f"batches of {source['batch_size']}" if source.get("batch_size") else "",
            f"waits up to {span(source['window_s'])} for a batch" if source.get("window_s") else "",
            f"{source['parallel']} in parallel for each shard" if (source.get("parallel") or 1) > 1 else "",
            f"at most {source['max_concurrency']} at once" if source.get("max_concurrency") else "",
            "filtered" if source.get("filtered") else "",
            _retries(source.get("retries")),
            f"failed ones to {named(source['on_failure'])}" if source.get("on_failure") else "",
            _to(source.get("qualifier")),
        ]
        yield _joined(" ".join([named(source["source"]), *source.get("topics", ())]), told)


def event_invoke(found: Sequence[Entry]) -> Iterator[str]:
    for each in found:
        told = [
            _retries(each.get("retries")),
            f"events up to {span(each['max_age_s'])} old" if each.get("max_age_s") else "",
            f"successful ones to {named(each['on_success'])}" if each.get("on_success") else "",
            f"failed ones to {named(each['on_failure'])}" if each.get("on_failure") else "",
        ]
        yield _joined(each["qualifier"], told)


def url(found: Sequence[Entry]) -> Iterator[str]:
    for each in found:
        who = "anybody may call it" if each["auth"] == "NONE" else f"callers are checked by {each['auth']}"
        yield _joined(each["url"], [who, _to(each["qualifier"])])


def provisioned(found: Sequence[Entry]) -> Iterator[str]:
    for each in found:
        yield f"{each['qualifier']}: {each['requested']:,} environments"


def _retries(number: int | None) -> str:
    if number is None:
        return ""
    return "retries until the event expires" if number < 0 else f"{number:,} {'retry' if number == 1 else 'retries'}"


def _to(qualifier: str | None) -> str:
    return f"calls {qualifier}" if qualifier and qualifier != LATEST else ""


def _joined(subject: str, told: Sequence[str]) -> str:
    said = ", ".join(part for part in told if part)
    return f"{subject}: {said}" if said else subject


PHRASES: Mapping[str, Callable[[Any], Iterator[str]]] = {
    "environment": environment,
    "aliases": aliases,
    "versions": versions,
    "layers": layers,
    "unzipped": unzipped,
    "extensions": environment,
    "event_sources": event_sources,
    "event_invoke": event_invoke,
    "url": url,
    "provisioned": provisioned,
}
