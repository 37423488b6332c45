"""Rows of an import as files: what comes of each, and the bad ones as they were, to be mended and sent again."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.lists.export import FORMATS, as_file
from loyalty.database.named_stores import in_store_throughout
from loyalty.exporting.files import csv_parts
from loyalty.exporting.tables import Cell, Column, Export, Viewing, amount, last_day, yes
from loyalty.languages.own_names import as_read_now
from loyalty.stores.active_store import active_store
from loyalty.stores.roles import Can
from orders.admin.balance_imports.addresses import import_address
from orders.admin.balance_imports.show_rows import kept_rows, why_not
from orders.models import BalanceImport, BalanceImportRow
from orders.services.balance_imports.bad_rows import bad_rows_table

_WHAT: Final = {
    "person": gettext_lazy("customer"),
    "lot": gettext_lazy("balance"),
    "past": gettext_lazy("history"),
    "code": gettext_lazy("code"),
    "bad": "",
}


def _why(row: BalanceImportRow, _viewing: Viewing) -> Cell:
    return why_not(row, row.balance_import)


OUTCOMES: Final = Export(
    "import-rows",
    gettext_noop("Rows"),
    (
        Column(gettext_noop("Row"), lambda row, _viewing: int(row.position)),
        Column(gettext_noop("Is imported"), lambda row, _viewing: yes(not row.problem)),
        Column(gettext_noop("Why not"), _why),
        Column(gettext_noop("E-mail"), lambda row, _viewing: row.email),
        Column(gettext_noop("Number"), lambda row, _viewing: row.external_id),
        Column(gettext_noop("Name"), lambda row, _viewing: row.name),
        Column(gettext_noop("What"), lambda row, _viewing: str(_WHAT.get(row.what, row.what))),
        Column(gettext_noop("Kind"), lambda row, _viewing: row.kind),
        Column(
            gettext_noop("Amount"),
            lambda row, _viewing: None if row.amount is None else amount(row.amount, row.currency),
        ),
        Column(gettext_noop("Currency"), lambda row, _viewing: row.currency),
        Column(gettext_noop("Since ({zone})"), lambda row, _viewing: row.at),
        Column(gettext_noop("Last day of use"), lambda row, viewing: last_day(row.expires_at, viewing.store)),
        Column(gettext_noop("Code"), lambda row, _viewing: row.code),
    ),
)


@store_view(needs=Can.IMPORT_BALANCES, methods=("GET",))
def rows_page(self: BackOfficeAdmin, request: HttpRequest, held: BalanceImport, suffix: str) -> HttpResponse:
    """What comes of each row, as a file."""
    if suffix not in dict(FORMATS):
        return HttpResponseRedirect(import_address(held))
    rows = kept_rows(held, "").select_related("balance_import__store")
    answer: Any = as_file(request, OUTCOMES, suffix, rows)
    found: HttpResponse = answer
    return found


@store_view(needs=Can.IMPORT_BALANCES, methods=("GET",))
def bad_rows_page(self: BackOfficeAdmin, request: HttpRequest, held: BalanceImport) -> HttpResponse:
    """The bad rows with all of their cells, and behind them what is wrong: mended, the file can be sent as it is."""
    store = active_store(request)
    held.store = store
    headings, lines = bad_rows_table(held)
    answer: Any = StreamingHttpResponse(
        in_store_throughout(store.pk, as_read_now(csv_parts(headings, lines))), content_type="text/csv; charset=utf-8"
    )
    answer.headers["Content-Disposition"] = f'attachment; filename="{store.slug}-rows-to-mend-{held.pk}.csv"'
    found: HttpResponse = answer
    return found
