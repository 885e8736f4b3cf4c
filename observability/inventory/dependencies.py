"""Which dependencies a package holds, by the paths of its files alone: what they are called, how large they are.

The same dependency has the same digest in every function and layer: of the paths within it, checksums and sizes of its
files, without what an installer writes about itself. So what several functions carry is found by comparing.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class File(Protocol):
    """One file, as the directory of an archive lists it."""

    @property
    def path(self) -> str: ...
    @property
    def bytes(self) -> int: ...
    @property
    def crc(self) -> int: ...


class Ecosystem(StrEnum):
    PYTHON = "python"
    NODE = "node"
    JAVA = "java"
    RUBY = "ruby"
    DOTNET = "dotnet"


@dataclass(frozen=True, slots=True)
class Dependency:
    """``version`` is empty where no path tells it. ``digest`` is the same wherever its content is."""

    name: str
    version: str
    ecosystem: str
    bytes: int
    files: int
    digest: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one file belongs: to which dependency, and under which path within it."""

    ecosystem: Ecosystem
    name: str
    path: str
    version: str = ""


@dataclass(slots=True)
class _Sum:
    version: str = ""
    bytes: int = 0
    files: int = 0
    content: list[tuple[str, int, int]] = field(default_factory=list)
    notes: list[tuple[str, int, int]] = field(default_factory=list)
    """What an installer or a compiler made of it; all there is, where only that was deployed."""


NODE_MODULE = re.compile(r"(?:.*/)?node_modules/((?:@[^/]+/)?[^/@.][^/]*)/(.+)")
PNPM = re.compile(r"/\.pnpm/((?:@[^/+]+\+)?[^/@+]+)@([^/_(]+)")
JAR = re.compile(r"(?:.*/)?([^/]+?)(?:-(\d[^/]*?))?\.jar")
GEM = re.compile(r"(?:.*/)?gems/([A-Za-z][\w.-]*?)(?:-(\d[\w.]*))?(?:\.rb|/(.+))")
ASSEMBLY = re.compile(r"(?:[a-z]{2,3}(?:-\w+)*/|runtimes/.+/)?([^/]+?)(?:\.resources)?\.(?:dll|pdb|xml)")
SITE = re.compile(r"(?:python/(?:lib/python3\.\d+/site-packages/)?|(?:lib|\.venv/lib)/python3\.\d+/site-packages/)")
DIST = re.compile(r"([A-Za-z0-9][\w.]*?)-(\d[\w.+!]*?)(?:-py3[\d.]*)?\.(?:dist-info|egg-info|data)")
LIBS = re.compile(r"(.+)\.libs")
UNEQUAL = re.compile(r"(^|/)(__pycache__/|[^/]+\.(dist|egg)-info/)|\.pyc$")
"""What differs though the dependency is the same."""

MODULES: Mapping[str, str] = {
    "attr": "attrs", "bs4": "beautifulsoup4", "cv2": "opencv-python", "dateutil": "python-dateutil",
    "docx": "python-docx",
    "dotenv": "python-dotenv", "git": "gitpython", "github": "pygithub", "jose": "python-jose", "jwt": "pyjwt",
    "magic": "python-magic", "markdown_it": "markdown-it-py", "mysql": "mysql-connector-python", "nacl": "pynacl",
    "openssl": "pyopenssl", "pil": "pillow", "pkg_resources": "setuptools", "psycopg2": "psycopg2-binary",
    "serial": "pyserial", "skimage": "scikit-image", "sklearn": "scikit-learn", "slugify": "python-slugify",
    "websocket": "websocket-client", "xray": "aws-xray-sdk", "yaml": "pyyaml",
    "_yaml": "pyyaml", "_cffi_backend": "cffi", "_distutils_hack": "setuptools",
}  # fmt: skip
"""Modules whose distributions have another name, as PyPI spells it."""

KNOWN = frozenset({
    "aiohttp", "aws-lambda-powertools", "aws-xray-sdk", "boto3", "botocore", "certifi", "cffi", "charset-normalizer",
    "cryptography", "fastapi", "google", "grpc", "httpx", "idna", "jinja2", "jmespath", "lxml", "mangum", "matplotlib",
    "numpy", "onnxruntime", "openai", "pandas", "pip", "polars", "psycopg", "pyarrow", "pydantic", "pydantic-core",
    "pymongo", "pymysql", "pytest", "redis", "requests", "s3transfer", "scipy", "setuptools", "six", "spacy",
    "starlette", "tensorflow", "torch", "transformers", "urllib3", "wheel",
})  # fmt: skip
"""Python distributions that are known by their folder, also where the installer's notes were left out."""

SHIPPED: Sequence[tuple[re.Pattern[str], Ecosystem, re.Pattern[str]]] = (
    (re.compile(r"python3\."), Ecosystem.PYTHON, re.compile(r"boto3|botocore|s3transfer|jmespath")),
    (re.compile(r"nodejs(4|6|8|10|12|14|16)\."), Ecosystem.NODE, re.compile(r"aws-sdk")),
    (re.compile(r"nodejs(1[89]|[2-9]\d)\."), Ecosystem.NODE, re.compile(r"@(aws-sdk|smithy|aws-crypto)/.+")),
    (re.compile(r"ruby"), Ecosystem.RUBY, re.compile(r"aws-(sdk(-.+)?|sigv4|eventstream|partitions)|jmespath")),
)
"""Runtime, ecosystem, and what Lambda's runtime brings.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""


def find(files: Iterable[File], *, runtime: str = "", handler: str = "") -> list[Dependency]:
    """The dependencies in a package or a layer, the largest first."""
    places = placed(files, runtime=runtime, handler=handler)
    sums: dict[tuple[Ecosystem, str], _Sum] = defaultdict(_Sum)
    for file, place in places:
        found = sums[place.ecosystem, place.name]
        found.version = max(found.version, place.version)
        found.bytes += file.bytes
        found.files += 1
        content = found.notes if UNEQUAL.search(place.path) else found.content
        content.append((place.path, file.crc, file.bytes))
    dependencies = [
        Dependency(
            name, found.version, ecosystem.value, found.bytes, found.files, _digest(found.content or found.notes)
        )
        for (ecosystem, name), found in sums.items()
    ]
    return sorted(dependencies, key=lambda each: (-each.bytes, each.name))


def placed(files: Iterable[File], *, runtime: str = "", handler: str = "") -> list[tuple[File, _Place]]:
    """The files that belong to a dependency, each with where it belongs."""
    everything = list(files)
    distributions = _distributions(everything)
    assembly = handler.partition("::")[0] if runtime.startswith("dotnet") else None
    found = []
    for file in everything:
        place = _node(file.path) or _packed(file.path) or _python(file.path, distributions)
        if place is None and assembly is not None:
            place = _dotnet(file.path, assembly)
        if place is not None:
            found.append((file, place))
    return found


def is_shipped(name: str, ecosystem: str, runtime: str) -> bool:
    """Whether the runtime brings the dependency anyway, in a version of AWS's choice."""
    return any(ecosystem == theirs and runs.match(runtime) and names.fullmatch(name) for runs, theirs, names in SHIPPED)


def _digest(content: list[tuple[str, int, int]]) -> str:
    text = "\0".join(f"{path}\0{crc:08x}\0{size}" for path, crc, size in sorted(content))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _node(path: str) -> _Place | None:
    """By the innermost ``node_modules``; pnpm's store tells the version."""
    match = NODE_MODULE.fullmatch(path)
    if match is None:
        return None
    name, within = match.groups()
    stored = PNPM.search("/" + path)
    version = stored[2] if stored and stored[1].replace("+", "/") == name else ""
    return _Place(Ecosystem.NODE, name, within, version)


def _packed(path: str) -> _Place | None:
    """Jars and gems, whose file or folder is named after them."""
    if match := JAR.fullmatch(path):
        return _Place(Ecosystem.JAVA, match[1], match[1], match[2] or "")
    if match := GEM.fullmatch(path):
        return _Place(Ecosystem.RUBY, match[1], match[3] or "", match[2] or "")
    return None


def _distributions(files: Iterable[File]) -> dict[str, str]:
    """By normalized name: the versions of the Python distributions whose installer left its notes."""
    found: dict[str, str] = {}
    for file in files:
        _, top, _ = _split(file.path)
        if match := DIST.fullmatch(top):
            found[_normal(match[1])] = match[2]
    return found


def _split(path: str) -> tuple[str, str, str]:
    """A folder that Python imports from, the name in it, and the rest."""
    match = SITE.match(path)
    root = match[0] if match else ""
    top, _, rest = path[len(root) :].partition("/")
    return root, top, rest


def _python(path: str, distributions: Mapping[str, str]) -> _Place | None:
    """What an installer put there. Other folders are the function's own code, except where all is installed."""
    root, top, rest = _split(path)
    if match := DIST.fullmatch(top):
        name = _normal(match[1])
        return _Place(Ecosystem.PYTHON, name, f"{name}.dist-info/{rest}", match[2])
    libs = LIBS.fullmatch(top)
    module = _normal(libs[1] if libs else top.split(".")[0])
    name = MODULES.get(module.replace("-", "_"), module)
    if name == "psycopg2-binary" and name not in distributions:
        name = "psycopg2"
    is_module = bool(rest) or top.endswith((".py", ".so", ".pyd"))
    if is_module and (name in distributions or name in KNOWN):
        return _Place(Ecosystem.PYTHON, name, f"{top}/{rest}" if rest else top, distributions.get(name, ""))
    if root and rest:
        return _Place(Ecosystem.PYTHON, name, f"{top}/{rest}")
    return None


def _normal(name: str) -> str:
    """https://packaging.python.org/en/latest/specifications/name-normalization/"""
    return re.sub(r"[-_.]+", "-", name).lower().strip("-") if not name.startswith("_") else name.lower()


def _dotnet(path: str, own: str) -> _Place | None:
    match = ASSEMBLY.fullmatch(path)
    if match is None or match[1] == own or match[1].startswith(f"{own}."):
        return None
    return _Place(Ecosystem.DOTNET, match[1], path)
