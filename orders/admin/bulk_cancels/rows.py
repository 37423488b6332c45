"""What the page of a bulk cancel shows: before it is confirmed, while it is carried out, and afterwards (B1)."""

from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext, ngettext_lazy

from loyalty.backoffice.badges import badge
from loyalty.backoffice.lists.paging import BriefPage, page_of
from loyalty.core.locales import count_text
from loyalty.core.phrases import listed, sentences
from loyalty.languages.own_names import both_names, own_words
from loyalty.languages.retell import retell
from loyalty.stores.active_store import active_store, may
from loyalty.stores.actors import actor_names
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from orders.admin.display import moment_by, reason_words, status_badge, used_words
from orders.kinds import KINDS, applied, currency_of, show, title_of
from orders.models import BulkCancel, BulkItem, BulkState, Order, Outcome, RevertStatus, light
from orders.services.bulk_cancels.run import WORDS
from orders.services.bulk_cancels.summary import Stake, Summary, going_orders, orders_of

# How many of the orders are named before it is confirmed; the list shows them all.
_NAMED: Final = 50
_COLOURS: Final = {BulkState.OPEN: "blue", BulkState.DONE: "green", BulkState.STOPPED: "orange"}
_OUTCOME_COLOURS: Final = {Outcome.CANCELLED: "green", Outcome.SKIPPED: "orange", Outcome.FAILED: "red"}
_TABS: Final[dict[str, tuple[str, str]]] = {
    "": (gettext_noop("All"), "total"),
    "cancelled": (gettext_noop("Cancelled"), "cancelled"),
    "skipped": (gettext_noop("Left as they were"), "skipped"),
    "failed": (gettext_noop("Could not be cancelled"), "failed"),
    "waiting": (gettext_noop("Waiting"), "waiting"),
}


def list_address() -> str:
    """The order list."""
    return reverse("admin:orders_order_changelist")


def bulk_address(bulk: BulkCancel) -> str:
    """The page of one bulk cancel."""
    return reverse("admin:orders_bulkcancel_change", args=[bulk.pk])


def orders_address(bulk: BulkCancel, **filters: str) -> str:
    """The order list with the orders of one bulk cancel."""
    return f"{list_address()}?{urlencode({'bulk': bulk.pk, **filters})}"


def count_words(count: int) -> str:
    """``1 order``, ``12,000 orders``."""
    return ngettext("%(count)s order", "%(count)s orders", count) % {"count": count_text(count)}


def state_badge(bulk: BulkCancel) -> SafeString:
    """Where it is."""
    return badge(bulk.get_state_display(), _COLOURS.get(BulkState(bulk.state), ""))


def not_reverted(bulk: BulkCancel, store: Store) -> "QuerySet[Order]":
    """Its orders of which either kind shows Not Reverted now (O3)."""
    status = RevertStatus.NOT_REVERTED
    return orders_of(bulk, store).filter(Q(credit_revert_status=status) | Q(points_revert_status=status))


# --- before it is confirmed


def draft_context(bulk: BulkCancel, store: Store, summary: Summary, left: dict[str, bool]) -> dict[str, Any]:
    """What confirming would do: how many, the value at stake, which orders stand out, the first of the others."""
    orders = light(going_orders(bulk, store, **left)).select_related("customer")
    return {
        "title": _("Cancel selected orders"),
        "bulk": bulk,
        "summary": summary,
        "sentence": _sentence(summary, store),
        "exceptions": _exceptions(bulk, summary),
        "stakes": [_stake(stake, store) for stake in summary.stakes],
        "lines": [_line(order, store) for order in orders.order_by("pk")[:_NAMED]],
        "more": max(0, summary.going - _NAMED),
        "all": orders_address(bulk),
        "confirm": _confirm_words(summary.going),
        "back": f"{list_address()}?{bulk.filters}" if bulk.filters else list_address(),
    }


def _confirm_words(going: int) -> str:
    words = ngettext("Cancel %(count)s order, return nothing", "Cancel %(count)s orders, return nothing", going)
    return words % {"count": count_text(going)}


def _sentence(summary: Summary, store: Store) -> str:
    if not summary.going:
        return _("None of these orders would be cancelled.")
    going = ngettext("%(count)s order will be cancelled.", "%(count)s orders will be cancelled.", summary.going)
    used = _("They used no %(credits)s and no %(points)s.")
    if summary.stakes:
        used = _("They used %(amounts)s. Nothing will be returned.")
    facts = {"count": count_text(summary.going), "amounts": listed(_amount(stake, store) for stake in summary.stakes)}
    facts |= both_names()
    return sentences([going % facts, used % facts])


def _amount(stake: Stake, store: Store) -> str:
    amount = show(stake.used, stake.currency, store)
    return own_words("%(amount)s credits", amount=amount) if stake.currency else amount


def _stake(stake: Stake, store: Store) -> dict[str, str]:
    amounts = {"used": stake.used, "back": stake.back, "stays": stake.stays}
    return {"name": title_of(stake.kind)} | {
        name: show(amount, stake.currency, store) for name, amount in amounts.items()
    }


def _exceptions(bulk: BulkCancel, summary: Summary) -> list[dict[str, str]]:
    """The orders that stand out, each sort with what becomes of it and where to see them; only those there are."""
    counts = {**summary.counts, "already": summary.already, "changed": summary.changed}
    return [
        {
            "words": words % {"number": counts[fact], "count": count_text(counts[fact])},
            "link": orders_address(bulk, **filters) if filters else "",
            "leave": leave,
        }
        for fact, words, filters, leave in _EXCEPTIONS
        if counts[fact]
    ]


# What stands out, in words of one order and of more, the filters that show those, and by which box they are left out.
# Each sort with what is said of one and of several, the list that shows them, and what leaves them out.
_EXCEPTIONS: Final[tuple[tuple[str, Any, dict[str, str], str], ...]] = (
    (
        "already",
        ngettext_lazy(
            "%(count)s order is cancelled already and stays as it is.",
            "%(count)s orders are cancelled already and stay as they are.",
            "number",
        ),
        {"status": "cancelled"},
        "",
    ),
    (
        "changed",
        ngettext_lazy(
            "%(count)s order is paid or completed after you chose it, and stays as it is.",
            "%(count)s orders are paid or completed after you chose them, and stay as they are.",
            "number",
        ),
        {},
        "",
    ),
    (
        "completed",
        ngettext_lazy("%(count)s order is completed.", "%(count)s orders are completed.", "number"),
        {"status": "completed"},
        "leave_completed",
    ),
    ("paid", ngettext_lazy("%(count)s order is paid.", "%(count)s orders are paid.", "number"), {}, "leave_paid"),
    (
        "refunded",
        ngettext_lazy(
            "%(count)s order is refunded: its payment has gone back.",
            "%(count)s orders are refunded: their payment has gone back.",
            "number",
        ),
        {"payment_status": "refunded"},
        "",
    ),
    (
        "back",
        ngettext_lazy(
            "%(count)s order got part of its value back before; what is back stays with the customer.",
            "%(count)s orders got part of their value back before; what is back stays with the customer.",
            "number",
        ),
        {},
        "",
    ),
    (
        "platform",
        ngettext_lazy(
            "%(count)s order is from a shop platform: this does not cancel it there.",
            "%(count)s orders are from a shop platform: this does not cancel them there.",
            "number",
        ),
        {},
        "",
    ),
    (
        "skip_tag",
        ngettext_lazy(
            "%(count)s order is tagged with a skip tag: no automation returns its value later.",
            "%(count)s orders are tagged with a skip tag: no automation returns their value later.",
            "number",
        ),
        {},
        "",
    ),
)


def _line(order: Order, store: Store) -> dict[str, str]:
    used = [show(applied(order, kind), currency_of(order, kind), store) for kind in KINDS if applied(order, kind)]
    return {"number": order.number, "customer": str(order.customer or _("Guest")), "used": " + ".join(used)}


# --- while it is carried out, and afterwards


def progress_context(request: HttpRequest, bulk: BulkCancel) -> dict[str, Any]:
    """How far it is, and what came of each order."""
    store = active_store(request)
    shown = request.GET.get("show", "")
    tab = shown if shown in _TABS else ""
    names = actor_names(ref for ref in (bulk.actor, bulk.stopped_by) if ref)
    running = bulk.state == BulkState.OPEN
    page = page_of(request, _items(bulk, store, tab))
    return {
        "title": _("Bulk cancel #%(id)s") % {"id": bulk.pk},
        "content_title": _("Bulk cancel #%(id)s") % {"id": bulk.pk},
        "bulk": bulk,
        "badge": state_badge(bulk),
        "running": running,
        "refreshes": running and "still" not in request.GET,
        "left": 0 if running else not_reverted(bulk, store).count(),
        "left_link": orders_address(bulk, not_reverted="yes"),
        "all": orders_address(bulk),
        "facts": _facts(bulk, store, names),
        "tabs": _tabs(bulk, tab),
        "page": page,
        "rows": _rows(page, store),
        "may_cancel": may(request, Can.CANCEL_ORDERS),
    }


def _items(bulk: BulkCancel, store: Store, tab: str) -> "QuerySet[BulkItem]":
    items = BulkItem.objects.for_store(store).filter(bulk=bulk)
    if tab:
        items = items.filter(outcome="" if tab == "waiting" else tab)
    orders = items.select_related("order", "order__customer", "order__store").order_by("pk")
    return light(orders, "order")


def _tabs(bulk: BulkCancel, tab: str) -> list[dict[str, Any]]:
    return [
        {"name": _(name), "count": getattr(bulk, fact), "query": f"?show={key}" if key else "?", "current": key == tab}
        for key, (name, fact) in _TABS.items()
        if getattr(bulk, fact) or key == tab
    ]


def _facts(bulk: BulkCancel, store: Store, names: dict[str, str]) -> list[tuple[str, str]]:
    facts = [
        (_("Confirmed"), moment_by(bulk.confirmed_at, names[bulk.actor], store)),
        (_("Reason"), reason_words(bulk.remark.reason, bulk.remark.note) if bulk.remark else ""),
        (_("Left out"), listed(_left_out(bulk))),
        (_("Stopped"), moment_by(bulk.finished_at, names[bulk.stopped_by], store) if bulk.stopped_by else ""),
        (_("Finished"), show_moment(bulk.finished_at, store) if bulk.state == BulkState.DONE else ""),
    ]
    return [(name, words) for name, words in facts if words]


def _left_out(bulk: BulkCancel) -> list[str]:
    sorts = ((_("paid orders"), bulk.leave_paid), (_("completed orders"), bulk.leave_completed))
    return [words for words, chosen in sorts if chosen]


def _rows(page: BriefPage, store: Store) -> list[dict[str, Any]]:
    return [_row(item, store) for item in page]


def _row(item: BulkItem, store: Store) -> dict[str, Any]:
    order: Order = item.order
    return {
        "order": order,
        "customer": str(order.customer or _("Guest")),
        "status": status_badge(order),
        "used": [used_words(order, kind, store) for kind in KINDS],
        "outcome": badge(item.get_outcome_display(), _OUTCOME_COLOURS.get(Outcome(item.outcome), "")),
        "why": _(WORDS[item.code]) if item.code in WORDS else "",
        "error": retell(item.error),
    }
