"""Pages in a real browser: the system's Chromium, the built front end, a live server.

``page`` fails its test when a script throws or the content security policy blocks something; ``logged_in(user)``
gives a page with that person's session; ``assert_accessible(page)`` runs axe in both themes at both widths.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from allauth.account.internal.flows.login import record_authentication
from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections
from django.http import HttpRequest
from django.test import override_settings
from django_vite.core.asset_loader import DjangoViteAssetLoader
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Playwright
from pytest_django.live_server_helper import LiveServer

from observability.tenants.models import User

HERE = Path(__file__).parent
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
WIDTHS = (1440, 390)
EVERY_RULE = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# A theme is nothing but other colors (tokens.css), so the second one is only judged by the rules about colors.
COLOR_RULES = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
THEMES = {"light": EVERY_RULE, "dark": COLOR_RULES}
AXE = """only => axe.run({runOnly: only, resultTypes: ["violations"]}).then(found => found.violations)"""
PATIENCE_MS = 15_000

LoggedIn = Callable[[User], Page]
AssertAccessible = Callable[[Page], None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    chromium = shutil.which("chromium")
    for item in items:
        if HERE not in item.path.parents:
            continue
        item.add_marker(pytest.mark.browser)
        if chromium is None:
            item.add_marker(pytest.mark.skip(reason="NO BROWSER TESTED: install chromium to run tests/browser"))


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return {"executable_path": shutil.which("chromium"), "args": FLAGS.split()}


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    return {"viewport": {"width": WIDTHS[0], "height": 900}, "reduced_motion": "reduce"}


@pytest.fixture(scope="session", autouse=True)
def _async_unsafe_allowed(playwright: Playwright) -> Iterator[None]:
    """Playwright's synchronous interface runs an event loop in this thread, which Django would take for async code.

    It keeps connections of its own for that; when the loop has ended nobody could close them any more.
    """
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    yield
    connections.close_all()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session", autouse=True)
def _frontend() -> Iterator[None]:
    """The built front end; xdist's workers take turns, and all but the first find nothing to do."""
    with (Path(tempfile.gettempdir()) / "nightjar-frontend.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run([sys.executable, settings.BASE_DIR / "frontend" / "build.py"], check=True)
    vite = {"default": settings.DJANGO_VITE["default"] | {"dev_mode": False}}
    with override_settings(STATICFILES_DIRS=[settings.FRONTEND_DIST], DJANGO_VITE=vite):
        DjangoViteAssetLoader._instance = None
        yield
    DjangoViteAssetLoader._instance = None


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page of an anonymous visitor, until ``logged_in`` gives it a session."""
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: _keep_problem(message, problems))
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    assert problems == [], "the browser complained"


def _keep_problem(message: ConsoleMessage, problems: list[str]) -> None:
    # A refused form or a missing page is an answer, not a fault of the page that shows it.
    if message.type == "error" and "the server responded with a status of 4" not in message.text:
        problems.append(f"{message.text} ({message.location.get('url', '')})")


@pytest.fixture
def logged_in(page: Page, live_server: LiveServer) -> LoggedIn:
    """Gives the page a session of the person, fresh enough for settings that ask for the password again."""

    def log_in(user: User) -> Page:
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        request = HttpRequest()
        request.session = session
        record_authentication(request, user, method="password", reauthenticated=True)
        session.save()
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": str(session.session_key), "url": live_server.url}
        page.context.add_cookies([cookie])  # type: ignore[list-item]  # A plain dict has the right keys.
        return page

    return log_in


@pytest.fixture
def assert_accessible() -> AssertAccessible:
    """Asserts that axe finds nothing and nothing needs sideways scrolling, in both themes at both widths."""

    def check(page: Page) -> None:
        height = (page.viewport_size or {"height": 900})["height"]
        found: list[str] = []
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE_SCRIPT)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": height})
            for theme, rules in THEMES.items():
                _use_theme(page, theme)
                found += [f"{theme}, {width} px: {problem}" for problem in _violations(page, rules)]
            if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                found.append(f"{width} px: the page is wider than the window")
        page.set_viewport_size({"width": WIDTHS[0], "height": height})
        assert found == [], "\n".join([page.url, *found])

    return check


def _use_theme(page: Page, theme: str) -> None:
    page.evaluate(
        "theme => { document.documentElement.dataset.theme = theme; document.dispatchEvent(new Event('nj:theme')) }",
        theme,
    )


def _violations(page: Page, rules: object) -> list[str]:
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
        for violation in page.evaluate(AXE, rules)
        for node in violation["nodes"]
    ]
