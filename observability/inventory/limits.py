"""What AWS allows a function's package and configuration: each limit with its source, and how far it is used up.

Lambda's documentation says MB for 1,024 KB. ``hard`` limits stop a deployment or an invocation; the others only decide
how one can deploy.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Config = Mapping[str, Any]

QUOTAS = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True)
class Limit:
    """``value`` is in ``unit``: bytes, mb, s or count. ``beyond`` says what happens there."""

    key: str
    label: str
    value: int
    unit: str
    beyond: str
    hard: bool = True
    raisable: bool = False
    source: str = QUOTAS


@dataclass(frozen=True, slots=True)
class Gauge:
    """How much of one limit is used. ``exact`` is false where it is at least as much."""

    limit: Limit
    used: float
    allowed: float
    """The limit's value, or what this account or function is allowed."""
    exact: bool = True

    @property
    def share(self) -> float:
        """1 is the limit; more is beyond it."""
        return self.used / self.allowed if self.allowed else 0.0

    @property
    def left(self) -> float:
        return self.allowed - self.used


class Sizes(Protocol):
    """Of a package, in bytes; None is not known. The model ``Package`` is one."""

    @property
    def zipped_bytes(self) -> int | None: ...
    @property
    def code_bytes(self) -> int | None: ...
    @property
    def layers_bytes(self) -> int | None: ...
    @property
    def image_bytes(self) -> int | None: ...
    @property
    def complete(self) -> bool: ...


UNZIPPED = Limit(
    "unzipped", "Code and layers, unzipped", 250 * MIB, "bytes",
    "Beyond it a deployment fails: code and all layers together must unpack to no more.",
)  # fmt: skip
LAYERS = Limit("layers", "Layers", 5, "count", "A function cannot have more layers, those of extensions among them.")
IMAGE = Limit(
    "image", "Container image", 10 * GIB, "bytes",
    "A larger image, uncompressed, cannot be deployed. The registry tells its compressed size, which is less.",
)  # fmt: skip
DIRECT_UPLOAD = Limit(
    "direct_upload", "Zip, uploaded directly", 50 * MIB, "bytes",
    "A larger zip can only be deployed from an S3 bucket.", hard=False,
)  # fmt: skip
CONSOLE_EDITOR = Limit(
    "console_editor", "Zip, edited in the console", 3 * MIB, "bytes",
    "The console does not show the code of a larger zip.", hard=False,
)  # fmt: skip
ENVIRONMENT = Limit(
    "environment", "Environment variables", 4 * KIB, "bytes",
    "Lambda refuses more. Larger settings belong in Parameter Store or S3.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html",
)  # fmt: skip
RESOURCE_POLICY = Limit(
    "resource_policy", "Resource policy", 20 * KIB, "bytes",
    "No further permission to call the function can be added.",
)  # fmt: skip
CODE_STORAGE = Limit(
    "code_storage", "Code storage of the region", 75 * GIB, "bytes",
    "No function in the region can be deployed any more until old versions are deleted.", raisable=True,
)  # fmt: skip
TMP = Limit(
    "tmp", "Used in /tmp", 512, "mb", "Writing fails with “No space left on device”.", raisable=True,
    source="https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html",
)  # fmt: skip
TMP_SIZE = Limit(
    "tmp_size", "Size of /tmp", 10_240, "mb", "It cannot be made larger; EFS and S3 can hold more.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html",
)  # fmt: skip
MEMORY = Limit("memory", "Memory", 10_240, "mb", "It cannot be given more.")
TIMEOUT = Limit("timeout", "Timeout", 900, "s", "It cannot run longer; Step Functions or Fargate can.")
DESCRIPTORS = Limit("descriptors", "File descriptors", 1_024, "count", "Opening files and connections fails.")
THREADS = Limit("threads", "Processes and threads", 1_024, "count", "Starting a thread or a process fails.")
SYNC_PAYLOAD = Limit("sync_payload", "Synchronous payload", 6 * MIB, "bytes", "The call or its answer is refused.")
ASYNC_PAYLOAD = Limit("async_payload", "Asynchronous payload", MIB, "bytes", "The event is refused.")
IMAGE_SETTINGS = Limit("image_settings", "Image settings", 16 * KIB, "bytes", "The image cannot be deployed with them.")

LIMITS: Sequence[Limit] = (
    UNZIPPED, LAYERS, IMAGE, DIRECT_UPLOAD, CONSOLE_EDITOR, ENVIRONMENT, RESOURCE_POLICY, CODE_STORAGE, TMP, TMP_SIZE,
    MEMORY, TIMEOUT, DESCRIPTORS, THREADS, SYNC_PAYLOAD, ASYNC_PAYLOAD, IMAGE_SETTINGS,
)  # fmt: skip
BY_KEY: Mapping[str, Limit] = {limit.key: limit for limit in LIMITS}

SET: Mapping[str, Limit] = {
    "environment_bytes": ENVIRONMENT, "policy_bytes": RESOURCE_POLICY, "ephemeral_mb": TMP_SIZE,
    "memory_mb": MEMORY, "timeout_s": TIMEOUT,
}  # fmt: skip
"""Keys of a function's config, and which limit each uses up."""


def gauges(
    config: Config,
    package: Sizes | None = None,
    *,
    region: Config | None = None,
    tmp_used_bytes: float | None = None,
    descriptors: float | None = None,
    threads: float | None = None,
) -> list[Gauge]:
    """What is known of a function's limits, in the order of ``LIMITS``.

    ``config`` is that of the resource, ``region`` what its account is allowed there (``account.config[region]``); the
    others are the maxima that its extension measured.
    """
    found = [*_packed(config, package), *_set(config), *_stored(region or {})]
    if tmp_used_bytes is not None:
        found.append(Gauge(TMP, tmp_used_bytes / MIB, config.get("ephemeral_mb") or TMP.value))
    measured = ((DESCRIPTORS, descriptors), (THREADS, threads))
    found += [Gauge(limit, value, limit.value) for limit, value in measured if value is not None]
    return sorted(found, key=lambda gauge: LIMITS.index(gauge.limit))


def unzipped(package: Sizes) -> Gauge | None:
    """Of the limit that deployments break at; not exact where layers or files could not be read."""
    if package.code_bytes is None:
        return None
    used = package.code_bytes + (package.layers_bytes or 0)
    return Gauge(UNZIPPED, used, UNZIPPED.value, package.complete and package.layers_bytes is not None)


def _packed(config: Config, package: Sizes | None) -> Iterator[Gauge]:
    if config.get("package_type") == "Image":
        if package is not None and package.image_bytes is not None:
            yield Gauge(IMAGE, package.image_bytes, IMAGE.value, exact=False)
        return
    if package is not None and (gauge := unzipped(package)):
        yield gauge
    if "layers" in config:
        yield Gauge(LAYERS, len(config["layers"]), LAYERS.value)
    zipped = config.get("code_bytes") or (package.zipped_bytes if package else None)
    if zipped:
        yield from (Gauge(limit, zipped, limit.value) for limit in (DIRECT_UPLOAD, CONSOLE_EDITOR))


def _set(config: Config) -> Iterator[Gauge]:
    for key, limit in SET.items():
        if config.get(key) is not None:
            yield Gauge(limit, config[key], limit.value)


def _stored(region: Config) -> Iterator[Gauge]:
    if region.get("code_storage_bytes") is not None:
        allowed = region.get("code_storage_limit_bytes") or CODE_STORAGE.value
        yield Gauge(CODE_STORAGE, region["code_storage_bytes"], allowed)
