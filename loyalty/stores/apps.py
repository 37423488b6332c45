from django.apps import AppConfig


class StoresConfig(AppConfig):
    name = "loyalty.stores"
    label = "stores"
    verbose_name = "Stores and people"
