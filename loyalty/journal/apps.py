from django.apps import AppConfig


class JournalConfig(AppConfig):
    name = "loyalty.journal"
    label = "journal"
    verbose_name = "Audit"
