"""The script as CI runs it: downloaded from a running Nightjar, in a process of its own."""

import ast
import http.server
import json
import os
import subprocess
import sys
import threading
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from observability.inventory.models import Resource
from observability.tenants import keys
from observability.tenants.models import Organization
from tests.packages import LAYER, MIB, carry, layer, package

SOURCE = Path(settings.BASE_DIR) / "ci" / "nightjar_fit.py"
Result = subprocess.CompletedProcess[str]
Run = Callable[..., Result]


def run_script(script: Path, *arguments: object, **environment: str) -> Result:
    """Without anything of ours on its path, as on somebody else's machine."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("NIGHTJAR", "PYTHON"))}
    return subprocess.run(
        [sys.executable, "-I", script, *map(str, arguments)],
        env=clean | environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """300 MB of zeros, which are 300 KB in the zip."""
    path = tmp_path / "large.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("lib/zeros.bin", "w") as file:
        for _ in range(300):
            file.write(bytes(MIB))
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("app.py", "def handler(event, context): ...\n")
        archive.writestr("node_modules/sharp/lib/index.js", "x" * 5000)
    return path


class TestOffline:
    def test_fails_a_package_that_does_not_fit(self, large: Path) -> None:
        found = run_script(SOURCE, large, "--offline")
        assert found.returncode == 1
        assert "It does not fit: 300.0 MB of 250.0 MB, 120.0 %." in found.stdout
        assert "/var/task/lib" in found.stdout

    def test_passes_a_small_one(self, small: Path) -> None:
        found = run_script(SOURCE, small, "--offline", "--no-layers")
        assert (found.returncode, found.stderr) == (0, "")
        assert "It fits: 4.9 KB of 250.0 MB, 0.0 %." in found.stdout
        assert "2 files" in found.stdout

    def test_counts_the_layers_that_it_is_told(self, small: Path) -> None:
        assert run_script(SOURCE, small, "--offline", "--layer-bytes", "240MB").returncode == 0
        assert (
            run_script(SOURCE, small, "--offline", "--layer-bytes", "150MB", "--layer-bytes", "100 MiB").returncode == 1
        )
        assert run_script(SOURCE, small, "--offline", *["--layer-bytes", 1] * 6).returncode == 1
        assert run_script(SOURCE, small, "--offline", "--layer", f"{LAYER}numpy:3").returncode == 2
        named = f"{LAYER}numpy:3=60MB"
        assert "60.0 MB  given" in run_script(SOURCE, small, "--offline", "--layer-bytes", named).stdout

    def test_fails_above_a_threshold(self, small: Path) -> None:
        nearly = (small, "--offline", "--layer-bytes", "235MB")
        assert run_script(SOURCE, *nearly, "--warn", 95).returncode == 0
        found = run_script(SOURCE, *nearly, "--warn", 90)
        assert found.returncode == 1
        assert "more than the 90 % of --warn" in found.stdout

    def test_reads_folders(self, tmp_path: Path) -> None:
        (tmp_path / "package" / "lib").mkdir(parents=True)
        (tmp_path / "package" / "lib" / "data").write_bytes(bytes(2048))
        with (tmp_path / "package" / "sparse").open("wb") as file:
            file.truncate(251 * MIB)
        found = run_script(SOURCE, tmp_path / "package", "--offline")
        assert found.returncode == 1
        assert "2 files" in found.stdout

    def test_counts_what_links_lead_to(self, tmp_path: Path) -> None:
        """As zip does, which follows them; to a folder above there is no end."""
        package, elsewhere = tmp_path / "package", tmp_path / "elsewhere"
        for folder in (package, elsewhere):
            folder.mkdir()
        with (elsewhere / "model.bin").open("wb") as file:
            file.truncate(251 * MIB)
        (package / "app.py").write_bytes(b"1")
        (package / "lib").symlink_to(elsewhere)
        (package / "nowhere").symlink_to("missing")
        (elsewhere / "again").symlink_to(package)
        (elsewhere / "self").symlink_to(elsewhere)
        found = run_script(SOURCE, package, "--offline", "--json")
        assert found.returncode == 1, found.stderr
        assert json.loads(found.stdout)["largest"][0] == {"path": "/var/task/lib", "bytes": 251 * MIB}

    def test_prints_json(self, small: Path) -> None:
        answer = json.loads(run_script(SOURCE, small, "--offline", "--json").stdout)
        assert (answer["fits"], answer["allowed"]) == (True, 262_144_000)

    def test_explains_itself(self) -> None:
        found = run_script(SOURCE, "--help")
        assert found.returncode == 0
        assert "NIGHTJAR_KEY" in found.stdout
        assert run_script(SOURCE, "x.zip", "--layer-bytes", "many").returncode == 2


class TestBrokenZips:
    """All of them exit with 2: nobody can tell."""

    @staticmethod
    def told(path: Path) -> str:
        found = run_script(SOURCE, path, "--offline")
        assert found.returncode == 2, found.stdout
        assert "Traceback" not in found.stderr
        return found.stderr

    def test_cut_off(self, small: Path) -> None:
        for length in (0, 3, 40, small.stat().st_size - 1):
            small.with_name("cut.zip").write_bytes(small.read_bytes()[:length])
            assert "cannot be read as a zip" in self.told(small.with_name("cut.zip"))

    def test_no_zip_at_all(self, tmp_path: Path) -> None:
        (tmp_path / "no.zip").write_bytes(b"<html>404</html>" * 100)
        assert "cannot be read as a zip" in self.told(tmp_path / "no.zip")
        assert "cannot be opened" in self.told(tmp_path / "missing.zip")

    @pytest.mark.parametrize("claim", [10, 4_000, 6_000, 200 * MIB, 300 * MIB])
    def test_that_lie_about_sizes(self, small: Path, claim: int) -> None:
        """The directory says that 5,000 bytes are more, or fewer."""
        data = small.read_bytes()
        true = (5000).to_bytes(4, "little")
        assert data.count(true) == 2  # In the file's own header, and in the directory.
        small.write_bytes(data.replace(true, claim.to_bytes(4, "little")))
        assert "cannot be read as a zip" in self.told(small)

    def test_that_are_damaged_inside(self, tmp_path: Path) -> None:
        path = tmp_path / "damaged.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("app.py", "x" * 1000)
        path.write_bytes(path.read_bytes().replace(b"xxxx", b"yyyy", 1))
        assert "Bad CRC-32" in self.told(path)

    def test_that_overlap(self, tmp_path: Path) -> None:
        path = tmp_path / "overlapping.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a", "x" * 1000)
            entry = archive.getinfo("a")
            archive.filelist.append(entry)
        assert "overlaps" in self.told(path)


@pytest.fixture
def token(acme: Organization) -> str:
    keys.forget()
    return keys.issue(organization=acme, name="ci", created_by=None, now=timezone.now())[1]


@pytest.fixture
def run(live_server: LiveServer, tmp_path: Path, token: str) -> Run:
    """The script as this Nightjar serves it, with its address and a key."""
    script = tmp_path / "nightjar_fit.py"
    with urllib.request.urlopen(f"{live_server.url}/ci/nightjar_fit.py") as response:  # noqa: S310  # It is ours.
        script.write_bytes(response.read())

    def run(*arguments: object, **environment: str) -> Result:
        told = {"NIGHTJAR_ENDPOINT": live_server.url, "NIGHTJAR_KEY": token}
        return run_script(script, *arguments, **told | environment)

    return run


@pytest.mark.django_db(transaction=True)
class TestOnline:
    def test_fails_a_package_that_does_not_fit(self, run: Run, large: Path) -> None:
        found = run(large)
        assert found.returncode == 1, found.stderr
        assert "It does not fit: 300 MB of 250 MB, 120.0 %. That is 50 MB too much." in found.stdout

    def test_passes_a_small_one(self, run: Run, small: Path) -> None:
        found = run(small, "--function", "brand-new")
        assert found.returncode == 0, found.stderr
        assert "It fits" in found.stdout
        assert "taken for a new one" in found.stdout

    def test_counts_the_layers_of_the_function(self, run: Run, small: Path, checkout: Resource) -> None:
        carry(checkout, "numpy:3", "tools:1")
        layer(checkout, "numpy", 3, unzipped_bytes=249 * MIB)
        layer(checkout, "tools", 1, unzipped_bytes=2 * MIB)
        found = run(small, "--function", "checkout")
        assert found.returncode == 1, found.stderr
        assert "numpy:3                            249.0 MB  measured" in found.stdout
        assert run(small, "--function", "checkout", "--no-layers").returncode == 0
        assert run(small, "--function", "checkout", "--layer", f"{LAYER}numpy:3").returncode == 0
        assert run(small, "--function", "checkout", "--layer-bytes", f"{LAYER}tools:1=3MB").returncode == 1

    def test_cannot_tell_with_a_layer_that_nobody_knows(self, run: Run, small: Path) -> None:
        found = run(small, "--layer", f"{LAYER}strange:1")
        assert found.returncode == 2
        assert "No function that is watched here carries it" in found.stdout
        assert run(small, "--layer-bytes", f"{LAYER}strange:1=40MB").returncode == 0

    def test_tells_what_grew(self, run: Run, small: Path, checkout: Resource) -> None:
        package(
            checkout, code_bytes=1000, version="41", folders=[{"path": "/var/task/node_modules/sharp", "bytes": 900}]
        )
        found = run(small, "--function", "checkout")
        assert "Since version 41 of " in found.stdout
        assert "+4.0 KB  /var/task/node_modules/sharp" in found.stdout

    def test_fails_above_a_threshold(self, run: Run, small: Path) -> None:
        assert run(small, "--layer-bytes", "240MB", "--warn", 90).returncode == 1

    def test_says_why_it_is_refused(self, run: Run, small: Path) -> None:
        found = run(small, NIGHTJAR_KEY="njk_wrong")
        assert found.returncode == 2
        assert "There is no such ingest key. (401)" in found.stderr
        assert "njk_wrong" not in found.stdout + found.stderr

    def test_says_what_it_needs(self, run: Run, small: Path) -> None:
        assert "Set NIGHTJAR_ENDPOINT" in run(small, NIGHTJAR_KEY="").stderr
        assert "must begin with https" in run(small, NIGHTJAR_ENDPOINT="file:///etc/passwd").stderr


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """What may stand at an address that is not Nightjar's; ``asked`` keeps who called and with what."""

    asked: list[str] = []

    def do_POST(self) -> None:
        self.asked.append(self.headers.get("Authorization", ""))
        status = int(self.path.split("/")[1])
        self.send_response(status)
        self.send_header("Location", "/200/moved")
        self.end_headers()
        self.wfile.write(b'{"strange": true}' if status == 200 else b"<html>")

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[str]:
    Elsewhere.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class TestElsewhere:
    @pytest.mark.parametrize(
        ("status", "told", "times"),
        [(200, "not one of Nightjar's", 1), (301, "Set NIGHTJAR_ENDPOINT to that", 1), (404, "answered 404", 1),
         (503, "answered 503", 3)],
    )  # fmt: skip
    def test_nobody_can_tell(self, small: Path, elsewhere: str, status: int, told: str, times: int) -> None:
        found = run_script(SOURCE, small, NIGHTJAR_ENDPOINT=f"{elsewhere}/{status}", NIGHTJAR_KEY="njk_x")
        assert found.returncode == 2
        assert told in found.stderr
        assert Elsewhere.asked == ["Bearer njk_x"] * times  # A redirect is not followed: the key stays here.

    def test_nobody_answers(self, small: Path) -> None:
        found = run_script(SOURCE, small, NIGHTJAR_ENDPOINT="http://127.0.0.1:9", NIGHTJAR_KEY="njk_x")
        assert found.returncode == 2
        assert "does not answer" in found.stderr


def test_needs_no_newer_python_than_it_says() -> None:
    tree = ast.parse(SOURCE.read_text(), feature_version=(3, 9))
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in named} <= sys.stdlib_module_names
