"""Everything that is kept about one customer, for handing out on request; in the shapes of the REST API."""

from datetime import datetime
from typing import Any

from loyalty.api.resources.customers import customer_json
from loyalty.api.resources.ledger_documents import lot_json, movements_json
from loyalty.core.values import instant_or_none, instant_text
from loyalty.customers.identify import platform_ids
from loyalty.ledger.history import history
from loyalty.notices.models import Notice
from loyalty.stores.models import Customer, Store
from orders.api.orders.documents import OrderDocument
from orders.kinds import KINDS, LEDGERS
from orders.models import Order


def personal_data(store: Store, customer: Customer, *, now: datetime) -> dict[str, Any]:
    """The customer's own facts, orders, lots, movements and messages; one query each, whatever their number."""
    orders = Order.objects.for_store(store).filter(customer=customer).select_related("customer")
    merged = Customer.objects.for_store(store).filter(merged_into=customer)
    notices = Notice.objects.for_store(store).filter(customer=customer).order_by("id")
    return {
        "store": {"name": store.name, "slug": store.slug},
        "as_of": instant_text(now),
        "customer": customer_json(customer, platform_ids([customer.pk])),
        "no_reminders_since": instant_or_none(customer.no_reminders_since),
        "merged": [customer_json(row, {}) for row in merged.order_by("id")],
        "orders": [OrderDocument.of(order) | {"lines": order.lines} for order in orders.order_by("id")],
        **{kind: _ledger(kind, store, customer, now) for kind in KINDS},
        "messages": [_message(notice) for notice in notices],
    }


def _ledger(kind: Any, store: Store, customer: Customer, now: datetime) -> dict[str, Any]:
    ledger = LEDGERS[kind]
    lots = ledger.tables.lot.objects.for_store(store).filter(customer=customer).order_by("id")
    movements = history(ledger, customer).order_by("id")
    return {
        "lots": [lot_json(lot, store, now) for lot in lots],
        "movements": movements_json(list(movements.select_related("remark", "lot")), store),
    }


def _message(notice: Notice) -> dict[str, Any]:
    return {
        "to": notice.to_email,
        "subject": notice.subject,
        "text": notice.text,
        "created_at": instant_text(notice.created_at),
        "sent_at": instant_or_none(notice.sent_at),
    }
