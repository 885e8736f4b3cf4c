"""How little likely counts are by chance; the bounds never claim more than the exact tails do."""

import math

import numpy as np
import pytest

from alerts.watching import chance


def exact_poisson(count: int, usual: float) -> float:
    below = sum(math.exp(-usual) * usual**k / math.factorial(k) for k in range(count))
    return -math.log10(max(1 - below, 1e-300))


@pytest.mark.parametrize(("count", "usual"), [(3, 0.1), (5, 1.0), (12, 4.0), (9, 2.5)])
def test_a_count_is_never_more_surprising_than_it_is(count: int, usual: float) -> None:
    bound = chance.poisson(np.array([float(count)]), np.array([usual]))[0]
    assert 0 < bound <= exact_poisson(count, usual)


def test_what_is_usual_is_no_surprise() -> None:
    assert chance.poisson(np.array([4.0]), np.array([4.0]))[0] == pytest.approx(0.0)
    assert chance.binomial(np.array([1.0]), np.array([10.0]), np.array([0.1]))[0] == pytest.approx(0.0)


def test_nothing_where_much_is_usual_is_a_surprise_as_well() -> None:
    assert chance.poisson(np.array([0.0]), np.array([30.0]))[0] > 6


def test_a_share_of_few_says_less_than_the_same_share_of_many() -> None:
    few, many = chance.binomial(np.array([1.0, 100.0]), np.array([2.0, 200.0]), np.array([0.01, 0.01]))
    assert few < 6 < many


def test_missing_numbers_are_no_surprise() -> None:
    nan = np.array([np.nan])
    assert chance.poisson(nan, np.array([1.0]))[0] == 0
    assert chance.binomial(nan, np.array([0.0]), nan)[0] == 0
