"""Figures as people read them."""

import pytest

from observability.ui import units


class TestUnits:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0, "0"), (7, "7"), (0.25, "0.25"), (2841, "2,841"), (9_999, "9,999"), (29_480, "29.5k"), (101_000, "101k"),
            (2_170_000, "2.17M"), (3_000_000_000, "3B"), (None, units.NOTHING),
        ],
    )  # fmt: skip
    def test_number(self, value: float | None, text: str) -> None:
        assert units.number(value) == text

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0, "0 B"), (640, "640 B"), (1536, "1.5 KB"), (14_900_000, "14.2 MB"), (262_144_000, "250 MB"),
            (1_610_612_736, "1.5 GB"), (80_530_636_800, "75 GB"), (None, units.NOTHING),
        ],
    )  # fmt: skip
    def test_size(self, value: float | None, text: str) -> None:
        assert units.size(value) == text

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0, "0 ms"), (0.42, "0.42 ms"), (594, "594 ms"), (1080, "1.08 s"), (150_000, "2.5 min"),
            (11_160_000, "3.1 h"), (None, units.NOTHING),
        ],
    )  # fmt: skip
    def test_milliseconds(self, value: float | None, text: str) -> None:
        assert units.milliseconds(value) == text

    @pytest.mark.parametrize(
        ("value", "text"),
        [(0, "$0.00"), (44.85, "$44.85"), (1224.8, "$1,224.80"), (0.0042, "$0.0042"), (0.0000021, "$0.0000021")],
    )
    def test_dollars(self, value: float, text: str) -> None:
        assert units.dollars(value) == text

    @pytest.mark.parametrize(
        ("ratio", "text"), [(0, "0%"), (0.00001, "<0.01%"), (0.0005, "0.05%"), (0.056, "5.60%"), (0.42, "42.0%")]
    )
    def test_percent(self, ratio: float, text: str) -> None:
        assert units.percent(ratio) == text

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [
            (-3, "0s"), (14, "14s"), (1320, "22m"), (5820, "1h 37m"), (10_800, "3h"), (90_000, "25h"),
            (300_000, "3d"),
        ],
    )  # fmt: skip
    def test_elapsed(self, seconds: float, text: str) -> None:
        assert units.elapsed(seconds) == text

    def test_megabytes(self) -> None:
        assert units.megabytes(10240) == "10,240 MB"


def test_one_is_told_as_one() -> None:
    assert [units.counted(value, "message") for value in (0, 1, 2, 29_500)] == [
        "0 messages", "1 message", "2 messages", "29.5k messages",
    ]  # fmt: skip
