from django.apps import AppConfig
from django.core.checks import Tags, register
from django.utils.translation import gettext_lazy

from loyalty.partners.http import no_calls_to_this_machine
from loyalty.partners.mail import address_of_sender


class OutboxConfig(AppConfig):
    name = "loyalty.outbox"
    label = "outbox"
    verbose_name = gettext_lazy("Outbox")

    def ready(self) -> None:
        """Have checks look at where calls may go, and at whom mail is from."""
        register(no_calls_to_this_machine, Tags.security, deploy=True)
        register(address_of_sender)
