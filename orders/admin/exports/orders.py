"""The columns of orders, and of what they used lot by lot."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.days import is_expired
from loyalty.exporting.tables import Cell, Column, Export, Viewing, amount, last_day, yes
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount, UsedLot
from loyalty.stores.dates import label_of
from loyalty.stores.models import Store
from loyalty.timeline.words import trigger_words
from orders.admin.exports.columns import LAST_DAY, attribute, text, whose
from orders.kinds import KINDS, LEDGERS, applied, currency_of, reverted, show
from orders.models import (
    CancelReason,
    Order,
    OrderStatus,
    PaymentDetail,
    PaymentStatus,
    PersonsDecision,
    RevertStatus,
    light,
)

_TITLES: Final[dict[Kind, tuple[str, str, str, str, str]]] = {
    "credits": (
        gettext_noop("Credits used"),
        gettext_noop("Credits returned"),
        gettext_noop("Credits not returned"),
        gettext_noop("Credit Revert Status"),
        gettext_noop("Decided about credits"),
    ),
    "points": (
        gettext_noop("Points used"),
        gettext_noop("Points returned"),
        gettext_noop("Points not returned"),
        gettext_noop("Points Revert Status"),
        gettext_noop("Decided about points"),
    ),
}
_LOT_TITLES: Final[dict[Kind, tuple[str, str, str, str]]] = {
    "credits": (
        gettext_noop("Credit lots"),
        gettext_noop("Credit lots: used"),
        gettext_noop("Credit lots: last day of use"),
        gettext_noop("Credit lots: returned"),
    ),
    "points": (
        gettext_noop("Point lots"),
        gettext_noop("Point lots: used"),
        gettext_noop("Point lots: last day of use"),
        gettext_noop("Point lots: returned"),
    ),
}
_USED_BY: Final[dict[Kind, str]] = {
    "credits": gettext_noop("Store credits used by orders"),
    "points": gettext_noop("Member points used by orders"),
}


def _kind_columns(kind: Kind) -> tuple[Column, ...]:
    used, returned, not_returned, status, decided = _TITLES[kind]

    def of(get: Callable[[Order], Amount]) -> Callable[[Order], Cell]:
        return lambda order: amount(get(order), currency_of(order, kind))

    return (
        text(used, of(lambda order: applied(order, kind))),
        text(returned, of(lambda order: reverted(order, kind))),
        text(not_returned, of(lambda order: applied(order, kind) - reverted(order, kind))),
        text(status, lambda order: label_of(RevertStatus, getattr(order, _STATUS_FIELD[kind]))),
        text(decided, lambda order: label_of(PersonsDecision, getattr(order, f"{kind}_decision"))),
    )


_STATUS_FIELD: Final[dict[Kind, str]] = {"credits": "credit_revert_status", "points": "points_revert_status"}


def _lot_columns(kind: Kind) -> tuple[Column, ...]:
    """Which lots an order used: each column lists them in the order of spending, to be read side by side."""
    lots, used, last_days, returned = _LOT_TITLES[kind]

    def each(write: Callable[[UsedLot, Store], Cell]) -> Callable[[Order, Viewing], Cell]:
        return lambda order, viewing: "; ".join(
            str(write(lot, viewing.store)) for lot in viewing.loaded[kind].get(order.pk, ())
        )

    return (
        Column(lots, each(lambda lot, _store: f"#{lot.lot_id}")),
        Column(used, each(lambda lot, _store: amount(lot.amount, lot.currency))),
        Column(
            last_days,
            each(lambda lot, store: last_day(lot.expires_at, store) or _("never")),
        ),
        Column(returned, each(lambda lot, _store: amount(lot.returned, lot.currency))),
    )


def _load_lots(orders: Sequence[Order], _viewing: Viewing) -> dict[Kind, dict[int, list[UsedLot]]]:
    ids = [order.pk for order in orders]
    return {kind: LEDGERS[kind].used_lots(ids) for kind in KINDS}


def _codes(order: Order, viewing: Viewing) -> str:
    words = _("%(code)s: %(points)s")
    used = ({"code": code["code"], "points": show(code["points"], "", viewing.store)} for code in order.codes)
    return "; ".join(words % code for code in used)


ORDERS: Final = Export(
    "orders",
    gettext_noop("Orders"),
    (
        attribute(gettext_noop("Order"), "number"),
        attribute(gettext_noop("External id"), "external_id"),
        attribute(gettext_noop("Platform"), "platform"),
        *whose(),
        text(gettext_noop("Status"), lambda order: label_of(OrderStatus, order.status)),
        text(gettext_noop("Payment status"), lambda order: label_of(PaymentStatus, order.payment_status)),
        text(gettext_noop("Payment detail"), lambda order: label_of(PaymentDetail, order.payment_detail)),
        attribute(gettext_noop("Placed at ({zone})"), "placed_at"),
        attribute(gettext_noop("Payment due at ({zone})"), "payment_due_at"),
        attribute(gettext_noop("Currency"), "currency"),
        text(gettext_noop("Total"), lambda order: amount(order.total, order.currency)),
        text(gettext_noop("Refunded"), lambda order: amount(order.refunded_total, order.currency)),
        *(column for kind in KINDS for column in _kind_columns(kind)),
        text(gettext_noop("Needs revert"), lambda order: yes(order.needs_revert)),
        text(gettext_noop("Tags"), lambda order: ", ".join(order.tags)),
        Column(gettext_noop("Codes"), _codes),
        text(gettext_noop("Test order"), lambda order: yes(order.is_test)),
        attribute(gettext_noop("Deleted on the platform at ({zone})"), "platform_deleted_at"),
        attribute(gettext_noop("Cancelled at ({zone})"), "cancelled_at"),
        text(
            gettext_noop("Cancelled by"), lambda order: trigger_words(order.cancelled_by) if order.cancelled_at else ""
        ),
        text(gettext_noop("Cancel reason"), lambda order: label_of(CancelReason, order.cancel_reason)),
        *(column for kind in KINDS for column in _lot_columns(kind)),
    ),
    load=_load_lots,
)


_CODE: Final = text(gettext_noop("Code"), lambda use: use.order.code_of(use.redemption_id))


def _uses(kind: Kind) -> Export:
    """One line for each lot that each order of the list used."""

    def rows(orders: "QuerySet[Any]", store: Store) -> "QuerySet[Any]":
        used = LEDGERS[kind].tables.allocation.objects.for_store(store).order_by("pk")
        used = used.filter(order__in=orders.order_by().values("pk")).select_related("lot", "order__customer")
        return light(used, "order")

    def of(get: Callable[[Any], Amount]) -> Callable[[Any], Cell]:
        return lambda use: amount(get(use), use.lot.currency)

    return Export(
        f"{kind}-used",
        _USED_BY[kind],
        (
            attribute(gettext_noop("Order"), "order.number"),
            attribute(gettext_noop("Placed at ({zone})"), "order.placed_at"),
            text(gettext_noop("Status"), lambda use: label_of(OrderStatus, use.order.status)),
            *whose("order.customer"),
            text(gettext_noop("Lot"), lambda use: use.lot_id),
            *([_CODE] if kind == "points" else []),
            text(gettext_noop("Used"), of(lambda use: use.amount)),
            text(gettext_noop("Returned"), of(lambda use: use.returned)),
            text(gettext_noop("Not returned"), of(lambda use: use.amount - use.returned)),
            *([attribute(gettext_noop("Currency"), "lot.currency")] if kind == "credits" else []),
            Column(LAST_DAY, lambda use, viewing: last_day(use.lot.expires_at, viewing.store)),
            Column(gettext_noop("Expired"), lambda use, viewing: yes(is_expired(use.lot.expires_at, viewing.now))),
            attribute(gettext_noop("Spent at ({zone})"), "created_at"),
        ),
        rows=rows,
    )


ORDER_EXPORTS: Final = (ORDERS, *(_uses(kind) for kind in KINDS))
