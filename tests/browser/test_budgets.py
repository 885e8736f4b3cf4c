"""How much the browser has to load before a page works."""

import gzip
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django_vite.core.asset_loader import DjangoViteAssetLoader

JAVASCRIPT = 45 * 1024
STYLES = 15 * 1024


def weight(*paths: Path) -> int:
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in paths)


def built(name: str) -> Path:
    url: str = DjangoViteAssetLoader.instance().generate_vite_asset_url(name)
    return Path(settings.FRONTEND_DIST) / url.removeprefix(settings.STATIC_URL)


def test_scripts_with_htmx_stay_light() -> None:
    htmx = finders.find("django_htmx/htmx-4.min.js")
    assert isinstance(htmx, str)
    assert weight(built("src/app.js"), built("src/charts.js"), Path(htmx)) <= JAVASCRIPT


def test_styles_stay_light() -> None:
    manifest = DjangoViteAssetLoader.instance()._apps["default"].manifest
    sheets = [Path(settings.FRONTEND_DIST) / sheet for sheet in manifest.get("src/app.js").css]
    assert sheets
    assert weight(*sheets) <= STYLES
