"""What the merge page says: who the two are, what moves, what each history will say (O7)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import ngettext

from loyalty.backoffice.badges import DASH
from loyalty.customers.search import shared_by
from loyalty.ledger.planner import Amount
from loyalty.platforms.registry import LABELS
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Customer, Store
from orders.kinds import KINDS, NAMES, show
from orders.services.customers.merge_plans import Holding, MergePlan

_FIELDS: Final = {
    "external_id": "External id",
    "email": "E-mail",
    "name": "Name",
    "phone": "Phone",
    "locale": "Language",
}


@dataclass(frozen=True, slots=True)
class Balance:
    """One kind and currency: what each of the two has, and the kept one afterwards."""

    title: str
    merged: str
    kept: str
    together: str


@dataclass(frozen=True, slots=True)
class ShownMerge:
    """The page's tables and sentences."""

    people: Sequence[tuple[str, str, str]]
    balances: Sequence[Balance]
    moves: Sequence[str]
    kept_history: Sequence[str]
    merged_history: Sequence[str]


def candidate_rows(customers: Iterable[Customer], kept: Customer) -> list[dict[str, Any]]:
    """Customers to choose from, each with what it shares with ``kept`` and where the preview is."""
    address = reverse("admin:stores_customer_merge", args=[kept.pk])
    return [
        {"customer": other, "shared": shared_by(other, kept), "address": f"{address}?other={other.pk}"}
        for other in customers
    ]


def shown_merge(plan: MergePlan, store: Store) -> ShownMerge:
    """A plan in words."""
    return ShownMerge(
        people=_people(plan, store),
        balances=[_balance(item, store) for item in plan.holdings],
        moves=[sentence for sentence in (*_moves(plan), *_ids(plan), *_filled(plan)) if sentence],
        kept_history=_kept_history(plan, store),
        merged_history=_merged_history(plan, store),
    )


def amount_words(item: Holding, amount: Amount, store: Store) -> str:
    """``15.00 USD`` or ``100 points``."""
    return show(amount, item.currency, store)


def _people(plan: MergePlan, store: Store) -> list[tuple[str, str, str]]:
    facts = [(label, getattr(plan.merged, name), getattr(plan.kept, name)) for name, label in _FIELDS.items()]
    since = [show_moment(customer.created_at, store) for customer in (plan.merged, plan.kept)]
    return [
        (label, one or DASH, other or DASH)
        for label, one, other in (*facts, ("Customer since", *since))
        if one or other
    ]


def _balance(item: Holding, store: Store) -> Balance:
    return Balance(
        title=NAMES[item.kind].capitalize(),
        merged=amount_words(item, item.merged, store),
        kept=amount_words(item, item.kept, store),
        together=amount_words(item, item.together, store),
    )


def _moves(plan: MergePlan) -> list[str]:
    kept = str(plan.kept)
    lots, address = sum(plan.lots.values()), plan.kept.email or plan.merged.email
    return [
        f"{_many(lots, 'lot', 'lots')}, spent and expired ones too, with the expiry and the order of use that each has."
        if lots
        else "",
        f"{_many(plan.orders, 'order', 'orders')}: what returns for them later reaches {kept}." if plan.orders else "",
        f"{_many(plan.redemptions, 'redemption', 'redemptions')}, with codes and requests for a reversal."
        if plan.redemptions
        else "",
        f"{_many(plan.waiting_notices, 'message', 'messages')} still to be sent: to {address}."
        if plan.waiting_notices
        else "",
    ]


def _ids(plan: MergePlan) -> list[str]:
    kept = str(plan.kept)
    return [
        f"{LABELS[item.platform]} id {item.external_id} leads to {kept}"
        + (f", as an earlier one: {kept}’s own stays the present one." if item.earlier else ".")
        for item in plan.ids
    ]


def _filled(plan: MergePlan) -> list[str]:
    taken = [
        f"{_FIELDS[name].lower() if name != 'external_id' else 'external id'} {plan.filled[name]}"
        for name in plan.filled
    ]
    own = plan.merged.external_id
    return [
        f"{plan.kept} has none of these yet and takes them over: {', '.join(taken)}." if taken else "",
        f"External id {own} goes on leading to {plan.kept}." if own and "external_id" not in plan.filled else "",
    ]


def _kept_history(plan: MergePlan, store: Store) -> list[str]:
    together = [
        f"{NAMES[kind]}: {_many(plan.entries[kind], 'entry', 'entries')}" for kind in KINDS if plan.entries[kind]
    ]
    ends = ", ".join(amount_words(item, item.together, store) for item in plan.holdings)
    return [
        f"Both histories as one, in the order in which things happened ({'; '.join(together)})."
        if together
        else "Nothing has happened to credits and points of either of the two.",
        f"The balance after each entry is that of both together, and ends at {ends}." if ends else "",
        f"The timeline says that {plan.merged} was merged in, by you, with what moved and your reason.",
    ]


def _merged_history(plan: MergePlan, store: Store) -> list[str]:
    moved = ", ".join(amount_words(item, item.merged, store) for item in plan.holdings if item.merged)
    return [
        f"Stays to be read as it is, and ends with the entry “Moved when merged” ({moved}): what is left is nothing."
        if moved
        else "Stays to be read as it is.",
        f"The page, the id and the e-mail address lead to {plan.kept} from then on; nothing more is written there.",
    ]


def _many(number: int, one: str, more: str) -> str:
    return f"{number:,} {ngettext(one, more, number)}"
