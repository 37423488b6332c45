"""Giving and removing points of many customers by a table: typed, chosen in the list, or as a file (R6)."""

import csv
from io import StringIO
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.forms import OnceForm, first_time
from loyalty.core.clock import read_clock
from loyalty.core.errors import Invalid
from loyalty.core.phrases import sentences
from loyalty.customers.identify import platform_ids
from loyalty.languages.own_names import own_words, own_words_lazy
from loyalty.ledger.staff_limits import left_today, words_of_left
from loyalty.store_settings.sections import current_settings
from loyalty.stores.active_store import active_store
from loyalty.stores.dates import show_day
from loyalty.stores.models import Customer, Store
from loyalty.stores.roles import Can
from orders.admin.customers.adjust_form import adjuster_of, notify_field
from orders.kinds import show
from points.sheets import (
    COLUMNS,
    MOST_ROWS,
    Desk,
    Line,
    SheetStale,
    carry_out_sheet,
    check_sheet,
    digest_of,
    read_sheet,
)

ADDRESS: Final = "admin:stores_customer_points"
_MOST_BYTES: Final = 500_000
_EXAMPLE: Final = "customer,points,reason,expires_on,note\nana@example.org,100,Birthday,,\n"


class SheetForm(OnceForm):
    """The table, as text or as a file; ``shown`` says what the page has shown it comes to."""

    table = forms.CharField(
        label=gettext_lazy("Table"),
        required=False,
        max_length=_MOST_BYTES,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text=format_lazy(
            own_words_lazy(
                "The first line names the columns: {columns}. A customer is an e-mail, an external id or, as "
                "shopify:7001, an id on a platform; points below zero are removed. At most {most} rows."
            ),
            columns=", ".join(COLUMNS),
            most=MOST_ROWS,
        ),
    )
    file = forms.FileField(
        label=gettext_lazy("Or a CSV file"), required=False, widget=forms.FileInput(attrs={"accept": ".csv,text/csv"})
    )
    notify = notify_field()
    shown = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """The file's text in the place of the table's, when one was sent."""
        sent: UploadedFile[Any] | None = self.cleaned_data.get("file")
        if sent is not None:
            self.cleaned_data["table"] = self._text(sent)
        if not self.errors and not self.cleaned_data.get("table", "").strip():
            self.add_error("table", _("Write a table, or choose a file."))
        return self.cleaned_data

    def _text(self, sent: "UploadedFile[Any]") -> str:
        if (sent.size or 0) > _MOST_BYTES:
            self.add_error("file", _("The file is larger than 500 kB."))
            return ""
        try:
            return bytes(sent.read()).decode("utf-8-sig")
        except UnicodeDecodeError:
            self.add_error("file", _("The file is not text. Save it as CSV (UTF-8)."))
            return ""


@store_view(needs=Can.ADJUST_LEDGER)
def sheet_page(self: BackOfficeAdmin, request: HttpRequest, _customer: None) -> HttpResponse:
    """The table; then what each row comes to; then that, once."""
    form = SheetForm(request.POST or None, request.FILES or None, initial=_initial(request, _EXAMPLE))
    lines: list[Line] | None = None
    if request.method == "POST" and form.is_valid():
        lines, done = _answer(form, request)
        if done:
            messages.success(request, done)
            return HttpResponseRedirect(reverse("admin:stores_customer_changelist"))
    return _page(self, request, form, lines)


def choose_for_points(admin: BackOfficeAdmin, request: HttpRequest, customers: "QuerySet[Customer]") -> HttpResponse:
    """The page with a row for each of these customers."""
    table = StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    chosen = list(customers.order_by("pk")[:MOST_ROWS])
    ids = platform_ids([customer.pk for customer in chosen])
    for customer in chosen:
        there = [f"{platform}:{external_id}" for platform, external_id in ids.get(customer.pk, {}).items()]
        writer.writerow([customer.external_id or next(iter(there), customer.email), "", "", "", ""])
    return _page(admin, request, SheetForm(initial=_initial(request, table.getvalue())), None)


def _initial(request: HttpRequest, table: str) -> dict[str, Any]:
    return {"table": table, "notify": current_settings(active_store(request)).notify.on_adjustment_default}


def _answer(form: SheetForm, request: HttpRequest) -> tuple[list[Line] | None, str]:
    """What the table comes to, and when it was carried out a sentence about it."""
    store, now = active_store(request), read_clock()
    desk = _desk(request)
    try:
        rows = read_sheet(form.cleaned_data["table"])
        if "_confirm" not in request.POST:
            return check_sheet(rows, desk=desk, now=now), ""
        with transaction.atomic():
            if not first_time(form.cleaned_data["once"], store=store, now=now):
                return None, _("This table was carried out already. Nothing was changed this time.")
            shown, notify = form.cleaned_data["shown"], form.cleaned_data["notify"]
            return None, _done(carry_out_sheet(rows, shown=shown, desk=desk, now=now, notify=notify), store)
    except SheetStale as stale:
        form.add_error(None, stale.detail)
        return list(stale.lines), ""
    except Invalid as error:
        form.show_errors(error, {"/table": "table"})
        return None, ""


def _desk(request: HttpRequest) -> Desk:
    settings = current_settings(active_store(request))
    return Desk(adjuster_of(request, settings), settings)


def _done(lines: list[Line], store: Store) -> str:
    good = [line for line in lines if not line.error]
    given, removed = sum(max(line.points, 0) for line in good), -sum(min(line.points, 0) for line in good)
    left = len(lines) - len(good)
    words = _("Nothing was given or removed.")
    if given and removed:
        words = ngettext(
            "%(given)s given and %(removed)s removed, in %(rows)s row.",
            "%(given)s given and %(removed)s removed, in %(rows)s rows.",
            len(good),
        )
    elif given:
        words = ngettext("%(given)s given, in %(rows)s row.", "%(given)s given, in %(rows)s rows.", len(good))
    elif removed:
        words = ngettext("%(removed)s removed, in %(rows)s row.", "%(removed)s removed, in %(rows)s rows.", len(good))
    more = ngettext(
        "%(left)s of %(all)s rows had an error and was left out.",
        "%(left)s of %(all)s rows had errors and were left out.",
        left,
    )
    facts = {"given": show(given, "", store), "removed": show(removed, "", store), "rows": len(good)}
    return sentences([words % facts, more % {"left": left, "all": len(lines)} if left else ""])


def _page(admin: BackOfficeAdmin, request: HttpRequest, form: SheetForm, lines: list[Line] | None) -> TemplateResponse:
    store = active_store(request)
    left = left_today("points", _desk(request).adjuster, now=read_clock())
    context = {
        **admin.admin_site.each_context(request),
        "title": own_words("Give or remove points by a table"),
        "opts": admin.opts,
        "form": form,
        "left": "" if left is None else words_of_left("points", left, store),
        "address": reverse(ADDRESS),
        "rows": [_shown(line, store) for line in lines or ()],
        "table": form.cleaned_data["table"] if lines else "",
        "notify": bool(lines) and form.cleaned_data["notify"],
        "shown": digest_of(lines) if lines else "",
        "good": sum(not line.error for line in lines or ()),
        "wrong": sum(bool(line.error) for line in lines or ()),
    }
    return TemplateResponse(request, "orders/admin/customers/points_sheet.html", context)


def _shown(line: Line, store: Store) -> dict[str, Any]:
    gives = line.points > 0
    return {
        "number": line.row.number,
        "said": line.row.customer,
        "customer": line.customer,
        "amount": f"{'+' if gives else '−'}{show(abs(line.points), '', store)}" if line.points else line.row.points,
        "until": (show_day(line.last_day, store) if line.last_day else _("never expires")) if gives else "",
        "reason": line.row.reason,
        "error": line.error,
    }
