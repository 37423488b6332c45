"""What the cancel form shows: order, lots, subtotals, result, words on the button (M2-M6, M8)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.forms import BoundField

from loyalty.core.days import last_day_of_use
from loyalty.ledger.ledger import Kind
from loyalty.ledger.models import Origin
from loyalty.ledger.planner import GIVES_BACK, Amount, KindPlan, Outcome, PlannedLot, UsedLot
from loyalty.stores.dates import label_of, show_day, show_last_day
from loyalty.stores.models import Store
from orders.admin.reverts.cancel_form import CancelForm
from orders.admin.reverts.cancel_seen import Marker, Seen, Statement, goal_of
from orders.kinds import KINDS, NAMES, allocation_ref, applied, currency_of, show
from orders.models import Order, OrderStatus
from orders.services.earned_points.settle import Forecast
from orders.services.reverts.apply import Work
from orders.services.reverts.notice import compose
from orders.services.reverts.plans import OrderPlan, Preview

_SHORT: Final[Mapping[Kind, str]] = {"credits": "Credits", "points": "Points"}
_STATUS_LABELS: Final[Mapping[Kind, str]] = {"credits": "Credit Revert Status", "points": "Points Revert Status"}


@dataclass(frozen=True, slots=True)
class ExtendFields:
    """Extend of one expired lot, with the day on which what comes back expires."""

    ref: str
    lot: str
    tick: BoundField
    days: BoundField
    until: BoundField


@dataclass(frozen=True, slots=True)
class LotRow:
    """One lot the order drew on; ``tone`` is back, lost or done."""

    ref: str
    amount: str
    already: str
    origin: str
    expires: str
    expires_on: str
    expired: bool
    outcome: Statement
    tone: str
    extend: ExtendFields | None


@dataclass(frozen=True, slots=True)
class KindSection:
    """One kind that the order used: its tick, its lots, its subtotals."""

    kind: Kind
    title: str
    tick: BoundField | None
    rows: Sequence[LotRow]
    returns: Statement
    stays: Statement
    stays_lost: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the result: before and after."""

    key: str
    label: str
    before: str
    after: Statement
    colour: str = ""


@dataclass(frozen=True, slots=True)
class CancelPage:
    """Everything the form's template shows, but its fields."""

    order: Order
    cancels: bool
    title: str
    sentence: str
    sections: Sequence[KindSection]
    earned: str
    balances: Sequence[Line]
    statuses: Sequence[Line]
    confirm: Statement
    keep: str
    nothing_left: bool
    notice_subject: str
    notice_text: str
    customer_email: str
    shape: str
    token: str
    seen: str


def shown_form(form: CancelForm, shown: Preview, *, work: Work, cancels: bool, seen: Seen | None) -> CancelPage:
    """The page for ``shown``; what differs from ``seen`` is marked. ``cancels`` says which of the two forms it is."""
    order, plan, marker = shown.plan.order, shown.plan, Marker(seen)
    sections = [_section(plan, kind, form, marker, work) for kind in KINDS if applied(order, kind)]
    balances = [_balance(shown, kind, work.store) for kind in KINDS if _moves(shown, kind)]
    statuses = _statuses(plan, marker, work)
    confirm = marker.say("confirm", _confirm_words(plan, form, work))
    message = compose(plan, store=work.store, cancelled=work.cancels)
    now_seen = Seen(cancels, marker.statements, goal_of(plan, work))
    return CancelPage(
        order=order,
        cancels=work.cancels,
        title=f"Cancel order {order.number}" if work.cancels else "Return credits/points",
        sentence=_sentence(order, work.store),
        sections=sections,
        earned=_earned(shown.earned, work.store),
        balances=balances,
        statuses=statuses,
        confirm=confirm,
        keep="Keep order" if work.cancels else "Back",
        nothing_left=not work.cancels and not form.kinds,
        notice_subject=message.subject,
        notice_text=message.text.strip(),
        customer_email=order.customer.email if order.customer else "",
        shape=" ".join([str(work.cancels), *form.kinds, *form.extendable]),
        token="" if form.errors else shown.token,
        seen=now_seen.sign(),
    )


def _sentence(order: Order, store: Store) -> str:
    used = [_used_words(order, kind, store) for kind in KINDS if applied(order, kind)]
    whose = f" of {order.customer}" if order.customer else ""
    return f"Order {order.number}{whose} used {' and '.join(used) or 'no store credits and no member points'}."


def _used_words(order: Order, kind: Kind, store: Store) -> str:
    amount = show(applied(order, kind), currency_of(order, kind), store)
    return f"{amount} credits" if kind == "credits" else amount


def _section(plan: OrderPlan, kind: Kind, form: CancelForm, marker: Marker, work: Work) -> KindSection:
    kind_plan, currency = plan.kinds[kind], currency_of(plan.order, kind)
    planned = {lot.used.allocation_id: lot for lot in kind_plan.lots}
    returns = show(kind_plan.returns, currency, work.store)
    stays = show(kind_plan.remains, currency, work.store)
    return KindSection(
        kind=kind,
        title=f"Return {NAMES[kind]}",
        tick=form[f"return_{kind}"] if kind in form.kinds else None,
        rows=[
            lot_row(
                kind,
                lot,
                planned.get(lot.allocation_id),
                code=plan.order.code_of(lot.redemption_id),
                form=form,
                marker=marker,
                store=work.store,
                now=work.now,
            )
            for lot in plan.used[kind]
        ],
        returns=marker.say(f"returns-{kind}", returns),
        stays=marker.say(f"stays-{kind}", stays),
        stays_lost=bool(kind_plan.remains),
    )


def lot_row(
    kind: Kind,
    lot: UsedLot,
    planned: PlannedLot | None,
    *,
    code: str = "",
    form: CancelForm,
    marker: Marker,
    store: Store,
    now: datetime,
) -> LotRow:
    """One lot with what becomes of it, and Extend where it has expired; ``code`` is the one that it came with (R7)."""
    ref = allocation_ref(kind, lot.allocation_id)
    amount = show(lot.amount, lot.currency, store)
    expires = show_last_day(lot.expires_at, store)
    last_day = last_day_of_use(lot.expires_at, store.tz)
    words, tone = _outcome(lot, planned, store)
    return LotRow(
        ref=ref,
        amount=amount,
        already=_already(lot, store),
        origin=f"{label_of(Origin, lot.origin)}{_how(lot, code)}",
        expires=expires,
        expires_on=last_day.isoformat() if last_day else "",
        expired=lot.is_expired(now),
        outcome=marker.say(f"lot-{ref}", words),
        tone=tone,
        extend=_extend(ref, f"{amount}, expired {expires}", form) if ref in form.extendable else None,
    )


def _how(lot: UsedLot, code: str) -> str:
    return ", deducted again" if lot.deduction else f", by code {code}" if code else ""


def _already(lot: UsedLot, store: Store) -> str:
    partly = 0 < lot.returned < lot.amount
    return f"{show(lot.returned, lot.currency, store)} already returned" if partly else ""


def _extend(ref: str, lot: str, form: CancelForm) -> ExtendFields:
    return ExtendFields(ref, lot, form[f"extend_{ref}"], form[f"days_{ref}"], form[f"until_{ref}"])


def _outcome(lot: UsedLot, planned: PlannedLot | None, store: Store) -> tuple[str, str]:
    if not lot.outstanding:
        return "Already returned", "done"
    if planned is None or planned.outcome not in GIVES_BACK:
        return "Will not be returned", "lost"
    amount = show(planned.amount, lot.currency, store)
    if planned.expires_at is None:
        return f"Returns {amount}, never expires", "back"
    until = show_day(last_day_of_use(planned.expires_at, store.tz), store)
    return f"Returns {amount}, {'now ' if planned.outcome is Outcome.EXTENDED else ''}valid until {until}", "back"


def _moves(shown: Preview, kind: Kind) -> bool:
    return bool(applied(shown.plan.order, kind)) or shown.balance_before[kind] != shown.balance_after[kind]


def _earned(earned: Forecast, store: Store) -> str:
    """What happens to the points that the order earned (C1); empty when nothing does."""
    if earned.kept_by is not None:
        return f"The points that this order earned stay with the customer: the tag “{earned.kept_by}” keeps them."
    if not earned.takes and not earned.dropped:
        return ""
    words = f"{show(earned.takes, '', store)} that this order earned are taken back from the customer."
    if earned.owed:
        words += f" The customer has not got all of them: {show(earned.owed, '', store)} will be owed."
    if earned.dropped:
        words += f" {show(earned.dropped, '', store)} more are spent already: they count against what is earned next."
    return words


def _balance(shown: Preview, kind: Kind, store: Store) -> Line:
    currency = currency_of(shown.plan.order, kind)
    after = show(shown.balance_after[kind], currency, store)
    # The balance is no fact of the order: it may move without anybody being asked again, so it is not marked.
    return Line(f"balance-{kind}", _SHORT[kind], show(shown.balance_before[kind], currency, store), Statement(after))


def _statuses(plan: OrderPlan, marker: Marker, work: Work) -> list[Line]:
    order = plan.order
    status = OrderStatus.CANCELLED if work.cancels else OrderStatus(order.status)
    lines = [Line("status", "Order status", "", marker.say("status", status.label), "red" if work.cancels else "")]
    for kind in KINDS:
        if applied(order, kind):
            words, colour = revert_words(plan.kinds[kind], currency_of(order, kind), work.store)
            lines.append(Line(f"status-{kind}", _STATUS_LABELS[kind], "", marker.say(f"status-{kind}", words), colour))
    return lines


def revert_words(plan: KindPlan, currency: str, store: Store) -> tuple[str, str]:
    """The revert status that the order will show (O3), and the colour of its badge."""
    back = plan.already + plan.returns
    if not back:
        return "Not Reverted", "orange"
    if back == plan.used:
        return "Reverted", "green"
    return f"Reverted ({_number(back, currency, store)} of {_number(plan.used, currency, store)})", "blue"


def _number(amount: Amount, currency: str, store: Store) -> str:
    return show(amount, currency, store).rsplit(" ", 1)[0]


def _confirm_words(plan: OrderPlan, form: CancelForm, work: Work) -> str:
    back = amounts_words({kind: plan.kinds[kind].returns for kind in KINDS}, plan.order, work.store)
    if not work.cancels:
        return f"Return {back or 'nothing'}"
    if not form.kinds:
        return "Cancel order"
    return f"Cancel order and return {back or 'nothing'}"


def amounts_words(amounts: Mapping[Kind, Amount], order: Order, store: Store) -> str:
    """Amounts of both kinds as one phrase, ``15.00 USD + 100 points``; empty when there are none."""
    return " + ".join(show(amounts[kind], currency_of(order, kind), store) for kind in KINDS if amounts.get(kind))
