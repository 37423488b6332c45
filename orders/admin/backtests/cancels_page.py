"""Trying automatic cancelling on the past before it is switched on: the page; it only reads."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.settings.cards import number_field
from loyalty.store_settings.sections import AutoCancelSettings, ExpiredLotsSettings, current_settings
from loyalty.stores.active import active_store
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from orders.admin.backtests.rows import chart_of, day_rows, line_rows, reasons_of, tiles_of
from orders.services.backtests.cancels import MOST_DAYS, PER_PAGE, Backtest, backtest

_MODES: Final = (
    ("off", "Off"),
    ("cancel", "Auto cancel only"),
    ("cancel_and_revert", "Auto cancel order and return credits & points with original expiry date"),
)
_LOTS: Final = (
    ("all_or_nothing", "Return nothing of a kind when any part of it has expired"),
    ("valid_only", "Return what is still valid"),
)
_DAYS: Final = 90
_LAST_PAGE: Final = 1000


class BacktestForm(forms.Form):
    """What to try; it is sent with the address, so that a result can be shared and comes to nothing by itself."""

    days = forms.IntegerField(label="Days to look back, today included", min_value=1, max_value=MOST_DAYS)
    payment_window_hours = number_field(
        ("auto_cancel", "payment_window_hours"),
        label="Payment window in hours",
        help_text="Counted from when an order was placed. Empty: only orders that name their own due time expire.",
    )
    expired = forms.ChoiceField(label="Auto cancel orders with expired payment status", choices=_MODES)
    failed = forms.ChoiceField(label="Auto cancel orders with failed payment status", choices=_MODES)
    expired_lots = forms.ChoiceField(label="When the payment expired and some value has too", choices=_LOTS)
    failed_lots = forms.ChoiceField(label="When the payment failed and some value has expired", choices=_LOTS)
    failed_grace_minutes = number_field(
        ("auto_cancel", "failed_grace_minutes"), label="Minutes to wait after a failed payment"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"label_suffix": ""} | kwargs))

    def tried(self) -> AutoCancelSettings:
        """The settings that are to be tried."""
        said = self.cleaned_data
        return AutoCancelSettings(
            payment_window_hours=said["payment_window_hours"],
            failed_grace_minutes=said["failed_grace_minutes"],
            expired=said["expired"],
            failed=said["failed"],
            expired_lots=ExpiredLotsSettings(payment_expired=said["expired_lots"], payment_failed=said["failed_lots"]),
        )


@store_view(needs=Can.CHANGE_SETTINGS, methods=("GET",))
def backtest_page(admin: BackOfficeAdmin, request: HttpRequest, _order: None) -> HttpResponse:
    """``admin:orders_order_backtest``: what the settings in the form would have done to past orders."""
    store = active_store(request)
    asked = "days" in request.GET
    saved = _initial(current_settings(store).auto_cancel)
    form = BacktestForm(request.GET if asked else None, initial=saved)
    context = admin.admin_site.each_context(request) | {
        "title": "What would have happened",
        "form": form,
        **(_shown(form, request, store, timezone.now()) if asked and form.is_valid() else {}),
    }
    return TemplateResponse(request, "orders/admin/backtests/cancels.html", context)


def _initial(saved: AutoCancelSettings) -> dict[str, Any]:
    lots = saved.expired_lots
    return asdict(saved) | {"days": _DAYS, "expired_lots": lots.payment_expired, "failed_lots": lots.payment_failed}


def _shown(form: BacktestForm, request: HttpRequest, store: Store, now: datetime) -> dict[str, Any]:
    tried, page = form.tried(), page_of(request)
    result = backtest(
        store=store, auto_cancel=tried, days=form.cleaned_data["days"], now=now, first=(page - 1) * PER_PAGE
    )
    return {
        "result": result,
        "count": sum(tally.orders for tally in result.totals.values()),
        "tiles": tiles_of(result, store),
        "chart": chart_of(result, store),
        "reasons": reasons_of(result),
        "rows": day_rows(result, store),
        "lines": line_rows(result, store),
        "nothing_on": tried.expired == tried.failed == "off",
        "pages": pages_of(request, page, result),
    }


def page_of(request: HttpRequest) -> int:
    """The number of the page that is asked for; nonsense means the first."""
    text = request.GET.get("page", "1")
    return min(max(int(text[:9]), 1), _LAST_PAGE) if text.isascii() and text.isdigit() else 1


def pages_of(request: HttpRequest, page: int, result: Backtest) -> dict[str, Any]:
    """The way to the pages before and after."""
    return {
        "number": page,
        "previous": _address(request, page - 1) if page > 1 else "",
        "next": _address(request, page + 1) if result.more else "",
    }


def _address(request: HttpRequest, page: int) -> str:
    query = request.GET.copy()
    query["page"] = str(page)
    return f"?{query.urlencode()}#orders"
