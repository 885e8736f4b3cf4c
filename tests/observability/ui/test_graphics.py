"""What the server draws."""

from hypothesis import given
from hypothesis import strategies as st

from observability.ui.graphics import columns, heat_levels, heat_strip, shrink, sparkline
from observability.ui.treemap import Tile, squarify


class TestShrink:
    def test_keeps_the_total(self) -> None:
        assert shrink(list(range(100)), 24) != []
        assert sum(shrink(list(range(100)), 24)) == sum(range(100))

    def test_takes_the_unknown_for_nothing(self) -> None:
        assert shrink([1, None, 3], 3) == [1, 0, 3]

    def test_never_invents_points(self) -> None:
        assert shrink([], 24) == []
        assert shrink([5], 24) == [5]

    @given(st.lists(st.integers(0, 1000), min_size=1, max_size=300), st.integers(1, 96))
    def test_never_gives_more_points_than_asked(self, values: list[float], points: int) -> None:
        assert len(shrink(values, points)) == min(points, len(values))


class TestDrawings:
    def test_of_nothing_are_still_drawn(self) -> None:
        for values in ([], [0], [None, None]):
            assert "nan" not in sparkline(values, 96, 24, "", 32, "sum")
            assert columns(values, 96, 24, "", 24).startswith("<svg")

    def test_escape_what_they_are_given(self) -> None:
        assert "<script>" not in columns([1], 96, 24, '"><script>', 24)

    def test_strip_has_one_path_per_shade_in_use(self) -> None:
        assert heat_strip([0, 0, 4, 2]).count("<path") == 3

    def test_any_error_shows(self) -> None:
        assert heat_levels([0, 0.0001, 0.02, 0.04, 1, None], top=0.04) == [0, 1, 3, 4, 4, 0]


class TestTreemap:
    @given(st.lists(st.floats(0.01, 10_000), min_size=1, max_size=40))
    def test_fills_the_map_in_proportion(self, values: list[float]) -> None:
        placed = squarify([Tile(str(index), value, "", "#") for index, value in enumerate(values)])
        areas = {each.tile.label: each.at.width * each.at.height for each in placed}
        assert abs(sum(areas.values()) - 10_000) < 1
        for index, value in enumerate(values):
            assert abs(areas[str(index)] - value / sum(values) * 10_000) < 0.01
        assert all(each.at.left + each.at.width < 100.01 and each.at.top + each.at.height < 100.01 for each in placed)

    def test_leaves_out_what_has_no_value(self) -> None:
        assert squarify([Tile("free", 0, "$0.00", "#")]) == []
