from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy

from loyalty.database.granting import grant_declared_rights
from loyalty.database.migrating.half_way import whole_upgrade


class StoresConfig(AppConfig):
    name = "loyalty.stores"
    label = "stores"
    verbose_name = gettext_lazy("Stores and people")

    def ready(self) -> None:
        """Half an upgrade is refused; after every migration the web's role gets the rights that the models declare."""
        register(whole_upgrade, Tags.database)
        post_migrate.connect(grant_declared_rights, sender=self)
