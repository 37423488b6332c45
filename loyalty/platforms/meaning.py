"""What a platform's message means: which order it is about and whether that order is inside, or what else is asked.

Platforms send many topics. Those with a whole order inside are read as they are; those that merely name an order have
it fetched; of payments that fell through enough is said to act on. Everything else is kept and left alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext_noop


@dataclass(frozen=True, slots=True)
class WholeOrder:
    """An order as the platform's mapping reads it; ``restored``: it was in the bin and is back."""

    document: Mapping[str, object]
    restored: bool = False


@dataclass(frozen=True, slots=True)
class NamedOrder:
    """Something happened to an order that is not inside."""

    external_id: str


@dataclass(frozen=True, slots=True)
class PaymentNews:
    """A payment of an order became ``status``, a payment status of O1; ``at`` is when, where the platform says.

    ``attempt`` is the platform's id of one try to pay: a declined card says nothing of the order's payment yet, another
    one may pay it (E10). Empty where the payment is the order's own.
    """

    external_id: str
    status: str
    at: datetime | None = None
    attempt: str = ""


@dataclass(frozen=True, slots=True)
class CreditsTaken:
    """Store credit of the platform's own paid for an order, or a part of it: payment ``payment_id`` took ``amount``.

    ``currency`` is "" where it is not said: the order's.
    """

    external_id: str
    payment_id: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class DeletedOrder:
    """The order is not on the platform any more."""

    external_id: str


@dataclass(frozen=True, slots=True)
class Uninstalled:
    """The shop took our app away."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody a privacy request is about, and the orders it names."""

    external_id: str
    email: str
    orders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataWanted:
    """A customer asks which data are kept about him."""

    person: Person


@dataclass(frozen=True, slots=True)
class EraseCustomer:
    """A customer's personal data are to be erased."""

    person: Person


@dataclass(frozen=True, slots=True)
class EraseShop:
    """Whatever the platform told about its customers is to be erased, and the connection ends."""


@dataclass(frozen=True, slots=True)
class MergedCustomers:
    """Two customers of the platform have become one (O7): by its ids who stayed, and who went into him."""

    kept_id: str
    merged_id: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing is to be done, and why."""

    reason: str


Meaning = (
    WholeOrder
    | NamedOrder
    | PaymentNews
    | CreditsTaken
    | DeletedOrder
    | Uninstalled
    | DataWanted
    | EraseCustomer
    | EraseShop
    | MergedCustomers
    | Nothing
)

NOT_USED: Final = Nothing(gettext_noop("Nothing here depends on this topic."))
NAMELESS: Final = Nothing(
    gettext_noop("It does not say which order it is about; the order's own update brings the change.")
)
