import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.extension import builder
from bench.nightjar import Nightjar

ARCHITECTURE = "arm64" if platform.machine() in ("aarch64", "arm64") else "amd64"


@pytest.fixture(scope="session")
def extension(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The binary, under the name that it has in a layer, built with the Go of the locked packages."""
    built = tmp_path_factory.mktemp("extension") / "nightjar"
    builder().compile_for(ARCHITECTURE, built)
    return built


@pytest.fixture
def nightjar() -> Iterator[Nightjar]:
    with Nightjar() as server:
        yield server
