"""The bench of the anomaly detector: its reading and scoring of labelled series, and that nothing looks ahead."""

import argparse
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from bench import anomaly
from bench.labelled import Series, read
from bench.nab import Detector
from bench.nab_profile import best, credits_of, outcomes, within

ZERO = datetime(2026, 1, 5, tzinfo=UTC)
STEP = timedelta(minutes=5)
ROWS = 1_600
JUMP = 1_300


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files of noise, one of which jumps in its window."""
    random = np.random.default_rng(5)
    for name in ("quiet", "jump"):
        values = random.normal(100, 5, ROWS)
        if name == "jump":
            values[JUMP : JUMP + 12] = 300
        lines = [f"{(ZERO + STEP * row).replace(tzinfo=None)},{value}" for row, value in enumerate(values)]
        (tmp_path / "data" / "made").mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / "made" / f"{name}.csv").write_text("\n".join(["timestamp,value", *lines]))
    window = [str((ZERO + STEP * row).replace(tzinfo=None)) for row in (JUMP, JUMP + 40)]
    (tmp_path / "labels").mkdir()
    labels = {"made/jump.csv": [window], "made/quiet.csv": []}
    (tmp_path / "labels" / "combined_windows.json").write_text(json.dumps(labels))
    return tmp_path


def series(rows: int, *windows: tuple[int, int]) -> Series:
    at = [ZERO + STEP * row for row in range(rows)]
    return Series("made/a.csv", at, [0.0] * rows, windows, STEP.total_seconds())


def scored(rows: int, *alarms: tuple[int, float]) -> dict[str, np.ndarray]:
    scores = np.zeros(rows)
    for row, score in alarms:
        scores[row] = score
    return {"made/a.csv": scores}


def test_reads_files_and_windows(folder: Path) -> None:
    jump, quiet = read(folder)
    assert jump.windows == [(JUMP, JUMP + 40)]
    assert quiet.windows == []
    assert jump.probation == 240
    assert [one.name for one in read(folder, ["made/quiet.csv"])] == ["made/quiet.csv"]
    with pytest.raises(FileNotFoundError, match=r"other\.csv"):
        read(folder, ["made/other.csv"])


def test_finds_the_jump_and_nothing_else(folder: Path) -> None:
    chosen = argparse.Namespace(nab=folder, files="")
    told = anomaly.run(chosen)
    assert told["caught"] == told["caught_at_0_05"] == 1
    assert told["false_alarms"] == 0
    assert told["causal"] is True
    assert isinstance(told["score"], float)
    assert told["score"] > 90
    assert {"us_per_point", "bytes_per_series", "caught_at_0_2", "caught_at_0_5"} <= told.keys()


def test_the_length_of_the_file_is_not_used() -> None:
    values = np.random.default_rng(2).normal(10, 1, 700)
    values[650] = 40
    detectors = Detector(0, 700), Detector(100, 7)
    one, other = ([each.update(ZERO + STEP * row, v) for row, v in enumerate(values)] for each in detectors)
    assert one == other
    assert one[650] > 0
    assert max(one) < 1


def test_an_early_alarm_earns_more_and_a_false_one_costs() -> None:
    credit, window = credits_of(series(1_000, (400, 499)))
    assert credit[400] == pytest.approx(1, abs=0.01)
    assert credit[400] > credit[450] > credit[499] > 0
    assert credit[0] == credit[999] == -0.11
    assert -0.11 < credit[510] < 0
    assert (window[[399, 400, 499, 500]] == [-1, 0, 0, -1]).all()


def test_saying_nothing_is_0_and_all_windows_at_once_is_100() -> None:
    corpus = [series(1_000, (400, 499), (700, 799))]
    nothing, *_, both = outcomes(corpus, scored(1_000, (400, 0.9), (700, 0.8)))
    assert nothing.score == 0
    assert both.score == pytest.approx(100, abs=1)
    assert (both.caught, both.missed, both.false_alarms) == (2, 0, 0)


def test_alarms_in_a_row_are_one_false_alarm() -> None:
    corpus = [series(4_000, (3_000, 3_100))]
    told = outcomes(corpus, scored(4_000, (1_000, 0.5), (1_005, 0.5), (2_000, 0.5), (3_010, 0.9)))
    assert best(told).false_alarms == 0
    assert told[-1].false_alarms == 2
    assert within(told, 0.01).caught == 1


def test_probation_is_not_scored() -> None:
    assert len(outcomes([series(1_000, (400, 499))], scored(1_000, (10, 0.9)))) == 1
