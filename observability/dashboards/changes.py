"""What a deployment changed, in words: before and after, what was added and what was removed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from observability.dashboards.facts import label, text
from observability.ui.units import NOTHING

RUNTIME = frozenset({"runtime_version", "runtime_version_arn"})
"""AWS changes these by itself when it patches a runtime."""
CODE = frozenset({"code_sha256", "code_bytes", "image_uri"})
NEVER_TOLD = frozenset({"version"})
SHORT = 12
"""As much of a hash as people compare."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed. Of lists only what came and went is told, else the value before and after."""

    label: str
    before: str = ""
    after: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def changes(found: Mapping[str, Sequence[Any]]) -> list[Change]:
    """Everything but the version, which is the deployment's name."""
    return [change(key, *pair) for key, pair in found.items() if key not in NEVER_TOLD]


def change(key: str, before: Any, after: Any) -> Change:
    if isinstance(before or after, list | Mapping):
        old, new = _items(key, before), _items(key, after)
        return Change(label(key), added=_without(new, old), removed=_without(old, new))
    return Change(label(key), _shown(key, before), _shown(key, after))


def _items(key: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        return tuple(f"{name}: {text(name, each)}" for name, each in value.items())
    return tuple(text(key, each) for each in value or ())


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
