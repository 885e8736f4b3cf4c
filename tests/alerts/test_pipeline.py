import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, cast
from unittest.mock import patch

import pytest
from django.db import connection
from msgspec.structs import replace

from alerts import evaluation, incidents, pipeline, routing
from alerts.detector import FactWindow
from alerts.detectors.errors import Errors
from alerts.finding import Finding, Severity
from alerts.models import EvaluationCursor, Incident, Notification, State, Transition
from observability.inventory.models import Resource
from observability.telemetry.records import Fault, FaultKind
from observability.telemetry.store import Store
from observability.tenants.models import Organization, User
from tests.alerts.facts import NOW, FactList, fault

LATER = NOW + timedelta(seconds=2)


@pytest.fixture(autouse=True)
def facts(monkeypatch: pytest.MonkeyPatch) -> FactList:
    facts = FactList()
    monkeypatch.setattr(pipeline, "get_store", lambda: facts)
    return facts


@pytest.fixture
def failed(acme: Organization, checkout: Resource) -> Callable[..., Fault]:
    """A fault of the function ``checkout``."""

    def make(kind: FaultKind = FaultKind.EXCEPTION, **fields: Any) -> Fault:
        return fault(kind, organization_id=acme.pk, resource_id=fields.pop("resource_id", checkout.pk), **fields)

    return make


def judge(organization: Organization) -> int:
    """Evaluate until there is nothing left; answers with how often it took."""
    times = 1
    while pipeline.evaluate(organization_id=organization.pk, now=LATER):
        times += 1
    return times


class TestEvaluate:
    def test_tells_the_owner_of_a_failure(
        self, acme: Organization, alice: User, facts: FactList, failed: Callable[..., Fault]
    ) -> None:
        facts.append(failed())
        judge(acme)
        assert Incident.objects.get().title == "ValueError: boom in checkout"
        notification = Notification.objects.get()
        assert (notification.channel.kind, notification.due_at) == ("email", LATER)
        assert EvaluationCursor.objects.get().batch == 1

    def test_counts_each_failure_once_however_often_it_runs(
        self, acme: Organization, alice: User, facts: FactList, failed: Callable[..., Fault]
    ) -> None:
        facts.append(failed())
        judge(acme)
        judge(acme)
        facts.append(failed(), failed())
        judge(acme)
        judge(acme)
        assert (Incident.objects.get().events, Notification.objects.count()) == (3, 1)

    def test_does_not_count_the_platforms_report_of_a_failure_that_is_explained(
        self, acme: Organization, facts: FactList, failed: Callable[..., Fault]
    ) -> None:
        facts.append(failed(request_id="r"))
        judge(acme)
        facts.append(failed(FaultKind.UNKNOWN, at=0.4, request_id="r"))
        judge(acme)
        assert (Incident.objects.get().kind, Incident.objects.get().events) == ("errors", 1)

    def test_leaves_the_report_to_an_explanation_that_is_stored_but_not_judged_yet(
        self, acme: Organization, facts: FactList, failed: Callable[..., Fault], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(evaluation, "BATCHES", 1)
        facts.append(failed(FaultKind.UNKNOWN, at=0.4, request_id="r"))
        facts.append(failed(request_id="r"))
        assert judge(acme) == 2
        assert (Incident.objects.get().title, Incident.objects.get().events) == ("ValueError: boom in checkout", 1)

    def test_works_off_a_backlog_in_portions(
        self, acme: Organization, facts: FactList, failed: Callable[..., Fault], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(evaluation, "BATCHES", 2)
        for _ in range(5):
            facts.append(failed())
        assert judge(acme) == 3
        assert Incident.objects.get().events == 5

    def test_makes_one_incident_for_each_problem(
        self, acme: Organization, facts: FactList, failed: Callable[..., Fault]
    ) -> None:
        facts.append(failed(), failed(type="KeyError"), failed(FaultKind.TIMEOUT), failed(FaultKind.OUT_OF_MEMORY))
        judge(acme)
        kinds = Incident.objects.order_by("number").values_list("kind", flat=True)
        assert list(kinds) == ["errors", "errors", "timeouts", "out_of_memory"]

    def test_ignores_functions_that_are_gone(
        self, acme: Organization, facts: FactList, failed: Callable[..., Fault]
    ) -> None:
        facts.append(failed(resource_id=0), failed())
        judge(acme)
        assert Incident.objects.get().events == 1

    def test_keeps_organizations_apart(
        self, acme: Organization, rival: Organization, facts: FactList, failed: Callable[..., Fault]
    ) -> None:
        facts.append(failed())
        judge(rival)
        assert not Incident.objects.exists()
        facts.append(replace(failed(), organization_id=rival.pk))  # Of a function that is not theirs.
        judge(rival)
        assert not Incident.objects.exists()

    def test_judges_a_storm(
        self, acme: Organization, alice: User, facts: FactList, failed: Callable[..., Fault]
    ) -> None:
        facts.append(*(failed(type=f"Error{n}", at=n / 100) for n in range(1_000)))
        judge(acme)
        assert Incident.objects.count() == Notification.objects.count() == 1_000


STEPS = [
    (evaluation, "stretch"), (evaluation, "read"), (evaluation, "detect"),
    (incidents, "apply"), (routing, "route"), (evaluation, "advance"),
]  # fmt: skip


class Crash(BaseException):
    """The process dies here."""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("module", "step"), STEPS, ids=[step for _, step in STEPS])
def test_a_crash_after_any_step_changes_nothing_in_the_end(
    acme: Organization,
    alice: User,
    facts: FactList,
    failed: Callable[..., Fault],
    module: Any,
    step: str,
) -> None:
    facts.append(failed())
    judge(acme)
    facts.append(failed(at=1), failed(type="KeyError", at=1))
    done = getattr(module, step)

    def crash(*args: Any, **kwargs: Any) -> None:
        done(*args, **kwargs)
        raise Crash

    with patch.object(module, step, crash), pytest.raises(Crash):
        pipeline.evaluate(organization_id=acme.pk, now=LATER)
    assert EvaluationCursor.objects.get().batch == 1
    judge(acme)
    assert list(Incident.objects.order_by("number").values_list("title", "events")) == [
        ("ValueError: boom in checkout", 2),
        ("KeyError: boom in checkout", 1),
    ]
    assert Transition.objects.count() == Notification.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_evaluators_at_once_count_every_failure_once(
    acme: Organization, alice: User, facts: FactList, failed: Callable[..., Fault], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "BATCHES", 3)
    for second in range(60):
        facts.append(failed(at=second), failed(type="KeyError", at=second))
    errors: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(30):
                pipeline.evaluate(organization_id=acme.pk, now=LATER)
        except Exception as error:  # Threads have nobody to raise to.
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    judge(acme)
    assert errors == []
    assert list(Incident.objects.order_by("number").values_list("number", "events")) == [(1, 60), (2, 60)]
    assert Notification.objects.count() == 2


class Choosy:
    """A detector with a mistake: it cannot stand one of the faults."""

    kind = "choosy"
    title = "Choosy"
    severity = Severity.INFO
    quiet = None

    def detect(self, window: FactWindow) -> Iterable[Finding]:
        if any(fault.message == "poison" for fault in window.faults):
            raise RuntimeError
        yield from Errors().detect(window)


class TestDetect:
    def test_loses_only_what_a_detector_cannot_handle(self) -> None:
        faults = [fault(message="poison" if n == 3 else "boom") for n in range(8)]
        window = FactWindow(organization_id=1, now=NOW, faults=faults, functions={})
        found = evaluation.detect(window, [Choosy(), Errors()])
        assert sum(finding.count for finding in found) == 7 + 8


class TestBehind:
    def test_names_organizations_with_unjudged_facts(
        self, acme: Organization, rival: Organization, facts: FactList, failed: Callable[..., Fault]
    ) -> None:
        facts.append(failed())
        facts.append(organization_id=rival.pk)
        assert sorted(evaluation.behind(cast(Store, facts))) == [acme.pk, rival.pk]
        judge(acme)
        assert evaluation.behind(cast(Store, facts)) == [rival.pk]


class TestSettle:
    @pytest.fixture(autouse=True)
    def _open(self, acme: Organization, alice: User, facts: FactList, failed: Callable[..., Fault]) -> None:
        facts.append(failed())
        judge(acme)

    def test_resolves_what_is_quiet_and_tells(self, acme: Organization) -> None:
        pipeline.settle(organization_id=acme.pk, now=NOW + timedelta(minutes=31))
        assert Incident.objects.get().state == State.RESOLVED
        kinds = Notification.objects.order_by("transition").values_list("transition__kind", flat=True)
        assert list(kinds) == [Transition.Kind.OPENED, Transition.Kind.RESOLVED]

    def test_waits_while_old_facts_are_not_judged(
        self, acme: Organization, facts: FactList, failed: Callable[..., Fault]
    ) -> None:
        facts.append(failed())
        pipeline.settle(organization_id=acme.pk, now=NOW + timedelta(minutes=31))
        assert Incident.objects.get().state == State.OPEN
