"""What is odd in a shard's numbers: the kernel's surprise, kept only where a change matters to somebody.

Three things must agree: the value is far out in the tail of what the series has shown; the change is large enough,
absolutely and relatively, and in a direction that matters; and, for counts and shares, it is no matter of chance.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from alerts.watching import chance, surprise
from alerts.watching.frames import Frame
from alerts.watching.series import BY_NUMBER, METRIC_BITS, STEP, Kind, Metric, resource_of
from alerts.watching.shards import Shard
from alerts.watching.surprise import Judged, State

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]

MATURE = 7 * surprise.DAY
YOUNGEST = 0.5
"""Tails are not known well at first: so much of a surprise counts then, and all of it once a series is mature."""

BELOW = 2.0
"""A number that falls can fall no lower than zero, so that its tails are shorter: so many times its surprise counts."""

CHANCE = 6.0
"""-log10 of the chance that counts must be below: once in a million steps of five minutes."""


Said = tuple[int, bool]
"""The key of a series, and whether a person said that what was odd of it was expected, or else real trouble."""

NOTHING_SAID: Mapping[datetime, Sequence[Said]] = {}


@dataclass(frozen=True, slots=True)
class Sight:
    """One odd value. ``fresh`` says that it is the first of its kind in a day, or worse than what was told then, and
    ``by_day`` that the series is known to differ by the day of the week.

    ``beside`` are the other metrics of the resource in the same step: name → (value, expected).
    """

    resource_id: int
    metric: Metric
    at: datetime
    value: float
    expected: float
    low: float
    high: float
    surprise: float
    side: int
    fresh: bool
    by_day: bool = False
    beside: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Traits:
    """What the catalogue says of each series of a shard, as arrays [n]."""

    metric: NDArray[np.int64]
    least: Numbers
    ratio: Numbers
    above: Mask
    below: Mask
    is_count: Mask
    is_share: Mask


def traits(keys: NDArray[np.int64]) -> Traits:
    number = keys & (1 << METRIC_BITS) - 1
    rows = [BY_NUMBER[each] for each in number.tolist()]
    return Traits(
        metric=number,
        least=np.array([row.least for row in rows]),
        ratio=np.array([row.ratio for row in rows]),
        above=np.array([1 in row.sides for row in rows], bool),
        below=np.array([-1 in row.sides for row in rows], bool),
        is_count=np.array([row.kind is Kind.COUNT for row in rows], bool),
        is_share=np.array([row.kind is Kind.SHARE for row in rows], bool),
    )


def judge(
    shard: Shard, frames: Sequence[Frame], *, threshold: float, said: Mapping[datetime, Sequence[Said]] = NOTHING_SAID
) -> list[Sight]:
    """Take the shard's series through consecutive steps, and tell what was odd on the way.

    ``said`` is what people said before of what ended with a step, for series that are learnt anew.
    """
    known = traits(shard.keys)
    found: list[Sight] = []
    for frame in frames:
        found += _step(shard, known, frame, threshold)
        for key, was_expected in said.get(frame.at, ()):
            teach = surprise.absorb if was_expected else surprise.forget
            teach(shard.states, shard.keys == key)
    return found


def _step(shard: Shard, known: Traits, frame: Frame, threshold: float) -> Iterable[Sight]:
    values, of = frame.of_keys(shard.keys)
    at_s = frame.at.timestamp()
    values = np.where(shard.states["seen_at"] >= at_s, np.nan, values)  # What was judged is not judged again.
    if not np.isfinite(values).any():
        return []
    judged = look(shard.states, known, values, of, at_s=at_s)
    fresh = surprise.alarm(shard.states, judged, at_s=at_s, threshold=threshold)
    rows = np.flatnonzero(judged.surprise >= threshold)
    return [_sight(shard, frame, judged, values, row, bool(fresh[row])) for row in rows.tolist()]


def look(states: State, known: Traits, values: Numbers, of: Numbers, *, at_s: float) -> Judged:
    """Judge and learn one step; the surprise of what does not matter is 0."""
    judged = surprise.update(states, values, at_s=at_s, step_s=STEP.total_seconds())
    with np.errstate(invalid="ignore"):
        matters = _matters(known, judged, values) & _no_chance(known, judged, values, of)
    seen = states["blocks"].sum(axis=1) * surprise.BLOCK
    counts = np.minimum(1.0, YOUNGEST + (1 - YOUNGEST) * seen / MATURE)
    counts = np.where(values < judged.expected, BELOW * counts, counts)
    return replace(judged, surprise=np.where(matters, judged.surprise * counts, 0.0))


def _matters(known: Traits, judged: Judged, values: Numbers) -> Mask:
    """Whether the change is as large as the catalogue asks for, and outside of what is usual."""
    expected = np.maximum(judged.expected, 0.0)
    up = known.above & (values >= judged.high) & (values - expected >= known.least)
    up &= values >= known.ratio * expected
    down = known.below & (values <= judged.low) & (expected - values >= known.least)
    down &= known.ratio * values <= expected
    return up | down


def _no_chance(known: Traits, judged: Judged, values: Numbers, of: Numbers) -> Mask:
    expected = np.maximum(judged.expected, 0.0)
    unlikely = ~(known.is_count | known.is_share)
    unlikely |= known.is_count & (chance.poisson(values, expected) >= CHANCE)
    return unlikely | (known.is_share & (chance.binomial(values * of / 100, of, expected / 100) >= CHANCE))


def _sight(shard: Shard, frame: Frame, judged: Judged, values: Numbers, row: int, fresh: bool) -> Sight:
    key = int(shard.keys[row])
    value, expected = float(values[row]), float(judged.expected[row])
    return Sight(
        resource_id=resource_of(key),
        metric=BY_NUMBER[key & (1 << METRIC_BITS) - 1],
        at=frame.at,
        value=value,
        expected=expected,
        low=max(0.0, float(judged.low[row])),
        high=max(0.0, float(judged.high[row])),
        surprise=float(judged.surprise[row]),
        side=1 if value >= expected else -1,
        fresh=fresh,
        by_day=bool(shard.states["differs"][row]),
        beside=_beside(shard, judged, values, row),
    )


def _beside(shard: Shard, judged: Judged, values: Numbers, row: int) -> dict[str, tuple[float, float]]:
    mine = np.flatnonzero(shard.keys >> METRIC_BITS == shard.keys[row] >> METRIC_BITS)
    return {
        BY_NUMBER[int(shard.keys[other]) & (1 << METRIC_BITS) - 1].name: (
            float(values[other]),
            float(judged.expected[other]),
        )
        for other in mine.tolist()
        if other != row and np.isfinite(values[other]) and np.isfinite(judged.expected[other])
    }
