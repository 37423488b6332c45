"""What the customer page shows: cards of what there is, and the tabs."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django import forms
from django.core.paginator import InvalidPage
from django.db.models import F, Min, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.badges import DASH
from loyalty.backoffice.lists.export import FORMATS
from loyalty.backoffice.lists.paging import BriefPaginator
from loyalty.core.days import is_expired
from loyalty.languages.own_names import name_of
from loyalty.ledger.history import balance_of, history
from loyalty.ledger.ledger import Kind, currency_for, valid_at
from loyalty.ledger.planner import Amount
from loyalty.notices.models import Notice
from loyalty.platforms.registry import LABELS
from loyalty.stores.active_store import may
from loyalty.stores.actors import Actor, actor_names
from loyalty.stores.dates import show_last_day, show_moment
from loyalty.stores.models import Customer, PlatformId, Store
from loyalty.stores.roles import Can
from loyalty.timeline.words import trigger_words
from orders.admin.display import (
    money_words,
    notice_row,
    payment_badge,
    reason_words,
    revert_badge,
    status_badge,
    used_words,
)
from orders.admin.exports.customers import LOTS, MOVEMENTS
from orders.admin.redemptions.rows import redemption_row
from orders.kinds import KINDS, LEDGERS, show, title_of
from orders.models import Order, Redemption, light
from orders.services.earned_points.shortfalls import shortfall_of

TABS: Final[dict[str, str]] = {
    "profile": gettext_noop("Profile"),
    "credits": gettext_noop("Store Credits"),
    "points": gettext_noop("Member Points"),
    "redemptions": gettext_noop("Redemptions"),
    "orders": gettext_noop("Orders"),
    "notices": gettext_noop("Notices"),
}
_PER_PAGE: Final = 25
_OPEN_LOTS: Final = 50


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    """What staff may correct about a customer."""

    class Meta:
        model = Customer
        fields = ("name", "email", "phone", "locale")
        labels = {
            "name": gettext_lazy("Name"),
            "email": gettext_lazy("E-mail"),
            "phone": gettext_lazy("Phone"),
            "locale": gettext_lazy("Locale"),
        }

    def save_if_valid(self, customer: Customer, *, actor: Actor, now: datetime) -> bool:
        """Save what changed; False when something is wrong, which is then shown beside its field."""
        if not self.is_valid():
            return False
        if self.changed_data:
            self.instance.updated_at = now
            self.instance.save(update_fields=[*self.changed_data, "updated_at"])
        return True


def profile_form(request: HttpRequest, customer: Customer) -> ProfileForm:
    """The profile, bound when it was sent."""
    return ProfileForm(request.POST if request.method == "POST" else None, instance=customer, label_suffix="")


def cards(customer: Customer, store: Store, *, now: datetime) -> list[dict[str, str]]:
    """What is available of each kind and currency, and what expires next."""
    return [card for kind in KINDS for card in _cards(kind, customer, store, now)]


def _cards(kind: Kind, customer: Customer, store: Store, now: datetime) -> list[dict[str, str]]:
    ledger = LEDGERS[kind]
    available = ledger.available([customer.pk], now=now)
    found: dict[str, Amount] = {currency: amount for (_id, currency), amount in available.items()}
    if not found:
        found = {currency_for(kind, store.currency): 0}
    next_expiry = _next_expiry(kind, customer, now)
    return [
        {
            "title": title_of(kind),
            "figure": show(amount, currency, store),
            "words": _expiry_words(next_expiry.get(currency), store) if amount else _("None available"),
            "missing": _shortfall_words(kind, customer, store),
            "adjust": reverse("admin:stores_customer_adjust", args=[customer.pk, kind]),
        }
        for currency, amount in sorted(found.items())
    ]


def _shortfall_words(kind: Kind, customer: Customer, store: Store) -> str:
    short = shortfall_of(customer) if kind == "points" else 0
    words = _("%(points)s of orders that fell through were spent already; what is earned next settles that first")
    return words % {"points": show(short, "", store)} if short else ""


def _next_expiry(kind: Kind, customer: Customer, now: datetime) -> dict[str, datetime]:
    tables = LEDGERS[kind].tables
    lots = tables.lot.objects.for_store(customer.store).filter(
        valid_at(now), customer=customer, remaining__gt=0, expires_at__isnull=False
    )
    if not tables.has_currency:
        first = lots.aggregate(first=Min("expires_at"))["first"]
        return {"": first} if first else {}
    return dict(lots.order_by().values_list("currency").annotate(Min("expires_at")))


def _expiry_words(moment: datetime | None, store: Store) -> str:
    return _("Next expiry: %(day)s") % {"day": show_last_day(moment, store)} if moment else _("Never expires")


def tab_context(tab: str, request: HttpRequest, customer: Customer, store: Store, *, now: datetime) -> dict[str, Any]:
    """The context of one tab's template."""
    builders: dict[str, Callable[[], dict[str, Any]]] = {
        "profile": lambda: _profile(customer, store),
        "credits": lambda: _ledger("credits", request, customer, store, now),
        "points": lambda: _ledger("points", request, customer, store, now),
        "redemptions": lambda: _redemptions(request, customer, store, now),
        "orders": lambda: _orders(request, customer, store),
        "notices": lambda: _notices(request, customer, store),
    }
    return builders[tab]()


def _profile(customer: Customer, store: Store) -> dict[str, Any]:
    """Since when he is here, his ids, and who was merged into him."""
    merged = Customer.objects.for_store(store).filter(merged_into=customer).order_by("merged_at", "pk")
    return {
        "since": show_moment(customer.created_at, store),
        "platform_ids": _platform_ids(customer),
        "merged_in": [(other, show_moment(other.merged_at, store)) for other in merged],
    }


def _platform_ids(customer: Customer) -> list[tuple[str, str]]:
    """His ids on platforms, the present ones first; an earlier one says that it is."""
    ids = (
        PlatformId.objects.for_store(customer.store)
        .filter(customer=customer)
        .order_by("platform", F("replaced_at").desc(nulls_first=True))
    )
    return [
        (
            _("%(platform)s id") % {"platform": LABELS[row.platform]},
            _("%(id)s (earlier)") % {"id": row.external_id} if row.replaced_at else row.external_id,
        )
        for row in ids
    ]


def _page(request: HttpRequest, rows: "QuerySet[Any]") -> dict[str, Any]:
    paginator = BriefPaginator(rows, _PER_PAGE)
    try:
        page = paginator.page(request.GET.get("page", 1))
    except InvalidPage:
        page = paginator.page(1)
    return {"rows": list(page.object_list), "page": page}


def _ledger(kind: Kind, request: HttpRequest, customer: Customer, store: Store, now: datetime) -> dict[str, Any]:
    tables = LEDGERS[kind].tables
    rows = history(LEDGERS[kind], customer).select_related("lot", "order", "redemption", "remark")
    context = _page(request, light(rows, "order").order_by("-id"))
    names = actor_names(row.actor for row in context["rows"])
    lots = (
        tables.lot.objects.for_store(customer.store)
        .filter(customer=customer, remaining__gt=0)
        .order_by("expires_at", "id")[:_OPEN_LOTS]
    )
    return context | {
        "nothing": _("No %(kind)s yet") % {"kind": name_of(kind)},
        "exports": (MOVEMENTS[kind], LOTS[kind]),
        "formats": FORMATS,
        "history": [_movement(row, names, store) for row in context["rows"]],
        "lots": [_lot(row, store, now) for row in lots],
    }


def _movement(row: Any, names: dict[str, str], store: Store) -> dict[str, Any]:
    currency = row.currency
    amount: Amount = row.amount
    return {
        "when": show_moment(row.created_at, store),
        "type": row.get_type_display(),
        "amount": f"{'+' if amount > 0 else '−'}{show(-amount if amount < 0 else amount, currency, store)}",
        "sign": "plus" if amount > 0 else "minus",
        "balance": show(balance_of(row), currency, store),
        "until": show_last_day(row.lot.expires_at, store) if row.lot else DASH,
        "order": row.order,
        "redemption": row.redemption,
        "who": names[row.actor],
        "reason": reason_words(row.remark.reason, row.remark.note)
        if row.remark
        else trigger_words(row.trigger) or DASH,
    }


def _lot(row: Any, store: Store, now: datetime) -> dict[str, Any]:
    currency = row.currency
    return {
        "lot": f"#{row.pk}",
        "origin": row.get_origin_display(),
        "granted": show(row.granted, currency, store),
        "remaining": show(row.remaining, currency, store),
        "since": show_moment(row.granted_at, store),
        "until": show_last_day(row.expires_at, store),
        "expired": is_expired(row.expires_at, now),
    }


def _redemptions(request: HttpRequest, customer: Customer, store: Store, now: datetime) -> dict[str, Any]:
    context = _page(request, Redemption.objects.for_store(store).filter(customer=customer).order_by("-id"))
    return context | {
        "redemptions": [redemption_row(row, store, now) for row in context["rows"]],
        "may_redeem": may(request, Can.REDEEM),
    }


def _orders(request: HttpRequest, customer: Customer, store: Store) -> dict[str, Any]:
    orders = light(Order.objects.for_store(store)).filter(customer=customer).order_by("-placed_at", "-id")
    context = _page(request, orders)
    return context | {"orders": [_order(order, store) for order in context["rows"]]}


def _order(order: Order, store: Store) -> dict[str, Any]:
    return {
        "order": order,
        "placed": show_moment(order.placed_at, store),
        "status": status_badge(order),
        "payment": payment_badge(order),
        "total": money_words(order, store),
        "kinds": [(used_words(order, kind, store), revert_badge(order, kind, store)) for kind in KINDS],
    }


def _notices(request: HttpRequest, customer: Customer, store: Store) -> dict[str, Any]:
    context = _page(request, Notice.objects.for_store(store).filter(customer=customer).order_by("-id"))
    may_write = may(request, Can.CANCEL_ORDERS)
    return context | {"may_write": may_write, "notices": [notice_row(row, store) for row in context["rows"]]}
