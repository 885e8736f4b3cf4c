"""From buffered entries to stored facts: decode, find the resource, parse, append. What fails is taken apart.

Everything here may run twice for the same entry: facts are stored once each, and so are dead letters.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from django.db import DataError, IntegrityError, transaction

from ingest.brake import Brake
from ingest.dead_letters import WHOLE, Letter, bury
from ingest.entry import BufferedBatch, CorruptEntryError, Fields, decode_entry
from ingest.parser import Batch, FunctionInfo, Told
from ingest.parsers import parse, told
from observability.inventory import measurements
from observability.inventory.resources import Function, InvalidArnError, Resources, UnknownOrganizationError
from observability.telemetry.records import Appended, Point, Record
from observability.telemetry.store import Store

logger = logging.getLogger(__name__)

REFUSED = (DataError, IntegrityError, ArithmeticError, LookupError, TypeError, ValueError)
"""What the data itself is to blame for; a database that is away raises ``OperationalError``."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one entry says."""

    entry_id: str
    organization_id: int
    records: list[Record]
    points: list[Point] = field(default_factory=list)


@dataclass(slots=True)
class Outcome:
    """What became of some entries. ``dropped`` counts events of organizations that are gone."""

    appended: Appended = field(default_factory=Appended)
    dead: Counter[str] = field(default_factory=Counter)
    dropped: int = 0

    def add(self, appended: Appended) -> None:
        mine = self.appended
        self.appended = Appended(
            mine.invocations + appended.invocations,
            mine.log_lines + appended.log_lines,
            mine.faults + appended.faults,
            mine.duplicates + appended.duplicates,
        )


Item = tuple[Parsed, int, Record | Point]


def numbered(parsed: Parsed) -> Iterator[Item]:
    """What an entry says, piece by piece, with its position; 0 is the whole of it."""
    for position, fact in enumerate([*parsed.records, *parsed.points], start=WHOLE + 1):
        yield parsed, position, fact


def append(store: Store, records: Sequence[Record], points: Sequence[Point], *, now: datetime) -> Appended:
    """Store both or neither."""
    if not points:
        return store.append(records, now=now)
    with transaction.atomic():
        store.append_points(points, now=now)
        return store.append(records, now=now)


class Digest:
    """Stores entries. One per process: it remembers resources, and how much went wrong lately."""

    def __init__(self, store: Store, resources: Resources, brake: Brake) -> None:
        self.store = store
        self.resources = resources
        self.brake = brake

    def run(self, entries: Sequence[tuple[str, Fields]], *, now: datetime) -> Outcome:
        """Store these entries, in one transaction. Raises ``BrakeError`` when nothing should be stored any more."""
        parsed, letters, outcome = self.read(entries, now=now)
        if letters:
            return self._with_letters(parsed, letters, outcome, now=now)
        try:
            outcome.add(self._append(parsed, now=now))
        except REFUSED:
            return self._with_letters(parsed, letters, outcome, now=now)
        for each in parsed:
            self.brake.passed(each.organization_id, len(each.records))
        return outcome

    def read(
        self, entries: Sequence[tuple[str, Fields]], *, now: datetime
    ) -> tuple[list[Parsed], list[Letter], Outcome]:
        """Entries as records; those that cannot be read, as letters."""
        parsed, letters, outcome = [], [], Outcome()
        for entry_id, fields in entries:
            try:
                parsed.append(self._read(entry_id, fields, now=now))
            except UnknownOrganizationError:
                outcome.dropped += event_count(fields)
            except CorruptEntryError as error:
                letters.append(whole(entry_id, fields, "corrupt_entry", error))
            except InvalidArnError as error:
                letters.append(whole(entry_id, fields, "invalid_arn", error))
            except ParserError as error:
                letters.append(whole(entry_id, fields, "parser_failed", error))
        return parsed, letters, outcome

    def _read(self, entry_id: str, fields: Fields, *, now: datetime) -> Parsed:
        buffered = decode_entry(fields)
        function = buffered.function
        at = buffered.events[0].at if buffered.events else now
        [resource_id] = self.resources.resolve(buffered.organization_id, [described(function)], now=now, at=at)
        records, own = read_events(buffered, resource_id)
        measurements.note(resource_id, unzipped=own.unzipped, extensions=own.extensions)
        return Parsed(entry_id, buffered.organization_id, [*records, *own.lines], own.points)

    def _append(self, parsed: Sequence[Parsed], *, now: datetime) -> Appended:
        """Everything that was read, or nothing of it."""
        records = list(chain.from_iterable(each.records for each in parsed))
        return append(self.store, records, list(chain.from_iterable(each.points for each in parsed)), now=now)

    def _with_letters(
        self, parsed: Sequence[Parsed], letters: Sequence[Letter], outcome: Outcome, *, now: datetime
    ) -> Outcome:
        """Store every good record, and each bad one as a letter, in one transaction."""
        with transaction.atomic():
            for letter in letters:
                self._bury(letter, outcome, now=now)
            items = [item for each in parsed for item in numbered(each)]
            self._halve(items, outcome, now=now)
        return outcome

    def _halve(self, items: Sequence[Item], outcome: Outcome, *, now: datetime) -> None:
        records = [fact for _, _, fact in items if not isinstance(fact, Point)]
        points = [fact for _, _, fact in items if isinstance(fact, Point)]
        try:
            with transaction.atomic():
                outcome.add(append(self.store, records, points, now=now))
        except REFUSED as error:
            if len(items) > 1:
                middle = len(items) // 2
                self._halve(items[:middle], outcome, now=now)
                self._halve(items[middle:], outcome, now=now)
                return
            each, position, fact = items[0]
            reason = f"{type(error).__name__}: {error}"
            letter = Letter(each.organization_id, each.entry_id, position, "refused", reason, fact)
            self._bury(letter, outcome, now=now)
        else:
            for organization_id, count in Counter(each.organization_id for each, _, _ in items).items():
                self.brake.passed(organization_id, count)

    def _bury(self, letter: Letter, outcome: Outcome, *, now: datetime) -> None:
        count = event_count(letter.content) if isinstance(letter.content, dict) else 1
        outcome.dead[letter.code] += count
        bury([letter], now=now)
        self.brake.failed(letter.organization_id, count)

    def give_up(self, entry_id: str, fields: Fields, attempts: int, *, now: datetime) -> Outcome:
        """Bury an entry that has been handed out so often that it must be what ends the writers."""
        outcome = Outcome()
        reason = RuntimeError(f"handed out {attempts} times, never stored")
        with transaction.atomic():
            self._bury(whole(entry_id, fields, "undeliverable", reason), outcome, now=now)
        return outcome


class ParserError(Exception):
    """A parser failed on an entry that had passed the checks at the edge."""


def read_events(buffered: BufferedBatch, resource_id: int) -> tuple[list[Record], Told]:
    """What an entry passes on, and what the extension says itself.

    Raises ``ParserError`` whatever goes wrong: one entry must not stop the others.
    """
    region = buffered.function.arn.split(":")[3]
    batch = Batch(buffered.organization_id, resource_id, buffered.function, region, buffered.events, buffered.extension)
    try:
        return parse(batch), told(batch)
    except Exception as error:
        logger.exception("ingest.parser_failed")
        raise ParserError(f"{type(error).__name__}: {error}") from error


def described(function: FunctionInfo) -> Function:
    told = {
        "runtime": function.runtime,
        "memory_mb": function.memory_mb,
        "timeout_s": function.timeout_s,
        "architecture": function.architecture,
        "log_group": function.log_group,
        "ephemeral_mb": function.ephemeral_mb,
    }
    return Function(function.arn, function.version, {key: value for key, value in told.items() if value})


def organization_of(fields: Fields) -> int | None:
    """Whose entry it is; None when even that cannot be read."""
    text = fields.get(b"org", b"")
    return int(text) if text.isdigit() and len(text) < 19 else None


def event_count(fields: Fields) -> int:
    text = fields.get(b"n", b"")
    return int(text) if text.isdigit() and len(text) < 9 else 1


def whole(entry_id: str, fields: Fields, code: str, error: Exception) -> Letter:
    return Letter(organization_of(fields) or 0, entry_id, WHOLE, code, str(error), fields)


def slices(sizes: Sequence[int], most: int) -> Iterator[slice]:
    """Cut a sequence into runs of at most ``most`` in sum (or single items)."""
    start = total = 0
    for index, size in enumerate(sizes):
        if index > start and total + size > most:
            yield slice(start, index)
            start, total = index, 0
        total += size
    if start < len(sizes):
        yield slice(start, len(sizes))
