"""How the look back is shown: tiles, a bar for each day, a table behind the chart, and the orders."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext_lazy

from loyalty.backoffice.badges import DASH
from loyalty.core.locales import count_text
from loyalty.core.phrases import enumerated, listed
from loyalty.languages.own_names import own_words
from loyalty.ledger.ledger import Kind
from loyalty.stores.actors import Trigger
from loyalty.stores.dates import show_day, show_moment
from loyalty.stores.models import Store
from orders.admin.display import money_words
from orders.kinds import KINDS, currency_of, show
from orders.models import Order
from orders.services.backtests.tally import Backtest, ByTrigger, Line, Sums, Tally

WHY: Final = {
    Trigger.PAYMENT_EXPIRED: gettext_noop("Payment expired"),
    Trigger.PAYMENT_FAILED: gettext_noop("Payment failed"),
    Trigger.RULE_STATUS: gettext_noop("By status"),
    Trigger.RULE_TAG: gettext_noop("By tag"),
}
_CLASSES: Final = {
    Trigger.PAYMENT_EXPIRED: "bt-expired",
    Trigger.PAYMENT_FAILED: "bt-failed",
    Trigger.RULE_STATUS: "bt-expired",
    Trigger.RULE_TAG: "bt-failed",
}
# The drawing's own units; the page scales it to its width.
_WIDTH, _HEIGHT = 720, 160
_FILLED: Final = 0.75


# How many orders a trigger reaches, as bars and tiles say it.
_REACHED: Final = {
    Trigger.PAYMENT_EXPIRED: ngettext_lazy("%(count)s payment expired", "%(count)s payments expired", "number"),
    Trigger.PAYMENT_FAILED: ngettext_lazy("%(count)s payment failed", "%(count)s payments failed", "number"),
    Trigger.RULE_STATUS: ngettext_lazy("%(count)s by status", "%(count)s by status", "number"),
    Trigger.RULE_TAG: ngettext_lazy("%(count)s by tag", "%(count)s by tag", "number"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """How one look back speaks of what would have been done to orders: messages of the catalogues.

    ``left`` says of an amount why it is left although it has not expired.
    """

    orders: str
    each_day: str
    chart: str
    would_have: str
    left: str


CANCELLING: Final = Words(
    orders=gettext_noop("Orders cancelled"),
    each_day=gettext_noop("Orders cancelled each day"),
    chart=gettext_noop(
        "Orders that would have been cancelled each day from %(first)s to %(last)s; at most %(most)s on one day."
    ),
    would_have=gettext_noop("Would have been cancelled"),
    left=gettext_noop("%(amount)s because it is only cancelled, or a tag says so"),
)
RETURNING: Final = Words(
    orders=gettext_noop("Orders acted on"),
    each_day=gettext_noop("Orders acted on each day"),
    chart=gettext_noop(
        "Orders that would have been acted on each day from %(first)s to %(last)s; at most %(most)s on one day."
    ),
    would_have=gettext_noop("Would have been acted on"),
    left=gettext_noop("%(amount)s kept back or not refunded"),
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of a day's bar."""

    x: float
    y: float
    width: float
    height: float
    style: str
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars for every day; the numbers stand in the table behind it."""

    width: int
    height: int
    bars: Sequence[Bar]
    most: int
    first: str
    last: str
    words: str


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure of the whole."""

    title: str
    figure: str
    words: str


@dataclass(frozen=True, slots=True)
class DayRow:
    """One day on which something would have happened."""

    day: str
    counts: Sequence[int]
    value: str
    returned: str
    not_returned: str


@dataclass(frozen=True, slots=True)
class LineRow:
    """One order that would have been reached."""

    order: Order
    customer: str
    when: str
    why: str
    total: str
    returned: str
    not_returned: str


def reasons_of(result: Backtest) -> list[tuple[str, str]]:
    """The triggers of a look back as its legend names them, each with its colour."""
    return [(_(WHY[trigger]), _CLASSES[trigger]) for trigger in result.totals]


def chart_of(result: Backtest, store: Store, words: Words) -> Chart:
    """A stacked bar for each day: the orders of the first trigger, above them those of the second."""
    days = list(result.days)
    most = max((sum(tally.orders for tally in tallies.values()) for tallies in result.days.values()), default=0)
    bars = [bar for number, day in enumerate(days) for bar in _bars(number, day, result, max(most, 1), store)]
    first, last = show_day(days[0], store), show_day(days[-1], store)
    told = _(words.chart) % {"first": first, "last": last, "most": most}
    return Chart(_WIDTH, _HEIGHT, bars, most, first, last, told)


def _bars(number: int, day: date, result: Backtest, most: int, store: Store) -> Iterable[Bar]:
    step = _WIDTH / len(result.days)
    below = 0.0
    for trigger, tally in result.days[day].items():
        if tally.orders:
            height = _HEIGHT * tally.orders / most
            words = _("%(day)s: %(orders)s") % {"day": show_day(day, store), "orders": _reached(trigger, tally.orders)}
            top = _HEIGHT - below - height
            yield Bar(
                _round(number * step), _round(top), _round(step * _FILLED), _round(height), _CLASSES[trigger], words
            )
            below += height


def _round(number: float) -> float:
    return round(number, 2)


def tiles_of(result: Backtest, store: Store, words: Words) -> list[Tile]:
    """How many, of what value, and what would have come back and what not."""
    whole = _sum(result.totals)
    by_reason = listed(_reached(trigger, tally.orders) for trigger, tally in result.totals.items())
    value = " + ".join(show(total, currency, store) for currency, total in sorted(whole.value.items()))
    tiles = [
        Tile(_(words.orders), count_text(whole.orders), by_reason),
        Tile(_("Value of these orders"), value or DASH, ""),
    ]
    for kind, name in zip(KINDS, (own_words("Credits returned"), own_words("Points returned")), strict=True):
        mine = {currency: sums for (key, currency), sums in sorted(whole.kinds.items()) if key == kind}
        back = " + ".join(show(sums.returned, currency, store) for currency, sums in mine.items())
        tiles.append(Tile(name, back or DASH, _fate(mine, store, words)))
    return tiles


def _fate(sums_by_currency: Mapping[str, Sums], store: Store, words: Words) -> str:
    if not sums_by_currency:
        return _("None were used")
    kept = [_kept_words(sums, currency, store, words) for currency, sums in sums_by_currency.items()]
    if not any(kept):
        return _("Everything used comes back")
    return _("Not returned: %(amounts)s") % {"amounts": "; ".join(filter(None, kept))}


def day_rows(result: Backtest, store: Store) -> list[DayRow]:
    """The days on which something would have happened, newest first."""
    days = [(day, tallies, _sum(tallies)) for day, tallies in result.days.items()]
    return [_day_row(day, tallies, whole, store) for day, tallies, whole in reversed(days) if whole.orders]


def _day_row(day: date, tallies: ByTrigger, whole: Tally, store: Store) -> DayRow:
    kinds = sorted(whole.kinds.items())
    return DayRow(
        day=show_day(day, store),
        counts=[tally.orders for tally in tallies.values()],
        value=" + ".join(show(total, currency, store) for currency, total in sorted(whole.value.items())),
        returned=_joined(show(sums.returned, currency, store) for (_kind, currency), sums in kinds if sums.returned),
        not_returned=_joined(
            show(sums.not_returned, currency, store) for (_kind, currency), sums in kinds if sums.not_returned
        ),
    )


def line_rows(result: Backtest, store: Store, words: Words) -> list[LineRow]:
    """The orders of this page."""
    return [_line_row(line, store, words) for line in result.lines]


def _line_row(line: Line, store: Store, words: Words) -> LineRow:
    order = line.order
    kinds: list[tuple[Kind, Sums]] = [(kind, line.sums[kind]) for kind in KINDS if kind in line.sums]
    return LineRow(
        order=order,
        customer=str(order.customer or DASH),
        when=show_moment(line.strike.at, store),
        why=_(WHY[line.strike.trigger]),
        total=money_words(order, store),
        returned=_joined(show(sums.returned, currency_of(order, kind), store) for kind, sums in kinds if sums.returned),
        not_returned=_joined(_kept_words(sums, currency_of(order, kind), store, words) for kind, sums in kinds),
    )


def _kept_words(sums: Sums, currency: str, store: Store, words: Words) -> str:
    """What does not come back and why, such as ``10.00 USD expired, 5.00 USD because another part has expired``."""
    parts = [
        (sums.expired, _("%(amount)s expired")),
        (sums.blocked, _("%(amount)s because another part has expired")),
        (sums.left, _(words.left)),
    ]
    return enumerated(told % {"amount": show(amount, currency, store)} for amount, told in parts if amount)


def _reached(trigger: Trigger, orders: int) -> str:
    return _REACHED[trigger] % {"number": orders, "count": count_text(orders)}


def _joined(parts: Iterable[str]) -> str:
    return " + ".join(part for part in parts if part) or DASH


def _sum(tallies: ByTrigger) -> Tally:
    whole = Tally()
    for tally in tallies.values():
        whole.add(tally)
    return whole
