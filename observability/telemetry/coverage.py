"""How complete the facts are: of what AWS says ran, how much is stored, and why the rest is not. Only reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Count, F, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce

from observability.telemetry.models import Coverage
from observability.telemetry.records import Window

CAUSES = {
    "access_denied": "Nightjar is not allowed to read the logs",
    "account_suspended": "the AWS account is suspended",
    "behind": "the logs have not been read that far yet",
    "blind": "the AWS account could not be accessed",
    "dropped": "the extension could not send all of them",
    "excluded": "not watched, as chosen for the account",
    "expired": "access to the AWS account ran out",
    "log_class": "the log group is of a class that cannot be read",
    "log_level": "the function's system log level keeps reports out of its log, until it is set to INFO",
    "missing_log_group": "there is no log group",
    "not_found": "the log group does not exist",
    "paused": "the extensions were asked to pause",
    "pushes": "the extension sends them, and has not sent all",
    "refused": "AWS refuses to have the logs read",
    "region_disabled": "the region is switched off in the AWS account",
    "retention": "the log group did not keep them long enough",
    "role_gone": "the role in the AWS account is gone",
    "throttled": "AWS allows too few calls to read all logs in time",
    "unknown": "the reason is not known",
    "unreachable": "AWS could not be reached",
}
"""Why invocations are missing, as the second half of a sentence."""

MISSING = Case(When(reported__gt=F("seen"), then=F("reported") - F("seen")), default=Value(0))
"""What one function has too many never makes up for what another lacks."""


def words(cause: str) -> str:
    """A cause as the second half of a sentence; one that we have no words for is called by its name."""
    return CAUSES.get(cause) or cause.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Gap:
    """What is missing for one reason."""

    cause: str
    missing: int
    functions: int

    @property
    def words(self) -> str:
        return words(self.cause)


@dataclass(frozen=True, slots=True)
class Summary:
    """Coverage of one or many functions in a window of whole hours."""

    reported: int = 0
    missing: int = 0
    gaps: Sequence[Gap] = ()

    @property
    def share(self) -> float | None:
        """From 0 to 1; None where AWS reported nothing."""
        return 1 - self.missing / self.reported if self.reported else None

    @property
    def stored(self) -> int:
        return self.reported - self.missing


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of a strip."""

    start: datetime
    reported: int
    missing: int

    @property
    def share(self) -> float | None:
        return 1 - self.missing / self.reported if self.reported else None


def of_organization(organization_id: int, window: Window) -> Summary:
    """Of everything that is watched."""
    return _summary(_rows(organization_id, window))


def of_resource(organization_id: int, window: Window, resource_id: int) -> Summary:
    """Of one function."""
    return _summary(_rows(organization_id, window).filter(resource=resource_id))


def by_resource(organization_id: int, window: Window) -> Mapping[int, Summary]:
    """Of each function that AWS says ran, those that lack most first."""
    totals = _rows(organization_id, window).values("resource").annotate(reported_=Sum("reported"), missing=Sum(MISSING))
    gaps: dict[int, list[Gap]] = {}
    for resource_id, cause, missing in _missing(organization_id, window):
        gaps.setdefault(resource_id, []).append(Gap(cause, missing, 1))
    return {
        row["resource"]: Summary(row["reported_"], row["missing"], gaps.get(row["resource"], ()))
        for row in totals.order_by("-missing", "-reported_", "resource")
    }


def by_hour(organization_id: int, window: Window, resource_id: int | None = None) -> list[Hour]:
    """Hour by hour, those that have been reckoned; of one function or of all."""
    rows = _rows(organization_id, window)
    if resource_id is not None:
        rows = rows.filter(resource=resource_id)
    found = rows.values_list("hour").annotate(reported_=Sum("reported"), missing=Sum(MISSING)).order_by("hour")
    return [Hour(*row) for row in found]


def _rows(organization_id: int, window: Window) -> QuerySet[Coverage]:
    return Coverage.objects.filter(organization=organization_id, hour__gte=window.start, hour__lt=window.end)


def _missing(organization_id: int, window: Window) -> QuerySet[Coverage, tuple[int, str, int]]:
    short = _rows(organization_id, window).filter(reported__gt=F("seen"))
    return short.values_list("resource", "cause").annotate(missing=Sum(MISSING)).order_by("-missing", "cause")


def _summary(rows: QuerySet[Coverage]) -> Summary:
    total = rows.aggregate(reported_=Coalesce(Sum("reported"), 0), missing=Coalesce(Sum(MISSING), 0))
    gaps = (
        rows.filter(Q(reported__gt=F("seen")))
        .values_list("cause")
        .annotate(missing=Sum(MISSING), functions=Count("resource", distinct=True))
        .order_by("-missing", "cause")
    )
    return Summary(total["reported_"], total["missing"], [Gap(*gap) for gap in gaps])
