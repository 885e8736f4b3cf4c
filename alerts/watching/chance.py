"""How little likely so many events are by chance: for counts near zero, where no tail has been seen yet.

Chernoff's bounds, which hold for every size of the numbers and are never too alarming.
https://en.wikipedia.org/wiki/Chernoff_bound#Additive_form_(absolute_error)
"""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
LN10 = float(np.log(10))


def poisson(count: Numbers, usual: Numbers) -> Numbers:
    """-log10 of the chance to count ``count`` or farther off, where ``usual`` are counted."""
    rate = np.maximum(usual, 0.05)
    with np.errstate(divide="ignore", invalid="ignore"):
        told = np.where(count > 0, count * np.log(count / rate), 0.0) - count + rate
    surprise: Numbers = np.nan_to_num(np.maximum(told, 0.0) / LN10)
    return surprise


def binomial(count: Numbers, of: Numbers, usual: Numbers) -> Numbers:
    """-log10 of the chance that so many ``of`` so many, where the share ``usual`` (0 to 1) is normal.

    A share that was never seen is taken for one in five hundred.
    """
    share = np.clip(usual, 0.002, 0.999)
    with np.errstate(divide="ignore", invalid="ignore"):
        seen = np.clip(count / of, 0.0, 1.0)
        more = np.where(seen > 0, seen * np.log(seen / share), 0.0)
        less = np.where(seen < 1, (1 - seen) * np.log((1 - seen) / (1 - share)), 0.0)
    surprise: Numbers = np.nan_to_num(np.maximum(of * (more + less), 0.0) / LN10)
    return surprise
