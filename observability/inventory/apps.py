from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "observability.inventory"
    label = "inventory"
