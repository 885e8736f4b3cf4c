"""Places in listings as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.dashboards import cursors
from tests.observability.dashboards.buckets import START

PLACE = (START, b"\x01" * 16)


@given(st.integers(0, 2**52), st.binary(min_size=16, max_size=16))
def test_a_place_survives_being_written(micros: int, event_id: bytes) -> None:
    place = cursors.EPOCH + micros * cursors.MICROSECOND, event_id
    assert cursors.read(cursors.write(place)) == place


@pytest.mark.parametrize("text", ["", "x", "-", "1-2", "1-zz", "9" * 40 + "-" + "0" * 32, "1-" + "0" * 31, "²-00"])
def test_anything_else_is_no_place(text: str) -> None:
    assert cursors.read(text) is None


def test_just_before_is_the_place_whose_successor_it_is() -> None:
    assert cursors.just_before(PLACE) == (START, b"\x01" * 15 + b"\x00")
    assert cursors.just_before((START, bytes(16))) == (START, bytes(16))
