from django.apps import AppConfig
from django.db.backends.signals import connection_created

from loyalty.database.stored import read_whatever_is_stored


class LoyaltyConfig(AppConfig):
    name = "loyalty"

    def ready(self) -> None:
        """Every connection reads instants and days so that they can be shown (L8)."""
        connection_created.connect(read_whatever_is_stored)
