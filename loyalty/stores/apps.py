from django.apps import AppConfig
from django.db.models.signals import post_migrate

from loyalty.database.granting import grant_declared_rights


class StoresConfig(AppConfig):
    name = "loyalty.stores"
    label = "stores"
    verbose_name = "Stores and people"

    def ready(self) -> None:
        """After every migration the web's role gets the rights that the models declare."""
        post_migrate.connect(grant_declared_rights, sender=self)
