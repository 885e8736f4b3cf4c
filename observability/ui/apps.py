from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "observability.ui"
    label = "ui"
