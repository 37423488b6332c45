from django.apps import AppConfig
from django.core.checks import Tags, register

from loyalty.partners.http import no_calls_to_this_machine


class OutboxConfig(AppConfig):
    name = "loyalty.outbox"
    label = "outbox"
    verbose_name = "Outbox"

    def ready(self) -> None:
        """Have the deployment check look at where calls may go."""
        register(no_calls_to_this_machine, Tags.security, deploy=True)
