"""What a delivery means: which order it is about and whether that order is inside, or what else is asked. Pure.

Platforms send many topics. Those with a whole order inside are read as they are; those that merely name an order have
it fetched; of payments that fell through enough is said to act on. Everything else is kept and left alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from loyalty.platforms.documents.payments import failed_to_pay
from loyalty.platforms.documents.read import Fields
from loyalty.platforms.documents.recognise import disagreement
from loyalty.platforms.documents.used_there import takes_store_credit
from loyalty.platforms.snapshot import NotAnOrder
from loyalty.platforms.webhooks.envelopes import TOPIC_UNSIGNED


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
Read = Callable[[str, Mapping[str, object]], Meaning]

# What these ask for cannot be taken back. Their messages empty themselves, once staff have decided.
ERASING_TOPICS: Final = ("customers/redact", "shop/redact", "merchants/redact")
NOT_USED: Final = Nothing("Nothing here depends on this topic.")
_INSTALLED: Final = Nothing("The shop installed the app. The connection is made by hand, on its page.")
_NAMELESS: Final = Nothing("It does not say which order it is about; the order's own update brings the change.")
_OTHER_PAYMENT: Final = Nothing("A payment that went well, or a refund: the order itself says so, too.")
# Fields that only a whole order has; which of them depends on the platform.
_ORDER_SIGNS: Final = ("financial_status", "order_key", "order_payment", "line_items", "subtotal_items")
_SHOPLINE_PAYMENTS: Final[Mapping[str, str]] = {
    "failed": "failed",
    "expired": "expired",
    "completed": "paid",
    "paid": "paid",
}


def meaning_of(platform: str, topic: str, document: Mapping[str, object]) -> Meaning:
    """What a delivery of ``platform`` asks for. Raises NotAnOrder when it belies or lacks what its topic promises."""
    if platform in TOPIC_UNSIGNED and (belied := disagreement(topic, document)):
        raise NotAnOrder(belied, field="topic")
    return _READERS[platform](topic.strip().lower(), document)


def _shopify(topic: str, document: Mapping[str, object]) -> Meaning:
    about, _, what = topic.partition("/")
    if topic == "order_transactions/create":
        return _transaction(document)
    if about == "orders":
        return DeletedOrder(_id(document, "id")) if what == "delete" else _order(document)
    if about == "refunds":
        return _named(document, "order_id")
    if topic == "customers/merge":
        return _shopify_merge(document)
    return _business(topic, document)


def _shopify_merge(document: Mapping[str, object]) -> Meaning:
    merge = Fields(document)
    if merge.text("status").lower() != "completed":
        return Nothing("A merge of customers that was not completed.")
    kept, merged = (_gid_number(merge.text(f"admin_graphql_api_customer_{who}_id")) for who in ("kept", "deleted"))
    if not kept or not merged or kept == merged:
        raise NotAnOrder("It does not say which customers became one.", field="admin_graphql_api_customer_kept_id")
    return MergedCustomers(kept, merged)


def _gid_number(gid: str) -> str:
    """The number of ``gid://shopify/Customer/7001``, the id that orders name him by; "" for anything else."""
    number = gid.removeprefix("gid://shopify/Customer/").partition("?")[0]
    return number if gid != number and number.isascii() and number.isdigit() else ""


def _woocommerce(topic: str, document: Mapping[str, object]) -> Meaning:
    about, _, what = topic.partition(".")
    if about != "order":
        return NOT_USED
    if what == "deleted":
        return DeletedOrder(_id(document, "id"))
    return _order(document, restored=what == "restored")


def _shopline(topic: str, document: Mapping[str, object]) -> Meaning:
    about, _, what = topic.partition("/")
    resource = Fields(document).child("resource").values
    if topic == "application/uninstall":
        return Uninstalled()
    if about == "order":
        return DeletedOrder(_id(resource, "_id", "id")) if what == "remove" else _order(resource)
    if about == "order_payment":
        return _shopline_payment(resource)
    if about in ("order_delivery", "return_order"):
        return WholeOrder(resource) if _is_whole(resource) else _named(resource, "order_id")
    return NOT_USED


def _shopline_global(topic: str, document: Mapping[str, object]) -> Meaning:
    about, _, what = topic.partition("/")
    if about == "orders":
        return DeletedOrder(_id(document, "id", "order_id")) if what == "delete" else _order(document)
    if about in ("refunds", "order_transactions"):
        return _named(document, "order_id")
    return _business(topic, document)


_READERS: Final[Mapping[str, Read]] = {
    "shopify": _shopify,
    "woocommerce": _woocommerce,
    "shopline": _shopline,
    "shopline_global": _shopline_global,
}


def _business(topic: str, document: Mapping[str, object]) -> Meaning:
    """Privacy and the end of the connection: the same words on Shopify and SHOPLINE Global."""
    match topic:
        case "customers/data_request":
            return DataWanted(_person(document, "orders_requested"))
        case "customers/redact":
            return EraseCustomer(_person(document, "orders_to_redact"))
        case "shop/redact" | "merchants/redact":
            return EraseShop()
        case "app/uninstalled" | "apps/uninstalled":
            return Uninstalled()
        case "apps/installed_uninstalled" | "apps/installed_or_uninstalled":
            return Uninstalled() if Fields(document).text("operate").upper() == "UNINSTALL" else _INSTALLED
    return NOT_USED


def _order(document: Mapping[str, object], *, restored: bool = False) -> Meaning:
    """The order inside, or the one that is named."""
    if _is_whole(document):
        return WholeOrder(document, restored=restored)
    edit = Fields(document).child("order_edit").values
    return NamedOrder(_id(edit, "order_id") if edit else _id(document, "id", "order_id", "_id"))


def _is_whole(document: Mapping[str, object]) -> bool:
    return any(sign in document for sign in _ORDER_SIGNS)


def _named(document: Mapping[str, object], key: str) -> Meaning:
    """The order that something belongs to; what names none is understood, and left to the order's own update."""
    external_id = Fields(document).identifier(key)
    return NamedOrder(external_id) if external_id else _NAMELESS


def _transaction(document: Mapping[str, object]) -> Meaning:
    transaction = Fields(document)
    external_id = transaction.identifier("order_id")
    amount = transaction.amount("amount", "") if takes_store_credit(transaction) else None
    if external_id and amount and amount > 0:
        payment_id = transaction.identifier("id") or external_id
        return CreditsTaken(external_id, payment_id, amount, transaction.currency("currency"))
    if not failed_to_pay(transaction):
        return _OTHER_PAYMENT
    if not external_id:
        return _NAMELESS
    return PaymentNews(external_id, "failed", attempt=transaction.identifier("id") or external_id)


def _shopline_payment(resource: Mapping[str, object]) -> Meaning:
    if _is_whole(resource):
        return WholeOrder(resource)
    payment = Fields(resource, "resource")
    status = _SHOPLINE_PAYMENTS.get(payment.text("status").lower())
    external_id = payment.identifier("order_id")
    if not external_id:
        return _NAMELESS
    if status is None:
        return NamedOrder(external_id)
    return PaymentNews(external_id, status, payment.instant("updated_at", without_offset_is_utc=True))


def _person(document: Mapping[str, object], orders: str) -> Person:
    request = Fields(document)
    customer = request.child("customer")
    return Person(customer.identifier("id"), customer.email("email"), request.identifiers(orders))


def _id(document: Mapping[str, object], *keys: str) -> str:
    fields = Fields(document)
    found = next((text for key in keys if (text := fields.identifier(key))), "")
    if not found:
        raise NotAnOrder("It does not say which order it is about.", field=keys[0])
    return found
