"""What an endpoint can be told, and which entries of the journal tell it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from django.utils.translation import gettext_lazy

from loyalty.languages.own_names import own_words_lazy


class WebhookEvent(StrEnum):
    """The events of the REST contract; each is an entry of the journal, or follows from one."""

    ORDER_CANCELLED = "order.cancelled"
    CREDITS_REVERTED = "order.credit_reverted"
    POINTS_REVERTED = "order.points_reverted"
    REVERT_SKIPPED = "order.revert_skipped"
    REVERT_UNDONE = "order.revert_undone"
    BALANCE_CHANGED = "customer.balance_changed"
    REDEMPTION_REVERSED = "redemption.reversed"


# Sent only when staff ask for it, to the endpoint they ask for.
TEST: Final = "webhook.test"

WORDS: Final[Mapping[WebhookEvent, Any]] = {
    WebhookEvent.ORDER_CANCELLED: gettext_lazy("an order was cancelled, no matter by whom"),
    WebhookEvent.CREDITS_REVERTED: own_words_lazy("store credits that an order used are back with the customer"),
    WebhookEvent.POINTS_REVERTED: own_words_lazy("member points that an order used are back with the customer"),
    WebhookEvent.REVERT_SKIPPED: gettext_lazy("it was decided that a kind is not returned, and why"),
    WebhookEvent.REVERT_UNDONE: gettext_lazy("a return was undone"),
    WebhookEvent.BALANCE_CHANGED: own_words_lazy("a customer's credits or points became more or fewer"),
    WebhookEvent.REDEMPTION_REVERSED: gettext_lazy("a redemption was reversed"),
}

# Entries that say by themselves that a balance has changed: no entry of its own is written for that.
_CHANGES_BALANCE: Final = (
    "order.spent",
    "order.credit_reverted",
    "order.points_reverted",
    "order.revert_undone",
    "order.deducted_again",
    "order.points_earned",
    "order.points_taken_back",
    "order.points_given_again",
    "redemption.created",
    "redemption.reversed",
)

# Of these the order's own entry says that the balance has changed, where they went through an order (R7).
TOLD_BY_ORDER: Final = ("redemption.reversed",)

# Which entries of the journal are told as which event.
TOLD_AS: Final[tuple[tuple[str, str], ...]] = (
    *((event.value, event.value) for event in WebhookEvent),
    *((entry, WebhookEvent.BALANCE_CHANGED.value) for entry in _CHANGES_BALANCE),
)
ENTRIES: Final = frozenset(entry for entry, _ in TOLD_AS)
