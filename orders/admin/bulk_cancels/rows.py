"""What the page of a bulk cancel shows: before it is confirmed, while it is carried out, and afterwards (B1)."""

from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import ngettext

from loyalty.backoffice.badges import badge
from loyalty.backoffice.lists.paging import BriefPage, page_of
from loyalty.stores.active_store import active_store, may
from loyalty.stores.actors import actor_names
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from orders.admin.display import reason_words, status_badge, used_words
from orders.kinds import KINDS, NAMES, applied, currency_of, show
from orders.models import BulkCancel, BulkItem, BulkState, Order, Outcome, RevertStatus, light
from orders.services.bulk_cancels.run import WORDS
from orders.services.bulk_cancels.summary import Stake, Summary, going_orders, orders_of

# How many of the orders are named before it is confirmed; the list shows them all.
_NAMED: Final = 50
_COLOURS: Final = {BulkState.OPEN: "blue", BulkState.DONE: "green", BulkState.STOPPED: "orange"}
_OUTCOME_COLOURS: Final = {Outcome.CANCELLED: "green", Outcome.SKIPPED: "orange", Outcome.FAILED: "red"}
_TABS: Final[dict[str, tuple[str, str]]] = {
    "": ("All", "total"),
    "cancelled": ("Cancelled", "cancelled"),
    "skipped": ("Left as they were", "skipped"),
    "failed": ("Could not be cancelled", "failed"),
    "waiting": ("Waiting", "waiting"),
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
    return ngettext("{:,} order", "{:,} orders", count).format(count)


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
        "title": "Cancel selected orders",
        "bulk": bulk,
        "summary": summary,
        "sentence": _sentence(summary, store),
        "exceptions": _exceptions(bulk, summary),
        "stakes": [_stake(stake, store) for stake in summary.stakes],
        "lines": [_line(order, store) for order in orders.order_by("pk")[:_NAMED]],
        "more": max(0, summary.going - _NAMED),
        "all": orders_address(bulk),
        "confirm": f"Cancel {count_words(summary.going)}, return nothing",
        "back": f"{list_address()}?{bulk.filters}" if bulk.filters else list_address(),
    }


def _sentence(summary: Summary, store: Store) -> str:
    if not summary.going:
        return "None of these orders would be cancelled."
    first = f"{count_words(summary.going)} will be cancelled."
    used = " and ".join(_amount(stake, store) for stake in summary.stakes)
    if not used:
        return f"{first} They used no store credits and no member points."
    return f"{first} They used {used}. Nothing will be returned."


def _amount(stake: Stake, store: Store) -> str:
    return f"{show(stake.used, stake.currency, store)}{' credits' if stake.currency else ''}"


def _stake(stake: Stake, store: Store) -> dict[str, str]:
    amounts = {"used": stake.used, "back": stake.back, "stays": stake.stays}
    return {"name": NAMES[stake.kind].capitalize()} | {
        name: show(amount, stake.currency, store) for name, amount in amounts.items()
    }


def _exceptions(bulk: BulkCancel, summary: Summary) -> list[dict[str, str]]:
    """The orders that stand out, each sort with what becomes of it and where to see them; only those there are."""
    counts = {**summary.counts, "already": summary.already, "changed": summary.changed}
    return [
        {
            "words": f"{count_words(counts[fact])} {ngettext(one, more, counts[fact])}",
            "link": orders_address(bulk, **filters) if filters else "",
            "leave": leave,
        }
        for fact, one, more, filters, leave in _EXCEPTIONS
        if counts[fact]
    ]


# What stands out, in words of one order and of more, the filters that show those, and by which box they are left out.
_EXCEPTIONS: Final[tuple[tuple[str, str, str, dict[str, str], str], ...]] = (
    (
        "already",
        "is cancelled already and stays as it is.",
        "are cancelled already and stay as they are.",
        {"status": "cancelled"},
        "",
    ),
    (
        "changed",
        "is paid or completed after you chose it, and stays as it is.",
        "are paid or completed after you chose them, and stay as they are.",
        {},
        "",
    ),
    ("completed", "is completed.", "are completed.", {"status": "completed"}, "leave_completed"),
    ("paid", "is paid.", "are paid.", {}, "leave_paid"),
    (
        "refunded",
        "is refunded: its payment has gone back.",
        "are refunded: their payment has gone back.",
        {"payment_status": "refunded"},
        "",
    ),
    (
        "back",
        "got part of its value back before; what is back stays with the customer.",
        "got part of their value back before; what is back stays with the customer.",
        {},
        "",
    ),
    (
        "platform",
        "is from a shop platform: this does not cancel it there.",
        "are from a shop platform: this does not cancel them there.",
        {},
        "",
    ),
    (
        "skip_tag",
        "is tagged with a skip tag: no automation returns its value later.",
        "are tagged with a skip tag: no automation returns their value later.",
        {},
        "",
    ),
)


def _line(order: Order, store: Store) -> dict[str, str]:
    used = [show(applied(order, kind), currency_of(order, kind), store) for kind in KINDS if applied(order, kind)]
    return {"number": order.number, "customer": str(order.customer or "Guest"), "used": " + ".join(used)}


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
        "title": f"Bulk cancel #{bulk.pk}",
        "content_title": f"Bulk cancel #{bulk.pk}",
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
        {"name": name, "count": getattr(bulk, fact), "query": f"?show={key}" if key else "?", "current": key == tab}
        for key, (name, fact) in _TABS.items()
        if getattr(bulk, fact) or key == tab
    ]


def _facts(bulk: BulkCancel, store: Store, names: dict[str, str]) -> list[tuple[str, str]]:
    facts = [
        ("Confirmed", f"{show_moment(bulk.confirmed_at, store)} by {names[bulk.actor]}"),
        ("Reason", reason_words(bulk.remark.reason, bulk.remark.note) if bulk.remark else ""),
        ("Left out", " and ".join(_left_out(bulk))),
        ("Stopped", f"{show_moment(bulk.finished_at, store)} by {names[bulk.stopped_by]}" if bulk.stopped_by else ""),
        ("Finished", show_moment(bulk.finished_at, store) if bulk.state == BulkState.DONE else ""),
    ]
    return [(name, words) for name, words in facts if words]


def _left_out(bulk: BulkCancel) -> list[str]:
    sorts = (("paid orders", bulk.leave_paid), ("completed orders", bulk.leave_completed))
    return [words for words, chosen in sorts if chosen]


def _rows(page: BriefPage, store: Store) -> list[dict[str, Any]]:
    return [_row(item, store) for item in page]


def _row(item: BulkItem, store: Store) -> dict[str, Any]:
    order: Order = item.order
    return {
        "order": order,
        "customer": str(order.customer or "Guest"),
        "status": status_badge(order),
        "used": [used_words(order, kind, store) for kind in KINDS],
        "outcome": badge(item.get_outcome_display(), _OUTCOME_COLOURS.get(Outcome(item.outcome), "")),
        "why": f"It {WORDS[item.code]}." if item.code in WORDS else "",
        "error": item.error,
    }
