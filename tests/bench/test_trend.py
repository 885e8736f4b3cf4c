"""Whether memory grows is told from noise, and from a few wild samples."""

import math
from random import Random

import pytest

from bench.trend import BLOCKS, blocks, trend


def test_finds_the_slope_of_a_line_in_noise() -> None:
    chance = Random(8)
    points = [(second / 3600, 180 + 3 * second / 3600 + chance.gauss(0, 0.5)) for second in range(3600)]
    slope, low, high = trend(points)
    assert low < 3 < high
    assert slope == pytest.approx(3, abs=0.5)


def test_noise_alone_does_not_grow() -> None:
    chance = Random(7)
    slope, low, high = trend([(float(second), chance.gauss(180, 2)) for second in range(2_000)])
    assert low < 0 < high
    assert abs(slope) < 0.01


def test_a_few_wild_samples_do_not_matter() -> None:
    points = [(float(second), 400.0 if second % 50 == 0 else 180.0) for second in range(1_000)]
    assert trend(points) == (0.0, 0.0, 0.0)


def test_one_sample_says_nothing() -> None:
    assert trend([(0.0, 180.0)]) == (0.0, -math.inf, math.inf)


def test_many_samples_become_few() -> None:
    few = blocks([(float(second), 1.0) for second in range(4_000)])
    assert len(few) == BLOCKS
    assert few[0] == (49.5, 1.0)
