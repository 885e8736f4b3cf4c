from django.apps import AppConfig


class DashboardsConfig(AppConfig):
    name = "observability.dashboards"
    label = "dashboards"
