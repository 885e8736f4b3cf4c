"""The configuration of a function as a page: everything that AWS tells of it, in sections."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from observability.dashboards.facts import Fact, facts
from observability.inventory.models import Resource

SECTIONS = (
    (
        "Runtime",
        ("description", "runtime", "architecture", "handler", "package_type", "version", "last_modified", "code_bytes",
         "unzipped", "code_sha256", "runtime_version_arn", "snap_start", "state", "state_reason", "update_status"),
    ),
    ("Limits and concurrency", ("memory_mb", "timeout_s", "ephemeral_mb", "reserved_concurrency", "provisioned")),
    ("Triggers", ("event_sources", "url", "cors")),
    ("Asynchronous calls and failed events", ("event_invoke", "dead_letter")),
    ("Aliases and versions", ("aliases", "versions", "snapshots")),
    ("Layers and extensions", ("layers", "extensions")),
    ("Environment variables", ("environment", "environment_bytes")),
    ("Logs and tracing", ("log_group", "log_format", "log_level", "system_log_level", "tracing")),
    ("Permissions and network", ("role", "vpc", "file_systems")),
)  # fmt: skip
OTHER = "Everything else"
WITHOUT = ("tags",)


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    facts: list[Fact]


def described(resource: Resource) -> dict[str, Any]:
    """The context of ``function_configuration.html``."""
    return {"sections": sections(resource.config), "tags": sorted(resource.config.get("tags", {}).items())}


def sections(config: Mapping[str, Any]) -> list[Section]:
    """The sections that have something to say; what no section claims is told as well, last."""
    claimed = {key for _, keys in SECTIONS for key in keys}
    parts = [(title, _part(config, keys)) for title, keys in SECTIONS]
    parts.append((OTHER, {key: value for key, value in config.items() if key not in claimed and key not in WITHOUT}))
    return [Section(title, found) for title, part in parts if (found := facts(part))]


def _part(config: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: config[key] for key in keys if key in config}
