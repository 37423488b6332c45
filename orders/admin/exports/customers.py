"""The columns of customers, and of what their ledgers hold."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, cast

from django.db.models import Q, QuerySet

from loyalty.core.days import is_expired
from loyalty.customers.identify import platform_ids
from loyalty.exporting.tables import Cell, Column, Export, Viewing, amount, last_day, yes
from loyalty.ledger.ledger import Kind
from loyalty.platforms.registry import LABELS
from loyalty.stores.models import Customer, Store
from orders.admin.exports.columns import (
    ADJECTIVE,
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
    "Customers",
    (
        attribute("Customer", "name"),
        attribute("E-mail", "email"),
        attribute("Phone", "phone"),
        attribute("External id", "external_id"),
        attribute("Locale", "locale"),
        attribute("Since ({zone})", "created_at"),
        Column("Credits available", _credits),
        Column("Currency", lambda whose, viewing: viewing.store.currency),
        Column("Credits in other currencies", _other_credits),
        Column("Points available", _points),
        Column("Ids on platforms", _platform_ids),
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
        f"{ADJECTIVE[kind].lower()}-movements",
        f"{ADJECTIVE[kind]} movements",
        (
            attribute("Movement", "pk"),
            attribute("Date ({zone})", "created_at"),
            *whose(),
            text("Type", lambda row: row.get_type_display()),
            in_currency("Amount", "amount"),
            in_currency("Balance after", "balance_after"),
            *currency_column(kind),
            attribute("Lot", "lot_id"),
            Column(LAST_DAY, lambda row, viewing: last_day(row.lot.expires_at, viewing.store) if row.lot else None),
            attribute("Order", "order.number"),
            attribute("Redemption", "redemption_id"),
            *([attribute("Code used by order", "redemption.used_order.number")] if coded else []),
            *BY,
        ),
        rows=lambda customers, store: light(only(customers, store), *of_orders),
        load=load_actors,
    )


def _lots(kind: Kind) -> Export:
    return Export(
        f"{ADJECTIVE[kind].lower()}-lots",
        f"{ADJECTIVE[kind]} lots",
        (
            attribute("Lot", "pk"),
            *whose(),
            attribute("Given at ({zone})", "granted_at"),
            text("Origin", lambda lot: lot.get_origin_display()),
            in_currency("Given", "granted"),
            in_currency("Remaining", "remaining"),
            *currency_column(kind),
            Column(LAST_DAY, lambda lot, viewing: last_day(lot.expires_at, viewing.store)),
            Column("Expired", lambda lot, viewing: yes(is_expired(lot.expires_at, viewing.now))),
            attribute("Extended from lot", "extended_from_id"),
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
