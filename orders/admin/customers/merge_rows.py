"""What the merge page says: who the two are, what moves, what each history will say (O7)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from loyalty.backoffice.badges import DASH
from loyalty.core.locales import count_text
from loyalty.core.phrases import listed
from loyalty.customers.search import shared_by
from loyalty.languages.own_names import both_names, name_of
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount
from loyalty.platforms.registry import LABELS
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Customer, Store
from orders.kinds import KINDS, show, title_of
from orders.services.customers.merge_plans import Holding, MergePlan, MovedId

_FIELDS: Final = {
    "external_id": gettext_lazy("External id"),
    "email": gettext_lazy("E-mail"),
    "name": gettext_lazy("Name"),
    "phone": gettext_lazy("Phone"),
    "locale": gettext_lazy("Language"),
}


# The same inside a sentence.
_TAKEN: Final = {
    "external_id": gettext_lazy("external id"),
    "email": gettext_lazy("e-mail"),
    "name": gettext_lazy("name"),
    "phone": gettext_lazy("phone"),
    "locale": gettext_lazy("language"),
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
        {"customer": other, "shared": listed(shared_by(other, kept)), "address": f"{address}?other={other.pk}"}
        for other in customers
    ]


def shown_merge(plan: MergePlan, store: Store) -> ShownMerge:
    """A plan in words."""
    return ShownMerge(
        people=_people(plan, store),
        balances=[_balance(item, store) for item in plan.holdings],
        moves=[*_moves(plan), *_ids(plan), *_filled(plan)],
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
        (str(label), str(one or DASH), str(other or DASH))
        for label, one, other in (*facts, (_("Customer since"), *since))
        if one or other
    ]


def _balance(item: Holding, store: Store) -> Balance:
    return Balance(
        title=title_of(item.kind),
        merged=amount_words(item, item.merged, store),
        kept=amount_words(item, item.kept, store),
        together=amount_words(item, item.together, store),
    )


def _moves(plan: MergePlan) -> list[str]:
    lots = sum(plan.lots.values())
    told = []
    if lots:
        words = ngettext(
            "%(count)s lot, with the expiry and the order of use that it has.",
            "%(count)s lots, spent and expired ones too, with the expiry and the order of use that each has.",
            lots,
        )
        told.append(words % {"count": count_text(lots)})
    if plan.orders:
        words = ngettext(
            "%(count)s order: what returns for it later reaches %(kept)s.",
            "%(count)s orders: what returns for them later reaches %(kept)s.",
            plan.orders,
        )
        told.append(words % {"count": count_text(plan.orders), "kept": plan.kept})
    if plan.redemptions:
        words = ngettext(
            "%(count)s redemption, with codes and requests for a reversal.",
            "%(count)s redemptions, with codes and requests for a reversal.",
            plan.redemptions,
        )
        told.append(words % {"count": count_text(plan.redemptions)})
    if plan.waiting_notices:
        words = ngettext(
            "%(count)s message still to be sent: to %(address)s.",
            "%(count)s messages still to be sent: to %(address)s.",
            plan.waiting_notices,
        )
        address = plan.kept.email or plan.merged.email
        told.append(words % {"count": count_text(plan.waiting_notices), "address": address})
    return told


def _ids(plan: MergePlan) -> list[str]:
    return [_id(LABELS[item.platform], item, plan) for item in plan.ids]


def _id(platform: str, item: MovedId, plan: MergePlan) -> str:
    words = _("%(platform)s id %(id)s leads to %(kept)s.")
    if item.earlier:
        words = _("%(platform)s id %(id)s leads to %(kept)s, as an earlier one: %(kept)s’s own stays the present one.")
    return words % {"platform": platform, "id": item.external_id, "kept": plan.kept}


def _filled(plan: MergePlan) -> list[str]:
    taken = [_("%(field)s %(value)s") % {"field": _TAKEN[name], "value": value} for name, value in plan.filled.items()]
    own = plan.merged.external_id
    told = []
    if taken:
        words = _("%(kept)s has none of these yet and takes them over: %(fields)s.")
        told.append(words % {"kept": plan.kept, "fields": listed(taken)})
    if own and "external_id" not in plan.filled:
        words = _("External id %(id)s goes on leading to %(kept)s.")
        told.append(words % {"id": own, "kept": plan.kept})
    return told


def _kept_history(plan: MergePlan, store: Store) -> list[str]:
    together = listed(_entries(kind, plan.entries[kind]) for kind in KINDS if plan.entries[kind])
    ends = listed(amount_words(item, item.together, store) for item in plan.holdings)
    told = [_("Nothing has happened to %(credits)s and %(points)s of either of the two.") % both_names()]
    if together:
        words = _("Both histories as one, in the order in which things happened (%(entries)s).")
        told = [words % {"entries": together}]
    if ends:
        words = _("The balance after each entry is that of both together, and ends at %(amounts)s.")
        told.append(words % {"amounts": ends})
    words = _("The timeline says that %(merged)s was merged in, by you, with what moved and your reason.")
    return [*told, words % {"merged": plan.merged}]


def _merged_history(plan: MergePlan, store: Store) -> list[str]:
    moved = listed(amount_words(item, item.merged, store) for item in plan.holdings if item.merged)
    stays = _("Can still be read as it is.")
    if moved:
        words = _(
            "Can still be read as it is, and ends with the entry “Moved when merged” (%(amounts)s): what is left is "
            "nothing."
        )
        stays = words % {"amounts": moved}
    leads = _("The page, the id and the e-mail address lead to %(kept)s from then on; nothing more is written there.")
    return [stays, leads % {"kept": plan.kept}]


def _entries(kind: Kind, number: int) -> str:
    words = ngettext("%(kind)s: %(count)s entry", "%(kind)s: %(count)s entries", number)
    return words % {"kind": name_of(kind), "count": count_text(number)}
