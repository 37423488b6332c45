"""What staff should know of an order at first sight: that it is a test, deleted there, or failed after it was paid."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from loyalty.core.phrases import sentences
from loyalty.languages.own_names import own_words
from loyalty.platforms.registry import LABELS
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store
from orders.admin.display import has_left
from orders.models import Order


@dataclass(frozen=True, slots=True)
class Card:
    """A notice over the tabs of the order page; ``warns`` where somebody has to do something."""

    title: str
    words: str
    warns: bool = False


def standing_cards(order: Order, store: Store) -> list[Card]:
    """The notices that are true of the order."""
    return [*_test(order), *_deleted(order, store), *_failed(order)]


def _test(order: Order) -> Iterator[Card]:
    if order.is_test:
        words = own_words(
            "It was paid through a test gateway, so no money moved. Nothing acts on it: it is not cancelled, nothing "
            "is returned and no points are earned by themselves. You can still cancel it by hand."
        )
        yield Card(_("This is a test order"), words)


def _deleted(order: Order, store: Store) -> Iterator[Card]:
    if order.platform_deleted_at is None:
        return
    label = LABELS.get(order.platform, _("the platform"))
    title = _("Deleted on %(platform)s") % {"platform": label}
    words = _("%(platform)s deleted it on %(day)s. Deleting is not cancelling: nothing moved.") % {
        "platform": label,
        "day": show_moment(order.platform_deleted_at, store),
    }
    if order.needs_revert and order.deleted_unpaid:
        more = _("Nobody paid for it and it used value: cancel it to give that back, or dismiss it.")
        yield Card(title, sentences([words, more]), warns=True)
        return
    stays = has_left(order) and not order.to_be_decided
    yield Card(title, sentences([words, _("What it used stays used.") if stays else ""]))


def _failed(order: Order) -> Iterator[Card]:
    if order.failed_after_payment:
        words = _(
            "It was paid or completed before, and now its payment says failed. Often that is a refund that failed. "
            "Nothing is cancelled or returned by itself: look at the order in the shop, then set the payment right "
            "below, or cancel the order."
        )
        yield Card(_("Paid before, now failed"), words, warns=True)
