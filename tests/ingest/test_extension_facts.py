"""What the extension says of itself, from a request's body to stored facts, in one transaction with the rest."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from ingest import digest as digest_module
from ingest.brake import Brake
from ingest.dead_letters import seal, unseal
from ingest.digest import Digest
from ingest.entry import Entry, Fields, encode_entry
from ingest.models import DeadLetter
from ingest.parser import Batch, Told
from ingest.replay import replay
from observability.inventory.models import Deployment, Resource
from observability.inventory.resources import Resources
from observability.telemetry.environment import Metric
from observability.telemetry.records import Level, Point, Window
from observability.telemetry.stores.postgres import PostgresStore
from observability.tenants.models import Organization
from tests.conftest import ARN
from tests.ingest.test_writer import messages, uuid7

HOUR = timedelta(hours=1)
Event = tuple[str, Any]
USAGE: Event = ("nightjar.usage", {"invocations": 10, "heldMs": 25.0, "tmpUsedBytes": 4096})
SIZE: Event = ("nightjar.size", {"codeBytes": 1000, "layersBytes": 24, "files": 2, "complete": True, "folders": []})
DROPPED: Event = ("nightjar.dropped", {"count": 4})
LINE: Event = ("function", "hello")


def identified(*events: Event, at: datetime | None = None) -> list[dict[str, Any]]:
    at = at or timezone.now()
    return [{"id": str(uuid7(at)), "time": at.isoformat(), "type": type_, "record": rec} for type_, rec in events]


def body(organization: Organization, events: list[dict[str, Any]], name: str = "checkout") -> Fields:
    envelope = {
        "schema": 1,
        "function": {"arn": ARN + name, "version": "$LATEST"},
        "extension": {"version": "1.0", "init_ms": 9.5},
        "events": events,
    }
    now = timezone.now()
    return encode_entry(Entry(organization.pk, 1, "", now, len(events), json.dumps(envelope).encode()))


@pytest.fixture
def store() -> PostgresStore:
    return PostgresStore()


@pytest.fixture
def digest(db: None, store: PostgresStore) -> Digest:
    return Digest(store, Resources(), Brake())


def stored(organization: Organization, metric: Metric, statistic: str = "Sum") -> list[float]:
    now = timezone.now()
    window = Window(now - HOUR, now + HOUR)
    found = PostgresStore().points(organization.pk, window, metric=metric.value, statistic=statistic)
    return [reading.value or 0 for readings in found.values() for reading in readings]


class TestStoring:
    def test_points_lines_and_facts_are_stored_together(self, digest: Digest, acme: Organization) -> None:
        digest.run([("1-0", body(acme, identified(LINE, USAGE, SIZE, DROPPED)))], now=timezone.now())
        assert stored(acme, Metric.INVOCATIONS) == [10]
        assert stored(acme, Metric.TMP, "Maximum") == [4096]
        assert stored(acme, Metric.OWN_INIT, "Average") == [9.5]
        assert stored(acme, Metric.DROPPED) == [4]
        assert len(messages(digest.store, acme)) == 2
        unzipped = Resource.objects.get().config["unzipped"]
        assert (unzipped["code_bytes"], unzipped["layers_bytes"], unzipped["version"]) == (1000, 24, "$LATEST")
        assert not Deployment.objects.exists()

    def test_however_often_they_come_they_count_once(self, digest: Digest, acme: Organization) -> None:
        """The same body again, the same events cut into other bodies, and the same entry in another batch."""
        events = identified(LINE, USAGE, DROPPED, USAGE)
        whole = ("1-0", body(acme, events))
        parts = [("2-0", body(acme, events[:2])), ("3-0", body(acme, events[2:]))]
        for entries in ([whole, whole], parts, [whole, *parts]):
            digest.run(entries, now=timezone.now())
        assert stored(acme, Metric.INVOCATIONS) == [10, 10]
        assert stored(acme, Metric.DROPPED) == [4]
        assert len(messages(digest.store, acme)) == 2

    def test_environments_that_report_in_the_same_second_add_up(self, digest: Digest, acme: Organization) -> None:
        at = timezone.now()
        each_ms = [identified(USAGE, at=at + timedelta(milliseconds=i)) for i in range(20)]
        digest.run([(f"{i}-0", body(acme, events)) for i, events in enumerate(each_ms)], now=timezone.now())
        assert sum(stored(acme, Metric.HELD)) == 25.0 * 20

    def test_a_wrong_clock_does_not_double_them(self, digest: Digest, acme: Organization) -> None:
        now = timezone.now()
        events = identified(USAGE, at=now - timedelta(hours=2))
        for attempt in (0, 3):
            envelope = {
                "schema": 1, "function": {"arn": ARN + "checkout"}, "events": events,
                "sent_at": (now - timedelta(hours=2)).isoformat(),
            }  # fmt: skip
            arrived = now + timedelta(seconds=attempt)
            entry = Entry(acme.pk, 1, "", arrived, 1, json.dumps(envelope).encode())
            digest.run([(f"{attempt}-0", encode_entry(entry))], now=arrived)
        window = Window(now - 3 * HOUR, now + HOUR)
        found = PostgresStore().points(acme.pk, window, metric=Metric.INVOCATIONS.value, statistic="Sum")
        assert [len(readings) for readings in found.values()] == [1]

    @pytest.mark.parametrize("record", [None, "x", [], {"invocations": "x", "heldMs": -1, "fds": 1e308}])
    def test_nonsense_is_left_out_and_poisons_nothing(self, digest: Digest, acme: Organization, record: Any) -> None:
        odd = [("nightjar.usage", record), ("nightjar.size", record), ("nightjar.dropped", record)]
        digest.run([("1-0", body(acme, identified(*odd, LINE)))], now=timezone.now())
        assert messages(digest.store, acme) == ["hello"]
        assert not DeadLetter.objects.exists()


class TestDeadLetters:
    @pytest.fixture(autouse=True)
    def _careless_reader(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One of the points is of a day that nothing is kept of."""

        def told(batch: Batch) -> Told:
            now = batch.events[0].at
            good, old = (
                Point(batch.organization_id, batch.resource_id, "x", "Sum", 0, at, 1.0)
                for at in (now, now - timedelta(days=400))
            )
            return Told(points=[good, old])

        monkeypatch.setattr(digest_module, "told", told)

    def test_a_bad_point_is_kept_apart_and_all_else_stored(self, digest: Digest, acme: Organization) -> None:
        fields = body(acme, identified(LINE))
        for _ in range(2):
            digest.run([("1-0", fields)], now=timezone.now())
        [letter] = DeadLetter.objects.all()
        assert (letter.code, letter.position) == ("refused", 3)
        assert isinstance(unseal(bytes(letter.payload)), Point)
        assert messages(digest.store, acme) == ["hello"]
        assert replay([letter.pk], digest.store, now=timezone.now()) == (0, 1)
        assert replay([letter.pk], digest.store, now=timezone.now() - timedelta(days=399)) == (1, 0)


def test_a_point_is_sealed_and_comes_back_as_it_was() -> None:
    point = Point(1, 2, "x", "Sum", 0, timezone.now(), 1.5)
    assert unseal(seal(point)) == point


def test_the_level_of_what_was_dropped_is_the_platforms(digest: Digest, acme: Organization) -> None:
    digest.run([("1-0", body(acme, identified(DROPPED)))], now=timezone.now())
    now = timezone.now()
    [line] = digest.store.log_lines(acme.pk, Window(now - HOUR, now + HOUR))
    assert line.level == Level.PLATFORM
