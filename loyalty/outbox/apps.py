from django.apps import AppConfig
from django.core.checks import Tags, register
from django.utils.translation import gettext_lazy

from loyalty.database.retention import days_that_can_be
from loyalty.partners.http import no_calls_to_this_machine
from loyalty.partners.mail import address_of_sender


class OutboxConfig(AppConfig):
    name = "loyalty.outbox"
    label = "outbox"
    verbose_name = gettext_lazy("Outbox")

    def ready(self) -> None:
        """Have checks look at where calls may go, whom mail is from, and how long rows are kept."""
        register(no_calls_to_this_machine, Tags.security, deploy=True)
        register(address_of_sender)
        register(days_that_can_be)
