"""The certificate of an import: what was written, as the ledger has it, made for printing."""

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.confirm import Case
from loyalty.stores.roles import Can
from orders.admin.balance_imports.addresses import import_address
from orders.admin.balance_imports.show_import import facts_of, shown_month
from orders.kinds import show, title_of
from orders.models import BalanceImport
from orders.services.balance_imports.start import compare, told_of


@store_view(needs=Can.IMPORT_BALANCES, methods=("GET",))
def certificate_page(self: BackOfficeAdmin, request: HttpRequest, held: BalanceImport) -> HttpResponse:
    """What the import came to, beside what the old system said. There is none before the import is done."""
    case = Case(self, request, held)
    held.store = case.store
    if not held.result:
        return HttpResponseRedirect(import_address(held))
    totals: list[dict[str, Any]] = held.result["totals"]
    context = {
        "title": _("Certificate of %(file)s") % {"file": held.file_name},
        "held": held,
        "facts": facts_of(held, case.store),
        "months": [shown_month(line, case.store) for line in totals],
        "sums": [
            {
                "kind": title_of(one.kind),
                "found": show(one.found, one.currency, case.store),
                "told": "" if one.told is None else show(one.told, one.currency, case.store),
                "agrees": one.agrees,
            }
            for one in compare(totals, told_of(held))
        ],
        "people": held.summary.get("people", 0),
        "codes": held.result["codes"],
        "code_points": show(Decimal(held.result["code_points"]), "", case.store),
        "past": held.result["past"],
        "left_out": held.summary.get("bad_rows", 0),
    }
    return case.show("orders/admin/balance_imports/certificate.html", context)
