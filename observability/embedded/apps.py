from django.apps import AppConfig


class EmbeddedConfig(AppConfig):
    name = "observability.embedded"
    label = "embedded"
