"""What the cancel form shows: order, lots, subtotals, result, words on the button (M2-M6, M8); and a second sending."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.phrases import listed, sentences
from loyalty.languages.own_names import both_names, name_of, own_words
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount, KindPlan
from loyalty.notices.voice import Voice
from loyalty.notices.write import in_language_of
from loyalty.stores.models import Store
from orders.admin.reverts.cancel_form import CancelForm
from orders.admin.reverts.plan_rows import KindSection, Line, Marker, PlanPage, Seen, Statement, lot_row
from orders.kinds import KINDS, applied, currency_of, partly_reverted, reverted, show, show_number
from orders.models import Order, OrderStatus, RevertStatus
from orders.services.earned_points.settle import Forecast
from orders.services.reverts.apply import Work, decided, decisions_after
from orders.services.reverts.notice import compose
from orders.services.reverts.plans import OrderPlan, Preview

_BALANCES: Final[Mapping[Kind, str]] = {
    "credits": gettext_noop("Credits of the customer"),
    "points": gettext_noop("Points of the customer"),
}
_NOTHING_LEFT: Final = gettext_noop(
    "Everything that this order used is already back with the customer. There is nothing left to return."
)
_NOTHING_USED: Final = gettext_noop("This order used no %(credits)s and no %(points)s. There is nothing to return.")
_STATUS_LABELS: Final[Mapping[Kind, str]] = {
    "credits": gettext_noop("Credit Revert Status"),
    "points": gettext_noop("Points Revert Status"),
}


def shown_form(form: CancelForm, shown: Preview, *, work: Work, cancels: bool, seen: Seen | None) -> PlanPage:
    """The page for ``shown``; what differs from ``seen`` is marked. ``cancels`` says which of the two forms it is."""
    order, plan, marker = shown.plan.order, shown.plan, Marker(seen)
    sections = [_section(plan, kind, form, marker, work) for kind in KINDS if applied(order, kind)]
    balances = [_balance(shown, kind, work.store) for kind in KINDS if _moves(shown, kind)]
    statuses = _statuses(plan, marker, work)
    confirm = marker.say("confirm", _confirm_words(plan, form, work))
    with in_language_of(order.customer, work.store):
        message = compose(plan, voice=Voice(work.store, work.settings), cancelled=work.cancels)
    now_seen = Seen(marker.statements, cancels, goal_of(plan, work))
    return PlanPage(
        title=_("Cancel order %(number)s") % {"number": order.number}
        if work.cancels
        else own_words("Return credits/points"),
        sentence=_sentence(order, work.store),
        sections=sections,
        lines=[*statuses, *balances],
        confirm=confirm,
        keep=_("Keep order") if work.cancels else _("Back"),
        refused="" if work.cancels or form.kinds else _(_NOTHING_LEFT) if sections else _(_NOTHING_USED) % both_names(),
        notice_subject=message.subject,
        notice_text=message.text.strip(),
        customer_email=order.customer.email if order.customer else "",
        shape=" ".join([str(work.cancels), *form.kinds, *form.extendable]),
        token="" if form.errors else shown.token,
        seen=now_seen.sign(),
    )


def _sentence(order: Order, store: Store) -> str:
    used = [_used_words(order, kind, store) for kind in KINDS if applied(order, kind)]
    facts = {"number": order.number, "customer": order.customer, "amounts": listed(used), **both_names()}
    if order.customer is None:
        if used:
            return _("Order %(number)s used %(amounts)s.") % facts
        return _("Order %(number)s used no %(credits)s and no %(points)s.") % facts
    if used:
        return _("Order %(number)s of %(customer)s used %(amounts)s.") % facts
    return _("Order %(number)s of %(customer)s used no %(credits)s and no %(points)s.") % facts


def _used_words(order: Order, kind: Kind, store: Store) -> str:
    amount = show(applied(order, kind), currency_of(order, kind), store)
    return own_words("%(amount)s credits", amount=amount) if kind == "credits" else amount


def _section(plan: OrderPlan, kind: Kind, form: CancelForm, marker: Marker, work: Work) -> KindSection:
    kind_plan, currency = plan.kinds[kind], currency_of(plan.order, kind)
    planned = {lot.used.allocation_id: lot for lot in kind_plan.lots}
    returns = show(kind_plan.returns, currency, work.store)
    stays = show(kind_plan.remains, currency, work.store)
    return KindSection(
        kind=kind,
        title=_("Return %(kind)s") % {"kind": name_of(kind)},
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
                now=work.act.now,
            )
            for lot in plan.used[kind]
        ],
        returns=marker.say(f"returns-{kind}", returns),
        stays=marker.say(f"stays-{kind}", stays),
        stays_lost=bool(kind_plan.remains),
    )


def _moves(shown: Preview, kind: Kind) -> bool:
    return bool(applied(shown.plan.order, kind)) or shown.balance_before[kind] != shown.balance_after[kind]


def earned_words(earned: Forecast, store: Store) -> str:
    """What happens to the points that the order earned (C1); empty when nothing does."""
    if earned.kept_by is not None:
        words = own_words("The points that this order earned stay with the customer: the tag “%(tag)s” keeps them.")
        return words % {"tag": earned.kept_by}
    if not earned.takes and not earned.dropped:
        return ""
    taken, owed, dropped = (show(points, "", store) for points in (earned.takes, earned.owed, earned.dropped))
    told = [_("%(points)s that this order earned are taken back from the customer.") % {"points": taken}]
    if earned.owed:
        told.append(_("The customer has not got all of them: %(points)s will be owed.") % {"points": owed})
    if earned.dropped:
        words = _("%(points)s more are spent already: they count against what is earned next.")
        told.append(words % {"points": dropped})
    return sentences(told)


def _balance(shown: Preview, kind: Kind, store: Store) -> Line:
    currency = currency_of(shown.plan.order, kind)
    after = show(shown.balance_after[kind], currency, store)
    # The balance is no fact of the order: it may move without anybody being asked again, so it is not marked.
    before = show(shown.balance_before[kind], currency, store)
    return Line(f"balance-{kind}", own_words(_BALANCES[kind]), before, Statement(after))


def _statuses(plan: OrderPlan, marker: Marker, work: Work) -> list[Line]:
    order = plan.order
    status = OrderStatus.CANCELLED if work.cancels else OrderStatus(order.status)
    lines = [
        Line("status", _("Order status"), "", marker.say("status", str(status.label)), "red" if work.cancels else "")
    ]
    for kind in KINDS:
        if applied(order, kind):
            words, colour = revert_words(plan.kinds[kind], currency_of(order, kind), work.store)
            after = marker.say(f"status-{kind}", words)
            lines.append(Line(f"status-{kind}", _(_STATUS_LABELS[kind]), "", after, colour))
    return lines


def revert_words(plan: KindPlan, currency: str, store: Store) -> tuple[str, str]:
    """The revert status that the order will show (O3), and the colour of its badge."""
    back = plan.already + plan.returns
    if not back:
        return str(RevertStatus.NOT_REVERTED.label), "orange"
    if back == plan.used:
        return str(RevertStatus.REVERTED.label), "green"
    return partly_reverted(show_number(back, currency, store), show_number(plan.used, currency, store)), "blue"


def _confirm_words(plan: OrderPlan, form: CancelForm, work: Work) -> str:
    back = amounts_words({kind: plan.kinds[kind].returns for kind in KINDS}, plan.order, work.store)
    if not work.cancels:
        return _("Return %(amounts)s") % {"amounts": back} if back else _("Return nothing")
    if not form.kinds:
        return _("Cancel order")
    if not back:
        return _("Cancel order and return nothing")
    return _("Cancel order and return %(amounts)s") % {"amounts": back}


def amounts_words(amounts: Mapping[Kind, Amount], order: Order, store: Store) -> str:
    """Amounts of both kinds as one phrase, ``15.00 USD + 100 points``; empty when there are none."""
    return " + ".join(show(amounts[kind], currency_of(order, kind), store) for kind in KINDS if amounts.get(kind))


def state_of(order: Order) -> list[Any]:
    """What a cancel or a return changes of an order, as far as the form shows it."""
    return _state(order.status, {kind: (reverted(order, kind), decided(order)[kind]) for kind in KINDS})


def goal_of(plan: OrderPlan, work: Work) -> list[Any]:
    """The state that carrying out ``plan`` leads to: an order that is in it needs nothing more (M7)."""
    status = OrderStatus.CANCELLED if work.cancels else plan.order.status
    decisions = decisions_after(plan, work)
    back = {kind: plan.kinds[kind].already + plan.kinds[kind].returns for kind in KINDS}
    return _state(status, {kind: (back[kind], decisions[kind]) for kind in KINDS})


def _state(status: str, kinds: Mapping[Kind, tuple[Any, str]]) -> list[Any]:
    return [str(status), *([f"{amount:.3f}", str(decision)] for amount, decision in kinds.values())]
