"""The page that shows what a file was taken for, asks what it leaves open, and has it rehearsed."""

import hashlib
from collections.abc import Mapping
from itertools import islice
from typing import Any, BinaryIO, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.confirm import Case
from loyalty.core.errors import Conflict, Invalid, NotFound
from loyalty.core.locales import count_text
from loyalty.core.phrases import sentences
from loyalty.importing.encodings import ENCODINGS, readings
from loyalty.importing.tables import NotATable
from loyalty.stores.dates import show_day
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from orders.admin.balance_imports.addresses import import_address
from orders.admin.balance_imports.layout_form import LayoutForm, said_columns, said_forms
from orders.kinds import show
from orders.models import UNWRITTEN, BalanceImport, ImportState
from orders.services.balance_imports.layouts.keep import keep_layout, kept_layout, kept_names
from orders.services.balance_imports.layouts.layout import Layout
from orders.services.balance_imports.layouts.products import PRODUCTS
from orders.services.balance_imports.layouts.read import read_rows
from orders.services.balance_imports.layouts.suggest import Suggestion, suggest
from orders.services.balance_imports.problems import words_in_place
from orders.services.balance_imports.rehearsal.rehearse import start_reading
from orders.services.balance_imports.rows import NotReadable, Row
from orders.services.balance_imports.stored_file import stored_file

_SHOWN: Final = 5


@store_view(needs=Can.IMPORT_BALANCES)
def layout_page(self: BackOfficeAdmin, request: HttpRequest, held: BalanceImport) -> HttpResponse:
    """How the file is read and what its columns are; then on to the rehearsal."""
    case = Case(self, request, held)
    if held.state not in UNWRITTEN or held.state in (ImportState.UPLOADING, ImportState.READING):
        return HttpResponseRedirect(import_address(held))
    held.store = case.store
    with stored_file(held) as file:
        try:
            return _answer(case, held, file)
        except NotATable as refused:
            context = {"title": held.file_name, "held": held, "refused": refused.detail}
            return case.show("orders/admin/balance_imports/unreadable.html", context)


def _answer(case: Case[BalanceImport], held: BalanceImport, file: BinaryIO) -> HttpResponse:
    data = case.request.POST
    suggestion = _suggestion(case, held, file)
    form = LayoutForm(suggestion, case.store, data if _is_decided(data, suggestion) else None)
    if "_rehearse" in data and not _is_decided(data, suggestion):
        messages.warning(case.request, _("The columns have changed. Please look at them again."))
    elif "_rehearse" in data and form.is_valid() and _begin(case, held, form):
        return HttpResponseRedirect(import_address(held))
    return case.show("orders/admin/balance_imports/layout.html", _context(case, held, file, form))


def _is_decided(data: Mapping[str, str], suggestion: Suggestion) -> bool:
    """Whether what was said of the columns is about these columns, and was said to go on."""
    return "_rehearse" in data and data.get("headings") == _digest(suggestion)


def _digest(suggestion: Suggestion) -> str:
    return hashlib.sha256("\n".join(suggestion.look.headings).encode("utf-8", "surrogatepass")).hexdigest()


def _suggestion(case: Case[BalanceImport], held: BalanceImport, file: BinaryIO) -> Suggestion:
    """The layout as it was said on the page, as a kept one has it, as it was rehearsed, or as it is detected."""
    data, store = case.request.POST, case.store
    if "_kept" in data:
        try:
            return _of_stored(file, kept_layout(store, data.get("kept", "")), store)
        except NotFound as missing:
            messages.error(case.request, missing.detail)
    if case.request.method != "POST":
        return _of_stored(file, held.layout, store) if held.layout else suggest(file, {}, store)
    said = {name: value for name, value in said_forms(data).items() if value or name == "platform"}
    looked = suggest(file, said, store)
    if data.get("headings") != _digest(looked):
        return looked
    return suggest(file, said, store, columns=said_columns(data, looked.look.headings))


def _of_stored(file: BinaryIO, stored: Mapping[str, Any], store: Store) -> Suggestion:
    layout = Layout.from_json(stored)
    said = {
        "encoding": layout.shape.encoding,
        "separator": layout.shape.separator,
        "sheet": layout.shape.sheet,
        "header_row": str(layout.shape.header_row),
        "decimal_mark": layout.decimal_mark,
        "day_order": layout.day_order,
        "currency": layout.currency,
        "platform": layout.platform,
    }
    return suggest(file, {name: value for name, value in said.items() if value}, store, columns=layout.columns)


def _begin(case: Case[BalanceImport], held: BalanceImport, form: LayoutForm) -> bool:
    """Keep the layout where it was given a name, and have the file rehearsed."""
    stored = form.suggestion.layout.to_json()
    try:
        if name := form.cleaned_data["keep_as"].strip():
            keep_layout(store=case.store, name=name, layout=stored, actor=case.actor, now=case.now)
        start_reading(store=case.store, import_id=held.pk, layout=stored, now=case.now)
    except Invalid as refused:
        form.add_error("keep_as", refused.detail)
        return False
    except Conflict as refused:
        messages.error(case.request, refused.detail)
    return True


def _context(case: Case[BalanceImport], held: BalanceImport, file: BinaryIO, form: LayoutForm) -> dict[str, Any]:
    suggestion = form.suggestion
    guess = suggestion.guesses.get("encoding")
    choices = guess.choices if guess else ()
    return {
        "title": _("What is in %(file)s?") % {"file": held.file_name},
        "held": held,
        "form": form,
        "headings": _digest(suggestion),
        "product": next((item for item in PRODUCTS if item.key == suggestion.layout.product), None),
        "asked": len(suggestion.asked),
        "readings": [(ENCODINGS[name], text) for name, text in readings(file, choices)] if choices else [],
        "kept": kept_names(case.store),
        "lines": _lines(file, suggestion, case.store),
        "empty": not suggestion.look.first,
    }


def _lines(file: BinaryIO, suggestion: Suggestion, store: Store) -> list[dict[str, Any]]:
    """What the first rows come to by the present choices."""
    try:
        rows = list(islice(read_rows(file, suggestion.layout.to_json(), store), _SHOWN))
    except NotReadable:
        return []
    # A row that cannot be imported gives nobody anything, and a last day that cannot be read is not *never*.
    return [
        {
            "position": row.position,
            "who": _who(row),
            "says": [] if row.problems else says(row, store),
            "wrong": _wrong(row),
        }
        for row in rows
    ]


def _who(row: Row) -> str:
    return row.person.name or row.person.email or row.person.external_id or ""


def _wrong(row: Row) -> str:
    return sentences(words_in_place(problem.code, problem.column, problem.value) for problem in row.problems)


def says(row: Row, store: Store) -> list[str]:
    """What one row says of somebody, in words."""
    found = [
        _("%(amount)s, last day %(day)s")
        % {"amount": show(lot.amount, lot.currency, store), "day": show_day(lot.expires_on, store)}
        if lot.expires_on
        else _("%(amount)s, never expires") % {"amount": show(lot.amount, lot.currency, store)}
        for lot in row.lots
        if lot.amount
    ]
    if row.past:
        count = len(row.past)
        words = ngettext("%(count)s movement of the old history", "%(count)s movements of the old history", count)
        found.append(words % {"count": count_text(count)})
    found += [_("the open code %(code)s") % {"code": code.code} for code in row.codes]
    return found or [_("becomes known, and has nothing")]
