import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction

from alerts import incidents
from alerts.finding import Finding, Severity
from alerts.incidents import IllegalTransitionError
from alerts.models import Incident, State, Transition
from observability.inventory.models import Resource
from observability.tenants import members
from observability.tenants.models import AuditEntry, Membership, Organization, Role, User
from tests.alerts.facts import NOW

Kind = Transition.Kind
QUIET = timedelta(minutes=30)


def later(**time: float) -> datetime:
    return NOW + timedelta(**time)


@pytest.fixture
def finding(checkout: Resource) -> Finding:
    return Finding(
        kind="errors",
        fingerprint="1:a",
        severity=Severity.CRITICAL,
        resource_id=checkout.pk,
        title="ValueError: boom in checkout",
        count=1,
        first_at=NOW,
        last_at=NOW,
        detail={"type": "ValueError", "message": "boom"},
    )


@pytest.fixture
def found(acme: Organization) -> Callable[..., list[str]]:
    """Apply findings; answers with the steps to be told."""

    def apply(*findings: Finding, now: datetime) -> list[str]:
        with transaction.atomic():
            told = incidents.apply(organization_id=acme.pk, findings=findings, now=now)
        return [step.kind for step in told]

    return apply


def at(finding: Finding, moment: datetime, **changes: object) -> Finding:
    return replace(finding, first_at=moment, last_at=moment, **changes)  # type: ignore[arg-type]  # Fields of any type.


def settle(organization: Organization, now: datetime) -> list[str]:
    with transaction.atomic():
        return [step.kind for step in incidents.settle(organization_id=organization.pk, now=now)]


def steps() -> list[str]:
    return list(Transition.objects.order_by("pk").values_list("kind", flat=True))


class TestFacts:
    def test_open_an_incident(self, found: Callable[..., list[str]], finding: Finding) -> None:
        assert found(finding, now=later(seconds=2)) == [Kind.OPENED]
        incident = Incident.objects.get()
        assert (incident.number, incident.state, incident.events) == (1, State.OPEN, 1)
        assert incident.opened_at == incident.first_seen_at == incident.last_seen_at == NOW
        assert Transition.objects.get().happened_at == later(seconds=2)
        assert (incident.title, incident.detail["message"]) == ("ValueError: boom in checkout", "boom")

    def test_of_the_same_problem_are_counted_and_told_once(
        self, found: Callable[..., list[str]], finding: Finding
    ) -> None:
        found(finding, finding, now=NOW)
        newer = at(finding, later(minutes=1), count=3, title="ValueError: newer", detail={"message": "newer"})
        assert found(newer, now=later(minutes=1)) == []
        incident = Incident.objects.get()
        assert (incident.events, incident.title, incident.detail) == (5, "ValueError: newer", {"message": "newer"})
        assert (incident.first_seen_at, incident.last_seen_at) == (NOW, later(minutes=1))

    def test_that_arrive_late_do_not_replace_newer_evidence(
        self, found: Callable[..., list[str]], finding: Finding
    ) -> None:
        found(finding, now=NOW)
        found(at(finding, later(minutes=-5), title="older"), now=NOW)
        incident = Incident.objects.get()
        assert (incident.events, incident.title) == (2, finding.title)
        assert (incident.first_seen_at, incident.last_seen_at) == (later(minutes=-5), NOW)

    def test_number_incidents_one_by_one(self, found: Callable[..., list[str]], finding: Finding) -> None:
        found(finding, replace(finding, fingerprint="1:b"), now=NOW)
        found(replace(finding, fingerprint="1:c"), now=NOW)
        assert list(Incident.objects.order_by("pk").values_list("number", flat=True)) == [1, 2, 3]

    def test_long_ago_are_recorded_but_not_told(self, found: Callable[..., list[str]], finding: Finding) -> None:
        assert found(finding, now=later(hours=7)) == []
        incident = Incident.objects.get()
        assert (incident.state, incident.opened_at, incident.resolved_at) == (State.RESOLVED, NOW, NOW + QUIET)
        assert steps() == [Kind.OPENED, Kind.RESOLVED]

    def test_after_it_was_resolved_reopen_it(
        self, found: Callable[..., list[str]], finding: Finding, bob: User
    ) -> None:
        found(finding, now=NOW)
        incidents.resolve(organization=bob.organizations.get(), number=1, actor=bob, now=later(minutes=1))
        assert found(at(finding, later(minutes=2)), now=later(minutes=2)) == [Kind.REOPENED]
        incident = Incident.objects.get()
        assert (incident.state, incident.reopened, incident.resolved_at) == (State.OPEN, 1, None)
        assert incident.opened_at == later(minutes=2)

    def test_from_before_a_person_resolved_it_do_not(
        self, found: Callable[..., list[str]], finding: Finding, bob: User
    ) -> None:
        found(finding, now=NOW)
        incidents.resolve(organization=bob.organizations.get(), number=1, actor=bob, now=later(minutes=2))
        assert found(at(finding, later(minutes=1)), now=later(minutes=3)) == []
        assert (Incident.objects.get().state, Incident.objects.get().events) == (State.RESOLVED, 2)

    def test_that_contradict_the_quiet_reopen_it(
        self, found: Callable[..., list[str]], finding: Finding, acme: Organization
    ) -> None:
        found(finding, now=NOW)
        settle(acme, later(minutes=31))
        late = at(finding, later(minutes=30, seconds=59))
        assert found(late, now=later(minutes=31, seconds=1)) == [Kind.REOPENED]

    def test_are_counted_but_not_told_while_it_is_muted(
        self, found: Callable[..., list[str]], finding: Finding, acme: Organization, bob: User
    ) -> None:
        found(finding, now=NOW)
        incidents.mute(organization=acme, number=1, actor=bob, until=later(hours=1), now=NOW)
        assert found(at(finding, later(minutes=40)), now=later(minutes=40)) == []
        assert (Incident.objects.get().state, Incident.objects.get().events) == (State.MUTED, 2)

    def test_after_the_mute_are_told(
        self, found: Callable[..., list[str]], finding: Finding, acme: Organization, bob: User
    ) -> None:
        found(finding, now=NOW)
        incidents.mute(organization=acme, number=1, actor=bob, until=later(hours=1), now=NOW)
        assert found(at(finding, later(minutes=61)), now=later(minutes=61)) == [Kind.UNMUTED, Kind.REOPENED]
        assert Incident.objects.get().state == State.OPEN


class TestTime:
    def test_resolves_what_stays_quiet(
        self, found: Callable[..., list[str]], finding: Finding, acme: Organization
    ) -> None:
        found(finding, now=NOW)
        assert settle(acme, NOW + QUIET - timedelta(seconds=1)) == []
        assert settle(acme, NOW + QUIET) == [Kind.RESOLVED]
        assert Incident.objects.get().resolved_at == NOW + QUIET
        assert settle(acme, NOW + 2 * QUIET) == []

    def test_resolves_what_was_over_when_it_became_known(
        self, found: Callable[..., list[str]], finding: Finding, acme: Organization
    ) -> None:
        assert found(finding, now=later(hours=1)) == [Kind.OPENED]
        assert settle(acme, later(hours=1, seconds=30)) == [Kind.RESOLVED]

    def test_resolves_what_is_acknowledged_too(
        self, found: Callable[..., list[str]], finding: Finding, acme: Organization, bob: User
    ) -> None:
        found(finding, now=NOW)
        incidents.acknowledge(organization=acme, number=1, actor=bob, now=NOW)
        assert settle(acme, NOW + QUIET) == [Kind.RESOLVED]

    def test_does_not_contradict_a_person_who_reopened_it(
        self, found: Callable[..., list[str]], finding: Finding, acme: Organization, bob: User
    ) -> None:
        found(finding, now=NOW)
        settle(acme, NOW + QUIET)
        incidents.reopen(organization=acme, number=1, actor=bob, now=NOW + QUIET)
        assert settle(acme, NOW + QUIET + timedelta(minutes=1)) == []

    def test_ends_a_mute_and_tells_of_what_still_fails(
        self, found: Callable[..., list[str]], finding: Finding, acme: Organization, bob: User
    ) -> None:
        found(finding, now=NOW)
        incidents.mute(organization=acme, number=1, actor=bob, until=later(minutes=20), now=NOW)
        assert settle(acme, later(minutes=19)) == []
        assert settle(acme, later(minutes=20)) == [Kind.UNMUTED, Kind.REOPENED]
        assert Incident.objects.get().muted_until is None

    def test_ends_a_mute_and_resolves_what_is_quiet(
        self, found: Callable[..., list[str]], finding: Finding, acme: Organization, bob: User
    ) -> None:
        found(finding, now=NOW)
        incidents.mute(organization=acme, number=1, actor=bob, until=later(hours=2), now=NOW)
        assert settle(acme, later(hours=2)) == [Kind.UNMUTED, Kind.RESOLVED]

    def test_leaves_an_endless_mute_alone(
        self, found: Callable[..., list[str]], finding: Finding, acme: Organization, bob: User
    ) -> None:
        found(finding, now=NOW)
        incidents.mute(organization=acme, number=1, actor=bob, until=None, now=NOW)
        assert settle(acme, later(days=300)) == []


ACTIONS: dict[Kind, Callable[..., Incident]] = {
    Kind.ACKNOWLEDGED: incidents.acknowledge,
    Kind.RESOLVED: incidents.resolve,
    Kind.REOPENED: incidents.reopen,
    Kind.UNMUTED: incidents.unmute,
    Kind.MUTED: lambda **kwargs: incidents.mute(until=None, **kwargs),
    Kind.NOTE: lambda **kwargs: incidents.note(text="Looking.", **kwargs),
}
LEADS: dict[tuple[State, Kind], State | None] = {
    (State.OPEN, Kind.ACKNOWLEDGED): State.ACKNOWLEDGED,
    (State.OPEN, Kind.RESOLVED): State.RESOLVED,
    (State.OPEN, Kind.MUTED): State.MUTED,
    (State.OPEN, Kind.NOTE): State.OPEN,
    (State.ACKNOWLEDGED, Kind.RESOLVED): State.RESOLVED,
    (State.ACKNOWLEDGED, Kind.MUTED): State.MUTED,
    (State.ACKNOWLEDGED, Kind.NOTE): State.ACKNOWLEDGED,
    (State.MUTED, Kind.ACKNOWLEDGED): State.ACKNOWLEDGED,
    (State.MUTED, Kind.RESOLVED): State.RESOLVED,
    (State.MUTED, Kind.MUTED): State.MUTED,
    (State.MUTED, Kind.UNMUTED): State.OPEN,
    (State.MUTED, Kind.NOTE): State.MUTED,
    (State.RESOLVED, Kind.REOPENED): State.OPEN,
    (State.RESOLVED, Kind.NOTE): State.RESOLVED,
}


class TestPeople:
    @pytest.mark.parametrize("kind", ACTIONS)
    @pytest.mark.parametrize("state", State)
    def test_may_take_the_legal_steps_only(
        self, found: Callable[..., list[str]], finding: Finding, acme: Organization, bob: User, state: State, kind: Kind
    ) -> None:
        found(finding, now=NOW)
        Incident.objects.update(state=state, resolved_at=NOW if state == State.RESOLVED else None)
        target = LEADS.get((state, kind))
        if target is None:
            with pytest.raises(IllegalTransitionError, match="#1 is"):
                ACTIONS[kind](organization=acme, number=1, actor=bob, now=later(minutes=1))
            assert Incident.objects.get().state == state
            assert steps() == [Kind.OPENED]
            return
        ACTIONS[kind](organization=acme, number=1, actor=bob, now=later(minutes=1))
        incident = Incident.objects.get()
        assert incident.state == target
        assert (incident.resolved_at is not None) == (target == State.RESOLVED)
        step = Transition.objects.order_by("pk").last()
        assert step is not None
        assert (step.kind, step.actor, step.happened_at) == (kind, bob, later(minutes=1))

    def test_leave_a_trace_in_the_audit_log(
        self, found: Callable[..., list[str]], finding: Finding, acme: Organization, bob: User
    ) -> None:
        found(finding, now=NOW)
        incidents.note(organization=acme, number=1, actor=bob, text=" Looking. ", now=NOW)
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.actor, entry.detail) == ("incident.noted", bob, {"note": "Looking."})
        assert entry.target == "#1 ValueError: boom in checkout"

    def test_never_reach_into_another_organization(
        self, found: Callable[..., list[str]], finding: Finding, rival: Organization, charlie: User
    ) -> None:
        found(finding, now=NOW)
        with pytest.raises(Incident.DoesNotExist):
            incidents.resolve(organization=rival, number=1, actor=charlie, now=NOW)

    def test_cannot_mute_until_yesterday(self, acme: Organization, bob: User) -> None:
        with pytest.raises(IllegalTransitionError, match="future"):
            incidents.mute(organization=acme, number=1, actor=bob, until=NOW, now=NOW)

    def test_cannot_write_empty_notes(self, acme: Organization, bob: User) -> None:
        with pytest.raises(IllegalTransitionError, match="empty"):
            incidents.note(organization=acme, number=1, actor=bob, text=" \n", now=NOW)

    def test_assign_members_only(
        self,
        found: Callable[..., list[str]],
        finding: Finding,
        acme: Organization,
        alice: User,
        bob: User,
        charlie: User,
    ) -> None:
        found(finding, now=NOW)
        incidents.assign(organization=acme, number=1, actor=alice, assignee=bob, now=NOW)
        assert Incident.objects.get().assignee == bob.memberships.get()
        with pytest.raises(IllegalTransitionError, match="not a member"):
            incidents.assign(organization=acme, number=1, actor=alice, assignee=charlie, now=NOW)
        incidents.assign(organization=acme, number=1, actor=alice, assignee=None, now=NOW)
        assert Incident.objects.get().assignee is None

    @pytest.mark.parametrize("remover", ["alice", "bob"])
    def test_lose_those_who_leave(
        self,
        found: Callable[..., list[str]],
        finding: Finding,
        acme: Organization,
        alice: User,
        bob: User,
        remover: str,
    ) -> None:
        found(finding, now=NOW)
        incidents.assign(organization=acme, number=1, actor=alice, assignee=bob, now=NOW)
        actor = Membership.objects.get(organization=acme, user__email=f"{remover}@example.com")
        members.remove(membership=bob.memberships.get(), actor=actor, now=NOW)
        assert Incident.objects.get().assignee is None
        Membership.objects.create(organization=acme, user=bob, role=Role.MEMBER)
        assert Incident.objects.get().assignee is None


@pytest.mark.django_db(transaction=True)
def test_of_two_people_at_once_one_is_told_that_it_is_done(
    found: Callable[..., list[str]], finding: Finding, acme: Organization, alice: User, bob: User
) -> None:
    found(finding, now=NOW)
    refused: list[IllegalTransitionError] = []
    start = threading.Barrier(2)

    def acknowledge(actor: User) -> None:
        start.wait()
        try:
            incidents.acknowledge(organization=acme, number=1, actor=actor, now=NOW)
        except IllegalTransitionError as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=acknowledge, args=(actor,)) for actor in (alice, bob)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [str(error) for error in refused] == ["#1 is already acknowledged."]
    assert steps() == [Kind.OPENED, Kind.ACKNOWLEDGED]


@pytest.mark.django_db(transaction=True)
def test_who_is_removed_while_being_assigned_loses_it(
    found: Callable[..., list[str]], finding: Finding, acme: Organization, alice: User, bob: User
) -> None:
    found(finding, now=NOW)

    def remove() -> None:
        with closing(connection):
            members.remove(membership=bob.memberships.get(), actor=alice.memberships.get(), now=NOW)

    remover = threading.Thread(target=remove)
    with transaction.atomic():
        incidents.assign(organization=acme, number=1, actor=alice, assignee=bob, now=NOW)
        remover.start()
        remover.join(0.3)
        assert remover.is_alive()
    remover.join()
    assert Incident.objects.get().assignee is None
    with pytest.raises(IllegalTransitionError, match="not a member"):
        incidents.assign(organization=acme, number=1, actor=alice, assignee=bob, now=NOW)
