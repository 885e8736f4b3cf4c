"""What a package carries though the function never needs it, by the paths of its files; every file counts once."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from observability.inventory.dependencies import File, is_shipped, placed

ARM = "arm64"


@dataclass(frozen=True, slots=True)
class Category:
    """``key`` is stored; ``advice`` says what to leave out, and what to mind."""

    key: str
    title: str
    advice: str


SHIPPED = Category(
    "shipped", "Brought by the runtime",
    "Lambda's runtime has the AWS SDK already. Leave it out, unless you need another version than AWS's.",
)  # fmt: skip
DEVELOPMENT = Category(
    "development", "Tools of development",
    "Install without development dependencies: `npm ci --omit=dev`, or a requirements file of its own.",
)  # fmt: skip
FOREIGN = Category(
    "foreign", "Binaries for other systems",
    "Install for the function's own architecture: `npm ci --cpu arm64 --os linux`, "
    "`pip install --platform manylinux2014_aarch64 --only-binary=:all:`.",
)  # fmt: skip
TESTS = Category("tests", "Tests", "Leave out folders named test, tests, __tests__ and spec.")
CACHES = Category(
    "caches", "Caches, and byte code for another Python",
    "Leave out caches. Python only uses byte code that was compiled for the version that runs.",
)  # fmt: skip
MAPS = Category(
    "maps", "Source maps",
    "Leave them out, or keep only your own where NODE_OPTIONS has --enable-source-maps.",
)  # fmt: skip
SYMBOLS = Category("symbols", "Debug symbols", "Build without them: `strip`, `-s -w` in Go, `DebugType=none` in .NET.")
TYPES = Category("types", "Type declarations", "Compilers read .d.ts and .pyi; nothing that runs does.")
DOCUMENTS = Category("documents", "Documentation and examples", "Leave out docs, examples and changelogs.")

CATEGORIES: Sequence[Category] = (SHIPPED, DEVELOPMENT, FOREIGN, TESTS, CACHES, MAPS, SYMBOLS, TYPES, DOCUMENTS)
BY_KEY: Mapping[str, Category] = {category.key: category for category in CATEGORIES}

TOOLS = re.compile(
    r"@types/.+|@babel/.+|@jest/.+|@eslint/.+|@typescript-eslint/.+|@aws-cdk/.+|@swc/.+|@vitest/.+|"
    r"typescript|eslint(-.+)?|jest(-.+)?|mocha|chai|sinon|nyc|vitest|prettier|nodemon|ts-node|webpack(-cli)?|rollup|vite|"
    r"esbuild|serverless(-.+)?|aws-cdk(-lib)?|constructs|aws-sdk-mock|"
    r"pytest(-.+)?|mypy|pip|setuptools|wheel|black|ruff|flake8|pylint|coverage|moto|ipython|jupyter(-.+)?|tox|virtualenv"
)
UNUSED = re.compile(r"(^|/)(\.git|\.github|\.vscode|\.idea|__MACOSX)/|(^|/)(\.DS_Store|package-lock\.json|yarn\.lock)$")
SYSTEM = re.compile(
    r"(?:^|[/_.@+-])(darwin|macos|osx|win32|win|windows|freebsd|openbsd|android|sunos|linux|linuxmusl|alpine)"
    r"[-_](x64|x86_64|amd64|x86|ia32|arm64|aarch64|arm|armv7l?|armv6l?|ppc64le|ppc64|s390x|riscv64)(?![a-z0-9])"
)
TRIPLE = re.compile(r"[.-](x86_64|aarch64|i386|i686|arm)-linux-(gnu|musl)(?:eabihf)?\.so")
ELSEWHERE = re.compile(r"\.(dylib|exe|dSYM)$|\.dSYM/")
TEST = re.compile(r"(^|/)(tests?|__tests__|specs?)/|\.(test|spec)\.[cm]?[jt]sx?$", re.IGNORECASE)
CACHE = re.compile(r"(^|/)(\.pytest_cache|\.mypy_cache|\.ruff_cache|\.cache|\.nyc_output|\.npm|\.parcel-cache)/")
BYTE_CODE = re.compile(r"\.cpython-3(\d+)(?:\.opt-\d)?\.pyc$")
PYTHON = re.compile(r"python3\.(\d+)")
MAP = re.compile(r"\.([cm]?js|css|ts)\.map$")
SYMBOL = re.compile(r"\.(pdb|debug|sym)$")
TYPE = re.compile(r"\.d\.[cm]?ts$|\.pyi$")
DOCUMENT = re.compile(
    r"(^|/)(docs?|examples?)/|(^|/)(readme|changelog|changes|history|contributing|authors)[^/]*$|\.(md|markdown|rst)$",
    re.IGNORECASE,
)
X86, ARMS = {"x64", "x86_64", "amd64"}, {"arm64", "aarch64"}


def found(
    files: Iterable[File], *, runtime: str = "", architecture: str = "x86_64", handler: str = ""
) -> dict[str, int]:
    """Bytes by category, those that there are."""
    everything = list(files)
    belongs = {file.path: place for file, place in placed(everything, runtime=runtime, handler=handler)}
    sizes: dict[str, int] = defaultdict(int)
    for file in everything:
        place = belongs.get(file.path)
        if place is not None and is_shipped(place.name, place.ecosystem, runtime):
            sizes[SHIPPED.key] += file.bytes
        elif UNUSED.search(file.path) or (place is not None and TOOLS.fullmatch(place.name)):
            sizes[DEVELOPMENT.key] += file.bytes
        elif category := _of_path(file.path, runtime, architecture):
            sizes[category.key] += file.bytes
    return {category.key: sizes[category.key] for category in CATEGORIES if sizes.get(category.key)}


def _of_path(path: str, runtime: str, architecture: str) -> Category | None:
    if _is_foreign(path, runtime, architecture):
        return FOREIGN
    if _is_other_byte_code(path, runtime):
        return CACHES
    kinds = ((TEST, TESTS), (CACHE, CACHES), (MAP, MAPS), (SYMBOL, SYMBOLS), (TYPE, TYPES), (DOCUMENT, DOCUMENTS))
    return next((category for pattern, category in kinds if pattern.search(path)), None)


def _is_foreign(path: str, runtime: str, architecture: str) -> bool:
    """Whether it is a binary for another system: not Linux with glibc, or not on the function's processor."""
    mine = ARMS if architecture == ARM else X86
    if match := SYSTEM.search(path):
        return match[1] != "linux" or match[2] not in mine or "musl" in path[match.end() : match.end() + 6]
    if match := TRIPLE.search(path):
        return match[1] not in mine or match[2] == "musl"
    return bool(ELSEWHERE.search(path)) and not runtime.startswith("dotnet")


def _is_other_byte_code(path: str, runtime: str) -> bool:
    """Byte code of the version that runs saves time, for Lambda cannot write it."""
    compiled, runs = BYTE_CODE.search(path), PYTHON.match(runtime)
    return bool(compiled and runs and compiled[1] != runs[1])
