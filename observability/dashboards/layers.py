"""Layers: which versions are in use, by whom, what they hold, and which of them are behind."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from observability.dashboards.package_rows import Function, arn
from observability.inventory import limits
from observability.inventory.models import Layer

SHOWN = 3
"""So many users and dependencies are named."""


@dataclass(frozen=True, slots=True)
class Use:
    """One version of a layer, and the functions that carry it. ``newest`` is the highest version that is known here."""

    arn: str
    name: str
    version: int
    account: str
    region: str
    zipped_bytes: int | None
    layer: Layer | None
    users: Sequence[Function]
    newest: int
    foreign: bool
    """Whether it belongs to an account whose functions are not watched here: mostly to a vendor."""

    @property
    def unzipped_bytes(self) -> int | None:
        return self.layer.unzipped_bytes if self.layer else None

    @property
    def share(self) -> float | None:
        """Of what code and all layers of a function may take together."""
        return None if self.unzipped_bytes is None else self.unzipped_bytes / limits.UNZIPPED.value

    @property
    def stale(self) -> bool:
        return self.version < self.newest

    @property
    def shown(self) -> Sequence[Function]:
        return self.users[:SHOWN]

    @property
    def more(self) -> int:
        return max(0, len(self.users) - SHOWN)

    @property
    def largest(self) -> list[str]:
        """Its largest dependencies by name."""
        return [str(each["name"]) for each in (self.layer.dependencies if self.layer else [])[:SHOWN]]


def uses(found: Iterable[Function], known: Iterable[Layer], accounts: Iterable[str]) -> list[Use]:
    """Every version in use, the largest first; ``known`` are all layers that were read, ``accounts`` the own ones."""
    users: dict[str, list[Function]] = {}
    zipped: dict[str, int | None] = {}
    for function in found:
        for layer in function.layers or ():
            users.setdefault(arn(layer), []).append(function)
            zipped[arn(layer)] = None if isinstance(layer, str) else layer.get("code_bytes")
    by_arn, own = {layer.arn: layer for layer in known}, set(accounts)
    newest: dict[str, int] = {}
    for each in {*users, *by_arn}:
        name, version = parted(each)
        newest[name] = max(newest.get(name, 0), version)
    listed = [_use(each, zipped[each], by_arn.get(each), users[each], newest, own) for each in users]
    return sorted(listed, key=lambda use: (-(use.unzipped_bytes or use.zipped_bytes or 0), use.arn))


def _use(
    found: str,
    zipped: int | None,
    layer: Layer | None,
    users: Sequence[Function],
    newest: dict[str, int],
    own: set[str],
) -> Use:
    name, version = parted(found)
    parts = found.split(":")
    account, region = (parts[4], parts[3]) if len(parts) > 6 else ("", "")
    return Use(
        arn=found,
        name=name.rpartition(":")[2],
        version=version,
        account=account,
        region=region,
        zipped_bytes=layer.zipped_bytes if layer and layer.zipped_bytes is not None else zipped,
        layer=layer,
        users=sorted(users, key=lambda function: function.name),
        newest=newest[name],
        foreign=account not in own,
    )


def parted(found: str) -> tuple[str, int]:
    """The ARN of the layer, and the number of its version."""
    name, _, version = found.rpartition(":")
    return (name, int(version)) if version.isdecimal() else (found, 0)
