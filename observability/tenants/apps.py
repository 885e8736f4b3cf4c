from django.apps import AppConfig
from django.core.checks import register

from observability.tenants.encryption import check_keys


class TenantsConfig(AppConfig):
    name = "observability.tenants"
    label = "tenants"

    def ready(self) -> None:
        register(check_keys)
