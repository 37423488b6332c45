"""What each tab of the order page shows. Every tab costs a fixed number of queries."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.backoffice.badges import DASH
from loyalty.backoffice.links import customer_address
from loyalty.journal.models import JournalEntry
from loyalty.languages.own_names import own_words
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount
from loyalty.notices.models import Notice
from loyalty.store_settings.sections import current_settings
from loyalty.stores.actors import actor_names
from loyalty.stores.dates import label_of, show_moment
from loyalty.stores.models import Store
from loyalty.timeline.sentences import lines_of
from loyalty.timeline.words import trigger_words
from orders.admin.automation.hold import hold_card
from orders.admin.display import (
    NOT_RETURNED,
    RETURNED,
    USED,
    came_from,
    kind_words,
    moment_by,
    notice_row,
    reason_words,
    revert_amount,
    revert_badge,
    used_words,
)
from orders.admin.orders.used_rows import used_context
from orders.admin.orders.write_back_card import write_back_card
from orders.admin.reverts.why import why
from orders.kinds import KINDS, applied, currency_of, reverted, show
from orders.models import CancelReason, Order, Revert, RevertUndo
from orders.services.earned_points.settle import keeping_tag
from orders.services.reverts.undo import undos_of

TABS: Final[dict[str, str]] = {
    "details": gettext_noop("Details"),
    "used": gettext_noop("Credits and points used"),
    "reverts": gettext_noop("Reverts"),
    "timeline": gettext_noop("Timeline"),
    "notices": gettext_noop("Notices"),
}
LABELS: Final[dict[Kind, str]] = {
    "credits": gettext_noop("Credit Revert Status"),
    "points": gettext_noop("Points Revert Status"),
}
_AT_MOST: Final = 200


def tab_context(tab: str, order: Order, store: Store, *, now: datetime) -> dict[str, Any]:
    """The context of one tab's template."""
    builders: dict[str, Callable[[Order, Store, datetime], dict[str, Any]]] = {
        "details": _details,
        "used": used_context,
        "reverts": _reverts,
        "timeline": _timeline,
        "notices": _notices,
    }
    return builders[tab](order, store, now)


def _details(order: Order, store: Store, now: datetime) -> dict[str, Any]:
    kinds = [
        {
            "label": _(LABELS[kind]),
            "badge": revert_badge(order, kind, store),
            "why": why(order, kind, store),
            "open": order.needs_revert,
        }
        for kind in KINDS
        if applied(order, kind)
    ]
    lines = [
        {
            "title": line.get("title", ""),
            "quantity": line.get("quantity", ""),
            "amount": _line_amount(line, order, store),
        }
        for line in order.lines or ()
        if isinstance(line, dict)
    ]
    return {
        "kinds": kinds,
        "facts": _facts(order, store),
        "lines": lines,
        "hold": hold_card(order, store, now),
        "write_back": write_back_card(order, store),
    }


def _line_amount(line: dict[str, Any], order: Order, store: Store) -> str:
    value = line.get("total", line.get("amount"))
    if value in (None, ""):
        return DASH
    try:
        return show(Decimal(str(value)), order.currency, store)
    except InvalidOperation:
        return str(value)


def _earned(order: Order, store: Store) -> list[tuple[str, Any]]:
    """What the order earned and what of it is gone, or why it is not (C1, N6)."""
    if not order.points_earned:
        return []
    facts: list[tuple[str, Any]] = [
        (own_words("Points earned"), show(order.points_earned, "", store)),
        (own_words("Earned points taken back"), show(order.points_taken_back, "", store)),
    ]
    if skip_tag := keeping_tag(order, current_settings(store)):
        facts.append((own_words("Earned points kept"), _("by the tag “%(tag)s”") % {"tag": skip_tag}))
    if order.points_not_taken:
        missing = _("%(points)s: spent already, counts against what is earned next") % {
            "points": show(order.points_not_taken, "", store)
        }
        facts.append((own_words("Earned points not taken back"), missing))
    return facts


def _facts(order: Order, store: Store) -> list[tuple[str, Any]]:
    customer = order.customer
    facts: list[tuple[str, Any]] = [(_("Customer"), _customer_link(order) if customer else _("Guest"))]
    if customer and customer.email:
        facts.append((_("E-mail"), customer.email))
    for kind in KINDS:
        facts.append((_(LABELS[kind]), revert_badge(order, kind, store)))
        facts.append((str(USED[kind]), used_words(order, kind, store)))
        if applied(order, kind):
            facts.append((str(RETURNED[kind]), _shown(order, kind, reverted(order, kind), store)))
            left = applied(order, kind) - reverted(order, kind)
            facts.append((str(NOT_RETURNED[kind]), _shown(order, kind, left, store)))
    facts += _earned(order, store)
    facts += [
        (_("Payment"), _payment(order)),
        (_("Total"), show(order.total, order.currency, store)),
        (_("Refunded"), show(order.refunded_total, order.currency, store)),
        (_("Placed"), show_moment(order.placed_at, store)),
        (_("Payment due"), show_moment(order.payment_due_at, store) or DASH),
        (_("Tags"), ", ".join(order.tags) or DASH),
        (_("Came from"), came_from(order)),
        (_("External id"), order.external_id or DASH),
    ]
    if order.platform_deleted_at:
        facts.append((_("Deleted on the platform"), show_moment(order.platform_deleted_at, store)))
    if order.reinstated_at:
        facts.append((_("Reinstated"), show_moment(order.reinstated_at, store)))
    if order.refund_marked_at:
        facts.append((_("Marked for refund"), show_moment(order.refund_marked_at, store)))
    if order.cancelled_at:
        reason = label_of(CancelReason, order.cancel_reason) or DASH
        facts += [
            (
                _("Cancelled"),
                _("%(moment)s, %(cause)s")
                % {"moment": show_moment(order.cancelled_at, store), "cause": trigger_words(order.cancelled_by)},
            ),
            (_("Cancel reason"), reason),
        ]
    return facts


def _payment(order: Order) -> str:
    status = order.get_payment_status_display()
    if not order.payment_detail:
        return status
    return _("%(status)s. %(detail)s") % {"status": status, "detail": order.get_payment_detail_display()}


def _customer_link(order: Order) -> str:
    address = customer_address(order.customer_id)
    return format_html('<a href="{}">{}</a>', address, str(order.customer))


def _shown(order: Order, kind: Kind, amount: Amount, store: Store) -> str:
    return show(amount, currency_of(order, kind), store)


def _reverts(order: Order, store: Store, now: datetime) -> dict[str, Any]:
    reverts = Revert.objects.for_store(store).filter(order=order).select_related("remark", "store").order_by("-id")
    rows = list(reverts[:_AT_MOST])
    undone = undos_of(rows)
    names = actor_names([*(row.actor for row in rows), *(undo.actor for undo in undone.values())])
    return {"reverts": [revert_row(row, names, store) | _undone(undone.get(row.pk), names, store) for row in rows]}


def _undone(undo: RevertUndo | None, names: dict[str, str], store: Store) -> dict[str, str]:
    if undo is None:
        return {}
    return {"undone": moment_by(undo.created_at, names[undo.actor], store)}


def revert_row(row: Revert, names: dict[str, str], store: Store) -> dict[str, Any]:
    """One revert as a table shows it."""
    return {
        "link": reverse("admin:orders_revert_change", args=[row.pk]),
        "when": show_moment(row.created_at, store),
        "kind": kind_words(row),
        "amount": revert_amount(row, row.amount, store),
        "applied": revert_amount(row, row.applied, store),
        "who": names[row.actor],
        "trigger": trigger_words(row.trigger),
        "reason": reason_words(row.remark.reason, row.remark.note) if row.remark else DASH,
    }


def _timeline(order: Order, store: Store, now: datetime) -> dict[str, Any]:
    entries = JournalEntry.objects.for_store(store).filter(order=order).select_related("remark").order_by("-id")
    return {"entries": lines_of(list(entries[:_AT_MOST]), store)}


def _notices(order: Order, store: Store, now: datetime) -> dict[str, Any]:
    rows = Notice.objects.for_store(store).filter(order=order).order_by("-id")[:_AT_MOST]
    return {"notices": [notice_row(row, store) for row in rows]}
