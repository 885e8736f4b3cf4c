from django.apps import AppConfig
from django.core import checks

from observability.ui.checks import frontend_is_built


class UiConfig(AppConfig):
    name = "observability.ui"
    label = "ui"

    def ready(self) -> None:
        checks.register(frontend_is_built, checks.Tags.staticfiles)
