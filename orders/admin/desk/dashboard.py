"""The start page: what waits, what happened, what is outstanding; every figure leads to the list behind it.

Figures are kept for a minute for each store, in the cache. While that is away they are counted for every request.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from loyalty.core.clock import read_clock
from loyalty.languages.own_names import own_words
from loyalty.stores.active_store import may, store_or_none
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Customer, Store
from loyalty.stores.roles import Can
from orders.admin.desk.charts import Chart, outstanding_charts, reverts_chart
from orders.admin.desk.tiles import (
    Tile,
    automatic_tile,
    deliveries_tile,
    failed_after_payment_tile,
    late_codes_tile,
    ledger_tile,
    lost_tile,
    needs_revert_tile,
    paid_late_tile,
    returned_tiles,
)
from orders.models import Order

# One more figure on the dashboard is one more name here.
TILES: Final[Sequence[Callable[[Store, datetime], Sequence[Tile]]]] = (
    needs_revert_tile,
    automatic_tile,
    paid_late_tile,
    failed_after_payment_tile,
    returned_tiles,
    lost_tile,
    deliveries_tile,
    late_codes_tile,
    ledger_tile,
)
CHARTS: Final[Sequence[Callable[[Store, datetime], Sequence[Chart]]]] = (reverts_chart, outstanding_charts)
KEPT_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Figures:
    """All of one store's figures at one moment."""

    at: datetime
    tiles: Sequence[Tile]
    charts: Sequence[Chart]
    is_new: bool


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the start page, with its tiles and charts."""
    store = store_or_none(request)
    if store is None:
        return context
    figures = kept_figures(store, read_clock())
    return context | {
        "tiles": figures.tiles,
        "charts": figures.charts,
        "figures_of": show_moment(figures.at, store),
        "first_steps": _first_steps(request) if figures.is_new else [],
        "is_new": figures.is_new,
    }


def kept_figures(store: Store, now: datetime) -> Figures:
    """The store's figures in the language of who reads, at most a minute old."""
    key = f"dashboard:{store.pk}:{get_language()}"
    kept: Figures | None = cache.get(key)
    if kept is None:
        kept = count_figures(store, now)
        cache.set(key, kept, KEPT_SECONDS)
    return kept


def count_figures(store: Store, now: datetime) -> Figures:
    """The store's figures at ``now``, counted."""
    is_new = not (Order.objects.for_store(store).exists() or Customer.objects.for_store(store).exists())
    tiles = [tile for make in TILES for tile in make(store, now)]
    charts = [] if is_new else [chart for make in CHARTS for chart in make(store, now)]
    return Figures(now, tiles, charts, is_new)


def _first_steps(request: HttpRequest) -> list[tuple[str, str, str]]:
    """What a new store's staff do first, as far as they may: what, why, where."""
    steps = [
        (
            Can.CHANGE_SETTINGS,
            _("Look through the settings"),
            own_words("What happens when a payment expires or fails, and when points expire."),
            "admin:stores_settingsversion_orders",
        ),
        (
            Can.MANAGE_API_KEYS,
            _("Make an API key"),
            _("Your shop sends its orders with it, and asks what customers have."),
            "admin:stores_apikey_add",
        ),
        (
            Can.MANAGE_STAFF,
            _("Add your staff"),
            _("Support staff cancel orders and return what they used; viewers only look."),
            "admin:stores_membership_add",
        ),
    ]
    return [(what, why, reverse(address)) for needs, what, why, address in steps if may(request, needs)]
