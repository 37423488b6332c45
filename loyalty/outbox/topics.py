"""Who carries out the messages of which topic, and how a handler says that it could not."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.utils.module_loading import import_string
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext as _

from loyalty.outbox.models import Message

Handler = Callable[[Message, datetime], None]

# Named as strings, because the foundation imports none of the apps that stand on it. A handler may be called twice for
# one message (a worker can be killed after the answer came), so it has to be one whose repeat does no harm.
TOPICS: Final[dict[str, str]] = {
    "platform.tag_order": "orders.services.reverts.write_back.tag_there",
    "platform.cancel_order": "orders.services.reverts.write_back.cancel_there",
    "platform.ask_code": "orders.services.codes.on_platform.ask_code",
    "platform.create_code": "orders.services.codes.on_platform.create_code",
    "platform.delete_code": "orders.services.codes.on_platform.delete_code",
    "platform.check": "loyalty.platforms.connections.check.carry_out_check",
    "platform.register_webhooks": "loyalty.platforms.connections.check.carry_out_registering",
    "notice.withdraw": "loyalty.notices.write.withdraw_later",
    "webhook": "loyalty.webhooks.deliver.deliver",
}

# What each topic's messages do, for staff; a topic without words is shown by its name.
WORDS: Final[dict[str, str]] = {
    "platform.tag_order": gettext_noop("Put a tag on the platform's order"),
    "platform.cancel_order": gettext_noop("Cancel the order on the platform too"),
    "platform.ask_code": gettext_noop("Ask the platform whether a discount code was used"),
    "platform.create_code": gettext_noop("Make a discount code on the platform"),
    "platform.check": gettext_noop("Test the connection to the platform"),
    "platform.register_webhooks": gettext_noop("Register or repair the platform's webhooks"),
    "notice.withdraw": gettext_noop("Withdraw a message to a customer that was being sent"),
    "platform.delete_code": gettext_noop("Delete a reversed discount code on the platform"),
}
# Topics whose messages are shown on a page of their own instead of the list of all.
OWN_PAGES: Final = ("webhook",)


class Postpone(Exception):
    """It could not be done now; ``str(error)`` says why, for staff.

    Without ``after`` it is tried again with growing pauses and given up in the end. With ``after``, because somebody
    named the time (a Retry-After, a limit of calls), it is tried again then, and the attempt does not count.
    """

    def __init__(self, reason: str, after: datetime | timedelta | None = None) -> None:
        super().__init__(reason)
        self.after = after


class GiveUp(Exception):
    """It can never be done; ``str(error)`` says why, for staff."""


def words_of(topic: str) -> str:
    """What messages of a topic do, for staff."""
    return gettext(WORDS[topic]) if topic in WORDS else topic.replace("_", " ").replace(".", " ").capitalize()


def handler_of(topic: str) -> Handler:
    """The handler of a topic. Raises Postpone for a topic that this version does not know: the next one may."""
    path = TOPICS.get(topic)
    if path is None:
        raise Postpone(_("Nobody here carries out “%(topic)s”.") % {"topic": topic})
    handler: Handler = import_string(path)
    return handler
