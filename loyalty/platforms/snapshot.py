"""The neutral picture of one order that every platform's mapping produces.

A mapping is pure: platform JSON in, :class:`OrderSnapshot` out, no database and no clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _

from loyalty.core.phrases import enumerated

_NAMED: Final = 5


class NotAnOrder(ValueError):
    """The JSON is no order of this platform. ``str(error)`` says why in a sentence for people.

    ``field`` names the offending JSON field (dotted path), or is empty when the whole document is something else.
    ``for_good``: by these facts it is none, whatever else it says: a draft, something in the bin, a return.
    """

    def __init__(self, reason: str, *, field: str = "") -> None:
        super().__init__(reason)
        self.field = field
        self.for_good = field in ("status", "type")


class OrderGone(NotAnOrder):
    """The document says of an order that it is in the bin or removed; ``at`` is when, where the platform says (O9)."""

    def __init__(self, reason: str, *, field: str, external_id: str, at: datetime | None) -> None:
        super().__init__(reason, field=field)
        self.external_id = external_id
        self.at = at


@dataclass(frozen=True, slots=True)
class CustomerSnapshot:
    """Who placed the order, as far as the platform says. A guest has ``external_id == ""`` and an e-mail.

    Longest: id 100 characters, e-mail 254, name 200, phone 50, locale 20. The e-mail is as written there.
    """

    external_id: str
    email: str
    name: str
    phone: str = ""
    locale: str = ""


@dataclass(frozen=True, slots=True)
class LineSnapshot:
    """One line of an order; ``total`` is for the whole quantity, in the order's currency."""

    title: str
    sku: str
    quantity: int
    total: Decimal


@dataclass(frozen=True, slots=True)
class UsedThere:
    """What the platform says was used there, of its own credits and points or its plugins': not in this ledger (O5).

    None says nothing: it was not said, or cannot be read, and what was recorded stays. ``some_credits``: there were
    some, and it is not said how much. ``points_worth`` is what the points were worth, where the platform says it.
    ``outside_total`` is how much of it all the order's total leaves out, being what was left to pay (O8). Amounts are
    in the order's currency.
    """

    credits: Decimal | None = Decimal(0)
    points: int | None = 0
    points_worth: Decimal = Decimal(0)
    outside_total: Decimal = Decimal(0)
    some_credits: bool = False


@dataclass(frozen=True, slots=True)
class OrderSnapshot:
    """One order at one moment (O1, O2). Amounts are Decimals in ``currency`` with its decimals; instants are UTC.

    ``currency`` is "" when the platform did not say: the store's own is meant, and the amounts are as they came.
    Longest: ids and ``number`` 100 characters, a tag 85, other texts 255. ``refunded_total`` is at most ``total``.
    ``status`` is pending, confirmed, completed or cancelled; ``payment_status`` pending, paid, failed, expired,
    partially_refunded or refunded: the words of O1. The platform's own words are kept beside them.
    """

    external_id: str
    number: str
    status: str
    payment_status: str
    currency: str
    total: Decimal
    refunded_total: Decimal
    placed_at: datetime
    updated_at: datetime
    customer: CustomerSnapshot | None
    tags: tuple[str, ...] = ()
    lines: tuple[LineSnapshot, ...] = ()
    cancelled_at: datetime | None = None
    payment_due_at: datetime | None = None
    # What is to be known of a payment that is pending (E10), in the words of loyalty.platforms.documents.payments.
    payment_detail: str = ""
    # The platform's ids of tries to pay that failed while the payment is pending: another one may pay it (E10).
    attempts: tuple[str, ...] = ()
    # It was paid or completed at some time, whatever its payment says now (E10).
    paid_before: bool = False
    platform_status: str = ""
    platform_payment_status: str = ""
    discount_codes: tuple[str, ...] = ()
    # Paid through a test gateway: somebody did place it, but no money moved.
    is_test: bool = False
    # The platform made it up to try a connection: nobody placed it, and it is not to be recorded.
    is_test_delivery: bool = False
    used_there: UsedThere = UsedThere()
    # Ids of orders this one was split from or into; a parent and its children are never both returned.
    parent_external_id: str = ""
    child_external_ids: tuple[str, ...] = field(default=())
    # What of the document could not be read, as dotted paths; and the fields above of which it says nothing then (O10).
    left_out: tuple[str, ...] = ()
    unknown: frozenset[str] = frozenset()


def named(left_out: Sequence[str]) -> str:
    """What of a document could not be read, for a sentence: the first few paths, and how many more there are."""
    shown = left_out[:_NAMED]
    more = len(left_out) - len(shown)
    names = enumerated(shown)
    return _("%(names)s and %(count)s more") % {"names": names, "count": more} if more else names


def without(sentence: str, left_out: Sequence[str]) -> str:
    """A sentence about an order, and what of it was not read; the sentence alone when all of it was (O10)."""
    if not left_out:
        return sentence
    return _("%(sentence)s Read, without: %(named)s.") % {"sentence": sentence, "named": named(left_out)}
