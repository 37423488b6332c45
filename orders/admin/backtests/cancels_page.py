"""Trying automatic cancelling on the past before it is switched on: the page; it only reads."""

from dataclasses import asdict
from typing import Any, Final

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.settings.cards import number_field
from loyalty.core.clock import read_clock
from loyalty.languages.own_names import own_words_lazy
from loyalty.store_settings.sections import AutoCancelSettings, ExpiredLotsSettings, current_settings
from loyalty.stores.active_store import active_store
from loyalty.stores.roles import Can
from orders.admin.backtests.page import TrialForm, trial_page
from orders.admin.backtests.rows import CANCELLING
from orders.services.backtests.cancels import backtest
from orders.services.backtests.tally import Backtest

_MODES: Final = (
    ("off", gettext_lazy("Off")),
    ("cancel", gettext_lazy("Auto cancel only")),
    ("cancel_and_revert", own_words_lazy("Auto cancel order and return credits & points with original expiry date")),
)
_LOTS: Final = (
    ("all_or_nothing", gettext_lazy("Return nothing of a kind when any part of it has expired")),
    ("valid_only", gettext_lazy("Return what is still valid")),
)


class BacktestForm(TrialForm):
    """The settings to try."""

    payment_window_hours = number_field(
        ("auto_cancel", "payment_window_hours"),
        label=gettext_noop("Payment window in hours"),
        help_text=gettext_noop(
            "Counted from when an order was placed. Empty: only orders that name their own due time expire."
        ),
    )
    expired = forms.ChoiceField(label=gettext_lazy("Auto cancel orders with expired payment status"), choices=_MODES)
    failed = forms.ChoiceField(label=gettext_lazy("Auto cancel orders with failed payment status"), choices=_MODES)
    expired_lots = forms.ChoiceField(
        label=gettext_lazy("When the payment expired and some value has too"), choices=_LOTS
    )
    failed_lots = forms.ChoiceField(
        label=gettext_lazy("When the payment failed and some value has expired"), choices=_LOTS
    )
    failed_grace_minutes = number_field(
        ("auto_cancel", "failed_grace_minutes"), label=gettext_noop("Minutes to wait after a failed payment")
    )

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
    store, now = active_store(request), read_clock()

    def try_out(form: BacktestForm, first: int) -> Backtest:
        days = form.cleaned_data["days"]
        return backtest(store=store, auto_cancel=form.tried(), days=days, now=now, first=first)

    return trial_page(
        admin,
        request,
        BacktestForm,
        saved=_saved(current_settings(store).auto_cancel),
        try_out=try_out,
        words=CANCELLING,
        template="orders/admin/backtests/cancels.html",
        more=lambda form, _: {"nothing_on": form.tried().expired == form.tried().failed == "off"},
    )


def _saved(saved: AutoCancelSettings) -> dict[str, Any]:
    lots = saved.expired_lots
    return asdict(saved) | {"expired_lots": lots.payment_expired, "failed_lots": lots.payment_failed}
