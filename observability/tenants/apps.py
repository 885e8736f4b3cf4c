from django.apps import AppConfig


class TenantsConfig(AppConfig):
    name = "observability.tenants"
    label = "tenants"
