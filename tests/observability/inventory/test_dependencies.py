"""Dependencies and waste, told by the paths of files."""

import zlib
from collections.abc import Mapping
from typing import NamedTuple

import pytest

from observability.inventory import contents, dependencies, waste
from observability.inventory.dependencies import Dependency


class File(NamedTuple):
    path: str
    bytes: int
    crc: int


def files(sizes: Mapping[str, int]) -> list[File]:
    return [File(path, size, zlib.crc32(path.rsplit("/", 1)[-1].encode()) + size) for path, size in sizes.items()]


def found(*paths: str, runtime: str = "", handler: str = "") -> set[tuple[str, str, str]]:
    """Ecosystem, name and version of what these files are of."""
    listed = dependencies.find(files(dict.fromkeys(paths, 10)), runtime=runtime, handler=handler)
    return {(each.ecosystem, each.name, each.version) for each in listed}


class TestPython:
    def test_what_an_installer_noted(self) -> None:
        assert found(
            "app/handler.py", "app/numpy_like.py", "numpy/core.py", "numpy.libs/libopenblas.so",
            "numpy-2.1.0.dist-info/METADATA",
            "six.py", "six-1.16.0.dist-info/RECORD", "yaml/__init__.py", "_yaml/__init__.py",
            "PyYAML-6.0.2.dist-info/WHEEL",
            "_cffi_backend.cpython-312-x86_64-linux-gnu.so", "cffi-1.17.1.dist-info/METADATA",
            "typing_extensions.py", "typing_extensions-4.12.2.dist-info/METADATA",
            "old-1.0-py3.8.egg-info/PKG-INFO", "old/a.py",
        ) == {
            ("python", "numpy", "2.1.0"), ("python", "six", "1.16.0"), ("python", "pyyaml", "6.0.2"),
            ("python", "cffi", "1.17.1"), ("python", "typing-extensions", "4.12.2"), ("python", "old", "1.0"),
        }  # fmt: skip

    def test_what_is_known_without_notes(self) -> None:
        assert found("app.py", "shared/db.py", "boto3/session.py", "PIL/Image.py", "requests/api.py") == {
            ("python", "boto3", ""), ("python", "requests", ""),
        }  # fmt: skip

    def test_layers_hold_nothing_else(self) -> None:
        assert found("python/shop_common/db.py", "python/lib/python3.12/site-packages/pandas/frame.py") == {
            ("python", "shop-common", ""), ("python", "pandas", ""),
        }  # fmt: skip


class TestOthers:
    def test_node_modules(self) -> None:
        assert found(
            "index.mjs", "node_modules/zod/index.js", "nodejs/node_modules/@aws-sdk/client-s3/dist/index.js",
            "node_modules/a/node_modules/b/index.js", "node_modules/.bin/tsc", "node_modules/.package-lock.json",
            "node_modules/.pnpm/@smithy+core@2.4.1/node_modules/@smithy/core/index.js",
            "node_modules/.pnpm/lodash@4.17.21_x@1/node_modules/lodash/lodash.js",
        ) == {
            ("node", "zod", ""), ("node", "@aws-sdk/client-s3", ""), ("node", "b", ""),
            ("node", "@smithy/core", "2.4.1"), ("node", "lodash", "4.17.21"),
        }  # fmt: skip

    def test_jars_and_gems(self) -> None:
        assert found(
            "lib/jackson-databind-2.17.2.jar", "java/lib/acme.jar", "com/acme/A.class",
            "vendor/bundle/ruby/3.3.0/gems/aws-sdk-core-3.209.1/lib/core.rb", "ruby/gems/3.3.0/gems/rack-3.1.8/rack.rb",
        ) == {
            ("java", "jackson-databind", "2.17.2"), ("java", "acme", ""), ("ruby", "aws-sdk-core", "3.209.1"),
            ("ruby", "rack", "3.1.8"),
        }  # fmt: skip

    def test_assemblies_of_others(self) -> None:
        names = ("Shop.Stock.dll", "Shop.Stock.pdb", "Newtonsoft.Json.dll", "de/Humanizer.resources.dll")
        handler = "Shop.Stock::Shop.Stock.Function::Handle"
        assert found(*names, runtime="dotnet8", handler=handler) == {
            ("dotnet", "Newtonsoft.Json", ""), ("dotnet", "Humanizer", ""),
        }  # fmt: skip
        assert found(*names, runtime="python3.12") == set()


class TestSame:
    PANDAS = {"pandas/frame.py": 4_000, "pandas/io.py": 900, "pandas-2.2.3.dist-info/METADATA": 50}

    def only(self, sizes: Mapping[str, int]) -> Dependency:
        (dependency,) = dependencies.find(files(sizes))
        return dependency

    def test_a_dependency_is_the_same_wherever_it_is(self) -> None:
        here = self.only(self.PANDAS)
        there = self.only({f"python/{path}": size for path, size in self.PANDAS.items()} | {
            "python/pandas/__pycache__/frame.cpython-312.pyc": 77, "python/pandas-2.2.3.dist-info/INSTALLER": 4,
        })  # fmt: skip
        assert here.digest == there.digest
        assert (here.bytes, here.files, there.bytes, there.files) == (4_950, 3, 5_031, 5)

    def test_what_is_only_byte_code_is_told_apart_too(self) -> None:
        one, other = (
            self.only({f"{name}/__pycache__/a.pyc": 10, f"{name}-1.dist-info/RECORD": 5}) for name in ("x", "y")
        )
        assert one.digest != other.digest

    def test_and_another_when_it_has_other_content(self) -> None:
        assert self.only(self.PANDAS).digest != self.only(self.PANDAS | {"pandas/io.py": 901}).digest
        assert self.only(self.PANDAS).digest != self.only(self.PANDAS | {"pandas/new.py": 1}).digest


@pytest.mark.parametrize(
    ("name", "ecosystem", "runtime", "shipped"),
    [
        ("boto3", "python", "python3.13", True), ("boto3", "python", "", False),
        ("numpy", "python", "python3.13", False),
        ("aws-sdk", "node", "nodejs16.x", True), ("aws-sdk", "node", "nodejs22.x", False),
        ("@aws-sdk/client-s3", "node", "nodejs18.x", True), ("@aws-sdk/client-s3", "node", "nodejs16.x", False),
        ("@smithy/core", "node", "nodejs24.x", True), ("aws-sdk-s3", "ruby", "ruby3.3", True),
        ("boto3", "node", "nodejs22.x", False), ("aws-sdk-s3", "ruby", "provided.al2023", False),
    ],
)  # fmt: skip
def test_what_a_runtime_brings(name: str, ecosystem: str, runtime: str, shipped: bool) -> None:
    assert dependencies.is_shipped(name, ecosystem, runtime) is shipped


@pytest.mark.parametrize(
    ("path", "runtime", "architecture", "category"),
    [
        ("botocore/data/ec2.json", "python3.12", "x86_64", "shipped"),
        ("botocore/tests/a.py", "python3.12", "x86_64", "shipped"),
        ("node_modules/typescript/lib/tsc.js", "nodejs22.x", "arm64", "development"),
        ("node_modules/@types/node/index.d.ts", "nodejs22.x", "arm64", "development"),
        (".git/objects/ab/cd", "nodejs22.x", "arm64", "development"),
        ("numpy/core/tests/data.npz", "python3.12", "x86_64", "tests"),
        ("node_modules/zod/index.test.js", "nodejs22.x", "arm64", "tests"),
        ("numpy/testing/utils.py", "python3.12", "x86_64", None),
        ("app/__pycache__/a.cpython-311.pyc", "python3.12", "x86_64", "caches"),
        ("app/__pycache__/a.cpython-312.pyc", "python3.12", "x86_64", None),
        (".pytest_cache/v/cache/lastfailed", "python3.12", "x86_64", "caches"),
        ("dist/index.js.map", "nodejs22.x", "arm64", "maps"),
        ("Shop.Stock.pdb", "dotnet8", "arm64", "symbols"),
        ("node_modules/zod/types.d.ts", "nodejs22.x", "arm64", "types"),
        ("numpy/__init__.pyi", "python3.12", "arm64", "types"),
        ("node_modules/zod/README.md", "nodejs22.x", "arm64", "documents"),
        ("node_modules/zod/LICENSE", "nodejs22.x", "arm64", None),
        ("node_modules/sharp/prebuilds/darwin-arm64/sharp.node", "nodejs22.x", "arm64", "foreign"),
        ("node_modules/sharp/prebuilds/linux-arm64/sharp.node", "nodejs22.x", "arm64", None),
        ("node_modules/sharp/prebuilds/linux-x64/sharp.node", "nodejs22.x", "arm64", "foreign"),
        ("node_modules/@img/sharp-linuxmusl-x64/lib/sharp.node", "nodejs22.x", "x86_64", "foreign"),
        ("node_modules/@img/sharp-linux-x64/lib/sharp.node", "nodejs22.x", "x86_64", None),
        ("numpy/core/_umath.cpython-312-aarch64-linux-gnu.so", "python3.12", "x86_64", "foreign"),
        ("numpy/core/_umath.cpython-312-x86_64-linux-gnu.so", "python3.12", "x86_64", None),
        ("numpy/core/_umath.cpython-312-x86_64-linux-musl.so", "python3.12", "x86_64", "foreign"),
        ("setuptool/cli.exe", "python3.12", "x86_64", "foreign"),
        ("runtimes/win-x64/native/e_sqlite3.dll", "dotnet8", "x86_64", "foreign"),
        ("app/windows.py", "python3.12", "x86_64", None),
    ],
)  # fmt: skip
def test_what_need_not_be_deployed(path: str, runtime: str, architecture: str, category: str | None) -> None:
    sizes = waste.found(files({path: 100}), runtime=runtime, architecture=architecture)
    assert sizes == ({category: 100} if category else {})
    assert set(sizes) <= set(waste.BY_KEY)


def test_a_listing_as_facts() -> None:
    described = contents.describe(
        files({"handler.py": 5, "boto3/session.py": 100, "boto3/ec2/a/b.py": 50, "lib/x.so": 40, "lib/tests/t.py": 2}),
        runtime="python3.12",
    )
    assert (described.bytes, described.files) == (197, 5)
    assert described.folders == [
        {"path": "/var/task/boto3", "bytes": 100}, {"path": "/var/task/boto3/ec2", "bytes": 50},
        {"path": "/var/task/lib", "bytes": 40}, {"path": "/var/task", "bytes": 5},
        {"path": "/var/task/lib/tests", "bytes": 2},
    ]  # fmt: skip
    assert [(each["name"], each["bytes"]) for each in described.dependencies] == [("boto3", 150)]
    assert described.waste == {"shipped": 150, "tests": 2}
