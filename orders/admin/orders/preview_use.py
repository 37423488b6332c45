"""What pages share on which staff say what an order used: the person's limits, and what it comes to (O5, T7)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from loyalty.core.errors import Invalid
from loyalty.core.phrases import listed, sentences
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount
from loyalty.ledger.staff_limits import check_within_limit, left_today, lock_left_today, note_adjusted, words_of_left
from loyalty.store_settings.sections import current_settings
from loyalty.stores.active_store import active_store
from loyalty.stores.dates import show_last_day
from loyalty.stores.models import Customer, Store
from orders.admin.customers.adjust_form import adjuster_of
from orders.kinds import KINDS, LEDGERS, currency_of, show, title_of
from orders.models import Order
from orders.services.intake.spend import Taken

# Where the forms have what the REST contract's pointers name.
FIELDS: Final[Mapping[str, str]] = {
    "/apply_credits": "credits",
    "/apply_points": "points",
    "/customer": "who",
    "/total": "total",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One kind that is taken: how much, what the customer has before and after, and out of which lots."""

    title: str
    uses: str
    before: str
    after: str
    lots: Sequence[str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What taking came to, or would come to."""

    order: Order
    taken: Taken
    parts: Sequence[Part]

    @property
    def words(self) -> str:
        """What was taken, such as ``15.00 USD and 100 points``; empty for nothing."""
        return listed(part.uses for part in self.parts)


@transaction.atomic
def within_limits(
    request: HttpRequest, take: Callable[[], tuple[Order, Taken]], *, now: datetime, rehearse: bool
) -> Outcome:
    """Have ``take`` record what an order used, and count it as what the signed-in person gave and removed today (T7).

    A rehearsal does the same and takes it back, so that a page shows exactly what confirming would do. Raises what
    ``take`` raises, and AboveLimit at the kind's pointer; then nothing is written.
    """
    store = active_store(request)
    adjuster = adjuster_of(request, current_settings(store))
    # Before the order and its customer are locked, and always in this order: two tabs wait here for one another.
    left = {kind: lock_left_today(kind, adjuster, now=now) for kind in KINDS}
    order, taken = take()
    for kind, amount in taken.items():
        try:
            check_within_limit(kind, amount, currency=currency_of(order, kind), adjuster=adjuster, left=left[kind])
        except Invalid as error:
            raise type(error).at(f"/apply_{kind}", error.errors[0].detail) from error
        note_adjusted(kind, amount, adjuster, now=now)
    parts = [_part(order, kind, amount, store, now) for kind, amount in taken.items()]
    if rehearse:
        transaction.set_rollback(True)
    return Outcome(order, taken, parts)


def balance_words(customer: Customer, kind: Kind, currency: str, store: Store, now: datetime) -> str:
    """What stands beside an amount: what the customer has that the order can use (L4)."""
    has = {held: amount for (_id, held), amount in LEDGERS[kind].available([customer.pk], now=now).items() if amount}
    words = _("%(customer)s has %(amount)s.") % {
        "customer": customer,
        "amount": show(has.get(currency, 0), currency, store),
    }
    others = listed(show(amount, held, store) for held, amount in has.items() if held != currency)
    more = _("%(amounts)s cannot pay an order in %(currency)s.") % {"amounts": others, "currency": currency}
    return sentences([words, more if others else ""])


def limit_words(request: HttpRequest, kind: Kind, now: datetime) -> str:
    """How much of a kind the person may still take today; empty without a limit."""
    store = active_store(request)
    left = left_today(kind, adjuster_of(request, current_settings(store)), now=now)
    return "" if left is None else _("Your limit: %(left)s") % {"left": words_of_left(kind, left, store)}


def _part(order: Order, kind: Kind, amount: Amount, store: Store, now: datetime) -> Part:
    currency = currency_of(order, kind)
    customer_id = order.customer_id or 0
    after = LEDGERS[kind].available([customer_id], now=now).get((customer_id, currency), 0)
    drawn = LEDGERS[kind].tables.allocation.objects.for_store(store).filter(order=order, redemption__isnull=True)
    return Part(
        title=title_of(kind),
        uses=show(amount, currency, store),
        before=show(after + amount, currency, store),
        after=show(after, currency, store),
        lots=[_lot_words(row, currency, store) for row in drawn.select_related("lot").order_by("id")],
    )


def _lot_words(row: Any, currency: str, store: Store) -> str:
    lot = row.lot
    words = _("%(amount)s of lot #%(lot)s (%(origin)s, never expires)")
    if lot.expires_at:
        words = _("%(amount)s of lot #%(lot)s (%(origin)s, valid until %(day)s)")
    return words % {
        "amount": show(row.amount, currency, store),
        "lot": lot.pk,
        "origin": lot.get_origin_display(),
        "day": show_last_day(lot.expires_at, store),
    }
