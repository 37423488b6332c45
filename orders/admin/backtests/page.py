"""What the pages share that try settings on the past: the days, the result, one page of the orders; they only read."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.base import BackOfficeAdmin
from loyalty.stores.active_store import active_store
from orders.admin.backtests.rows import Words, chart_of, day_rows, line_rows, reasons_of, tiles_of
from orders.services.backtests.tally import MOST_DAYS, PER_PAGE, Backtest

_DAYS: Final = 90
_LAST_PAGE: Final = 1000


class TrialForm(forms.Form):
    """What to try; it is sent with the address, so that a result can be shared and comes to nothing by itself."""

    days = forms.IntegerField(
        label=gettext_lazy("Days to look back, today included"), min_value=1, max_value=MOST_DAYS, initial=_DAYS
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"label_suffix": ""} | kwargs))


Form = TypeVar("Form", bound=TrialForm)


def trial_page(
    admin: BackOfficeAdmin,
    request: HttpRequest,
    form_type: type[Form],
    *,
    saved: Mapping[str, Any],
    try_out: Callable[[Form, int], Backtest],
    words: Words,
    template: str,
    more: Callable[[Form, Backtest], dict[str, Any]],
) -> HttpResponse:
    """The form with what is ``saved``; once it is sent, what ``try_out`` finds from the order of that number on.

    ``more`` is what only this page's ``template`` shows of it.
    """
    form = form_type(request.GET if "days" in request.GET else None, initial=saved)
    context = admin.admin_site.each_context(request) | {"title": _("What would have happened"), "form": form}
    if form.is_bound and form.is_valid():
        page = _page_of(request)
        result = try_out(form, (page - 1) * PER_PAGE)
        context |= _shown(request, result, words, page) | more(form, result)
    return TemplateResponse(request, template, context)


def _shown(request: HttpRequest, result: Backtest, words: Words, page: int) -> dict[str, Any]:
    store = active_store(request)
    return {
        "result": result,
        "count": sum(tally.orders for tally in result.totals.values()),
        "words": {"each_day": _(words.each_day), "would_have": _(words.would_have)},
        "tiles": tiles_of(result, store, words),
        "chart": chart_of(result, store, words),
        "reasons": reasons_of(result),
        "rows": day_rows(result, store),
        "lines": line_rows(result, store, words),
        "pages": {
            "number": page,
            "previous": _address(request, page - 1) if page > 1 else "",
            "next": _address(request, page + 1) if result.more else "",
        },
    }


def _page_of(request: HttpRequest) -> int:
    """The number of the page that is asked for; nonsense means the first."""
    text = request.GET.get("page", "1")
    return min(max(int(text[:9]), 1), _LAST_PAGE) if text.isascii() and text.isdigit() else 1


def _address(request: HttpRequest, page: int) -> str:
    query = request.GET.copy()
    query["page"] = str(page)
    return f"?{query.urlencode()}#orders"
