"""The extension's own tests, which `go test` runs, and what went wrong under its fuzzer once."""

import os
import subprocess

from bench.extension import builder


def test_go_finds_nothing_wrong() -> None:
    build = builder()
    done = subprocess.run(
        (build.go(), "test", "./..."), cwd=build.ROOT, env=os.environ | {"GOTOOLCHAIN": "local"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
