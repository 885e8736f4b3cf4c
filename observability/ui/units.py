"""Figures as people read them: short, with a unit, and an en dash when there is nothing to tell."""

NOTHING = "\N{EN DASH}"
SCALES = (("B", 1e9), ("M", 1e6), ("k", 1e3))


def number(value: float | None) -> str:
    """``9,870``, ``29.5k``, ``2.17M``: thousands stay whole up to ten thousand."""
    if value is None:
        return NOTHING
    for suffix, scale in SCALES:
        threshold = 10_000 if suffix == "k" else scale
        if abs(value) >= threshold:
            return _significant(value / scale) + suffix
    if abs(value) < 10 and value != int(value):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{value:,.0f}"


def counted(value: float, one: str) -> str:
    """``1 message``, ``29.5k messages``: a number of what is called so."""
    return f"{number(value)} {one}{'' if value == 1 else 's'}"


def _significant(value: float) -> str:
    if abs(value) < 10:
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"


def milliseconds(value: float | None) -> str:
    """A duration given in milliseconds: ``0.42 ms``, ``594 ms``, ``1.08 s``, ``2.5 min``, ``3.1 h``."""
    if value is None:
        return NOTHING
    if value == 0:
        return "0 ms"
    if value < 1:
        return f"{value:.2f} ms"
    if value < 1000:
        return f"{value:.0f} ms"
    if value < 60_000:
        return f"{value / 1000:.2f} s"
    return f"{value / 60_000:.1f} min" if value < 3_600_000 else f"{value / 3_600_000:.1f} h"


def dollars(value: float | None) -> str:
    """US dollars: cents normally, more digits for the fractions of a cent that one invocation costs."""
    if value is None:
        return NOTHING
    if value == 0 or abs(value) >= 0.01:
        return f"${value:,.2f}"
    return f"${value:.4f}" if abs(value) >= 0.0001 else f"${value:.7f}".rstrip("0")


def percent(ratio: float | None) -> str:
    """A ratio of one as a percentage: ``0.0005`` is ``0.05%``."""
    if ratio is None:
        return NOTHING
    value = ratio * 100
    if value == 0:
        return "0%"
    if abs(value) < 0.01:
        return "<0.01%"
    return f"{value:.1f}%" if abs(value) >= 10 else f"{value:.2f}%"


def megabytes(value: float | None) -> str:
    """Memory given in MB: ``346 MB``, ``10,240 MB``."""
    return NOTHING if value is None else f"{value:,.0f} MB"


def size(value: float | None) -> str:
    """A size given in bytes, as AWS counts it (1,024 to the next unit): ``640 B``, ``14.2 MB``, ``1.5 GB``."""
    if value is None:
        return NOTHING
    for unit in ("B", "KB", "MB"):
        if abs(value) < 1024:
            return f"{value:,.0f} {unit}" if unit == "B" or abs(value) >= 100 else f"{value:.3g} {unit}"
        value /= 1024
    return f"{value:.3g} GB" if abs(value) < 1000 else f"{value:,.0f} GB"


def elapsed(seconds: float) -> str:
    """How long something lasted or is ago, in at most two units: ``14s``, ``22m``, ``1h 37m``, ``9h``, ``3d``."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes}m"
    hours, rest = divmod(minutes, 60)
    if hours < 10:
        return f"{hours}h {rest}m" if rest else f"{hours}h"
    return f"{hours}h" if hours < 48 else f"{hours // 24}d"
