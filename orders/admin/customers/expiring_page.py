"""The page *Expiring soon*: what customers are about to lose, by lot or by customer, and what they have lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.core.paginator import InvalidPage
from django.db.models import Count, Min, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.lists.filters import DayField
from loyalty.backoffice.lists.paging import BriefPaginator
from loyalty.core.clock import read_clock
from loyalty.core.days import end_of_day, last_day_of_use, local_day
from loyalty.ledger.ledger import Kind, currency_for
from loyalty.ledger.models import MovementType
from loyalty.ledger.planner import Amount
from loyalty.stores.active_store import active_store
from loyalty.stores.dates import show_day, show_moment
from loyalty.stores.models import Customer, Store
from loyalty.stores.roles import Can
from orders.kinds import KINDS, LEDGERS, show, title_of

DAYS: Final = (7, 30, 90)
# How far back *lost* looks, here and on the dashboard.
LOST: Final = timedelta(days=30)
_USUAL: Final = 30
_PER_PAGE: Final = 50
_VIEWS: Final[Mapping[str, str]] = {
    "lots": gettext_noop("By lot"),
    "customers": gettext_noop("By customer"),
    "lost": gettext_noop("Lost in the last 30 days"),
}


def _choices() -> list[tuple[int, str]]:
    return [(days, _in_days(days)) for days in DAYS]


def _in_days(days: int) -> str:
    return ngettext("%(days)s day", "%(days)s days", days) % {"days": days}


class PeriodForm(forms.Form):
    """Which days of expiry are looked at: the next so many, or from one to another."""

    days = forms.TypedChoiceField(
        label=gettext_lazy("Expiring within"),
        choices=_choices,
        coerce=int,
        required=False,
    )
    first = DayField(label=gettext_lazy("Last day of use from"), required=False)
    last = DayField(label=gettext_lazy("Last day of use until"), required=False)


@dataclass(frozen=True, slots=True)
class Horizon:
    """Lots are looked at that expire after ``after`` and at ``until`` at the latest; ``heading`` says which days.

    ``nothing`` says that there are none.
    """

    after: datetime
    until: datetime | None
    heading: str
    nothing: str


def horizon_of(form: PeriodForm, store: Store, now: datetime) -> Horizon:
    """The days that are asked for; wrong ones are left out, which the form says beside them."""
    form.is_valid()
    first, last, days = (form.cleaned_data.get(name) for name in ("first", "last", "days"))
    if first is None and last is None:
        days = days or _USUAL
        today = local_day(now, store.tz)
        facts = {"days": days}
        return Horizon(
            now,
            end_of_day(today + timedelta(days=days), store.tz),
            ngettext("Expiring in the next %(days)s day", "Expiring in the next %(days)s days", days) % facts,
            ngettext("Nothing expires in the next %(days)s day", "Nothing expires in the next %(days)s days", days)
            % facts,
        )
    begins = end_of_day(first - timedelta(days=1), store.tz) if first else now
    until = end_of_day(last, store.tz) if last else None
    # Lots whose last day is ``first`` expire after it has begun.
    return Horizon(max(now, begins), until, *_words(first, last, store))


def expiring(kind: Kind, store: Store, horizon: Horizon) -> "QuerySet[Any]":
    """Valid lots of one kind with something left whose expiry lies within the horizon."""
    lots = LEDGERS[kind].tables.lot.objects.for_store(store).filter(remaining__gt=0, expires_at__gt=horizon.after)
    found: QuerySet[Any] = lots.filter(expires_at__lte=horizon.until) if horizon.until else lots
    return found


def lost(kind: Kind, store: Store, now: datetime) -> "QuerySet[Any]":
    """Booked expiries of the last 30 days."""
    movements: QuerySet[Any] = LEDGERS[kind].tables.movement.objects.for_store(store)
    return movements.filter(type=MovementType.EXPIRE, created_at__gt=now - LOST)


def unbooked(kind: Kind, store: Store, now: datetime) -> "QuerySet[Any]":
    """Lots that have lapsed with something in them and are not booked yet (L5)."""
    lots: QuerySet[Any] = LEDGERS[kind].tables.lot.objects.for_store(store)
    return lots.filter(remaining__gt=0, expires_at__lte=now)


def sums(kind: Kind, rows: "QuerySet[Any]", amount: str) -> dict[str, Amount]:
    """What the rows add up to, by currency (points: ``""``); one query."""
    if not LEDGERS[kind].tables.has_currency:
        total = rows.order_by().aggregate(total=Sum(amount))["total"]
        return {"": total} if total else {}
    return dict(rows.order_by().values_list("currency").annotate(total=Sum(amount)).order_by("currency"))


def lost_sums(kind: Kind, store: Store, now: datetime) -> dict[str, Amount]:
    """What lapsed in the last 30 days, booked or not, as positive amounts by currency; two queries."""
    booked = sums(kind, lost(kind, store, now), "amount")
    waiting = sums(kind, unbooked(kind, store, now).filter(expires_at__gt=now - LOST), "remaining")
    return {name: waiting.get(name, 0) - booked.get(name, 0) for name in sorted(booked.keys() | waiting.keys())}


def amounts_words(found: Mapping[str, Amount], kind: Kind, store: Store) -> str:
    """Amounts of several currencies in one line; nothing of the store's own currency for none."""
    amounts = found or {currency_for(kind, store.currency): 0}
    return " + ".join(show(amount, currency, store) for currency, amount in amounts.items())


@store_view(needs=Can.VIEW, methods=("GET",))
def expiring_page(self: BackOfficeAdmin, request: HttpRequest, _row: None) -> HttpResponse:
    """What expires soon, of either kind, with its total, by lot or by customer; or what was lost."""
    store, now = active_store(request), read_clock()
    form = PeriodForm(request.GET, label_suffix="", auto_id="period_%s")
    horizon = horizon_of(form, store, now)
    kind: Kind = "points" if request.GET.get("kind") == "points" else "credits"
    asked = request.GET.get("view", "lots")
    view = asked if asked in _VIEWS else "lots"
    context = {
        **self.admin_site.each_context(request),
        **_rows(view, kind, request, horizon, store, now),
        "title": _("Expiring soon"),
        "content_title": _("Expiring soon"),
        "opts": self.opts,
        "form": form,
        "kind": kind,
        "view": view,
        "heading": _("Lost to expiry in the last 30 days") if view == "lost" else horizon.heading,
        "nothing": horizon.nothing,
        "totals": [_total(item, view, horizon, request, store, now) for item in KINDS],
        "views": [(_link(request, view=key), _(name), key == view) for key, name in _VIEWS.items()],
        "days": [(_link(request, days=str(days), first="", last=""), days, days == _days(form)) for days in DAYS],
    }
    return TemplateResponse(request, "orders/admin/customers/expiring.html", context)


def _total(
    kind: Kind, view: str, horizon: Horizon, request: HttpRequest, store: Store, now: datetime
) -> dict[str, str]:
    found = lost_sums(kind, store, now) if view == "lost" else sums(kind, expiring(kind, store, horizon), "remaining")
    return {
        "kind": kind,
        "title": title_of(kind),
        "figure": amounts_words(found, kind, store),
        "link": _link(request, kind=kind),
    }


def _rows(view: str, kind: Kind, request: HttpRequest, horizon: Horizon, store: Store, now: datetime) -> dict[str, Any]:
    if view == "lost":
        rows = lost(kind, store, now).select_related("customer", "lot").order_by("-created_at", "-id")
        return _page(request, rows, lambda found: [_lost_row(row, store) for row in found])
    lots = expiring(kind, store, horizon)
    if view == "lots":
        ordered = lots.select_related("customer").order_by("expires_at", "id")
        return _page(request, ordered, lambda found: [_lot_row(row, store, now) for row in found])
    columns = ("customer", "currency") if LEDGERS[kind].tables.has_currency else ("customer",)
    sums_of_customers = (
        lots.order_by().values(*columns).annotate(total=Sum("remaining"), lots=Count("pk"), first=Min("expires_at"))
    )
    ordered = sums_of_customers.order_by("-total", "customer")
    return _page(request, ordered, lambda found: _customer_rows(found, store, now))


def _page(request: HttpRequest, rows: "QuerySet[Any]", present: Any) -> dict[str, Any]:
    paginator = BriefPaginator(rows, _PER_PAGE)
    try:
        page = paginator.page(request.GET.get("page", 1))
    except InvalidPage:
        page = paginator.page(1)
    return {
        "rows": present(list(page.object_list)),
        "page": page,
        "previous": _link(request, page=str(page.number - 1)) if page.number > 1 else "",
        "next": _link(request, page=str(page.number + 1)) if page.has_next() else "",
    }


def _lot_row(lot: Any, store: Store, now: datetime) -> dict[str, Any]:
    return {
        "customer": lot.customer,
        "amount": show(lot.remaining, lot.currency, store),
        "until": show_day(last_day_of_use(lot.expires_at, store.tz), store),
        "left": _days_left(lot.expires_at, store, now),
        "origin": lot.get_origin_display(),
        "lot": f"#{lot.pk}",
    }


def _customer_rows(found: Sequence[Mapping[str, Any]], store: Store, now: datetime) -> list[dict[str, Any]]:
    customers = Customer.objects.for_store(store).in_bulk([row["customer"] for row in found])
    return [
        {
            "customer": customers[row["customer"]],
            "amount": show(row["total"], row.get("currency", ""), store),
            "lots": row["lots"],
            "until": show_day(last_day_of_use(row["first"], store.tz), store),
            "left": _days_left(row["first"], store, now),
        }
        for row in found
    ]


def _lost_row(movement: Any, store: Store) -> dict[str, Any]:
    return {
        "customer": movement.customer,
        "amount": show(-movement.amount, movement.currency, store),
        "until": show_day(last_day_of_use(movement.lot.expires_at, store.tz), store),
        "booked": show_moment(movement.created_at, store),
        "lot": f"#{movement.lot_id}",
    }


def _days_left(expires_at: datetime, store: Store, now: datetime) -> str:
    last = last_day_of_use(expires_at, store.tz) or date.max
    days = (last - local_day(now, store.tz)).days
    if days <= 0:
        return _("today")
    if days == 1:
        return _("tomorrow")
    return ngettext("in %(days)s day", "in %(days)s days", days) % {"days": days}


def _days(form: PeriodForm) -> int | None:
    if form.cleaned_data.get("first") or form.cleaned_data.get("last"):
        return None
    return form.cleaned_data.get("days") or _USUAL


def _words(first: date | None, last: date | None, store: Store) -> tuple[str, str]:
    """The heading for these days, and what is said when nothing expires in them."""
    facts = {"first": show_day(first, store), "last": show_day(last, store)}
    if first and last:
        heading, nothing = (
            _("Expiring from %(first)s until %(last)s"),
            _("Nothing expires from %(first)s until %(last)s"),
        )
    elif first:
        heading, nothing = _("Expiring from %(first)s"), _("Nothing expires from %(first)s")
    else:
        heading, nothing = _("Expiring from today until %(last)s"), _("Nothing expires from today until %(last)s")
    return heading % facts, nothing % facts


def _link(request: HttpRequest, **changes: str) -> str:
    """The page with other parameters; another choice begins with its first page."""
    kept = {name: value for name, value in request.GET.items() if name != "page"}
    return "?" + urlencode({name: value for name, value in (kept | changes).items() if value})
