"""The charts of the dashboard: tables whose rows have bars, so that they are read without scripts and aloud too."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

from django.db.models import Count, Exists, OuterRef, Sum
from django.db.models.functions import TruncDate
from django.utils.translation import gettext as _

from loyalty.core.days import end_of_day, last_day_of_use, local_day
from loyalty.core.locales import count_text
from loyalty.core.phrases import listed
from loyalty.languages.own_names import name_of
from loyalty.ledger.ledger import Kind, currency_for, valid_at
from loyalty.ledger.planner import Amount
from loyalty.stores.actors import Trigger
from loyalty.stores.dates import show_day, show_month
from loyalty.stores.models import Store
from loyalty.timeline.words import trigger_words
from loyalty.web.addresses import page_of
from orders.kinds import KINDS, LEDGERS, show, title_of
from orders.models import Revert, RevertUndo

_DAYS: Final = 14
_MONTHS: Final = 12
_CURRENCIES: Final = 4
_FULL: Final = 100


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar: where it begins and how long it is, in hundredths; ``series`` is its colour's number."""

    series: int
    begins: float
    length: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: its label, figure and list behind it; ``words`` are what a bar of several parts consists of."""

    label: str
    figure: str
    segments: Sequence[Segment]
    link: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """What a colour stands for, with its total and the list behind it."""

    series: int
    words: str
    link: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart. ``nothing`` is said instead of it when there is nothing to draw."""

    title: str
    columns: tuple[str, str]
    bars: Sequence[Bar]
    link: str
    link_words: str
    keys: Sequence[Key] = ()
    nothing: str = ""


def reverts_chart(store: Store, now: datetime) -> list[Chart]:
    """Reverts of the last 14 days that were not undone, by day and by what caused them; one query."""
    today = local_day(now, store.tz)
    days = [today - timedelta(days=back) for back in range(_DAYS)]
    since = end_of_day(days[-1] - timedelta(days=1), store.tz)
    undone = RevertUndo.objects.for_store(store).filter(revert=OuterRef("pk"))
    rows = Revert.objects.for_store(store).filter(~Exists(undone), created_at__gte=since).order_by()
    by_day = rows.annotate(day=TruncDate("created_at", tzinfo=store.tz)).values_list("day", "trigger")
    counts: dict[date, dict[str, int]] = defaultdict(dict)
    for day, trigger, count in by_day.annotate(Count("pk")):
        counts[day][trigger] = count
    series = [trigger for trigger in Trigger if any(trigger in found for found in counts.values())]
    most = max((sum(found.values()) for found in counts.values()), default=0)
    address = page_of(store, "admin:orders_revert_changelist")
    chart = Chart(
        _("Reverts in the last %(days)s days") % {"days": _DAYS},
        (_("Day"), _("Reverts")),
        [_day_bar(day, counts.get(day, {}), series, most, store) for day in days],
        f"{address}?created_from={days[-1]}",
        _("All of these reverts"),
        [_key(trigger, counts, f"{address}?created_from={days[-1]}&trigger={trigger}") for trigger in series],
        "" if most else _("Nothing was returned in the last %(days)s days.") % {"days": _DAYS},
    )
    return [chart]


def outstanding_charts(store: Store, now: datetime) -> list[Chart]:
    """What customers hold of each kind and currency, by the month in which it expires; one query for each kind."""
    return [chart for kind in KINDS for chart in _outstanding(kind, store, now)]


def _outstanding(kind: Kind, store: Store, now: datetime) -> list[Chart]:
    ledger = LEDGERS[kind]
    lots = ledger.tables.lot.objects.for_store(store).filter(valid_at(now), remaining__gt=0).order_by()
    columns = ("currency", "expires_at") if ledger.tables.has_currency else ("expires_at",)
    own = currency_for(kind, store.currency)
    totals: dict[str, dict[date | None, Amount]] = defaultdict(dict, {own: {}})
    # Few instants: lots expire at the ends of days. Which month that is, the store's days decide.
    for row in lots.values(*columns).annotate(total=Sum("remaining")):
        month = _month(last_day_of_use(row["expires_at"], store.tz))
        of_currency = totals[row.get("currency", "")]
        of_currency[month] = of_currency.get(month, 0) + row["total"]
    largest = sorted(totals, key=lambda name: (name != own, -sum(totals[name].values()), name))
    return [_months_chart(kind, name, totals[name], store, now) for name in largest[:_CURRENCIES]]


def _months_chart(
    kind: Kind, currency: str, totals: Mapping[date | None, Amount], store: Store, now: datetime
) -> Chart:
    this_month = local_day(now, store.tz).replace(day=1)
    months = [this_month]
    while len(months) <= _MONTHS:
        months.append(_month(months[-1] + timedelta(days=31)) or this_month)
    later = sum((amount for month, amount in totals.items() if month and month >= months[-1]), start=0)
    found: list[tuple[str, Amount, str]] = [
        (show_month(month, store), totals.get(month, 0), _expiring(store, kind, month, following))
        for month, following in pairwise(months)
    ]
    found += [(_("Later"), later, _expiring(store, kind, months[-1], None)), (_("Never"), totals.get(None, 0), "")]
    most = max(amount for _label, amount, _link in found)
    outstanding = show(sum(totals.values()), currency, store)
    return Chart(
        _("%(kind)s outstanding: %(amount)s") % {"kind": title_of(kind), "amount": outstanding},
        (_("Expires"), _("Amount")),
        [
            Bar(label, show(amount, currency, store), _whole(amount, most), link if amount else "")
            for label, amount, link in found
        ],
        f"{page_of(store, 'admin:stores_customer_expiring')}?kind={kind}",
        _("Expiring soon"),
        nothing="" if most else _("No customer holds any %(kind)s.") % {"kind": name_of(kind)},
    )


def _day_bar(day: date, counts: Mapping[str, int], series: Sequence[Trigger], most: int, store: Store) -> Bar:
    segments, begins = [], 0.0
    for trigger in series:
        length = round(_FULL * counts.get(trigger, 0) / most, 2)
        if length:
            segments.append(Segment(_colour(trigger), round(begins, 2), length))
            begins += length
    words = listed(_caused(counts[trigger], trigger) for trigger in series if trigger in counts)
    link = f"{page_of(store, 'admin:orders_revert_changelist')}?created_from={day}&created_to={day}"
    total = sum(counts.values())
    return Bar(show_day(day, store), count_text(total), segments, link if total else "", words)


def _key(trigger: Trigger, counts: Mapping[date, Mapping[str, int]], link: str) -> Key:
    total = sum(found.get(trigger, 0) for found in counts.values())
    return Key(_colour(trigger), _caused(total, trigger), link)


def _caused(count: int, trigger: Trigger) -> str:
    return _("%(cause)s: %(count)s") % {"count": count_text(count), "cause": trigger_words(trigger)}


def _colour(trigger: Trigger) -> int:
    """A trigger keeps its colour, whichever others there are."""
    return list(Trigger).index(trigger)


def _whole(amount: Amount, most: Amount) -> list[Segment]:
    return [Segment(0, 0, round(float(_FULL * amount / most), 2))] if amount else []


def _month(day: date | None) -> date | None:
    return day.replace(day=1) if day else None


def _expiring(store: Store, kind: Kind, first: date, following: date | None) -> str:
    until = f"&last={following - timedelta(days=1)}" if following else ""
    return f"{page_of(store, 'admin:stores_customer_expiring')}?kind={kind}&first={first}{until}"
