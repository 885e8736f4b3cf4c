"""Code storage of each account and region: how full it is, when it will be, and what could be deleted."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from observability.dashboards.kinds import ACCOUNT, FUNCTION
from observability.inventory import code_storage, limits
from observability.inventory.code_storage import Version
from observability.inventory.limits import Gauge
from observability.tenants.models import Organization

SHOWN = 20
"""So many functions with old versions are named in each region."""

KEYS = ("versions", "aliases", "event_sources", "event_invoke", "url", "provisioned")

Config = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pruning:
    """A function with versions that nothing points to. ``command`` deletes them."""

    id: int
    name: str
    region: str
    versions: Sequence[Version]

    @property
    def bytes(self) -> int:
        return sum(version.bytes for version in self.versions)

    @property
    def numbers(self) -> str:
        """``3 to 17``; ``15 of 1 to 17`` where some of those stay, and every one where there are few."""
        numbers = [version.number for version in self.versions]
        if len(numbers) <= 2:
            return ", ".join(numbers)
        span = f"{numbers[0]} to {numbers[-1]}"
        return span if int(numbers[-1]) - int(numbers[0]) < len(numbers) else f"{len(numbers)} of {span}"

    @property
    def command(self) -> str:
        numbers = " ".join(version.number for version in self.versions)
        return (
            f"for v in {numbers}; do aws lambda delete-function --region {self.region} "
            f"--function-name {self.name} --qualifier $v; done"
        )


@dataclass(frozen=True, slots=True)
class Store:
    """One region of one account. ``published`` are the bytes of the last 30 days."""

    account: str
    account_name: str
    region: str
    gauge: Gauge
    published: int
    full_at: datetime | None
    prunings: Sequence[Pruning]

    @property
    def shown(self) -> Sequence[Pruning]:
        return self.prunings[:SHOWN]

    @property
    def more(self) -> int:
        return max(0, len(self.prunings) - SHOWN)

    @property
    def prunable_bytes(self) -> int:
        return sum(pruning.bytes for pruning in self.prunings)

    @property
    def prunable_versions(self) -> int:
        return sum(len(pruning.versions) for pruning in self.prunings)


def stores(organization: Organization, *, now: datetime) -> list[Store]:
    """Every region that AWS told the storage of, the fullest first. Three queries."""
    told = organization.resources.filter(type=ACCOUNT).values_list("account", "config")
    there = defaultdict(list)
    found = organization.resources.filter(type=FUNCTION, gone_at=None)
    listed = found.values_list("account", "region", "pk", "name", *(f"config__{key}" for key in KEYS))
    for account, region, pk, name, *values in listed.order_by("name"):
        there[account, region].append((pk, name, dict(zip(KEYS, values, strict=True))))
    names = dict(organization.aws_accounts.filter(disconnected_at=None).values_list("account_id", "name"))
    listing = [
        store(account, names.get(account, ""), region, allowed, there[account, region], now=now)
        for account, config in told
        for region, allowed in config.items()
        if isinstance(allowed, Mapping) and allowed.get("code_storage_bytes") is not None
    ]
    return sorted(listing, key=lambda each: (-each.gauge.share, each.account, each.region))


def store(
    account: str,
    account_name: str,
    region: str,
    allowed: Config,
    functions: Iterable[tuple[int, str, Config]],
    *,
    now: datetime,
) -> Store:
    functions = list(functions)
    used = int(allowed["code_storage_bytes"])
    limit = int(allowed.get("code_storage_limit_bytes") or limits.CODE_STORAGE.value)
    published = code_storage.published((config for _, _, config in functions), now=now)
    prunings = [Pruning(pk, name, region, code_storage.prunable(config)) for pk, name, config in functions]
    return Store(
        account=account,
        account_name=account_name,
        region=region,
        gauge=Gauge(limits.CODE_STORAGE, used, limit),
        published=published,
        full_at=code_storage.full_at(used=used, allowed=limit, published=published, now=now),
        prunings=sorted((each for each in prunings if each.versions), key=lambda each: -each.bytes),
    )
