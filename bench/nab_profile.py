"""NAB's standard profile, after Lavin and Ahmad 2015, https://arxiv.org/abs/1510.03336; and what one number hides.

An alarm in a window earns the more the earlier it is, only the first of a window counts, a window without one costs 1,
and an alarm outside costs 0.11, or less shortly after a window. 0 is a detector that says nothing, 100 a perfect one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.labelled import Series

Numbers = NDArray[np.float64]
FALSE_ALARM, MISSED = 0.11, 1.0
FAR = 3.0
"""Widths of a window after it at which an alarm is as false as any."""

EPISODE_S = 3_600.0
"""Alarms closer than this, or than three rows, are one to whoever is woken."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A row that scores; ``window`` is the number of the one it lies in, over all files, or None."""

    file: int
    row: int
    score: float
    credit: float
    window: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one threshold gives."""

    threshold: float
    score: float
    caught: int
    missed: int
    false_alarms: int
    false_per_week: float


def sigmoid(y: Numbers) -> Numbers:
    """From almost 1 at the beginning of a window (y = -1) over 0 at its end to -1 far after it."""
    return 2 / (1 + np.exp(5 * y)) - 1


def credits_of(series: Series) -> tuple[Numbers, NDArray[np.intp]]:
    """What an alarm at each row [row] is worth, and in which of the windows it lies, or -1."""
    rows = np.arange(len(series.values))
    if not series.windows:
        return np.full(len(rows), -FALSE_ALARM), np.full(len(rows), -1)
    first, last = np.array(series.windows).T
    begun = np.searchsorted(first, rows, side="right") - 1
    width, past = (last - first + 1)[begun], rows - last[begun]
    inside = (begun >= 0) & (past <= 0)
    after = past / np.maximum(width - 1, 1)
    right = sigmoid(np.minimum(past - 1, 0) / width) / sigmoid(np.array(-1.0))
    wrong = np.where((begun < 0) | (after > FAR), -1.0, sigmoid(np.clip(after, 0, FAR)))
    return np.where(inside, right, FALSE_ALARM * wrong), np.where(inside, begun, -1)


def alarms(corpus: Sequence[Series], scores: Mapping[str, Numbers]) -> list[Alarm]:
    """Every row after probation that scores more than 0."""
    found, windows = [], 0
    for file, series in enumerate(corpus):
        credit, window = credits_of(series)
        told = np.flatnonzero(scores[series.name] > 0)
        for row in told[told >= series.probation].tolist():
            inside = windows + int(window[row]) if window[row] >= 0 else None
            found.append(Alarm(file, row, float(scores[series.name][row]), float(credit[row]), inside))
        windows += len(series.windows)
    return found


def outcomes(corpus: Sequence[Series], scores: Mapping[str, Numbers]) -> list[Outcome]:
    """What every threshold gives that makes a difference, the strictest first: nothing at all."""
    found = sorted(alarms(corpus, scores), key=lambda alarm: -alarm.score)
    tally = Tally(corpus)
    told = [tally.outcome(np.inf)]
    for place, alarm in enumerate(found):
        tally.add(alarm)
        if place + 1 == len(found) or found[place + 1].score < alarm.score:
            told.append(tally.outcome(alarm.score))
    return told


class Tally:
    """What the alarms so far amount to."""

    def __init__(self, corpus: Sequence[Series]) -> None:
        self.corpus = corpus
        self.windows = sum(len(series.windows) for series in corpus)
        self.weeks = sum(series.weeks for series in corpus)
        self.cost = 0.0
        self.earned: dict[int, float] = {}
        self.told: dict[int, list[Alarm]] = {}
        self.false: dict[int, int] = {}

    def add(self, alarm: Alarm) -> None:
        if alarm.window is None:
            self.cost -= alarm.credit
        else:
            self.earned[alarm.window] = max(self.earned.get(alarm.window, -MISSED), alarm.credit)
        own = self.told.setdefault(alarm.file, [])
        own.append(alarm)
        self.false[alarm.file] = false_episodes(self.corpus[alarm.file], own)

    def outcome(self, threshold: float) -> Outcome:
        missed, false = self.windows - len(self.earned), sum(self.false.values())
        raw = sum(self.earned.values()) - MISSED * missed - self.cost
        score = 100 * (raw + MISSED * self.windows) / ((1 + MISSED) * self.windows) if self.windows else 0.0
        rate = false / self.weeks if self.weeks else 0.0
        return Outcome(threshold, score, len(self.earned), missed, false, rate)


def false_episodes(series: Series, told: Sequence[Alarm]) -> int:
    """How often somebody would have been woken for nothing: episodes with no alarm in a window."""
    gap = max(EPISODE_S, 3 * series.step_s)
    episodes: list[bool] = []
    until = None
    for alarm in sorted(told, key=lambda each: each.row):
        at = series.at[alarm.row]
        right = alarm.window is not None
        if until is not None and (at - until).total_seconds() <= gap:
            episodes[-1] = episodes[-1] or right
        else:
            episodes.append(right)
        until = at
    return episodes.count(False)


def best(told: Sequence[Outcome]) -> Outcome:
    """The threshold that NAB reports: the best on the very files."""
    return max(told, key=lambda outcome: outcome.score)


def within(told: Sequence[Outcome], per_week: float) -> Outcome:
    """The loosest threshold with at most so many false alarms per series and week."""
    return [outcome for outcome in told if outcome.false_per_week <= per_week][-1]
