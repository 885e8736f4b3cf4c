"""What the code promises about itself: the shelves are complete, pages only read, dangerous things have one door."""

import ast
import pkgutil
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import chain
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from observability.celery import app as celery
from observability.tenants.models import Organization, User
from tests.routes import OBJECTS, ROUTES, WORDS, Found, Inside, found_routes

ROOT = Path(settings.BASE_DIR)
PACKAGES = ("observability", "ingest", "alerts")
SHELVES = ("ingest/collectors", "ingest/parsers", "alerts/detectors", "alerts/rules", "alerts/transports")
ITEMS = [(shelf, path) for shelf in SHELVES for path in sorted((ROOT / shelf).glob("[a-z]*.py"))]
PAGES = [route for route in found_routes() if isinstance(row := ROUTES.get(route.name), Inside) and row.get]


def sources(*packages: str) -> Iterator[tuple[str, ast.Module]]:
    """Every module of these packages: its path from the root, and its syntax tree."""
    for path in chain.from_iterable((ROOT / package).rglob("*.py") for package in packages):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def imports(tree: ast.Module) -> set[str]:
    """The modules that a module imports, by their first two names."""
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {part for name in names for part in (name.split(".")[0], ".".join(name.split(".")[:2]))}


@pytest.mark.parametrize(("shelf", "item"), ITEMS, ids=[f"{shelf}/{item.stem}" for shelf, item in ITEMS])
def test_every_file_on_a_shelf_is_registered_and_tested(shelf: str, item: Path) -> None:
    registry = (ROOT / shelf / "__init__.py").read_text()
    assert re.search(rf"\b{item.stem}\b", registry), f"Register {item.stem} in {shelf}/__init__.py."
    tests = (ROOT / "tests" / shelf).glob("test_*.py")
    tested = any(item.stem in path.stem or re.search(rf"\b{item.stem}\b", path.read_text()) for path in tests)
    assert tested, f"Write tests/{shelf}/test_{item.stem}.py, or name {item.stem} in the test that covers it."


def test_every_shelf_has_a_guide() -> None:
    missing = {
        shelf for shelf in SHELVES if not (ROOT / "docs/howto" / f"add-a-{shelf.split('/')[1][:-1]}.md").exists()
    }
    assert not missing, f"Write docs/howto/add-a-….md for: {missing}"


def test_every_command_is_documented() -> None:
    commands = {path.stem for package in PACKAGES for path in (ROOT / package).rglob("management/commands/[a-z]*.py")}
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "docker-compose.yml", ROOT / "Makefile"]
    told = " ".join(page.read_text() for page in pages)
    missing = {command for command in commands if not re.search(rf"(manage\.py.{{0,5}}|make ){command}\b", told)}
    assert not missing, f"Say in docs/operating.md what these are for: {missing}"


def test_what_beat_schedules_exists() -> None:
    celery.loader.import_default_modules()
    missing = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} - set(celery.tasks)
    assert not missing


def test_only_settings_read_the_environment() -> None:
    readers = {path for path, tree in sources(*PACKAGES) if any(_reads_environment(node) for node in ast.walk(tree))}
    # variables.py is how settings.py reads it; the supervisor hands it on to its children.
    assert readers <= {"observability/settings.py", "observability/variables.py", *_embedded()}, readers


def _reads_environment(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb")


def _embedded() -> set[str]:
    return {path for path, _ in sources("observability/embedded")} | {
        "observability/celery.py",
        "observability/wsgi.py",
    }


@pytest.mark.parametrize(
    ("modules", "door"),
    [
        ({"zlib", "gzip", "bz2", "lzma", "zstandard"}, {"ingest/compression.py"}),
        (
            {"http.client", "urllib.request", "urllib3", "httpx", "requests"},
            {"alerts/http.py", "alerts/calling.py", "observability/aws/downloads.py"},
        ),
        ({"ssl", "ftplib", "telnetlib", "xmlrpc"}, {"alerts/http.py", "observability/aws/downloads.py"}),
        ({"boto3", "botocore"}, {"observability/aws/sessions.py", "observability/aws/problems.py"}),
        ({"pickle", "marshal", "shelve"}, set()),
    ],
    ids=["decompression", "outbound HTTP", "other networks", "AWS", "unsafe loading"],
)
def test_dangerous_modules_have_one_door(modules: set[str], door: set[str]) -> None:
    users = {path for path, tree in sources(*PACKAGES) if imports(tree) & modules}
    assert users - _embedded() - CHECKSUMS <= door


CHECKSUMS = {"observability/tenants/keys.py"}  # zlib.crc32, no decompression.


def test_nothing_is_imported_inside_functions() -> None:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    inner = {
        path
        for path, tree in sources(*PACKAGES)
        for function in ast.walk(tree)
        if isinstance(function, functions)
        if any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(function))
    }
    assert not inner


def test_files_and_functions_stay_short() -> None:
    files = {path for path, _ in sources(*PACKAGES) if len((ROOT / path).read_text().splitlines()) > 400}
    functions = {
        f"{path}: {node.name}"
        for path, tree in sources(*PACKAGES)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= 40
    }
    assert not files | functions, f"Longer than 400 or 40 lines: {sorted(files | functions)}"


def test_names_say_what_things_are() -> None:
    vague = {"utils", "helpers", "common", "services", "managers", "base", "misc"}
    assert not [path for path, _ in sources(*PACKAGES) if Path(path).stem in vague]


def test_every_module_can_be_imported() -> None:
    for package in map(import_module, PACKAGES):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            import_module(module.name)


# Each of these is book-keeping about the visit, not about what the page shows.
BOOKKEEPING = ("django_session", "usersessions_usersession")


@contextmanager
def only_reading() -> Iterator[None]:
    """Refuses every statement that could change something."""

    def guard(
        execute: Callable[..., object], sql: str, params: object, many: bool, context: dict[str, object]
    ) -> object:
        reads = sql.lstrip("( ").upper().startswith(("SELECT", "WITH", "SAVEPOINT", "RELEASE SAVEPOINT", "SET "))
        assert reads or any(f'"{table}"' in sql for table in BOOKKEEPING), f"A GET must not run: {sql}"
        return execute(sql, params, many, context)

    with connection.execute_wrapper(guard):
        yield


@pytest.mark.parametrize("route", PAGES, ids=[route.name for route in PAGES])
def test_pages_only_read(route: Found, alice: User, acme: Organization) -> None:
    arguments: dict[str, object] = {"organization": acme.slug}
    arguments |= {name: OBJECTS[name](acme) for name in route.arguments if name in OBJECTS}
    arguments |= {name: WORDS[name] for name in route.arguments if name in WORDS}
    client = Client()
    client.force_login(alice)
    with only_reading():
        client.get(reverse(route.name, kwargs=arguments))
