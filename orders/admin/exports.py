"""The columns that the lists are exported with. A further list needs its columns here and a line in its admin."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, cast

from django.db.models import Q, QuerySet

from loyalty.core.days import is_expired
from loyalty.exporting.tables import Cell, Column, Export, Viewing, amount, last_day, yes
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount, UsedLot
from loyalty.platforms.registry import LABELS
from loyalty.stores.actors import actor_names
from loyalty.stores.dates import label_of
from loyalty.stores.identify import platform_ids
from loyalty.stores.models import Customer, Store
from loyalty.timeline.words import trigger_words
from orders.kinds import KINDS, LEDGERS, NAMES, applied, currency_of, reverted
from orders.models import CancelReason, Order, PersonsDecision, Redemption, RevertStatus

_ADJECTIVE: Final[dict[Kind, str]] = {"credits": "Credit", "points": "Point"}
_NEVER: Final = "Last day of use (empty: never expires)"


# What no list shows of an order.
_HEAVY: Final = ("lines", "platform_data")
_OF_USED_ORDER: Final = tuple(f"used_order__{name}" for name in _HEAVY)


def _attribute(title: str, path: str) -> Column:
    """A column that shows an attribute, or that of a row it refers to; empty where there is none."""
    names = path.split(".")

    def value(row: Any, _viewing: Viewing) -> Cell:
        for name in names:
            row = getattr(row, name, None)
        return cast(Cell, row)

    return Column(title, value)


def _text(title: str, words: Callable[[Any], Cell]) -> Column:
    return Column(title, lambda row, _viewing: words(row))


def _customer(path: str = "customer") -> tuple[Column, ...]:
    return (
        _attribute("Customer", f"{path}.name"),
        _attribute("E-mail", f"{path}.email"),
        _attribute("Customer's external id", f"{path}.external_id"),
    )


# --- orders


def _kind_columns(kind: Kind) -> tuple[Column, ...]:
    name = kind.capitalize()

    def of(get: Callable[[Order], Amount]) -> Callable[[Order], Cell]:
        return lambda order: amount(get(order), currency_of(order, kind))

    return (
        _text(f"{name} used", of(lambda order: applied(order, kind))),
        _text(f"{name} returned", of(lambda order: reverted(order, kind))),
        _text(f"{name} not returned", of(lambda order: applied(order, kind) - reverted(order, kind))),
        _text(_REVERT_STATUS[kind], lambda order: label_of(RevertStatus, getattr(order, _STATUS_FIELD[kind]))),
        _text(f"Decided about {kind}", lambda order: label_of(PersonsDecision, getattr(order, f"{kind}_decision"))),
    )


_REVERT_STATUS: Final[dict[Kind, str]] = {"credits": "Credit Revert Status", "points": "Points Revert Status"}
_STATUS_FIELD: Final[dict[Kind, str]] = {"credits": "credit_revert_status", "points": "points_revert_status"}


def _lot_columns(kind: Kind) -> tuple[Column, ...]:
    """Which lots an order used: each column lists them in the order of spending, to be read side by side."""
    name = _ADJECTIVE[kind]

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
        _attribute("Order", "number"),
        _attribute("External id", "external_id"),
        _attribute("Platform", "platform"),
        *_customer(),
        _text("Status", lambda order: order.get_status_display()),
        _text("Payment status", lambda order: order.get_payment_status_display()),
        _text("Payment detail", lambda order: order.get_payment_detail_display() if order.payment_detail else ""),
        _attribute("Placed at ({zone})", "placed_at"),
        _attribute("Payment due at ({zone})", "payment_due_at"),
        _attribute("Currency", "currency"),
        _text("Total", lambda order: amount(order.total, order.currency)),
        _text("Refunded", lambda order: amount(order.refunded_total, order.currency)),
        *(column for kind in KINDS for column in _kind_columns(kind)),
        _text("Needs revert", lambda order: yes(order.needs_revert)),
        _text("Tags", lambda order: ", ".join(order.tags)),
        _text("Codes", lambda order: "; ".join(f"{code['code']}: {code['points']} points" for code in order.codes)),
        _text("Test order", lambda order: yes(order.is_test)),
        _attribute("Deleted on the platform at ({zone})", "platform_deleted_at"),
        _attribute("Cancelled at ({zone})", "cancelled_at"),
        _text("Cancelled by", lambda order: trigger_words(order.cancelled_by) if order.cancelled_at else ""),
        _text("Cancel reason", lambda order: label_of(CancelReason, order.cancel_reason)),
        *(column for kind in KINDS for column in _lot_columns(kind)),
    ),
    load=_load_lots,
)


def _uses(kind: Kind) -> Export:
    """One line for each lot that each order of the list used."""

    def rows(orders: "QuerySet[Any]", store: Store) -> "QuerySet[Any]":
        used = LEDGERS[kind].tables.allocation.objects.for_store(store).order_by("pk")
        used = used.filter(order__in=orders.order_by().values("pk")).select_related("lot", "order__customer")
        return used.defer("order__lines", "order__platform_data")

    def of(get: Callable[[Any], Amount]) -> Column:
        return Column("", lambda use, _: amount(get(use), getattr(use.lot, "currency", "")))

    return Export(
        f"{kind}-used",
        f"{NAMES[kind].capitalize()} used by orders",
        (
            _attribute("Order", "order.number"),
            _attribute("Placed at ({zone})", "order.placed_at"),
            _text("Status", lambda use: use.order.get_status_display()),
            *_customer("order.customer"),
            _text("Lot", lambda use: use.lot_id),
            *([_text("Code", lambda use: use.order.code_of(use.redemption_id))] if kind == "points" else []),
            Column("Used", of(lambda use: use.amount).value),
            Column("Returned", of(lambda use: use.returned).value),
            Column("Not returned", of(lambda use: use.amount - use.returned).value),
            *([_attribute("Currency", "lot.currency")] if kind == "credits" else []),
            Column(_NEVER, lambda use, viewing: last_day(use.lot.expires_at, viewing.store)),
            Column("Expired", lambda use, viewing: yes(is_expired(use.lot.expires_at, viewing.now))),
            _attribute("Spent at ({zone})", "created_at"),
        ),
        rows=rows,
    )


ORDER_EXPORTS: Final = (ORDERS, *(_uses(kind) for kind in KINDS))


# --- customers, and what their ledgers hold


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
        _attribute("Customer", "name"),
        _attribute("E-mail", "email"),
        _attribute("Phone", "phone"),
        _attribute("External id", "external_id"),
        _attribute("Locale", "locale"),
        _attribute("Since ({zone})", "created_at"),
        Column("Credits available", _credits),
        Column("Currency", lambda _customer, viewing: viewing.store.currency),
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


def _in_currency(title: str, name: str) -> Column:
    return _text(title, lambda row: amount(getattr(row, name), row.currency))


def _currency(kind: Kind) -> Iterable[Column]:
    return [_attribute("Currency", "currency")] if kind == "credits" else []


def _load_actors(rows: Sequence[Any], _viewing: Viewing) -> dict[str, str]:
    return actor_names(row.actor for row in rows)


_BY: Final = (
    Column("By", lambda row, viewing: viewing.loaded[row.actor]),
    _text("Caused", lambda row: trigger_words(row.trigger)),
    _text("Reason", lambda row: _reason(row.remark.reason) if row.remark else ""),
    _text("Note", lambda row: row.remark.note if row.remark else ""),
)


def _reason(reason: str) -> str:
    return label_of(CancelReason, reason)


def _movements(kind: Kind) -> Export:
    model, coded = LEDGERS[kind].tables.movement, kind == "points"
    only = _of_customers(model, "lot", "order", "remark", *(["redemption__used_order"] if coded else []))
    heavy = [f"{path}__{name}" for path in ("order", *(["redemption__used_order"] if coded else [])) for name in _HEAVY]
    return Export(
        f"{_ADJECTIVE[kind].lower()}-movements",
        f"{_ADJECTIVE[kind]} movements",
        (
            _attribute("Movement", "pk"),
            _attribute("Date ({zone})", "created_at"),
            *_customer(),
            _text("Type", lambda row: row.get_type_display()),
            _in_currency("Amount", "amount"),
            _in_currency("Balance after", "balance_after"),
            *_currency(kind),
            _attribute("Lot", "lot_id"),
            Column(_NEVER, lambda row, viewing: last_day(row.lot.expires_at, viewing.store) if row.lot else None),
            _attribute("Order", "order.number"),
            _attribute("Redemption", "redemption_id"),
            *([_attribute("Code used by order", "redemption.used_order.number")] if coded else []),
            *_BY,
        ),
        rows=lambda customers, store: only(customers, store).defer(*heavy),
        load=_load_actors,
    )


def _lots(kind: Kind) -> Export:
    return Export(
        f"{_ADJECTIVE[kind].lower()}-lots",
        f"{_ADJECTIVE[kind]} lots",
        (
            _attribute("Lot", "pk"),
            *_customer(),
            _attribute("Given at ({zone})", "granted_at"),
            _text("Origin", lambda lot: lot.get_origin_display()),
            _in_currency("Given", "granted"),
            _in_currency("Remaining", "remaining"),
            *_currency(kind),
            Column(_NEVER, lambda lot, viewing: last_day(lot.expires_at, viewing.store)),
            Column("Expired", lambda lot, viewing: yes(is_expired(lot.expires_at, viewing.now))),
            _attribute("Extended from lot", "extended_from_id"),
        ),
        rows=_of_customers(LEDGERS[kind].tables.lot),
    )


def _load_people(redemptions: Sequence[Redemption], _viewing: Viewing) -> dict[str, str]:
    return actor_names(ref for row in redemptions for ref in (row.actor, row.reversed_by) if ref)


# Of a list of redemptions.
REDEMPTIONS: Final = Export(
    "redemptions",
    "Redemptions",
    (
        _attribute("Redemption", "pk"),
        _attribute("Date ({zone})", "created_at"),
        *_customer(),
        _attribute("Reward", "reward_name"),
        _attribute("Points", "points"),
        _text("What", lambda row: row.get_type_display()),
        _text("Worth", lambda row: amount(row.value, row.currency) if row.currency else row.value.normalize()),
        _text("Currency or percent", lambda row: row.currency or "%"),
        _attribute("Code", "code"),
        _text("State", lambda row: row.get_state_display()),
        Column(_NEVER, lambda row, viewing: last_day(row.expires_at, viewing.store)),
        _attribute("Used at ({zone})", "used_at"),
        _attribute("Used by order", "used_order.number"),
        _attribute("Reversed at ({zone})", "reversed_at"),
        Column("Reversed by", lambda row, viewing: viewing.loaded.get(row.reversed_by, "")),
        _attribute("Points returned", "points_returned"),
        Column("By", lambda row, viewing: viewing.loaded[row.actor]),
    ),
    rows=lambda redemptions, _store: redemptions.select_related("customer", "used_order").defer(*_OF_USED_ORDER),
    load=_load_people,
)
MOVEMENTS: Final = {kind: _movements(kind) for kind in KINDS}
LOTS: Final = {kind: _lots(kind) for kind in KINDS}
CUSTOMER_EXPORTS: Final = (
    CUSTOMERS,
    *MOVEMENTS.values(),
    *LOTS.values(),
    replace(
        REDEMPTIONS,
        rows=lambda customers, store: _of_customers(Redemption, "used_order")(customers, store).defer(*_OF_USED_ORDER),
    ),
)


# --- reverts

REVERTS: Final = Export(
    "reverts",
    "Reverts",
    (
        _attribute("Date ({zone})", "created_at"),
        _attribute("Order", "order.number"),
        *_customer(),
        _text("What", lambda revert: NAMES[revert.kind].capitalize()),
        _text("Returned", lambda revert: amount(revert.amount, revert.currency)),
        _text("Used", lambda revert: amount(revert.applied, revert.currency)),
        _attribute("Currency", "currency"),
        _text("How much", lambda revert: revert.get_completeness_display()),
        *_BY,
        _attribute("Settings version", "settings_version"),
        _text("Lots", lambda revert: "; ".join(_lot_words(lot) for lot in revert.lots)),
    ),
    rows=lambda reverts, _store: reverts.select_related("order", "customer", "remark"),
    load=_load_actors,
)


def _lot_words(lot: dict[str, Any]) -> str:
    return f"#{lot['lot']}: {lot['amount']} {lot['outcome']}, last day of use {lot['expires_on'] or 'never'}"
