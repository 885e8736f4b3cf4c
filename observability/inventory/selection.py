"""Which functions of an account are watched, and which other resources measured: by globs over names, and by tags."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True, slots=True)
class Choice:
    """Globs of names, and tags as ``key=value`` with globs on both sides; ``key`` alone is any value of it."""

    names: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.names or self.tags)

    def matches(self, name: str, tags: Mapping[str, str]) -> bool:
        """Whether one of the names or one of the tags fits."""
        return any(fnmatchcase(name, glob) for glob in self.names) or any(_has(tags, each) for each in self.tags)


@dataclass(frozen=True, slots=True)
class Selection:
    """Everything that is included and not excluded; where nothing is included by name or tag, everything is."""

    include: Choice = field(default_factory=Choice)
    exclude: Choice = field(default_factory=Choice)

    @classmethod
    def from_json(cls, selection: Mapping[str, Any]) -> "Selection":
        """``AwsAccount.selection``; what it does not say is empty."""
        return cls(*(_choice(selection.get(part) or {}) for part in ("include", "exclude")))

    def to_json(self) -> dict[str, dict[str, list[str]]]:
        parts = {"include": self.include, "exclude": self.exclude}
        return {name: {"names": list(part.names), "tags": list(part.tags)} for name, part in parts.items() if part}

    def matches(self, name: str, tags: Mapping[str, str]) -> bool:
        """Whether what has this name and these tags is watched."""
        return (not self.include or self.include.matches(name, tags)) and not self.exclude.matches(name, tags)


def _choice(part: Mapping[str, Sequence[str]]) -> Choice:
    return Choice(_globs(part.get("names") or ()), _globs(part.get("tags") or ()))


def _globs(texts: Iterable[str]) -> tuple[str, ...]:
    """Without blanks around them, and without empty ones."""
    return tuple(text.strip() for text in texts if text.strip())


def _has(tags: Mapping[str, str], wanted: str) -> bool:
    key, _, value = wanted.partition("=")
    value = value if "=" in wanted else "*"
    return any(fnmatchcase(each, key.strip()) and fnmatchcase(tags[each], value.strip()) for each in tags)
