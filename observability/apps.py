from importlib import import_module

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "observability"
    label = "observability"

    def ready(self) -> None:
        import_module("observability.checks")
