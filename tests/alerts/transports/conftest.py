"""Golden files to compare dressed messages with (``GOLDEN=write`` renews them)."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alerts.message import Message
from tests.alerts.messages import MESSAGES

GOLDEN = Path(__file__).parents[2] / "data" / "notify"


@pytest.fixture(params=MESSAGES)
def told(request: pytest.FixtureRequest) -> tuple[str, Message]:
    """Every happening with its name."""
    return request.param, MESSAGES[request.param]


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare text with a golden file."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("GOLDEN") == "write":
            path.write_text(text)
        assert text == path.read_text()

    return compare
