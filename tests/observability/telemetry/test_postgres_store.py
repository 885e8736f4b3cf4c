"""What only shows with real transactions: concurrent writers, rollbacks, staging that outlives a commit."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DataError, connection, transaction
from django.utils import timezone

from observability.telemetry import partitions
from observability.telemetry.records import Fault, Invocation, Record, Window
from observability.telemetry.stores.postgres import PostgresStore
from tests.observability.telemetry.test_store_contract import ACME, NOW, RIVAL, fault, invocation, log_line

WINDOW = Window(NOW - timedelta(days=2), NOW + timedelta(days=1))


@pytest.fixture(autouse=True)
def _empty_tables(transactional_db: None) -> Iterator[None]:
    """Django only empties tables of its own models."""
    yield
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE telemetry_invocation, telemetry_log_line, telemetry_fault, telemetry_rollup_minute, "
            "telemetry_rollup_quarter, telemetry_rollup_hour, telemetry_rollup_day"
        )


def run(*bodies: "threading.Thread") -> None:
    for body in bodies:
        body.start()
    for body in bodies:
        body.join(30)


class TestConcurrentWriters:
    def test_batches_have_no_gap_and_no_fault_is_told_twice(self) -> None:
        """Four writers store overlapping batches of two organizations, in opposite orders."""
        records: list[list[Record]] = [
            [fault(organization_id=owner), invocation(organization_id=owner)]
            for _ in range(20)
            for owner in (ACME, RIVAL)
        ]
        batches = [records[i] + records[-1 - i] for i in range(len(records))]
        errors: list[BaseException] = []
        told: list[Fault] = []
        done = threading.Event()

        def write(mine: list[list[Record]]) -> None:
            store = PostgresStore()
            try:
                for batch in mine:
                    store.append(batch, now=NOW)
            except BaseException as error:  # Handed to the test's own thread.
                errors.append(error)
            finally:
                connection.close()

        def read() -> None:
            store, cursor = PostgresStore(), 0
            try:
                while True:
                    last = done.is_set()
                    mark = store.watermark(ACME)
                    if mark and mark.batch > cursor:
                        told.extend(store.faults_stored(ACME, after_batch=cursor, up_to_batch=mark.batch))
                        cursor = mark.batch
                    if last:
                        return
            finally:
                connection.close()

        reader = threading.Thread(target=read)
        reader.start()
        run(*(threading.Thread(target=write, args=(batches[i::4],)) for i in range(4)))
        done.set()
        reader.join(30)
        assert errors == []
        expected = {
            r.event_id for batch in records for r in batch if isinstance(r, Fault) and r.organization_id == ACME
        }
        assert sorted(f.event_id for f in told) == sorted(expected)
        store = PostgresStore()
        for owner in (ACME, RIVAL):
            mark = store.watermark(owner)
            assert mark is not None
            assert mark.batch == len(batches)
            assert store.total(owner, WINDOW).invocations == 20


class TestTransactions:
    def test_a_rollback_takes_everything_back(self) -> None:
        store = PostgresStore()

        class UndoError(Exception):
            pass

        def stored_and_undone() -> None:
            with transaction.atomic():
                store.append([invocation(), log_line(), fault()], now=NOW)
                raise UndoError

        with pytest.raises(UndoError):
            stored_and_undone()
        assert store.watermark(ACME) is None
        assert store.total(ACME, WINDOW).invocations == 0
        # Partitions and staging tables were taken back as well, and are made again.
        assert store.append([invocation(), log_line(), fault()], now=NOW).duplicates == 0

    def test_many_appends_in_one_transaction_do_not_mix(self) -> None:
        store = PostgresStore()
        with transaction.atomic():
            for _ in range(3):
                assert store.append([invocation(), log_line()], now=NOW).duplicates == 0
                with pytest.raises(DataError):
                    store.append([invocation(), log_line(message="\0")], now=NOW)
        for _ in range(3):
            assert store.append([invocation(), log_line()], now=NOW).duplicates == 0
        assert store.total(ACME, WINDOW).invocations == 6
        assert len(store.log_lines(ACME, WINDOW)) == 6
        mark = store.watermark(ACME)
        assert mark is not None
        assert mark.batch == 6


@pytest.fixture
def _back_to_the_present() -> Iterator[None]:
    """Drop the partitions of later years, which other tests would otherwise meet."""
    yield
    present = (timezone.now() + timedelta(days=60)).date()
    with connection.cursor() as cursor:
        for parent in partitions.parents():
            for name in partitions.existing(parent):
                if (partitions.day_of(name) or present) > present:
                    cursor.execute(f"DROP TABLE {name}")


@pytest.mark.usefixtures("_back_to_the_present")
class TestPartitions:
    def test_days_go_by(self) -> None:
        start = datetime(2027, 1, 1, 3, tzinfo=UTC)
        parent = partitions.parents()[0]
        for day in range(0, 70, 14):
            now = start + timedelta(days=day)
            partitions.maintain(now=now)
            assert partitions.days_ahead(now=now) >= 14
        days = sorted(d for name in partitions.existing(parent) if (d := partitions.day_of(name)))
        assert days[0] >= (now - timedelta(days=30)).date()
        assert days[-1] == (now + timedelta(days=14)).date()
        assert f"{parent.table}_skew" in partitions.existing(parent)

    def test_what_another_process_dropped_is_made_again(self) -> None:
        """Late events may open a day that maintenance, by a shorter retention of some table, closes again."""
        store = PostgresStore()
        records: list[Record] = [invocation(), log_line(), fault()]
        store.append(records, now=NOW)
        with connection.cursor() as cursor:
            for parent in partitions.parents():
                cursor.execute(f"DROP TABLE {partitions.name_of(parent, NOW.date())}")
        assert store.append(records, now=NOW).duplicates == 0

    def test_two_maintainers_at_once_do_no_harm(self) -> None:
        now = datetime(2030, 1, 1, tzinfo=UTC)
        errors: list[BaseException] = []

        def maintain(at: datetime) -> None:
            try:
                partitions.maintain(now=at)
            except BaseException as error:  # Handed to the test's own thread.
                errors.append(error)
            finally:
                connection.close()

        for day in range(0, 60, 20):
            at = now + timedelta(days=day)
            run(*(threading.Thread(target=maintain, args=(at,)) for _ in range(3)))
            assert errors == []
            assert partitions.days_ahead(now=at) == 14

    def test_a_reader_only_delays_the_drop(self) -> None:
        now = datetime(2031, 1, 1, tzinfo=UTC)
        partitions.maintain(now=now)
        later = now + timedelta(days=40)
        reading, done = threading.Event(), threading.Event()

        def read() -> None:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM telemetry_log_line")
                reading.set()
                done.wait(30)
            connection.close()

        reader = threading.Thread(target=read)
        reader.start()
        reading.wait(30)
        partitions.maintain(now=later)
        parent = partitions.parents()[1]
        assert f"{parent.table}_20310101" in partitions.existing(parent)
        done.set()
        reader.join(30)
        partitions.maintain(now=later)
        assert f"{parent.table}_20310101" not in partitions.existing(parent)


def test_rollups_read_whole_rows_of_the_largest_grain() -> None:
    """A day's row answers for a day: hour and minute rows may be gone by then."""
    store = PostgresStore()
    midnight = NOW.replace(hour=0, minute=0, second=0)
    ran: list[Invocation] = [invocation(midnight - timedelta(hours=h)) for h in range(1, 25)]
    store.append(ran, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE telemetry_rollup_minute, telemetry_rollup_quarter, telemetry_rollup_hour")
    assert store.total(ACME, Window(midnight - timedelta(days=1), midnight)).invocations == 24
