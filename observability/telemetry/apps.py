from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    name = "observability.telemetry"
    label = "telemetry"
