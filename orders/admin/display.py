"""How orders' amounts and statuses look: the same in the list, on the order and beside the customer."""

from datetime import datetime
from decimal import Decimal
from typing import Final, cast

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.badges import DASH, badge
from loyalty.backoffice.links import cell_link, order_address
from loyalty.languages.own_names import own_words_lazy
from loyalty.ledger.ledger import Kind
from loyalty.notices.models import Notice
from loyalty.platforms.registry import LABELS
from loyalty.stores.dates import label_of, show_moment
from loyalty.stores.models import Store
from orders.kinds import (
    applied,
    currency_of,
    decision,
    partly_reverted,
    revert_status,
    reverted,
    show,
    show_number,
    title_of,
)
from orders.models import (
    CancelReason,
    Order,
    OrderStatus,
    PaymentDetail,
    PaymentStatus,
    PersonsDecision,
    Revert,
    RevertStatus,
)
from orders.services.intake.place import STAFF

# What the facts of a list of facts, a column or a field are called, by kind.
USED: Final = {"credits": own_words_lazy("Store credits used"), "points": own_words_lazy("Member points used")}
RETURNED: Final = {
    "credits": own_words_lazy("Store credits returned"),
    "points": own_words_lazy("Member points returned"),
}
NOT_RETURNED: Final = {
    "credits": own_words_lazy("Store credits not returned"),
    "points": own_words_lazy("Member points not returned"),
}
CHANGED: Final = gettext_noop(
    "The order has changed since this was shown. Nothing was done: check it and confirm again."
)
DONE_BEFORE: Final = gettext_noop("Already done. Nothing was changed this time.")
_STATUS_COLOURS = {OrderStatus.CANCELLED: "red", OrderStatus.COMPLETED: "green", OrderStatus.CONFIRMED: "blue"}
_PAYMENT_COLOURS = {PaymentStatus.PAID: "green", PaymentStatus.FAILED: "red", PaymentStatus.EXPIRED: "red"}
_DETAILS = {
    PaymentDetail.AUTHORIZED: gettext_lazy("authorised"),
    PaymentDetail.PARTIALLY_PAID: gettext_lazy("partly paid"),
    PaymentDetail.ON_DELIVERY: gettext_lazy("due on delivery"),
    PaymentDetail.AT_BANK: gettext_lazy("at the bank"),
    PaymentDetail.VOIDED: gettext_lazy("let go"),
}
_SOURCES: Final = {**LABELS, "api": gettext_lazy("the REST API"), STAFF: gettext_lazy("staff, by hand")}
_DECISIONS: Final[dict[str, str]] = {
    PersonsDecision.DECLINED: gettext_noop("declined"),
    PersonsDecision.EXPIRED_LEFT: gettext_noop("expired, not extended"),
    PersonsDecision.DISMISSED: gettext_noop("dismissed"),
}


def status_badge(order: Order) -> SafeString:
    """The order's status, and beside it in grey that it is deleted on its platform or a test (O9, E10)."""
    shown = badge(label_of(OrderStatus, order.status), _STATUS_COLOURS.get(OrderStatus(order.status), ""))
    if order.platform_deleted_at is not None:
        shown = _with_note(shown, _("deleted on the platform"))
    return _with_note(shown, _("test order")) if order.is_test else shown


def payment_badge(order: Order) -> SafeString:
    """The order's payment status, and beside it in grey what is to be known of one that is pending (E10)."""
    shown = label_of(PaymentStatus, order.payment_status)
    status = badge(shown, _PAYMENT_COLOURS.get(PaymentStatus(order.payment_status), ""))
    if order.failed_after_payment:
        return _with_note(status, _("paid before"))
    if order.waits_for_another_try:
        return _with_note(status, _("card declined"))
    return _with_note(status, str(_DETAILS[PaymentDetail(order.payment_detail)])) if order.payment_detail else status


def _with_note(shown: SafeString, words: str) -> SafeString:
    return format_html("{} {}", shown, badge(words, "note"))


def revert_words(order: Order, kind: Kind, store: Store) -> str:
    """The revert status as text: empty, Not Reverted, Reverted, or Reverted (50.00 of 100.00)."""
    status = revert_status(order, kind)
    if not status:
        return ""
    if status == RevertStatus.REVERTED and reverted(order, kind) < applied(order, kind):
        back, used = amounts_without_unit(order, kind, store)
        return partly_reverted(back, used)
    return str(RevertStatus(status).label)


def amounts_without_unit(order: Order, kind: Kind, store: Store) -> tuple[str, str]:
    """Returned and used, as the store writes numbers, without currency or the word points."""
    back, used = (show_number(amount(order, kind), currency_of(order, kind), store) for amount in (reverted, applied))
    return back, used


def revert_badge(order: Order, kind: Kind, store: Store) -> SafeString | str:
    """The revert status as a badge: dash, orange, green, or blue when partial; grey beside it what was decided."""
    words = revert_words(order, kind, store)
    if not words:
        return DASH
    partial = words != str(RevertStatus.REVERTED.label)
    colour = "orange" if words == str(RevertStatus.NOT_REVERTED.label) else "blue" if partial else "green"
    decided = _DECISIONS.get(decision(order, kind)) if colour != "green" else None
    shown = badge(words, colour)
    return _with_note(shown, _(decided)) if decided else shown


def used_words(order: Order, kind: Kind, store: Store) -> str:
    """How much of the kind the order used; a dash for nothing."""
    used = applied(order, kind)
    return show(used, currency_of(order, kind), store) if used else DASH


def money_words(order: Order, store: Store) -> str:
    """The order's total."""
    return show(order.total, order.currency, store)


def came_from(order: Order) -> str:
    """Where an order came in, in words."""
    return str(_SOURCES.get(order.platform, order.platform))


def order_link(order: Order) -> SafeString:
    """An order by its number, as a link."""
    return cell_link(order_address(order.pk), _("order %(number)s") % {"number": order.number})


def has_in_hand(order: Order) -> bool:
    """Whether any value that the order used is with the customer."""
    return bool(order.credits_reverted or order.points_reverted)


def has_left(order: Order) -> bool:
    """Whether any value that the order used is not back."""
    return order.credits_reverted < order.credits_applied or order.points_reverted < order.points_applied


def kind_words(row: Revert) -> str:
    """Store credits or Member points."""
    return title_of(cast(Kind, row.kind))


def revert_amount(row: Revert, amount: Decimal, store: Store) -> str:
    """An amount of a revert; points are whole."""
    return show(amount if row.currency else int(amount), row.currency, store)


def reason_words(reason: str, note: str) -> str:
    """A reason out of the list in words, or as typed, and the note."""
    known = label_of(CancelReason, reason)
    if known and note:
        return _("%(reason)s. %(note)s") % {"reason": known, "note": note}
    return known or note or DASH


def notice_row(row: Notice, store: Store) -> dict[str, str]:
    """One message to a customer."""
    return {
        "subject": row.subject,
        "status": row.get_status_display(),
        "when": show_moment(row.sent_at or row.created_at, store),
        "to": row.to_email,
        "text": row.text,
    }


def moment_by(moment: datetime | None, who: str, store: Store) -> str:
    """When something was done and by whom: ``5 Jan 2026, 14:03, by Ana``; empty for what was not."""
    if moment is None:
        return ""
    return _("%(moment)s, by %(name)s") % {"moment": show_moment(moment, store), "name": who}
