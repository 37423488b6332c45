"""What the undo page says: each return, what is taken from which lots, the balance before and after (M11)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from loyalty.languages.own_names import name_of
from loyalty.ledger.ledger import Returned
from loyalty.notices.models import Notice, NoticeStatus
from loyalty.stores.actors import actor_names
from loyalty.stores.dates import show_last_day, show_moment
from loyalty.stores.models import Store
from loyalty.timeline.words import trigger_words
from orders.kinds import currency_of, show
from orders.models import Order
from orders.services.reverts.plans import available_to
from orders.services.reverts.undo import UndoPlan


@dataclass(frozen=True, slots=True)
class LotTaken:
    """One lot that value is taken out of."""

    lot: str
    until: str
    came_back: str
    holds: str
    left: str


@dataclass(frozen=True, slots=True)
class ShownUndo:
    """One return as the page shows it; with a ``refusal`` it cannot be undone."""

    pk: str
    title: str
    made: str
    ticked: bool
    refusal: str
    lots: Sequence[LotTaken]
    before: str
    after: str
    withdraws: bool
    confirm: str


def shown_undos(
    plans: Sequence[UndoPlan], order: Order, store: Store, *, ticked: Collection[str], now: datetime
) -> list[ShownUndo]:
    """The returns of one order, newest first; a number of queries that grows with the returns that can be undone."""
    names = actor_names(plan.revert.actor for plan in plans)
    waiting = Notice.objects.for_store(store).filter(order=order, status=NoticeStatus.QUEUED)
    unsent = set(waiting.values_list("created_at", flat=True)) if plans else set()
    return [_shown(plan, order, store, names, unsent, ticked, now) for plan in plans]


def _shown(
    plan: UndoPlan,
    order: Order,
    store: Store,
    names: dict[str, str],
    unsent: Collection[datetime],
    ticked: Collection[str],
    now: datetime,
) -> ShownUndo:
    revert, currency = plan.revert, currency_of(order, plan.kind)
    amount = show(plan.amount, currency, store)
    before = available_to(order, plan.kind, now)
    return ShownUndo(
        pk=str(revert.pk),
        title=_("%(amount)s of %(kind)s") % {"amount": amount, "kind": name_of(plan.kind)}
        if plan.kind == "credits"
        else amount,
        made=_("Returned %(cause)s on %(moment)s by %(name)s.")
        % {
            "cause": trigger_words(revert.trigger),
            "moment": show_moment(revert.created_at, store),
            "name": names[revert.actor],
        },
        ticked=plan.refusal is None and str(revert.pk) in ticked,
        refusal=plan.refusal.detail if plan.refusal else "",
        lots=[_lot(item, store) for item in plan.takes],
        before=show(before, currency, store),
        after="" if plan.refusal else show(before - plan.amount, currency, store),
        withdraws=revert.created_at in unsent,
        confirm=_("Undo: take back %(amount)s") % {"amount": amount},
    )


def _lot(item: Returned, store: Store) -> LotTaken:
    return LotTaken(
        lot=f"#{item.lot_id}",
        until=show_last_day(item.expires_at, store),
        came_back=show(item.amount, item.currency, store),
        holds=show(item.remaining, item.currency, store),
        left=show(item.remaining - item.amount, item.currency, store) if item.remaining >= item.amount else "–",
    )
