"""Which functions are watched."""

from typing import Any

import pytest

from observability.inventory.selection import Selection


def watched(selection: dict[str, Any], name: str = "checkout-prod", **tags: str) -> bool:
    return Selection.from_json(selection).matches(name, tags)


class TestMatches:
    @pytest.mark.parametrize("selection", [{}, {"include": {}}, {"include": {"names": [], "tags": [" "]}}])
    def test_everything_when_nothing_is_said(self, selection: dict[str, Any]) -> None:
        assert watched(selection)

    @pytest.mark.parametrize(
        ("globs", "matches"),
        [
            (["checkout-prod"], True),
            (["checkout"], False),
            (["checkout-*"], True),
            (["*-staging", "*-prod"], True),
            (["Checkout-*"], False),
            (["checkout-????"], True),
            (["[ab]*"], False),
        ],
    )
    def test_names_are_globs(self, globs: list[str], matches: bool) -> None:
        assert watched({"include": {"names": globs}}) is matches
        assert watched({"exclude": {"names": globs}}) is not matches

    @pytest.mark.parametrize(
        ("wanted", "matches"),
        [
            ("team=payments", True),
            ("team=pay*", True),
            ("team = payments", True),
            ("te*=*", True),
            ("team", True),
            ("team=", False),
            ("owner", False),
            ("team=search", False),
            ("url=a=b", True),
        ],
    )
    def test_tags_are_globs_too(self, wanted: str, matches: bool) -> None:
        assert watched({"include": {"tags": [wanted]}}, team="payments", url="a=b") is matches

    def test_a_name_or_a_tag_is_enough(self) -> None:
        either = {"include": {"names": ["billing-*"], "tags": ["team=payments"]}}
        assert watched(either, team="payments")
        assert watched(either, "billing-1")
        assert not watched(either)

    def test_excluding_wins(self) -> None:
        both = {"include": {"names": ["*-prod"]}, "exclude": {"tags": ["watch=no"]}}
        assert watched(both)
        assert not watched(both, watch="no")


def test_is_kept_as_json() -> None:
    kept = {"include": {"names": ["a*"], "tags": []}, "exclude": {"names": [], "tags": ["x=y"]}}
    assert Selection.from_json(kept).to_json() == kept
    assert Selection().to_json() == {}
