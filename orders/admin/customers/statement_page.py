"""A customer's statement between two days, made for printing."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.lists.filters import DayField
from loyalty.core.clock import read_clock
from loyalty.core.days import local_day
from loyalty.core.locales import count_text
from loyalty.ledger.ledger import Kind, currency_for
from loyalty.ledger.statement import MOST_LINES, Account, Line, Period, TooManyLines, by_currency, statement
from loyalty.stores.active_store import active_store
from loyalty.stores.dates import show_day, show_last_day, show_moment
from loyalty.stores.models import Customer, Store
from loyalty.stores.roles import Can
from orders.admin.display import reason_words
from orders.kinds import KINDS, LEDGERS, show, title_of


class StatementForm(forms.Form):
    """From which day through which."""

    first = DayField(label=gettext_lazy("From"))
    last = DayField(label=gettext_lazy("Through"))

    def clean(self) -> dict[str, Any]:
        """Two days in their order."""
        cleaned: dict[str, Any] = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and last < first:
            self.add_error("last", _("This is before the first day."))
        return cleaned


@store_view(needs=Can.VIEW)
def statement_page(self: BackOfficeAdmin, request: HttpRequest, customer: Customer) -> HttpResponse:
    """Opening, movements and closing of each kind, on a page that prints well."""
    store, now = active_store(request), read_clock()
    today = local_day(now, store.tz)
    chosen = {"first": today.replace(day=1), "last": today}
    form = StatementForm(request.GET if "first" in request.GET else None, initial=chosen, label_suffix="")
    if form.is_bound:
        chosen = form.cleaned_data if form.is_valid() else {}
    accounts: list[dict[str, Any]] = []
    too_many = False
    if chosen:
        period = Period.of(chosen["first"], chosen["last"], store)
        try:
            accounts = [
                _account(kind, account, store)
                for kind in KINDS
                for account in by_currency(
                    statement(LEDGERS[kind], customer, period, now=now),
                    always=currency_for(kind, store.currency),
                )
            ]
        except TooManyLines:
            too_many = True
    context = {
        **self.admin_site.each_context(request),
        "title": _("Statement of %(customer)s") % {"customer": customer},
        "opts": self.opts,
        "original": customer,
        "customer": customer,
        "form": form,
        "chosen": {name: show_day(day, store) for name, day in chosen.items()},
        "accounts": accounts,
        "too_many": count_text(MOST_LINES) if too_many else "",
        "printed": show_moment(now, store),
        "periods": _periods(today),
    }
    return TemplateResponse(request, "orders/admin/customers/statement.html", context)


def _periods(today: date) -> list[tuple[str, date, date]]:
    """Periods that are one click away."""
    this_month = today.replace(day=1)
    last_month = this_month - timedelta(days=1)
    this_year = today.replace(month=1, day=1)
    return [
        (_("This month"), this_month, today),
        (_("Last month"), last_month.replace(day=1), last_month),
        (_("This year"), this_year, today),
        (_("Last year"), this_year.replace(year=today.year - 1), this_year - timedelta(days=1)),
    ]


def _account(kind: Kind, account: Account, store: Store) -> dict[str, Any]:
    currency = account.currency
    return {
        "title": _("%(kind)s in %(currency)s") % {"kind": title_of(kind), "currency": currency}
        if currency
        else title_of(kind),
        "opening": show(account.opening, currency, store),
        "closing": show(account.closing, currency, store),
        "lines": [_line(line, currency, store) for line in account.lines],
    }


def _line(line: Line, currency: str, store: Store) -> dict[str, Any]:
    amount, movement = line.amount, line.movement
    remark = movement.remark if movement is not None else None
    return {
        "when": show_moment(line.effective_at, store),
        "type": line.type.label,
        "amount": f"{'+' if amount > 0 else '−'}{show(-amount if amount < 0 else amount, currency, store)}",
        "sign": "plus" if amount > 0 else "minus",
        "balance": show(line.balance_after, currency, store),
        "until": show_last_day(line.lot.expires_at, store),
        "order": movement.order if movement is not None else None,
        "reason": reason_words(remark.reason, "") if remark else "",
    }
