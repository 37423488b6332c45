"""What an order used, lot by lot: what it was, by what it was used, where it is now (O5, R7, M3, N6).

Every part of a lot that an order used has its row. It ends where the value is: back in which lot since when, taken
out of it again, or not returned and why. A fixed number of queries, however much was used.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.backoffice.links import cell_link, customer_address
from loyalty.core.days import is_expired
from loyalty.core.phrases import sentences
from loyalty.journal.models import JournalEntry
from loyalty.languages.own_names import own_words
from loyalty.ledger.ledger import Kind
from loyalty.ledger.models import MovementType
from loyalty.ledger.planner import Amount
from loyalty.platforms.registry import LABELS
from loyalty.stores.actors import Trigger, actor_names
from loyalty.stores.dates import show_last_day, show_moment
from loyalty.stores.models import Store
from loyalty.timeline.words import trigger_words
from orders.admin.display import order_link, used_words
from orders.admin.orders.used_there import said_there
from orders.admin.redemptions.rows import redemption_link, state_badges, worth_words
from orders.admin.reverts.why import whys
from orders.kinds import KINDS, LEDGERS, applied, currency_of, reverted, show, title_of
from orders.models import CodeOutcome, CodeUse, Order
from orders.services.rules.trace import last_decisions

_TOLD: Final = (MovementType.SPEND, MovementType.REVERT, MovementType.UNDO)
# By whether a return is behind it, else a reversed code; and whether it went into a new lot.
_BACK: Final = {
    (True, False): gettext_noop(
        '<a class="cell-link" href="{revert}">Returned</a> {amount} to its lot on {moment}, {cause} ({name}).'
    ),
    (True, True): gettext_noop(
        '<a class="cell-link" href="{revert}">Returned</a> {amount} to a <a class="cell-link" href="{lots}">new lot '
        "#{lot}</a>, extended to {day}, on {moment}, {cause} ({name})."
    ),
    (False, False): gettext_noop("Returned {amount} to its lot on {moment}, by reversing the code ({name})."),
    (False, True): gettext_noop(
        'Returned {amount} to a <a class="cell-link" href="{lots}">new lot #{lot}</a>, extended to {day}, on {moment}, '
        "by reversing the code ({name})."
    ),
}


@dataclass(frozen=True, slots=True)
class UsedRow:
    """The part of one lot that was used: how much, by what, out of which lot, and where it is now, line by line."""

    amount: str
    by: Sequence[str]
    lot: str
    origin: str
    expired: bool
    where: Sequence[str]


@dataclass(frozen=True, slots=True)
class UsedPart:
    """One kind: what the order used of it in all, why something of it is not back, and the parts of lots."""

    title: str
    used: str
    returned: str
    left: str
    why: str
    rows: Sequence[UsedRow]


@dataclass(frozen=True, slots=True)
class _Case:
    """What the rows of one kind are told with; ``last`` is the newest decision about the kind."""

    order: Order
    kind: Kind
    store: Store
    now: datetime
    last: JournalEntry | None
    names: Mapping[str, str]

    def shown(self, amount: Amount) -> str:
        return show(amount, currency_of(self.order, self.kind), self.store)


def used_context(order: Order, store: Store, now: datetime) -> dict[str, Any]:
    """The context of the tab *Credits and points used*."""
    kinds = [kind for kind in KINDS if applied(order, kind)]
    last, told = (last_decisions([order], store), whys([order], store)) if kinds else ({}, {})
    return {
        "parts": [_part(order, kind, store, now, last.get((order.pk, kind)), told[order.pk, kind]) for kind in kinds],
        "other_codes": list(_other_codes(order, store)),
        "said_there": bool(said_there(order)),
        "platform_label": LABELS.get(order.platform, order.platform),
    }


def _part(order: Order, kind: Kind, store: Store, now: datetime, last: JournalEntry | None, why: str) -> UsedPart:
    allocations, movements = _booked(order, kind, store)
    actors = {movement.actor for rows in movements.values() for movement in rows}
    case = _Case(order, kind, store, now, last, actor_names(actors))
    return UsedPart(
        title=title_of(kind),
        used=used_words(order, kind, store),
        returned=case.shown(reverted(order, kind)),
        left=case.shown(applied(order, kind) - reverted(order, kind)),
        why=why,
        rows=[_row(case, row, movements[row.pk]) for row in allocations],
    )


def _booked(order: Order, kind: Kind, store: Store) -> tuple[list[Any], Mapping[int, list[Any]]]:
    """What the order drew on in the order of spending, and what was booked of each part; two queries."""
    tables = LEDGERS[kind].tables
    drawn = tables.allocation.objects.for_store(store).filter(order=order)
    allocations = list(drawn.select_related("lot__customer", "redemption").order_by("id"))
    # What came with a code was spent, and may have been reversed, by its redemption before there was an order (R7).
    codes = {row.redemption_id for row in allocations if row.redemption_id}
    booked = tables.movement.objects.for_store(store).filter(Q(order=order) | Q(redemption__in=codes), type__in=_TOLD)
    movements: dict[int, list[Any]] = defaultdict(list)
    for movement in booked.select_related("lot", "remark").order_by("id"):
        movements[movement.allocation_id].append(movement)
    return allocations, movements


def _row(case: _Case, row: Any, movements: Sequence[Any]) -> UsedRow:
    lot = row.lot
    spent = next((movement for movement in movements if movement.type == MovementType.SPEND), None)
    undone = {movement.revert_id: movement for movement in movements if movement.type == MovementType.UNDO}
    back = [movement for movement in movements if movement.type == MovementType.REVERT]
    where = [_back(case, row, movement, undone.get(movement.revert_id)) for movement in back]
    left = row.amount - row.returned
    return UsedRow(
        amount=case.shown(row.amount),
        by=list(_by(case, row, spent)),
        lot=cell_link(_lots(case, lot), _("Lot #%(lot)s") % {"lot": lot.pk}),
        origin=_origin(lot, case.store),
        expired=is_expired(lot.expires_at, case.now),
        where=[*where, *([_left(case, lot, left)] if left else [])],
    )


def _by(case: _Case, row: Any, spent: Any) -> Iterator[str]:
    """By what it was used, then when and by whom, and whose it was where that is not the order's customer."""
    redemption = row.redemption
    if redemption is not None:
        yield format_html(
            _("Code {code} {badges}"), code=redemption_link(redemption), badges=state_badges(redemption, case.now)
        )
    elif row.deduction:
        yield _("Deducted again, after it had been returned")
    elif spent is not None and spent.trigger == Trigger.ADMIN:
        yield _("Recorded by staff")
    else:
        yield _("Paid with when the order was placed")
    if spent is not None:
        yield _told(case, spent, worth_words(redemption, case.store) if redemption else "")
    if row.lot.customer_id != case.order.customer_id:
        owner = cell_link(customer_address(row.lot.customer_id), row.lot.customer)
        yield format_html(_("From the balance of {customer}"), customer=owner)


def _origin(lot: Any, store: Store) -> str:
    words = _("%(origin)s, valid until %(day)s") if lot.expires_at else _("%(origin)s, never expires")
    return words % {"origin": lot.get_origin_display(), "day": show_last_day(lot.expires_at, store)}


def _told(case: _Case, spent: Any, worth: str) -> str:
    facts = {"name": case.names[spent.actor], "moment": show_moment(spent.created_at, case.store), "worth": worth}
    if worth:
        return _("Exchanged for %(worth)s: %(name)s, %(moment)s") % facts
    if spent.remark and spent.remark.reason:
        return _("%(name)s, %(moment)s: %(reason)s") % (facts | {"reason": spent.remark.reason})
    return _("%(name)s, %(moment)s") % facts


def _lots(case: _Case, lot: Any) -> str:
    """The address of the lots of a lot's customer."""
    return f"{customer_address(lot.customer_id)}?tab={case.kind}"


def _back(case: _Case, row: Any, movement: Any, undone: Any) -> SafeString:
    """Into which lot a part went when, by what and by whom, and what has become of it since."""
    lot, store = movement.lot, case.store
    revert = movement.revert_id
    told = format_html(
        _(_BACK[bool(revert), lot.pk != row.lot_id]),
        revert=reverse("admin:orders_revert_change", args=[revert]) if revert else "",
        amount=case.shown(movement.amount),
        lots=_lots(case, lot),
        lot=lot.pk,
        day=show_last_day(lot.expires_at, store),
        moment=show_moment(movement.created_at, store),
        cause=trigger_words(movement.trigger),
        name=case.names[movement.actor],
    )
    since = _holds(case, lot)
    if undone is not None:
        since = _("Undone: taken out again by %(name)s, %(moment)s.") % {
            "name": case.names[undone.actor],
            "moment": show_moment(undone.created_at, store),
        }
    return format_html("{} {}", told, since)


def _holds(case: _Case, lot: Any) -> str:
    if is_expired(lot.expires_at, case.now):
        return _("That lot has expired since, on %(day)s.") % {"day": show_last_day(lot.expires_at, case.store)}
    if not lot.remaining:
        return _("That lot is used up since.")
    return _("That lot holds %(amount)s now.") % {"amount": case.shown(lot.remaining)}


def _left(case: _Case, lot: Any, left: Amount) -> str:
    facts = {"amount": case.shown(left)}
    if not case.order.to_be_decided:
        return _("Not returned: %(amount)s. It is with the shop, as the order stands.") % facts
    why = stays_words(case.last, lot.expires_at, case.store, case.now)
    return sentences([_("Not returned: %(amount)s.") % facts, why])


def stays_words(last: JournalEntry | None, expires_at: datetime | None, store: Store, now: datetime) -> str:
    """Why the newest decision about a kind left what came out of a lot that expires then, and what can be done.

    What was decided about the whole kind stands over the rows; here is what is true of this lot.
    """
    code = last.data.get("code") if last else None
    facts = {"day": show_last_day(expires_at, store)}
    if last and code in ("expired", "blocked") and is_expired(expires_at, last.created_at):
        return _("It had expired on %(day)s and was not extended. Only Extend brings it back.") % facts
    valid = _("It was valid, but another part had expired, and all or nothing was to be returned.")
    now_words = _("It can still go back to its lot.")
    if is_expired(expires_at, now):
        now_words = _("It has expired on %(day)s. Only Extend brings it back.") % facts
    return sentences([valid if code == "blocked" else "", now_words])


# Why an order used no points of a code that it came with.
_UNUSED: Final[Mapping[str, str]] = {
    CodeOutcome.AFTER_RETURN: gettext_noop("Code {code}: came after the points had been returned."),
    CodeOutcome.USED_BEFORE: gettext_noop("Code {code}: came after another order had used the code."),
    CodeOutcome.OF_FAMILY: gettext_noop("Code {code}: used by the order that this one was split from or into."),
}


def _other_codes(order: Order, store: Store) -> Iterator[SafeString]:
    """The codes that came with the order and of which it used nothing, with the reason; one query."""
    uses = CodeUse.objects.for_store(store).filter(order=order).exclude(outcome=CodeOutcome.USED)
    for use in uses.select_related("redemption__used_order").order_by("pk"):
        first = use.redemption.used_order
        told = format_html(own_words(_UNUSED[use.outcome]), code=redemption_link(use.redemption))
        if first is None:
            yield told
        else:
            used = format_html(own_words("Its points were used by {order}."), order=order_link(first))
            yield format_html("{} {}", told, used)
