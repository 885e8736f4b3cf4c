"""Where an installed wheel keeps its files, without importing it (some act on import)."""

from importlib.util import find_spec
from pathlib import Path


def folder(package: str) -> Path:
    """The folder of an installed package; raises ``ModuleNotFoundError`` with the way out when it is missing."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{package} is not installed: run `make setup`", name=package)
    return Path(spec.submodule_search_locations[0])
