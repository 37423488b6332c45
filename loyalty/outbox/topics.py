"""Who carries out the messages of which topic, and how a handler says that it could not."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.utils.module_loading import import_string

from loyalty.outbox.models import Message

Handler = Callable[[Message, datetime], None]

# Named as strings, because the foundation imports none of the apps that stand on it. A handler may be called twice for
# one message (a worker can be killed after the answer came), so it has to be one whose repeat does no harm.
TOPICS: Final[dict[str, str]] = {
    "platform.tag_order": "orders.services.writing_back.tag_there",
    "platform.cancel_order": "orders.services.writing_back.cancel_there",
}


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


def handler_of(topic: str) -> Handler:
    """The handler of a topic. Raises Postpone for a topic that this version does not know: the next one may."""
    path = TOPICS.get(topic)
    if path is None:
        raise Postpone(f"Nobody here carries out “{topic}”.")
    handler: Handler = import_string(path)
    return handler
