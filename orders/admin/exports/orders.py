"""The columns of orders, and of what they used lot by lot."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from django.db.models import QuerySet

from loyalty.core.days import is_expired
from loyalty.exporting.tables import Cell, Column, Export, Viewing, amount, last_day, yes
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount, UsedLot
from loyalty.stores.dates import label_of
from loyalty.stores.models import Store
from loyalty.timeline.words import trigger_words
from orders.admin.exports.columns import ADJECTIVE, LAST_DAY, attribute, text, whose
from orders.kinds import KINDS, LEDGERS, NAMES, applied, currency_of, reverted
from orders.models import CancelReason, Order, PersonsDecision, RevertStatus, light


def _kind_columns(kind: Kind) -> tuple[Column, ...]:
    name = kind.capitalize()

    def of(get: Callable[[Order], Amount]) -> Callable[[Order], Cell]:
        return lambda order: amount(get(order), currency_of(order, kind))

    return (
        text(f"{name} used", of(lambda order: applied(order, kind))),
        text(f"{name} returned", of(lambda order: reverted(order, kind))),
        text(f"{name} not returned", of(lambda order: applied(order, kind) - reverted(order, kind))),
        text(_REVERT_STATUS[kind], lambda order: label_of(RevertStatus, getattr(order, _STATUS_FIELD[kind]))),
        text(f"Decided about {kind}", lambda order: label_of(PersonsDecision, getattr(order, f"{kind}_decision"))),
    )


_REVERT_STATUS: Final[dict[Kind, str]] = {"credits": "Credit Revert Status", "points": "Points Revert Status"}
_STATUS_FIELD: Final[dict[Kind, str]] = {"credits": "credit_revert_status", "points": "points_revert_status"}


def _lot_columns(kind: Kind) -> tuple[Column, ...]:
    """Which lots an order used: each column lists them in the order of spending, to be read side by side."""
    name = ADJECTIVE[kind]

    def each(write: Callable[[UsedLot, Store], Cell]) -> Callable[[Order, Viewing], Cell]:
        return lambda order, viewing: "; ".join(
            str(write(lot, viewing.store)) for lot in viewing.loaded[kind].get(order.pk, ())
        )

    return (
        Column(f"{name} lots", each(lambda lot, _: f"#{lot.lot_id}")),
        Column(f"{name} lots: used", each(lambda lot, _: amount(lot.amount, lot.currency))),
        Column(f"{name} lots: last day of use", each(lambda lot, store: last_day(lot.expires_at, store) or "never")),
        Column(f"{name} lots: returned", each(lambda lot, _: amount(lot.returned, lot.currency))),
    )


def _load_lots(orders: Sequence[Order], _viewing: Viewing) -> dict[Kind, dict[int, list[UsedLot]]]:
    ids = [order.pk for order in orders]
    return {kind: LEDGERS[kind].used_lots(ids) for kind in KINDS}


ORDERS: Final = Export(
    "orders",
    "Orders",
    (
        attribute("Order", "number"),
        attribute("External id", "external_id"),
        attribute("Platform", "platform"),
        *whose(),
        text("Status", lambda order: order.get_status_display()),
        text("Payment status", lambda order: order.get_payment_status_display()),
        text("Payment detail", lambda order: order.get_payment_detail_display() if order.payment_detail else ""),
        attribute("Placed at ({zone})", "placed_at"),
        attribute("Payment due at ({zone})", "payment_due_at"),
        attribute("Currency", "currency"),
        text("Total", lambda order: amount(order.total, order.currency)),
        text("Refunded", lambda order: amount(order.refunded_total, order.currency)),
        *(column for kind in KINDS for column in _kind_columns(kind)),
        text("Needs revert", lambda order: yes(order.needs_revert)),
        text("Tags", lambda order: ", ".join(order.tags)),
        text("Codes", lambda order: "; ".join(f"{code['code']}: {code['points']} points" for code in order.codes)),
        text("Test order", lambda order: yes(order.is_test)),
        attribute("Deleted on the platform at ({zone})", "platform_deleted_at"),
        attribute("Cancelled at ({zone})", "cancelled_at"),
        text("Cancelled by", lambda order: trigger_words(order.cancelled_by) if order.cancelled_at else ""),
        text("Cancel reason", lambda order: label_of(CancelReason, order.cancel_reason)),
        *(column for kind in KINDS for column in _lot_columns(kind)),
    ),
    load=_load_lots,
)


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
        f"{NAMES[kind].capitalize()} used by orders",
        (
            attribute("Order", "order.number"),
            attribute("Placed at ({zone})", "order.placed_at"),
            text("Status", lambda use: use.order.get_status_display()),
            *whose("order.customer"),
            text("Lot", lambda use: use.lot_id),
            *([text("Code", lambda use: use.order.code_of(use.redemption_id))] if kind == "points" else []),
            text("Used", of(lambda use: use.amount)),
            text("Returned", of(lambda use: use.returned)),
            text("Not returned", of(lambda use: use.amount - use.returned)),
            *([attribute("Currency", "lot.currency")] if kind == "credits" else []),
            Column(LAST_DAY, lambda use, viewing: last_day(use.lot.expires_at, viewing.store)),
            Column("Expired", lambda use, viewing: yes(is_expired(use.lot.expires_at, viewing.now))),
            attribute("Spent at ({zone})", "created_at"),
        ),
        rows=rows,
    )


ORDER_EXPORTS: Final = (ORDERS, *(_uses(kind) for kind in KINDS))
