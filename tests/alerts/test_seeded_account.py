"""Through PostgreSQL: an organization with every rule's problem and every clean twin, looked at once.

Each case gets an account of its own, so that none stands in another one's way.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from alerts import pipeline
from alerts.models import Incident, Insight
from alerts.rule import Subject
from alerts.rules import RULES
from observability.inventory.models import Deployment, Package, Resource
from observability.telemetry.packing import PAIR
from observability.telemetry.records import PEAKS, SUMS, Point
from observability.telemetry.sketch import bucket
from observability.telemetry.store import get_store
from observability.tenants.models import Organization, User
from tests.alerts.rules.cases import ACCOUNT, NOW, Case, Twins, load

TWINS = load()
COLUMNS = ("organization_id", "resource_id", "start", *SUMS, *PEAKS, "durations")


@dataclass(frozen=True)
class Seeded:
    """The rows of a case: the resource that it is about first."""

    twins: Twins
    rows: list[Resource]


@pytest.fixture
def estate(acme: Organization, alice: User) -> dict[str, list[Seeded]]:
    """Everybody's problem and clean twin, by which of the two it is."""
    number = iter(range(1, 10_000))
    return {
        "problem": [Seeded(each, seed(acme, each.problem, next(number))) for each in TWINS.values()],
        "clean": [Seeded(each, seed(acme, each.clean, next(number))) for each in TWINS.values()],
    }


def seed(organization: Organization, case: Case, number: int) -> list[Resource]:
    subjects = (case.subject, *case.others)
    rows = [_row(organization, subject, f"{700_000_000_000 + number}") for subject in subjects]
    Resource.objects.bulk_create(rows)
    pairs = list(zip(rows, subjects, strict=True))
    get_store().append_points([point for row, subject in pairs for point in _points(row, subject)], now=NOW)
    with connection.cursor() as cursor:
        values = ", ".join(["%s"] * len(COLUMNS))
        cursor.executemany(
            f"INSERT INTO telemetry_rollup_day ({', '.join(COLUMNS)}) VALUES ({values})",  # noqa: S608
            [_rollup(row, subject) for row, subject in pairs if subject.rollup.invocations],
        )
    Package.objects.bulk_create(package for row, subject in pairs for package in _packages(row, subject))
    Deployment.objects.bulk_create(
        Deployment(organization=organization, resource=row, version="1", deployed_at=subject.deployed_at)
        for row, subject in pairs
        if subject.deployed_at
    )
    return rows


def _row(organization: Organization, subject: Subject, account: str) -> Resource:
    def moved(text: str) -> str:
        text = text.replace(ACCOUNT, account)
        return f"{text}-{account}" if "::/" in text and text == subject.arn else text  # ARNs of APIs name no account.

    return Resource(
        organization=organization,
        type=subject.type,
        arn=moved(subject.arn),
        name=subject.name,
        region=subject.region,
        account=moved(subject.account),
        config=json.loads(json.dumps(subject.config, default=list).replace(ACCOUNT, account)),
        first_seen_at=subject.first_seen_at,
        last_seen_at=NOW,
        listed_at=NOW,
    )


def _points(row: Resource, subject: Subject) -> Iterator[Point]:
    for (metric, statistic), readings in subject.points.items():
        for each in readings:
            if each.value is not None:
                yield Point(row.organization_id, row.pk, metric, statistic, 60, each.at, each.value)


def _rollup(row: Resource, subject: Subject) -> list[Any]:
    """All runs on one day in the window, with a sketch whose quantiles are those of the subject."""
    rollup = subject.rollup
    day = NOW.replace(hour=0) - timedelta(days=3)
    sketch = b""
    if subject.p95_ms is not None:
        counts = ((subject.p95_ms / 2, 900), (subject.p95_ms, 85), (subject.p99_ms or subject.p95_ms, 15))
        sketch = b"".join(_pair(duration, count) for duration, count in counts)
    return [row.organization_id, row.pk, day, *(getattr(rollup, name) for name in (*SUMS, *PEAKS)), sketch]


def _pair(duration_ms: float, count: int) -> bytes:
    return bucket(duration_ms).to_bytes(2, "little") + count.to_bytes(4, "little")


def _packages(row: Resource, subject: Subject) -> Iterable[Package]:
    """The newest as it is known, those before by their size alone."""
    package = subject.package
    if package is None:
        return
    told = {"organization_id": row.organization_id, "resource": row, "measured_at": NOW}
    for place, (at, size) in enumerate(package.history[:-1]):
        image = package.image_bytes is not None
        sizes = {"image_bytes": size} if image else {"code_bytes": size}
        yield Package(**told, **sizes, source="image" if image else "archive", digest=f"{place}", deployed_at=at)
    yield Package(
        **told, digest="newest", source="image" if package.image_bytes else "archive",
        zipped_bytes=package.zipped_bytes, code_bytes=package.code_bytes, layers_bytes=package.layers_bytes,
        image_bytes=package.image_bytes, complete=package.complete, dependencies=list(package.dependencies),
        waste=dict(package.waste), layers=list(package.layers),
        deployed_at=package.history[-1][0] if package.history else NOW,
    )  # fmt: skip


def test_every_rule_finds_its_problem_and_nothing_in_what_is_clean(
    acme: Organization, estate: dict[str, list[Seeded]]
) -> None:
    assert PAIR.itemsize == 6
    assert set(TWINS) == {rule.kind for rule in RULES}
    assert pipeline.advise(organization_id=acme.pk, now=NOW)
    found = set(Insight.objects.values_list("rule", "resource"))
    expected = {(each.twins.rule.kind, each.rows[0].pk) for each in estate["problem"]}
    silent = {rule for rule, _ in expected - found}
    assert not silent, "They do not see their problem once it went through the database."
    clean = {each.rows[0].pk: each.twins for each in estate["clean"]}
    loud = {(rule, clean[pk].rule.kind) for rule, pk in found if pk in clean and rule not in clean[pk].beside}
    assert not loud, "Rules that speak up, and about whose clean twin."
    assert len(RULES) >= 40


def test_it_stays_as_it_is_when_looked_at_again(acme: Organization, estate: dict[str, list[Seeded]]) -> None:
    pipeline.advise(organization_id=acme.pk, now=NOW)
    before = list(Insight.objects.order_by("pk").values_list("pk", "state", "text", "opened_at"))
    pipeline.advise(organization_id=acme.pk, now=NOW + timedelta(seconds=1))
    assert list(Insight.objects.order_by("pk").values_list("pk", "state", "text", "opened_at")) == before
    assert Incident.objects.filter(kind="insight").count() == Insight.objects.filter(severity="critical").count()
