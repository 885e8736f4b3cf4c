"""How surprising each new number of many series is; one pass, fixed state, numpy over all series at once.

Six residual streams are taken of every series (``_streams``). Of each stream and side the largest hourly peaks of this
and the last fortnight are kept; a new value's tail probability is read off them by peaks over threshold with an
exponential tail (Siffer et al. 2017, https://doi.org/10.1145/3097983.3098144). Its surprise is the sum over the
streams of -log10 of that probability. Surprises compare between series, which deviations do not.

Nothing here looks ahead, reads a clock or keeps history: a series is one row of ``STATE``.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

HOUR, DAY = 3_600.0, 86_400.0
STREAMS = 6
PEAKS = 6
"""Kept of each stream and side, in each of two generations."""

BLOCK = HOUR
"""One peak is taken of so long: values in a row are one event."""

GENERATION = 14 * DAY
LEARNING = 24
"""Hours that must have been seen before anything can be surprising."""

SHORT, LONG, SPREAD, PROFILE = HOUR, DAY, 2 * HOUR, 5 * HOUR
CLIP = 3.0
FLOOR = 0.005
QUIET = DAY

STATE = np.dtype(
    [
        ("seen_at", "f8"),
        ("block_at", "f8"),
        ("generation_at", "f8"),
        ("quiet_until", "f8"),
        ("age", "f4"),
        ("last", "f4"),
        ("short", "f4"),
        ("long", "f4"),
        ("spread", "f4"),
        ("deviation", "f4"),
        ("told", "f4"),
        ("whole", "?"),
        ("profile", "f4", 24),
        ("blocks", "f4", 2),
        ("peak", "f4", 2 * STREAMS),
        ("held", "f4", 2 * STREAMS),
        ("usual", "f4", 2 * STREAMS),
        ("peaks", "f4", (2, 2 * STREAMS, PEAKS)),
        ("bar", "f4", 2 * STREAMS),
        ("scale", "f4", 2 * STREAMS),
    ]
)
State = NDArray[np.void]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """What is to say of one value of each series; all arrays are [series]."""

    surprise: Numbers
    expected: Numbers
    low: Numbers
    high: Numbers
    side: NDArray[np.int8]
    learning: NDArray[np.bool_]


def fresh(n: int) -> State:
    """The state of ``n`` series of which nothing was seen."""
    state = np.zeros(n, STATE)
    state["seen_at"] = np.nan
    state["whole"] = True
    for name in ("peak", "held", "peaks"):
        state[name] = -np.inf
    state["bar"] = np.inf
    state["scale"] = 1.0
    return state


def update(state: State, values: Numbers, *, at_s: Any, step_s: float) -> Judged:
    """Judge ``values`` [series], then learn them in place; NaN is missing and changes nothing.

    ``at_s`` is in seconds of UTC since 1970, one for all or one of each series.
    """
    at = np.broadcast_to(np.asarray(at_s, float), values.shape)
    present = np.isfinite(values)
    if present.all():
        return _update(state, values, at, step_s)
    rows = np.flatnonzero(present)
    part = state[rows]
    judged = _update(part, values[rows], at[rows], step_s)
    state[rows] = part
    n = len(state)
    nothing = [np.full(n, np.nan) for _ in range(3)]
    out = Judged(np.zeros(n), nothing[0], nothing[1], nothing[2], np.zeros(n, np.int8), np.ones(n, bool))
    for name in ("surprise", "expected", "low", "high", "side", "learning"):
        getattr(out, name)[rows] = getattr(judged, name)
    return out


def _update(state: State, x: Numbers, at: Numbers, step_s: float) -> Judged:
    _begin(state, x, at)
    _turn(state, at)
    streams, expected = _streams(state, x, at, step_s)
    both = np.concatenate((streams, -streams), axis=1)
    surprise, side = _surprise(state, both)
    np.maximum(state["peak"], both, out=state["peak"])
    blocks = state["blocks"].sum(axis=1)
    learning = blocks < LEARNING
    surprise[learning] = 0.0
    bar, scale = state["bar"], _scale(state)
    i = STREAMS - 1
    high = expected + bar[:, i] + scale[:, i]
    low = expected - bar[:, i + STREAMS] - scale[:, i + STREAMS]
    return Judged(surprise, expected, low, high, side, learning)


def _begin(state: State, x: Numbers, at: Numbers) -> None:
    rows = np.flatnonzero(np.isnan(state["seen_at"]))
    if rows.size:
        for name in ("last", "short", "long"):
            state[name][rows] = x[rows]
        for name in ("seen_at", "block_at", "generation_at"):
            state[name][rows] = at[rows]


def _turn(state: State, at: Numbers) -> None:
    """Where an hour is over, its peaks become part of the tails."""
    rows = np.flatnonzero(at - state["block_at"] >= BLOCK)
    if not rows.size:
        return
    peaks = state["peaks"][rows]
    blocks = state["blocks"][rows]
    old = at[rows] - state["generation_at"][rows] >= GENERATION
    if old.any():
        peaks[old, 1] = peaks[old, 0]
        peaks[old, 0] = -np.inf
        blocks[old, 1] = blocks[old, 0]
        blocks[old, 0] = 0
        state["generation_at"][rows[old]] = at[rows[old]]
    new = state["peak"][rows]
    state["held"][rows] = np.maximum(state["held"][rows], new)
    bar, scale = state["bar"][rows], _scale(state)[rows]
    new = np.where(np.isfinite(bar), np.minimum(new, bar + LIMIT * scale), new)
    top = peaks[:, 0]
    top[:, :, 1:] = np.maximum(top[:, :, 1:], np.minimum(top[:, :, :-1], new[:, :, None]))
    top[:, :, 0] = np.maximum(top[:, :, 0], new)
    blocks[:, 0] += 1
    state["blocks"][rows] = blocks
    state["peak"][rows] = -np.inf
    state["block_at"][rows] = at[rows]
    _keep(state, rows, peaks)


def _keep(state: State, rows: NDArray[np.intp], peaks: NDArray[np.float32]) -> None:
    """Store the peaks of these rows, and the tail that follows from them."""
    state["peaks"][rows] = peaks
    both = np.sort(np.concatenate((peaks[:, 0], peaks[:, 1]), axis=2), axis=2)[:, :, : -PEAKS - 1 : -1]
    bar = both[:, :, -1]
    known = np.isfinite(bar)
    with np.errstate(invalid="ignore"):
        scale = (both[:, :, :-1] - bar[:, :, None]).mean(axis=2)
    state["bar"][rows] = np.where(known, bar, np.inf)
    state["scale"][rows] = np.where(known, scale, 1.0)


ESCALATION = 1.2
LIMIT = 5.0


def _floor(state: State) -> Any:
    return np.maximum(FLOOR * np.abs(state["long"]), np.where(state["whole"], 0.5, 1e-9))


LOGFLOOR = 0.1


def _scale(state: State) -> Any:
    floor = _floor(state)[:, None]
    low = np.tile(np.where(np.arange(STREAMS) == 4, np.float32(LOGFLOOR), floor), (1, 2))
    return np.maximum(state["scale"], low)


def _streams(state: State, x: Numbers, at: Numbers, step_s: float) -> tuple[Numbers, Numbers]:
    """The six residuals [series, stream] and what was expected; learns the value."""
    dt = at - state["seen_at"]
    state["seen_at"] = at
    age = state["age"] = state["age"] + np.minimum(dt, DAY)
    state["whole"] &= x == np.rint(x)
    floor = _floor(state)
    hour = at / HOUR - 0.5
    first = np.floor(hour)
    w = hour - first
    a = first.astype(int) % 24
    b = (a + 1) % 24
    rows = np.arange(len(x))
    profile = state["profile"]
    pa, pb = profile[rows, a], profile[rows, b]
    expected = state["long"] + (1 - w) * pa + w * pb
    residual = x - expected
    deviation = state["deviation"]
    limit = CLIP * (deviation + floor)
    clipped = np.clip(residual, -limit, limit)
    rate = 1 - np.exp(-dt / np.minimum(PROFILE, HOUR * (1 + age / DAY)))
    profile[rows, a] = pa + rate * (1 - w) * clipped
    profile[rows, b] = pb + rate * w * clipped
    tau = np.minimum(LONG, age + 1e-9)
    rate = 1 - np.exp(-dt / tau)
    state["deviation"] += rate * (np.abs(residual) - deviation)
    state["long"] += rate * (x - state["long"])
    step = x - state["last"]
    state["last"] = x
    state["short"] += (1 - np.exp(-dt / SHORT)) * (x - state["short"])
    away = np.abs(x - state["short"])
    state["spread"] += (1 - np.exp(-dt / SPREAD)) * (away - state["spread"])
    streams = np.empty((len(x), STREAMS))
    streams[:, 0] = x
    streams[:, 1] = step
    streams[:, 2] = state["short"]
    streams[:, 3] = state["short"] - state["long"]
    streams[:, 4] = np.log(state["spread"] + floor)
    streams[:, 5] = residual
    return streams, expected


def _surprise(state: State, both: Numbers) -> tuple[Numbers, NDArray[np.int8]]:
    over = (both - state["bar"]) / _scale(state)
    blocks = np.maximum(state["blocks"].sum(axis=1), PEAKS)
    each = np.where(over > 0, over / np.log(10) + np.log10(blocks / PEAKS)[:, None], 0.0)
    side = np.where(each[:, :STREAMS].sum(axis=1) >= each[:, STREAMS:].sum(axis=1), 1, -1).astype(np.int8)
    return np.minimum(each, CAP).sum(axis=1), side


CAP = 12.0


def alarm(state: State, judged: Judged, *, at_s: float, threshold: float) -> NDArray[np.bool_]:
    """Which series [series] are to be told of now: at the threshold, and not told of within a day unless it got worse.

    Remembers that they were told: for a day only a surprise larger by ``ESCALATION`` is told again.
    """
    quiet = at_s < state["quiet_until"]
    told: NDArray[np.bool_] = (judged.surprise >= threshold) & ~(quiet & (judged.surprise < ESCALATION * state["told"]))
    rows = np.flatnonzero(told)
    if rows.size:
        begun = rows[~quiet[rows]]
        state["held"][begun] = -np.inf
        state["usual"][begun] = state["bar"][begun] + _scale(state)[begun]
        state["told"][rows] = judged.surprise[rows]
        state["quiet_until"][rows] = at_s + QUIET
    return told


def absorb(state: State, mask: NDArray[np.bool_]) -> None:
    """A person said that the last alarm of these series [series] was expected: it counts as seen often."""
    rows = np.flatnonzero(mask)
    worst = np.maximum(state["held"][rows], state["peak"][rows])
    peaks = state["peaks"][rows]
    half = peaks[:, 0, :, PEAKS // 2 :]
    peaks[:, 0, :, PEAKS // 2 :] = np.where(worst[:, :, None] > half, worst[:, :, None], half)
    peaks[:, 0] = -np.sort(-peaks[:, 0], axis=2)
    _keep(state, rows, peaks)


def forget(state: State, mask: NDArray[np.bool_]) -> None:
    """The last alarm of these series [series] was an incident: its peaks leave the tails."""
    rows = np.flatnonzero(mask)
    peaks = state["peaks"][rows]
    top = peaks[:, 0]
    top[top > state["usual"][rows][:, :, None]] = -np.inf
    peaks[:, 0] = -np.sort(-top, axis=2)
    state["peak"][rows] = -np.inf
    _keep(state, rows, peaks)
