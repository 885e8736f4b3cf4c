"""Quantiles of a handful of measurements."""


def quantile(values: list[float], q: float) -> float:
    """The nearest-rank quantile; ``values`` must not be empty."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]
