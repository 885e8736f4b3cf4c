"""What `manage.py check` says about the pages."""

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Warning


def frontend_is_built(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Warn when pages would come without styles and charts."""
    if settings.FRONTEND_MANIFEST.exists():
        return []
    hint = "Run `python frontend/build.py`; `make setup` does it too."
    return [Warning("The front end has not been built: pages come without styles and charts.", hint=hint, id="ui.W001")]
