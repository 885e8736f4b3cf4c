"""Numbers of functions that are all well: what each series shows, step by step, week after week."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from alerts.watching.series import BY_NAME, STEP

Grid = NDArray[np.float64]
"""[step, function]"""

A_DAY = int(timedelta(days=1) / STEP)
KINDS = ("seasonal", "bursty", "sparse", "clock")
CLOCKS = (1, 3, 12, A_DAY)
"""Steps between the runs of functions that a clock starts."""

USD_PER_GB_S = 0.0000166667


@dataclass(frozen=True, slots=True)
class Well:
    """``values`` and ``of`` by metric name: NaN where a step says nothing."""

    values: Mapping[str, Grid]
    of: Mapping[str, Grid]


def well(random: np.random.Generator, functions: int, weeks: int) -> Well:
    """Functions of all kinds in turn, deployed twice a week. Begins on a Monday."""
    steps = weeks * 7 * A_DAY
    rate = _rates(random, functions, steps)
    runs = random.poisson(rate * random.gamma(50.0, 1 / 50.0, rate.shape)).astype(float)
    deployed = _deployments(random, functions, steps, weeks)
    cold = np.where(deployed, 0.9, 0.005 + 0.6 * np.exp(-rate / 3))
    median = 10 ** random.uniform(1, 3.3, functions) * _shifts(random, deployed, 0.9, 1.15)
    memory = random.uniform(40, 900, functions) * _shifts(random, deployed, 0.95, 1.08)
    wide = random.uniform(0.1, 0.6, functions)
    noise = wide / np.sqrt(np.maximum(runs, 1))
    mistakes = random.choice([0.0, 0.0, 0.0005, 0.003], functions)
    busy = runs * median / 1_000
    levels = {
        "invocations": runs,
        "duration_p50": median * np.exp(1.25 * noise * random.standard_normal(rate.shape)),
        "duration_p95": median * np.exp(1.645 * wide + 2.1 * noise * random.standard_normal(rate.shape)),
        "memory": memory * (1 + 0.01 * random.standard_normal(rate.shape)),
        "cost": busy * USD_PER_GB_S * A_DAY / 24,
        "throttles": np.zeros_like(runs),
        "concurrency": np.minimum(runs, 1 + random.poisson(3 * busy / STEP.total_seconds())),
    }
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = {
            "errors": 100 * random.binomial(runs.astype(int), mistakes) / runs,
            "cold_starts": 100 * random.binomial(runs.astype(int), cold) / runs,
        }
    values = {**levels, **shares}
    always = ("invocations", "cost", "throttles")
    said = {
        name: np.where(runs >= (0 if name in always else BY_NAME[name].needs), values[name], np.nan) for name in values
    }
    return Well(said, {name: runs if name in shares else np.full_like(runs, np.nan) for name in values})


def _rates(random: np.random.Generator, functions: int, steps: int) -> Grid:
    """Invocations to be expected in each step."""
    step = np.arange(steps)[:, None]
    wave = 1 + random.uniform(0, 0.9, functions) * np.sin(2 * np.pi * (step / A_DAY - random.uniform(0, 1, functions)))
    week = np.where(step // A_DAY % 7 >= 5, random.uniform(0.3, 1.1, functions), 1.0)
    kind = np.arange(functions) % len(KINDS)
    level = 10 ** np.array([random.uniform(*((1, 3), (0.5, 2.5), (-1.7, 0.3), (0, 2))[each]) for each in kind])
    rate = level * wave * week
    for place in np.flatnonzero(kind == KINDS.index("bursty")).tolist():
        rate[:, place] *= _bursts(random, steps)
    for place in np.flatnonzero(kind == KINDS.index("clock")).tolist():
        every = int(random.choice(CLOCKS))
        rate[:, place] = np.where(step[:, 0] % every == random.integers(every), level[place], 0.0)
    return np.maximum(rate, 0.0)


def _bursts(random: np.random.Generator, steps: int) -> Grid:
    """Slow ups and downs, and three times a day some minutes of two to eight times as much."""
    knots = np.arange(0, steps + 36, 36)
    course = np.exp(np.interp(np.arange(steps), knots, random.normal(0, random.uniform(0.1, 0.5), len(knots))))
    for begin in random.integers(0, steps, 3 * steps // A_DAY).tolist():
        course[begin : begin + int(random.integers(1, 5))] *= random.uniform(2, 8)
    return course


def _deployments(random: np.random.Generator, functions: int, steps: int, weeks: int) -> NDArray[np.bool_]:
    """In which steps [step, function] each function was deployed."""
    deployed = np.zeros((steps, functions), bool)
    for week in range(weeks):
        at = random.integers(week * 7 * A_DAY, (week + 1) * 7 * A_DAY, (2, functions))
        deployed[at, np.arange(functions)] = True
    return deployed


def _shifts(random: np.random.Generator, deployed: NDArray[np.bool_], low: float, high: float) -> Grid:
    """By what all deployments so far changed a level."""
    change: Grid = np.where(deployed, np.log(random.uniform(low, high, deployed.shape)), 0.0)
    return np.exp(np.cumsum(change, axis=0))
