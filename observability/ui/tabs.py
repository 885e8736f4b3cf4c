"""Tabs above a page, as ``ui/tabs.html`` shows them."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Tab:
    """One of several pages, or one part of a page."""

    label: str
    url: str
    current: bool
    count: int = 0


def sections(pages: Iterable[tuple[str, str, str]], current: str, *, organization: str) -> list[Tab]:
    """Tabs for (key, label, view) of pages of one organization."""
    return [
        Tab(label, reverse(view, kwargs={"organization": organization}), key == current) for key, label, view in pages
    ]
