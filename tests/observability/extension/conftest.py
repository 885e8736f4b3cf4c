from pathlib import Path

import pytest

from observability.extension import layers


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with both layers, which are small and no real ones."""
    monkeypatch.setattr(layers, "DIST", tmp_path)
    for architecture in layers.ARCHITECTURES:
        layers.archive(architecture).write_bytes(b"PK\x05\x06" + bytes(18) + architecture.encode())
    return tmp_path
