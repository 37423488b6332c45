"""The columns of customers, and of what their ledgers hold."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, cast

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop

from loyalty.core.days import is_expired
from loyalty.customers.identify import platform_ids
from loyalty.exporting.tables import Cell, Column, Export, Viewing, amount, last_day, yes
from loyalty.ledger.ledger import Kind
from loyalty.ledger.models import MovementType, Origin
from loyalty.platforms.registry import LABELS
from loyalty.stores.dates import label_of
from loyalty.stores.models import Customer, Store
from orders.admin.exports.columns import (
    BY,
    LAST_DAY,
    attribute,
    currency_column,
    in_currency,
    load_actors,
    text,
    whose,
)
from orders.admin.exports.redemptions import REDEMPTIONS
from orders.kinds import KINDS, LEDGERS
from orders.models import Redemption, light

_KEYS: Final[dict[Kind, str]] = {"credits": "credit", "points": "point"}
_MOVEMENTS: Final[dict[Kind, str]] = {
    "credits": gettext_noop("Credit movements"),
    "points": gettext_noop("Point movements"),
}
_LOTS: Final[dict[Kind, str]] = {"credits": gettext_noop("Credit lots"), "points": gettext_noop("Point lots")}


def _load_ids_and_balances(customers: Sequence[Customer], viewing: Viewing) -> dict[str, dict[int, dict[str, Any]]]:
    ids = [customer.pk for customer in customers]
    found: dict[str, dict[int, dict[str, Any]]] = {"ids": platform_ids(ids)}
    for kind in KINDS:
        found[kind] = {}
        for (customer, currency), total in LEDGERS[kind].available(ids, now=viewing.now).items():
            found[kind].setdefault(customer, {})[currency] = total
    return found


def _credits(customer: Customer, viewing: Viewing) -> Cell:
    own = viewing.store.currency
    return amount(viewing.loaded["credits"].get(customer.pk, {}).get(own, Decimal(0)), own)


def _other_credits(customer: Customer, viewing: Viewing) -> Cell:
    own, found = viewing.store.currency, viewing.loaded["credits"].get(customer.pk, {})
    return "; ".join(f"{amount(total, other)} {other}" for other, total in sorted(found.items()) if other != own)


def _points(customer: Customer, viewing: Viewing) -> Cell:
    return int(viewing.loaded["points"].get(customer.pk, {}).get("", 0))


def _platform_ids(customer: Customer, viewing: Viewing) -> Cell:
    found = viewing.loaded["ids"].get(customer.pk, {})
    return "; ".join(f"{LABELS[platform]} {external_id}" for platform, external_id in found.items())


CUSTOMERS: Final = Export(
    "customers",
    gettext_noop("Customers"),
    (
        attribute(gettext_noop("Customer"), "name"),
        attribute(gettext_noop("E-mail"), "email"),
        attribute(gettext_noop("Phone"), "phone"),
        attribute(gettext_noop("External id"), "external_id"),
        attribute(gettext_noop("Locale"), "locale"),
        attribute(gettext_noop("Since ({zone})"), "created_at"),
        Column(gettext_noop("Credits available"), _credits),
        Column(gettext_noop("Currency"), lambda whose, viewing: viewing.store.currency),
        Column(gettext_noop("Credits in other currencies"), _other_credits),
        Column(gettext_noop("Points available"), _points),
        Column(gettext_noop("Ids on platforms"), _platform_ids),
    ),
    load=_load_ids_and_balances,
)


def _of_customers(model: Any, *related: str) -> Callable[["QuerySet[Any]", Store], "QuerySet[Any]"]:
    def rows(customers: "QuerySet[Any]", store: Store) -> "QuerySet[Any]":
        listed = customers.order_by().values("pk")
        # What was written before somebody was merged stands under his own name; it is the kept one's history (O7).
        mine = model.objects.for_store(store).filter(Q(customer__in=listed) | Q(customer__merged_into__in=listed))
        return cast("QuerySet[Any]", mine.select_related("customer", *related).order_by("pk"))

    return rows


def _movements(kind: Kind) -> Export:
    model, coded = LEDGERS[kind].tables.movement, kind == "points"
    only = _of_customers(model, "lot", "order", "remark", *(["redemption__used_order"] if coded else []))
    of_orders = ("order", "redemption__used_order") if coded else ("order",)
    return Export(
        f"{_KEYS[kind]}-movements",
        _MOVEMENTS[kind],
        (
            attribute(gettext_noop("Movement"), "pk"),
            attribute(gettext_noop("Date ({zone})"), "created_at"),
            *whose(),
            text(gettext_noop("Type"), lambda row: label_of(MovementType, row.type)),
            in_currency(gettext_noop("Amount"), "amount"),
            in_currency(gettext_noop("Balance after"), "balance_after"),
            *currency_column(kind),
            attribute(gettext_noop("Lot"), "lot_id"),
            Column(LAST_DAY, lambda row, viewing: last_day(row.lot.expires_at, viewing.store) if row.lot else None),
            attribute(gettext_noop("Order"), "order.number"),
            attribute(gettext_noop("Redemption"), "redemption_id"),
            *([attribute(gettext_noop("Code used by order"), "redemption.used_order.number")] if coded else []),
            *BY,
        ),
        rows=lambda customers, store: light(only(customers, store), *of_orders),
        load=load_actors,
    )


def _lots(kind: Kind) -> Export:
    return Export(
        f"{_KEYS[kind]}-lots",
        _LOTS[kind],
        (
            attribute(gettext_noop("Lot"), "pk"),
            *whose(),
            attribute(gettext_noop("Given at ({zone})"), "granted_at"),
            text(gettext_noop("Origin"), lambda lot: label_of(Origin, lot.origin)),
            in_currency(gettext_noop("Given"), "granted"),
            in_currency(gettext_noop("Remaining"), "remaining"),
            *currency_column(kind),
            Column(LAST_DAY, lambda lot, viewing: last_day(lot.expires_at, viewing.store)),
            Column(gettext_noop("Expired"), lambda lot, viewing: yes(is_expired(lot.expires_at, viewing.now))),
            attribute(gettext_noop("Extended from lot"), "extended_from_id"),
        ),
        rows=_of_customers(LEDGERS[kind].tables.lot),
    )


MOVEMENTS: Final = {kind: _movements(kind) for kind in KINDS}
LOTS: Final = {kind: _lots(kind) for kind in KINDS}
CUSTOMER_EXPORTS: Final = (
    CUSTOMERS,
    *MOVEMENTS.values(),
    *LOTS.values(),
    replace(
        REDEMPTIONS,
        rows=lambda customers, store: light(_of_customers(Redemption, "used_order")(customers, store), "used_order"),
    ),
)
