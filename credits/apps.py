from django.apps import AppConfig


class CreditsConfig(AppConfig):
    name = "credits"
    label = "credits"
    verbose_name = "Store credits"
