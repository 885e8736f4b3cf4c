"""What a deployment changed, in words: before and after, what was added and what was removed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from observability.dashboards.facts import SHORT, label, text, values
from observability.ui.units import NOTHING

RUNTIME = frozenset({"runtime_version_arn"})
"""AWS changes this by itself when it patches a runtime."""
CODE = frozenset({"code_sha256", "code_bytes", "image_uri"})
NEVER_TOLD = frozenset({"version"})
RENEWED = " (new value)"
"""How the inventory marks a variable of the environment whose value changed."""
ONE = {"aliases": "Alias"}
"""What one part of a whole is called, where the whole is a plural."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed. Of lists only what came and went is told, else the value before and after."""

    label: str
    before: str = ""
    after: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    renewed: tuple[str, ...] = ()
    """Variables that have another value, which nobody sees."""


def changes(found: Mapping[str, Sequence[Any]]) -> list[Change]:
    """Everything but the version, which is the deployment's name."""
    return [told for key, pair in found.items() if key not in NEVER_TOLD for told in change(key, *pair)]


def change(key: str, before: Any, after: Any) -> Iterator[Change]:
    """One change of a value or a list; of what has parts, one for each part."""
    known = before if before is not None else after
    if isinstance(known, Mapping):
        yield from _parts(key, before or {}, after or {})
    elif isinstance(known, list):
        old, new = values(key, before or []), values(key, after or [])
        fresh = _without(new, old)
        renewed = tuple(each for each in fresh if each.endswith(RENEWED))
        yield Change(label(key), added=_without(fresh, renewed), removed=_without(old, new), renewed=renewed)
    else:
        yield Change(label(key), _shown(key, before), _shown(key, after))


def _parts(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for name in {**before, **after}:
        if before.get(name) != after.get(name):
            for part in change(name, before.get(name), after.get(name)):
                yield replace(part, label=f"{ONE.get(key) or label(key)} {name.replace('_', ' ')}")


def _without(these: Iterable[str], those: Sequence[str]) -> tuple[str, ...]:
    return tuple(each for each in these if each not in those)


def _shown(key: str, value: Any) -> str:
    if value in (None, ""):
        return NOTHING
    return text(key, value)[:SHORT] if key.endswith("sha256") else text(key, value)


def by_aws(found: Mapping[str, object]) -> bool:
    """Whether nobody deployed anything: AWS put a newer build of the same runtime under the function."""
    return bool(found) and found.keys() <= RUNTIME


def what(found: Mapping[str, object]) -> str:
    """What kind of change it was, in a few words."""
    if by_aws(found):
        return "Runtime updated by AWS"
    code, rest = bool(found.keys() & CODE), bool(found.keys() - CODE - NEVER_TOLD - RUNTIME)
    if code and rest:
        return "New code and configuration"
    return "New code" if code else "Configuration changed" if rest else "New version"
