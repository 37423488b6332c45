"""What the reinstate page says: what is in the customer's hands, the choices, the words on the button (M10)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.phrases import sentences
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount
from loyalty.stores.models import Store
from orders.admin.reverts.cancel_rows import amounts_words
from orders.kinds import KINDS, applied, currency_of, show, title_of
from orders.models import Order, OrderStatus, PaymentStatus
from orders.services.reverts.reinstate import Deduct, InHand, ReinstateResult

_UNPAID: Final[Mapping[str, str]] = {
    PaymentStatus.EXPIRED: gettext_noop(
        "The order’s payment has expired. It is not cancelled automatically again unless its payment changes."
    ),
    PaymentStatus.FAILED: gettext_noop(
        "The order’s payment has failed. It is not cancelled automatically again unless its payment changes."
    ),
    PaymentStatus.PENDING: gettext_noop(
        "The order is not paid yet. Once its payment is overdue, the store’s rules apply again."
    ),
}
_AGAIN: Final[Mapping[str, str]] = {
    OrderStatus.PENDING: gettext_noop("Order %(number)s is pending again."),
    OrderStatus.CONFIRMED: gettext_noop("Order %(number)s is confirmed again."),
    OrderStatus.COMPLETED: gettext_noop("Order %(number)s is completed again."),
}


@dataclass(frozen=True, slots=True)
class Held:
    """One kind of which something is in the customer's hands: as it was used, as it is back, as it can be spent."""

    title: str
    used: str
    returned: str
    balance: str
    short: str


@dataclass(frozen=True, slots=True)
class Balance:
    """What the customer has of a kind, before and after."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to go on: what it is called, what the customer has then, why it cannot be, what the button says."""

    value: str
    title: str
    balances: Sequence[Balance]
    refusal: str
    confirm: str

    @property
    def possible(self) -> bool:
        """Whether it can be chosen."""
        return not self.refusal


def held_words(order: Order, kind: Kind, held: InHand, store: Store) -> Held:
    """What the page says of one kind."""
    currency = currency_of(order, kind)
    missing = held.returned - held.available
    short = _("%(amount)s cannot be deducted: the customer has spent it or it has expired.") % {
        "amount": show(missing, currency, store)
    }
    return Held(
        title=title_of(kind),
        used=show(applied(order, kind), currency, store),
        returned=show(held.returned, currency, store),
        balance=show(held.balance, currency, store),
        short=short if missing else "",
    )


def choices_of(order: Order, held: Mapping[Kind, InHand], store: Store, *, comes_back: bool) -> list[Choice]:
    """The choices in the order all, what is available, nothing; those that mean nothing here are left out."""
    if not held:
        return [_choice(order, held, Deduct.NONE, store, comes_back=comes_back)] if comes_back else []
    covered = all(value.available == value.returned for value in held.values())
    deducts = [Deduct.ALL]
    if not covered and any(value.available for value in held.values()):
        deducts.append(Deduct.AVAILABLE)
    if comes_back:
        deducts.append(Deduct.NONE)
    return [_choice(order, held, deduct, store, comes_back=comes_back) for deduct in deducts]


def _choice(order: Order, held: Mapping[Kind, InHand], deduct: Deduct, store: Store, *, comes_back: bool) -> Choice:
    takes = {kind: value.deducts(deduct) for kind, value in held.items()}
    amounts = amounts_words(takes, order, store)
    refusal = _("The customer does not have that much.") if _too_much(held, takes) else ""
    titles = {
        Deduct.ALL: _("Deduct all again: %(amounts)s") % {"amounts": amounts},
        Deduct.AVAILABLE: _("Deduct what is available: %(amounts)s") % {"amounts": amounts},
        Deduct.NONE: _("Deduct nothing: the customer keeps it"),
    }
    return Choice(
        value=deduct.value,
        title=titles[deduct],
        balances=[] if refusal else [_balance(order, kind, held[kind], takes[kind], store) for kind in held],
        refusal=refusal,
        confirm=_confirm(amounts, comes_back=comes_back, has_value=bool(held)),
    )


def _too_much(held: Mapping[Kind, InHand], takes: Mapping[Kind, Amount]) -> bool:
    return any(takes[kind] > value.balance for kind, value in held.items())


def _balance(order: Order, kind: Kind, held: InHand, taken: Amount, store: Store) -> Balance:
    currency = currency_of(order, kind)
    after = show(held.balance - taken, currency, store)
    return Balance(title_of(kind), show(held.balance, currency, store), after)


def _confirm(amounts: str, *, comes_back: bool, has_value: bool) -> str:
    if not comes_back:
        return _("Deduct %(amounts)s again") % {"amounts": amounts}
    if not has_value:
        return _("Reinstate order")
    return (
        _("Reinstate order and deduct %(amounts)s") % {"amounts": amounts}
        if amounts
        else _("Reinstate order and deduct nothing")
    )


def unpaid_words(order: Order) -> str:
    """What becomes of an order that comes back without being paid."""
    words = _UNPAID.get(order.payment_status)
    return _(words) if words else ""


def message_words(result: ReinstateResult, store: Store) -> str:
    """What happened, for the person who confirmed."""
    order = result.order
    parts = [_(_AGAIN[order.status]) % {"number": order.number}] if result.reinstated_now else []
    taken = amounts_words({kind: result.deducted.get(kind, 0) for kind in KINDS}, order, store)
    if taken:
        parts.append(_("%(amounts)s deducted from %(customer)s.") % {"amounts": taken, "customer": order.customer})
    else:
        parts.append(_("Nothing was deducted."))
    return sentences(parts)
