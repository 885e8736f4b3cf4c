"""What was found from inside an execution environment: the unzipped package, and which extensions run there.

Both stand in a function's config under keys that no listing has, so neither is ever a deployment. A measurement also
becomes part of the history of packages, once it is certain which package it is of: see ``settle``.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from observability.inventory import packages
from observability.inventory.contents import Measured, digest
from observability.inventory.models import Package, Resource

UNZIPPED, EXTENSIONS = "unzipped", "extensions"
REMEMBERED = timedelta(days=7)
"""How long an extension is told of after it was last seen beside others."""

ALONE = "measured:"
"""How digests begin that nobody but the extension gave: see ``_alone``."""

Config = Mapping[str, Any]


def note(resource_id: int, *, unzipped: Config | None, extensions: Mapping[str, str]) -> None:
    """Add what is news to the resource's config. Safe to repeat, and in any order.

    ``unzipped`` is ``code_bytes``, ``layers_bytes``, ``files``, ``complete``, ``version``, ``measured_at`` and the
    largest ``folders``; ``extensions`` are names with the day on which each was seen.
    """
    if unzipped is None and not extensions:
        return
    known = Resource.objects.filter(pk=resource_id)
    config = known.values_list("config", flat=True).first()
    if config is None or not _news(config, unzipped, extensions):
        return
    with transaction.atomic():
        resource = known.select_for_update().first()
        if resource is not None and (news := _news(resource.config, unzipped, extensions)):
            resource.config = {**resource.config, **news}
            resource.save(update_fields=["config"])
            if UNZIPPED in news and resource.listed_at is None:
                _keep(resource.organization_id, resource.pk, _alone(news[UNZIPPED]), at=_measured_at(news[UNZIPPED]))


def settle(*, organization_id: int, account: str, region: str, now: datetime) -> None:
    """Tell which packages the measurements are of, as AWS has listed the functions at ``now``. Safe to repeat.

    An environment does not know the digest of its code. What it measured between the last deployment and a listing
    that still finds that deployment is of the package that is listed.
    """
    here = Resource.objects.filter(
        organization_id=organization_id, account=account, region=region, listed_at__gte=now, gone_at=None
    )
    rows = list(here.filter(config__has_key=UNZIPPED).values_list("pk", "config"))
    found = [(pk, measured, config[UNZIPPED]) for pk, config in rows for measured in _listed(config, now)]
    those = Package.objects.filter(
        resource_id__in=[pk for pk, _, _ in found], digest__in=[measured.digest for _, measured, _ in found]
    )
    slim = those.defer("folders", "dependencies", "waste", "layers")
    known = {(row.resource_id, row.digest): row for row in slim}
    for pk, measured, unzipped in found:
        row = known.get((pk, measured.digest))
        if row is None or packages.is_news(row, measured):
            _keep(organization_id, pk, measured, at=_measured_at(unzipped))
            guesses = Package.objects.filter(resource_id=pk, digest__startswith=ALONE)
            guesses.filter(deployed_at__gte=measured.deployed_at).delete()


def _listed(config: Config, now: datetime) -> Iterator[Measured]:
    """The measurement as one of the package that AWS lists; nothing where that is not certain."""
    unzipped, version = config[UNZIPPED], str(config[UNZIPPED]["version"])
    listed = {str(each["version"]): each for each in config.get("versions", ())}
    code = listed.get(version) if version.isdecimal() else config
    if not code or not code.get("code_sha256") or config.get("package_type") == "Image":
        return
    deployed_at = datetime.fromisoformat(code["last_modified"])
    if deployed_at <= _measured_at(unzipped) <= now:
        arns = [layer["arn"] for layer in config.get("layers", ())]
        yield _measured(unzipped, digest(code["code_sha256"], arns), deployed_at, arns)


def _alone(unzipped: Config) -> Measured:
    """The measurement of a function that only its telemetry knows: what has the same sizes is the same package."""
    name = digest(f"{unzipped['version']} {unzipped['code_bytes']} {unzipped['layers_bytes']}", ())
    return _measured(unzipped, f"{ALONE}{name}"[:64], _measured_at(unzipped), [])


def _measured(unzipped: Config, name: str, deployed_at: datetime, layers: list[str]) -> Measured:
    return Measured(
        digest=name,
        source=Package.Source.EXTENSION,
        deployed_at=deployed_at,
        version=str(unzipped["version"]),
        code_bytes=unzipped["code_bytes"],
        layers_bytes=unzipped["layers_bytes"],
        files=unzipped["files"],
        complete=unzipped["complete"],
        folders=unzipped["folders"],
        layers=layers,
    )


def _keep(organization_id: int, resource_id: int, measured: Measured, *, at: datetime) -> None:
    packages.record(organization_id=organization_id, resource_id=resource_id, measured=measured, now=at)


def _measured_at(unzipped: Config) -> datetime:
    return datetime.fromisoformat(unzipped["measured_at"])


def _news(config: Config, unzipped: Config | None, extensions: Mapping[str, str]) -> dict[str, Any]:
    news: dict[str, Any] = {}
    if unzipped is not None and _is_better(config.get(UNZIPPED), unzipped):
        news[UNZIPPED] = dict(unzipped)
    known = config.get(EXTENSIONS, {})
    merged = _latest(known, extensions)
    return news | ({EXTENSIONS: merged} if merged != known else {})


def _is_better(known: Config | None, found: Config) -> bool:
    """Whether a measurement tells more than the known one.

    One that was cut short tells the least that it can be: beside a complete one of the same version it only counts when
    that is more. One of an earlier published version, or of an earlier time, is from an environment that is older.
    """
    if known is None:
        return True
    later = bool(found["measured_at"] > known["measured_at"])
    if found["version"] != known["version"]:
        numbers = [str(each["version"]) for each in (known, found)]
        return int(numbers[1]) > int(numbers[0]) if all(map(str.isdecimal, numbers)) else later
    if found["complete"] == known["complete"]:
        return later and any(found[key] != known[key] for key in ("code_bytes", "layers_bytes"))
    complete, short = (known, found) if known["complete"] else (found, known)
    short_is_news = _total(short) > _total(complete) and bool(short["measured_at"] > complete["measured_at"])
    return short_is_news if short is found else not short_is_news


def _total(measured: Config) -> int:
    return int(measured["code_bytes"]) + int(measured["layers_bytes"])


def _latest(known: Mapping[str, str], seen: Mapping[str, str]) -> dict[str, str]:
    """Every name with the last day it was seen on; those that are no longer seen with the others are dropped."""
    days = {name: max(known.get(name, ""), seen.get(name, "")) for name in {*known, *seen}}
    newest = max(map(date.fromisoformat, days.values()), default=date.min)
    return {name: day for name, day in sorted(days.items()) if newest - date.fromisoformat(day) <= REMEMBERED}
