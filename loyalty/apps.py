import gc
from typing import Final

from django.apps import AppConfig
from django.conf import settings
from django.db.backends.signals import connection_created
from django.utils.module_loading import import_string

from loyalty.database.stored import read_whatever_is_stored

# So many more objects than before, and those in cycles are looked for. With Python's own 700 that took a tenth of a
# sweep's time: a batch holds thousands, none of them in a cycle.
_OBJECTS_BETWEEN: Final = 50_000


class LoyaltyConfig(AppConfig):
    name = "loyalty"

    def ready(self) -> None:
        """Every connection reads instants and days so that they can be shown (L8). Garbage is looked for seldom."""
        connection_created.connect(read_whatever_is_stored)
        # Errors and traces are told by what is named: what is switched off is not even read.
        if settings.SENTRY_DSN:
            import_string("loyalty.monitoring.sentry.start")(settings.SENTRY_DSN)
        if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
            import_string("loyalty.monitoring.traces.start")()
        # What is there by now stays for good, and is not looked through again.
        gc.freeze()
        gc.set_threshold(_OBJECTS_BETWEEN)
