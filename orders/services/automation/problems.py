"""What jobs could not process and still wait to: orders, and customers (E7)."""

from functools import reduce
from operator import or_
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_noop

from loyalty.jobs.periodic import WORDS
from loyalty.jobs.waiting import Waiting
from loyalty.journal.models import CustomerProblem
from loyalty.languages.own_names import own_words
from loyalty.ledger.ledger import Kind
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from orders.kinds import KINDS, LEDGERS
from orders.models import OrderStatus, PaymentStatus, Problem
from orders.services.automation.cancel_unpaid import JOB as CANCELLING
from orders.services.automation.expire_payments import JOB as EXPIRING
from orders.services.customers.remind import JOB as REMINDING
from orders.services.rules.schedule import JOB as EVALUATING


def waiting_orders(store: Store) -> "QuerySet[Problem]":
    """Orders set aside that still wait: one that was paid or cancelled meanwhile is no problem any more."""
    is_open = Q(order__status__in=(OrderStatus.PENDING, OrderStatus.CONFIRMED))
    fell_through = Q(order__payment_status__in=(PaymentStatus.EXPIRED, PaymentStatus.FAILED))
    rows: QuerySet[Problem] = Problem.objects.for_store(store).select_related("order")
    return rows.filter(
        (Q(job=EXPIRING, order__payment_status=PaymentStatus.PENDING) & is_open)
        | (Q(job=CANCELLING) & is_open & fell_through)
        | Q(job=EVALUATING, order__rules_due_at__isnull=False)
    )


def waiting_customers(store: Store) -> "QuerySet[CustomerProblem]":
    """Customers set aside who still have what the job is about: value that ends some day."""
    rows: QuerySet[CustomerProblem] = CustomerProblem.objects.for_store(store)
    wait = [Q(_holds(store, kind), job__in=(REMINDING, f"{kind}.expire_lots")) for kind in KINDS]
    return rows.filter(reduce(or_, wait))


def _holds(store: Store, kind: Kind) -> Exists:
    lots = LEDGERS[kind].tables.lot.objects.for_store(store)
    return Exists(lots.filter(customer=OuterRef("customer"), remaining__gt=0, expires_at__isnull=False))


ORDERS: Final = Waiting(
    key="order",
    label=gettext_noop("Order"),
    rows=waiting_orders,
    about="job",
    says=lambda job: own_words(WORDS.get(job, job)),
    columns={"last_error": "error"},
    needs=Can.CANCEL_ORDERS,
)
CUSTOMERS: Final = Waiting(
    key="customer",
    label=gettext_noop("Customer"),
    rows=waiting_customers,
    about="job",
    says=lambda job: own_words(WORDS.get(job, job)),
    columns={"last_error": "error"},
    needs=Can.CANCEL_ORDERS,
)
