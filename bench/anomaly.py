"""The product's anomaly detector on labelled series in NAB's layout: windows caught, false alarms, cost and state.

Scores are NAB's standard profile with the best threshold; because that tolerates a false alarm per series and week,
what is caught at three budgets of false alarms is told too. Whether the detector is causal is tried: the beginning of a
file must score the same whatever comes after it.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from alerts.watching import surprise
from bench.labelled import Series, read
from bench.nab import STEP_S, Detector
from bench.nab_profile import Numbers, Outcome, best, outcomes, within

BUDGETS = (0.05, 0.2, 0.5)
TOGETHER, TICKS = 4_096, 60
"""Series and steps of the timing of many at once: the size of a shard."""

PREFIXES = (0.5, 0.8)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--nab", type=Path, required=True, help="folder in NAB's layout: data/ and labels/")
    parser.add_argument("--files", default="", help="GROUP/FILE.csv, comma separated, or a file that lists them")


def run(chosen: argparse.Namespace) -> dict[str, object]:
    corpus = read(chosen.nab, listed(chosen.files))
    begun = time.process_time()
    scores = {series.name: score(series, len(series.values)) for series in corpus}
    alone = 1e6 * (time.process_time() - begun) / max(1, sum(len(series.values) for series in corpus))
    told = outcomes(corpus, scores)
    at_best = best(told)
    return {
        **told_of(at_best),
        **{f"caught_at_{budget:g}".replace(".", "_"): within(told, budget).caught for budget in BUDGETS},
        "windows": at_best.caught + at_best.missed,
        "us_per_point": round(batched(), 3),
        "us_per_point_alone": round(alone, 1),
        "bytes_per_series": surprise.STATE.itemsize,
        "causal": all(causal(series, scores[series.name]) for series in corpus),
        "budgets": [{"budget": budget, **told_of(within(told, budget))} for budget in BUDGETS],
        "groups": groups(corpus, scores, at_best.threshold),
    }


def listed(files: str) -> list[str]:
    """The names in the argument, or in the file that it names."""
    text = Path(files).read_text() if files and Path(files).is_file() else files
    return text.replace(",", " ").split()


def score(series: Series, rows: int) -> Numbers:
    """What the first rows of a file score."""
    detector = Detector(series.probation, rows)
    pairs = zip(series.at[:rows], series.values[:rows], strict=True)
    return np.array([detector.update(at, value) for at, value in pairs])


def causal(series: Series, whole: Numbers) -> bool:
    """Whether beginnings of the file score what they scored within the whole."""
    cuts = [int(share * len(whole)) for share in PREFIXES]
    return all(np.array_equal(score(series, rows), whole[:rows]) for rows in cuts)


def told_of(outcome: Outcome) -> dict[str, float]:
    return {
        "score": round(outcome.score, 2),
        "threshold": round(outcome.threshold, 4),
        "caught": outcome.caught,
        "missed": outcome.missed,
        "false_alarms": outcome.false_alarms,
        "false_alarms_per_week": round(outcome.false_per_week, 3),
    }


def groups(corpus: Sequence[Series], scores: dict[str, Numbers], threshold: float) -> list[dict[str, object]]:
    """The same threshold by folder."""
    rows = []
    for name in sorted({series.name.split("/")[0] for series in corpus}):
        own = [series for series in corpus if series.name.startswith(f"{name}/")]
        cut = {series.name: np.where(scores[series.name] >= threshold, scores[series.name], 0.0) for series in own}
        rows.append({"group": name, **told_of(outcomes(own, cut)[-1])})
    return rows


def batched() -> float:
    """Microseconds of CPU time per value when a shard of series is judged at once."""
    random = np.random.default_rng(7)
    state = surprise.fresh(TOGETHER)
    values = random.gamma(2.0, 50.0, (TICKS, TOGETHER))
    begun = time.process_time()
    for tick, row in enumerate(values):
        judged = surprise.update(state, row, at_s=tick * STEP_S, step_s=STEP_S)
        surprise.alarm(state, judged, at_s=tick * STEP_S, threshold=20.0)
    return 1e6 * (time.process_time() - begun) / values.size
