"""What a kept row of an import says, and what would come of it, in words."""

from typing import Any, Final

from django.db.models import QuerySet
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from loyalty.backoffice.badges import badge
from loyalty.core.days import local_day
from loyalty.stores.dates import show_day, show_last_day
from loyalty.stores.models import Store
from orders.kinds import show
from orders.models import BalanceImport, BalanceImportRow, ImportState
from orders.services.balance_imports.layouts.layout import Layout
from orders.services.balance_imports.problems import NO_FAULT, words_in_place, words_of_same

_COLOURS: Final = {
    ImportState.READING: "blue",
    ImportState.REHEARSED: "orange",
    ImportState.RUNNING: "blue",
    ImportState.DONE: "green",
    ImportState.TAKING_BACK: "blue",
    ImportState.FAILED: "red",
}


def state_badge(held: BalanceImport) -> SafeString:
    """Where the import is."""
    return badge(held.get_state_display(), _COLOURS.get(ImportState(held.state), ""))


def kept_rows(held: BalanceImport, only: str) -> "QuerySet[BalanceImportRow]":
    """The rows as they stand in the file: all of them, or ``bad`` ones."""
    rows = BalanceImportRow.objects.for_store(held.store).filter(balance_import=held)
    if only == "bad":
        rows = rows.exclude(problem="").exclude(problem__in=NO_FAULT)
    return rows.order_by("position", "part")


def said_by(row: BalanceImportRow, store: Store) -> str:
    """What the row says of somebody."""
    if row.amount is None:
        return "" if row.problem else _("becomes known")
    amount = show(row.amount, row.currency if row.what != "code" else "", store)
    if row.what == "code":
        return _("%(amount)s for the code %(code)s") % {"amount": amount, "code": row.code}
    if row.what == "past":
        day = show_day(local_day(row.at, store.tz), store) if row.at else ""
        return _("%(amount)s on %(day)s, before today") % {"amount": amount, "day": day}
    if row.expires_at is None:
        return _("%(amount)s, never expires") % {"amount": amount}
    return _("%(amount)s, last day %(day)s") % {"amount": amount, "day": show_last_day(row.expires_at, store)}


def comes_of(row: BalanceImportRow, held: BalanceImport) -> SafeString:
    """What would happen, or has happened, as a label."""
    if not row.problem:
        written = held.state in (ImportState.DONE, ImportState.TAKEN_BACK, ImportState.TAKING_BACK)
        return badge(_("Imported") if written else _("Will be imported"), "green")
    return badge(_("Left out"), "" if row.problem in NO_FAULT else "red")


def why_not(row: BalanceImportRow, held: BalanceImport) -> str:
    """Why not: the column of the file, what stands there, and what is wrong; or that another row says the same."""
    if not row.problem:
        return words_of_same(row.said) if row.said else ""
    return words_in_place(row.problem, Layout.from_json(held.layout).heading(row.column), row.said)


def shown_row(row: BalanceImportRow, held: BalanceImport) -> dict[str, Any]:
    """One line of the page."""
    return {
        "position": row.position,
        "who": row.name or row.email or row.external_id,
        "says": said_by(row, held.store),
        "outcome": comes_of(row, held),
        "why": why_not(row, held),
    }
