"""What was found from inside an execution environment: the unzipped package, and which extensions run there.

Both stand in a function's config under keys that no listing has, so neither is ever a deployment.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.db import transaction

from observability.inventory.models import Resource

UNZIPPED, EXTENSIONS = "unzipped", "extensions"
REMEMBERED = timedelta(days=7)
"""How long an extension is told of after it was last seen beside others."""

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
