from django.apps import AppConfig


class ExtensionConfig(AppConfig):
    name = "observability.extension"
    label = "extension"
