"""The memory of watching: rows of some thousand series each, whose states are one numpy array as bytes.

Shards are loaded, changed and stored one by one, so that a hundred thousand series need the room of one shard. Each is
locked while it is changed: what a person says of an anomaly changes it too.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import psycopg
from django.db import connection
from django.db.models import QuerySet
from numpy.typing import NDArray

from alerts.models import SeriesShard
from alerts.watching import surprise
from alerts.watching.series import METRIC_BITS, metric_of, resource_of
from alerts.watching.surprise import STATE, State

FORMAT = int.from_bytes(blake2b(repr(STATE.descr).encode(), digest_size=2).digest()) & 0x7FFF
"""Of the bytes of ``states``, which is another one when ``STATE`` is. Memory of another format is begun anew."""

SIZE = 4096
LOAD = (
    "SELECT format, keys, states FROM alerts_seriesshard WHERE organization_id = %s AND number = %s FOR NO KEY UPDATE"
)
STORE = (
    "INSERT INTO alerts_seriesshard (organization_id, number, format, keys, states) VALUES (%s, %s, %s, %s, %s) "
    "ON CONFLICT (organization_id, number) "
    "DO UPDATE SET format = excluded.format, keys = excluded.keys, states = excluded.states"
)
Keys = NDArray[np.int64]


@dataclass(slots=True)
class Shard:
    """``keys`` [n] and ``states`` [n] of the same series, the keys in no order."""

    number: int
    keys: Keys
    states: State

    def keep(self, mask: NDArray[np.bool_]) -> None:
        self.keys, self.states = self.keys[mask], self.states[mask]

    def add(self, keys: Keys) -> None:
        self.keys = np.concatenate((self.keys, keys))
        self.states = np.concatenate((self.states, surprise.fresh(len(keys))))


def plan(organization_id: int, wanted: Keys) -> Iterator[tuple[int, Keys]]:
    """Which series each shard takes on: those of ``wanted`` that none has, with others of the same resource first.

    Every shard is named, also those that take on nothing. Reads keys only.
    """
    known = {row.number: _keys(row) for row in _rows(organization_id).only("number", "format", "keys")}
    fresh = np.setdiff1d(wanted, np.concatenate(list(known.values()))) if known else np.unique(wanted)
    homes = {resource: number for number, keys in known.items() for resource in np.unique(keys >> METRIC_BITS).tolist()}
    chosen: dict[int, list[int]] = {number: [] for number in known}
    room = {number: SIZE - len(keys) for number, keys in known.items()}
    for key in fresh.tolist():
        number = homes.get(resource_of(key))
        if number is None:
            number = next((each for each, left in room.items() if left > 0), max(room, default=-1) + 1)
            homes[resource_of(key)] = number
        chosen.setdefault(number, []).append(key)
        room[number] = room.get(number, SIZE) - 1
    for number in sorted(chosen):
        yield number, np.array(chosen[number], np.int64)


def load(organization_id: int, number: int) -> Shard:
    """One shard, locked until the transaction ends; an empty one where there is none, or none that can be read."""
    with _binary_cursor() as cursor:
        cursor.execute(LOAD, [organization_id, number], binary=True)
        row = cursor.fetchone()
    if row is None or row[0] != FORMAT:
        return Shard(number, np.zeros(0, np.int64), surprise.fresh(0))
    return Shard(number, np.frombuffer(row[1], np.int64).copy(), np.frombuffer(row[2], STATE).copy())


def store(organization_id: int, shard: Shard) -> None:
    """Keep it; without any series it goes."""
    if not len(shard.keys):
        _rows(organization_id).filter(number=shard.number).delete()
        return
    row = [organization_id, shard.number, FORMAT, shard.keys.tobytes(), shard.states.tobytes()]
    with _binary_cursor() as cursor:
        cursor.execute(STORE, row)


def leave(shard: Shard, resource_ids: Iterable[int]) -> None:
    """Forget the series of what is gone, and of metrics that are no longer watched."""
    there = np.fromiter(resource_ids, np.int64)
    known = np.array([metric_of(key) is not None for key in shard.keys.tolist()], bool)
    shard.keep(known & np.isin(shard.keys >> METRIC_BITS, there))


def find(organization_id: int, key: int) -> tuple[Shard, int] | None:
    """The shard that has a series, locked, and its place there; None where none has."""
    for row in _rows(organization_id).only("number", "format", "keys"):
        if key in _keys(row):
            shard = load(organization_id, row.number)
            places = np.flatnonzero(shard.keys == key)
            return (shard, int(places[0])) if places.size else None
    return None


def forget(organization_id: int) -> None:
    """Let go of everything that was learnt."""
    _rows(organization_id).delete()


def is_outdated(organization_id: int) -> bool:
    """Whether there is memory of another format, as after an update of Nightjar."""
    return _rows(organization_id).exclude(format=FORMAT).exists()


def count(organization_id: int) -> int:
    """How many series are watched."""
    return sum(len(_keys(row)) for row in _rows(organization_id).only("number", "format", "keys"))


def _keys(row: SeriesShard) -> Keys:
    keys: Keys = np.frombuffer(bytes(row.keys), np.int64) if row.format == FORMAT else np.zeros(0, np.int64)
    return keys.copy()


def _rows(organization_id: int) -> QuerySet[SeriesShard]:
    return SeriesShard.objects.filter(organization=organization_id).order_by("number")


def _binary_cursor() -> psycopg.Cursor[Any]:
    """A third of the time of Django's own, which writes bytes as text of twice the length; in the same transaction."""
    connection.ensure_connection()
    return psycopg.Cursor(connection.connection)
