"""How surprising each new number of many series is: one pass, fixed state, numpy over all series at once.

Of every series six streams are derived (``STREAMS``), and of each stream and side the largest peaks of this and the
last fortnight are kept. Peaks over threshold with an exponential tail give the probability of a new value (Siffer et
al. 2017, https://doi.org/10.1145/3097983.3098144); its surprise is -log10 of that, added up over the streams. Unlike
deviations, surprises compare between series.

Nothing here looks ahead, reads a clock or keeps history: a series is one row of ``STATE``. In signatures below, n is
the number of series, and arrays are of that length unless a shape is given.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

HOUR, DAY = 3_600.0, 86_400.0
BLOCK = 2.5 * HOUR
"""One peak is taken of so long: values in a row are one event, not many."""

LEARNING = 10
"""Blocks to be seen before anything can be surprising: a day."""

GENERATION = 14 * DAY
"""Peaks are kept for one to two of these: an incident does not raise the bar for ever."""

PEAKS = 5
"""Kept of each stream, side and generation."""

PART, PARTS = 4 * HOUR, 42
"""The week in parts: how far each is from what its hours usually are, as a share of the level."""

SETTLED, FAMILIAR = 4 * DAY, 13 * DAY
"""Days of the week are learnt once hours are known, and used once each was seen twice."""

DIFFERS = 0.3
"""By so much of the level the days of a week differ where it is worth naming them."""

LIMIT = 20.0
"""In scales of the tail above its bar: a peak is learnt as no higher, so that one incident does not hide the next."""

CAP = 12.0
"""The most that one stream may say: six streams see one event, and none may speak for all."""

QUIET = DAY
ESCALATION = 1.2
"""So long after an alarm nothing is told of the series that is not by this factor more surprising."""

UNKNOWN = np.float32(3e38)
"""The bar of a tail of which nothing is known yet: nothing is over it."""

LAST, SHORT, LONG, SPREAD, DEVIATION = range(5)
"""Places in ``means``: last value, mean of an hour and of a day, distance from the former and from what is expected."""

PROFILE, WEEK = 5, 6
TAUS = np.array([1e-3, HOUR, DAY, 2 * HOUR, DAY, 5 * HOUR, 2 * PART])
"""Time constants of the means, the profile and the week: five hours of one hour of the day are five days."""

NEVER = 1e30
"""The time constant of what is not learnt yet."""

CLIP = 3.0
"""Deviations by which one value may pull the profile of the day, and the week."""

FLOORS = 0.01, 0.5, 0.2
"""A tail is no narrower than this share of the level, half a count where numbers are whole, a factor of e^0.2."""

STREAMS = 6
LOG_SPREAD, RESIDUAL, EXPECTED = 4, 5, 5
# From (value, last, short, long, log spread, expected) to value, step, short mean, short less long mean, log of the
# local spread, and residual against the hour of the day and the day of the week.
DERIVE = np.array(
    [
        [1.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        [0.0, -1.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 1.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, -1.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0, -1.0],
    ]
)
BOTH = np.hstack((DERIVE, -DERIVE))
"""[feature, tail]: the streams, and then again with the sign that makes their lows peaks."""

TAILS = 2 * STREAMS
SUMS = np.stack((np.ones(TAILS), np.repeat([1.0, -1.0], STREAMS)), axis=1)
"""[tail, 2]: adds up all tails, and those above less those below."""

LN10 = float(np.log(10))

STATE = np.dtype(
    [
        ("seen_at", "f8"),
        ("block_until", "f8"),
        ("generation_until", "f8"),
        ("quiet_until", "f8"),
        ("told", "f4"),
        ("floor", "f4"),
        ("limit", "f4"),
        ("base", "f4"),
        ("means", "f4", 5),
        ("taus", "f4", 7),
        ("reach", "f4", 2),
        ("blocks", "f4", 2),
        ("profile", "f4", 24),
        ("week", "f2", PARTS),
        ("peak", "f4", TAILS),
        ("held", "f4", TAILS),
        ("usual", "f4", TAILS),
        ("bar", "f4", TAILS),
        ("gain", "f4", TAILS),
        ("peaks", "f4", (2, TAILS, PEAKS)),
        ("whole", "?"),
        ("familiar", "?"),
        ("differs", "?"),
    ],
    align=True,
)
State = NDArray[np.void]
Numbers = NDArray[np.float64]
Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Judged:
    """What is to say of one value of each of n series. ``reach`` [n, 2] is how far the usual goes up and down.

    ``lean`` is the surprise of what is above less that of what is below. Where nothing was seen, all but ``surprise``
    and ``learning`` is NaN.
    """

    surprise: Numbers
    expected: Numbers
    reach: Numbers
    lean: Numbers
    learning: Mask

    @property
    def low(self) -> Numbers:
        return self.expected - self.reach[:, 1]

    @property
    def high(self) -> Numbers:
        return self.expected + self.reach[:, 0]

    @property
    def side(self) -> NDArray[np.int8]:
        """1 above and -1 below what is usual."""
        return np.where(self.lean < 0, np.int8(-1), np.int8(1))


def fresh(n: int) -> State:
    """The state of n series of which nothing was seen."""
    state = np.zeros(n, STATE)
    state["seen_at"] = np.nan
    state["block_until"] = state["generation_until"] = state["quiet_until"] = -np.inf
    for name in ("peak", "held", "usual", "peaks"):
        state[name] = -np.inf
    state["bar"] = UNKNOWN
    state["reach"] = np.nan
    state["gain"] = 1.0
    state["whole"] = True
    state["base"] = -1.0
    return state


def update(state: State, values: Numbers, *, at_s: float, step_s: float) -> Judged:
    """Judge the values at ``at_s`` (seconds of UTC since 1970), then learn them, in place.

    NaN is a missing value: it is not judged and changes nothing. ``step_s`` is the usual time between values; means
    go by the time that really passed.
    """
    present = np.isfinite(values)
    if np.count_nonzero(present) == len(state):
        return _update(state, values, at_s)
    rows = np.flatnonzero(present)
    part = state[rows]
    judged = _update(part, values[rows], at_s)
    state[rows] = part
    return _spread(judged, rows, len(state))


def _spread(judged: Judged, rows: Rows, n: int) -> Judged:
    """The same for all n series, of which only these rows were judged."""
    gap = [np.full(n, np.nan) for _ in range(2)]
    whole = Judged(np.zeros(n), gap[0], np.full((n, 2), np.nan), gap[1], np.ones(n, bool))
    for name in Judged.__slots__:
        getattr(whole, name)[rows] = getattr(judged, name)
    return whole


def _update(state: State, x: Numbers, at_s: float) -> Judged:
    over = at_s >= state["block_until"]
    if np.count_nonzero(over):
        _turn(state, np.flatnonzero(over), x, at_s)
    features = _learn(state, x, at_s)
    tails = features @ BOTH
    peak, base = state["peak"], state["base"]
    np.maximum(peak, tails, out=peak)
    tails -= state["bar"]
    tails *= state["gain"]
    sums = _sums(tails, base)
    return Judged(sums[:, 0], features[:, EXPECTED], state["reach"].astype(float), sums[:, 1], base < 0)


def _sums(tails: Numbers, base: Any) -> Numbers:
    """Surprise and lean [n, 2] of excesses over the bars [n, tail], of which mostly there is none."""
    over = tails > 0
    if not np.count_nonzero(over):
        return np.zeros((len(tails), 2))
    tails += base[:, None]
    np.minimum(tails, CAP, out=tails)
    tails *= over
    sums: Numbers = tails @ SUMS
    return sums


def _learn(state: State, x: Numbers, at_s: float) -> Numbers:
    """The features [n, 6] that streams are derived from; the means and the profile take the value in."""
    passed = np.minimum(state["seen_at"] - at_s, 0.0)
    state["seen_at"] = at_s
    fading = np.expm1(passed[:, None] / state["taus"])
    means = state["means"].astype(float)
    features = np.empty((len(x), STREAMS))
    features[:, 0] = x
    features[:, 1] = means[:, LAST]
    pull = x[:, None] - means
    features[:, EXPECTED], pull[:, DEVIATION] = _expected(state, x, means[:, LONG], fading, at_s)
    away = pull[:, SPREAD:]
    pull[:, SPREAD] = pull[:, SHORT] * (1 + fading[:, SHORT])
    np.abs(away, out=away)
    away -= means[:, SPREAD:]
    pull *= fading[:, :PROFILE]
    means -= pull
    state["means"] = means
    features[:, 2:5] = means[:, SHORT : SPREAD + 1]
    spread = features[:, LOG_SPREAD]
    spread += state["floor"]
    np.log(spread, out=spread)
    return features


def _expected(state: State, x: Numbers, usual: Numbers, fading: Numbers, at_s: float) -> tuple[Numbers, Numbers]:
    """What was expected, and how far the value is from what it is by the hour alone, whatever the day of the week.

    The mean of a day, and what this hour usually is away from it: between the middles of two hours, in line. What
    this part of the week is away from that comes on top, so that nothing below depends on it.

    The profile moves towards the value, but no farther than an ordinary deviation pulls.
    """
    hour = at_s / HOUR - 0.5
    first = int(hour // 1)
    share = hour - first
    before, after = state["profile"][:, first % 24], state["profile"][:, (first + 1) % 24]
    expected: Numbers = usual + before * (1 - share) + after * share
    residual = x - expected
    limit = state["limit"]
    pull = np.minimum(residual, limit)
    pull = np.maximum(pull, -limit)
    pull *= fading[:, PROFILE]
    part = pull * share
    after -= part
    before -= pull - part
    expected += _of_the_week(state, residual, usual, fading[:, WEEK], at_s)
    return expected, residual


def _of_the_week(state: State, residual: Numbers, usual: Numbers, fading: Numbers, at_s: float) -> Numbers:
    """How far this part of the week usually is from what its hours are: in line between middles, like the profile.

    The residual is learnt, also while nothing is told of it yet.
    """
    part = at_s / PART - 0.5
    first = int(part // 1)
    share = part - first
    before, after = state["week"][:, first % PARTS], state["week"][:, (first + 1) % PARTS]
    scale = np.maximum(np.abs(usual) + state["floor"], np.maximum(state["means"][:, DEVIATION], 1e-9))
    old, new = before.astype(float), after.astype(float)
    away: Numbers = old * (1 - share) + new * share
    away *= scale
    limit = state["limit"]
    pull = np.minimum(residual - away, limit)
    pull = np.maximum(pull, -limit)
    pull *= fading
    pull /= scale
    before[:] = (old - pull * (1 - share)).astype(np.float32)  # By way of f4, which numpy casts much faster.
    after[:] = (new - pull * share).astype(np.float32)
    away *= state["familiar"]
    return away


def _turn(state: State, rows: Rows, x: Numbers, at_s: float) -> None:
    """A block is over for these rows: its peaks join the tails, and what depends on age and level is worked out."""
    part = state[rows]
    value = x[rows]
    begun = np.isnan(part["seen_at"])
    part["seen_at"][begun] = at_s
    part["means"][begun, :SPREAD] = value[begun, None]
    part["blocks"][~begun, 0] += 1
    part["whole"] &= value == np.rint(value)
    highest = np.where(part["bar"] < UNKNOWN, part["bar"] + LIMIT * _scale(part), np.inf)
    _insert(part, np.minimum(part["peak"], highest))
    np.maximum(part["held"], part["peak"], out=part["held"])
    part["peak"] = -np.inf
    _age(part, at_s)
    _fit(part)
    part["block_until"] = at_s + BLOCK
    state[rows] = part


def _insert(state: State, peak: Any, times: int = 1) -> None:
    """Put a peak [n, tail] into its place among the largest of this generation, which are in order."""
    top = state["peaks"][:, 0]
    for _ in range(times):
        top[:, :, 1:] = np.maximum(top[:, :, 1:], np.minimum(top[:, :, :-1], peak[:, :, None]))
        top[:, :, 0] = np.maximum(top[:, :, 0], peak)


def _age(state: State, at_s: float) -> None:
    """Begin a generation where one is over. Young series take in values faster."""
    old = at_s >= state["generation_until"]
    for name, empty in (("peaks", -np.inf), ("blocks", 0)):
        state[name][old, 1] = state[name][old, 0]
        state[name][old, 0] = empty
    state["generation_until"][old] = at_s + GENERATION
    seen = np.maximum(state["blocks"].sum(axis=1), 1e-3) * BLOCK
    state["taus"] = np.minimum(TAUS, seen[:, None])
    state["taus"][:, PROFILE] = np.minimum(TAUS[PROFILE], HOUR * (1 + seen / DAY))
    state["taus"][:, WEEK] = np.where(seen < SETTLED, NEVER, TAUS[WEEK])
    state["familiar"] = seen >= FAMILIAR
    days = state["week"].reshape(len(state), 7, -1).mean(axis=2, dtype=float)
    state["differs"] = state["familiar"] & (np.ptp(days, axis=1) >= DIFFERS)
    level, count, _ = FLOORS
    floor = np.maximum(level * np.abs(state["means"][:, LONG]), np.where(state["whole"], count, 1e-9))
    state["floor"] = floor
    state["limit"] = CLIP * (state["means"][:, DEVIATION] + floor)


def _fit(state: State) -> None:
    """Bar and scale of each tail: the lowest of the highest peaks of both generations, and how far others exceed it."""
    highest = np.sort(state["peaks"].transpose(0, 2, 1, 3).reshape(len(state), TAILS, -1), axis=2)[:, :, -PEAKS:]
    blocks = state["blocks"].sum(axis=1)
    known = np.isfinite(highest[:, :, 0]) & (blocks >= LEARNING)[:, None]
    bar = np.where(known, highest[:, :, 0], UNKNOWN)
    scale = np.broadcast_to(state["floor"][:, None], bar.shape).copy()
    scale[:, LOG_SPREAD::STREAMS] = FLOORS[2]
    mean = np.where(known[:, :, None], highest, 0.0)[:, :, 1:].mean(axis=2) - np.where(known, bar, 0.0)
    scale = np.maximum(scale, mean)
    state["bar"], state["gain"] = bar, 1 / (LN10 * scale)
    state["base"] = np.where(blocks >= LEARNING, np.log10(np.maximum(blocks / PEAKS, 1.0)), -1.0)
    away = np.where(known, bar + scale, CLIP * state["limit"][:, None])
    state["reach"] = away[:, RESIDUAL::STREAMS]


def _scale(state: State) -> Any:
    """By how much peaks exceed the bar of their tail, on average [n, tail]."""
    return 1 / (LN10 * state["gain"])


def alarm(state: State, judged: Judged, *, at_s: float, threshold: float) -> Mask:
    """Which series to tell of now: at the threshold, and not told of within a day unless it got worse. Remembers it."""
    quiet = at_s < state["quiet_until"]
    worse = judged.surprise >= ESCALATION * state["told"]
    told: Mask = (judged.surprise >= threshold) & (worse | ~quiet)
    rows = np.flatnonzero(told)
    begun = rows[~quiet[rows]]
    state["held"][begun] = -np.inf
    state["usual"][begun] = state["bar"][begun] + _scale(state[begun])
    state["told"][rows] = judged.surprise[rows]
    state["quiet_until"][rows] = at_s + QUIET
    return told


def absorb(state: State, mask: Mask) -> None:
    """What these series were last told of was expected, a person says: it counts as seen often."""
    part = state[mask]
    _insert(part, np.maximum(part["held"], part["peak"]), times=(PEAKS + 1) // 2)
    _fit(part)
    state[mask] = part


def forget(state: State, mask: Mask) -> None:
    """What these series were last told of was an incident: its peaks leave the tails, so that the next one shows."""
    part = state[mask]
    top = part["peaks"][:, 0]
    top[top > part["usual"][:, :, None]] = -np.inf
    top[:] = -np.sort(-top, axis=2)
    part["peak"] = -np.inf
    _fit(part)
    state[mask] = part
