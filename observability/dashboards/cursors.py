"""A place in a listing as text for a URL: the time and id of a row, so that paging never skips or repeats one."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Place = tuple[datetime, bytes]


def write(place: Place) -> str:
    at, event_id = place
    return f"{(at - EPOCH) // MICROSECOND}-{event_id.hex()}"


def read(text: str) -> Place | None:
    """The place, or None for anything that is not one (then a listing starts at its beginning)."""
    micros, _, identity = text.partition("-")
    try:
        place = EPOCH + int(micros) * MICROSECOND, bytes.fromhex(identity)
    except (ValueError, OverflowError):
        return None
    return place if len(place[1]) == 16 else None


def just_before(place: Place) -> Place:
    """The place such that a listing after it begins with the row at ``place`` itself."""
    at, event_id = place
    return at, max(0, int.from_bytes(event_id, "big") - 1).to_bytes(16, "big")
