"""What is done with an import on its page: started, taken back, thrown away."""

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.confirm import Case
from loyalty.core.errors import Conflict
from loyalty.languages.own_names import name_of
from loyalty.stores.roles import Can
from orders.admin.balance_imports.addresses import import_address, list_address
from orders.admin.balance_imports.show_import import import_context
from orders.admin.balance_imports.start_form import StartForm
from orders.models import BalanceImport, ImportState
from orders.services.balance_imports.prune import discard
from orders.services.balance_imports.start import compare, start
from orders.services.balance_imports.take_back import Obstacle, obstacles, take_back


@store_view(needs=Can.IMPORT_BALANCES, methods=("POST",))
def start_page(self: BackOfficeAdmin, request: HttpRequest, held: BalanceImport) -> HttpResponse:
    """Start what was rehearsed, if the totals agree or somebody says why not."""
    case = Case(self, request, held)
    if held.state != ImportState.REHEARSED:
        return HttpResponseRedirect(import_address(held))
    form = StartForm(compare(held.summary["totals"], []), request.POST)
    if form.is_valid():
        try:
            start(
                store=case.store,
                import_id=held.pk,
                told=form.told(),
                reason=form.cleaned_data["reason"],
                actor=case.actor,
                now=case.now,
            )
            return HttpResponseRedirect(import_address(held))
        except Conflict as refused:
            form.add_error(None, refused.detail)
    held.told = [{"kind": one.kind, "currency": one.currency, "amount": f"{one.amount:f}"} for one in form.told()]
    context = import_context(case, held, form)
    return case.show("orders/admin/balance_imports/import.html", context, HTTPStatus.UNPROCESSABLE_ENTITY)


@store_view(needs=Can.IMPORT_BALANCES)
def take_back_page(self: BackOfficeAdmin, request: HttpRequest, held: BalanceImport) -> HttpResponse:
    """What stands in the way of taking the import back; if nothing does, the button that does it."""
    case = Case(self, request, held)
    if held.state != ImportState.DONE:
        return HttpResponseRedirect(import_address(held))
    if request.method == "POST":
        try:
            take_back(store=case.store, import_id=held.pk, actor=case.actor, now=case.now)
            return HttpResponseRedirect(import_address(held))
        except Conflict as refused:
            messages.error(request, refused.detail)
    found, count = obstacles(held)
    context = {
        "title": _("Take back %(file)s") % {"file": held.file_name},
        "held": held,
        "obstacles": [{"words": _words(one), "customer": one.customer, "id": one.customer_id} for one in found],
        "orders": {one.order_id: one.order_number for one in found if one.order_id},
        "count": count,
        "more": count - len(found),
    }
    return case.show("orders/admin/balance_imports/take_back.html", context)


def _words(one: Obstacle) -> str:
    """What of somebody's was used since, and by what."""
    if one.kind == "code":
        return _("The code was used or given back.")
    kind = name_of("points" if one.kind == "points" else "credits")
    if one.order_number:
        return _("Some of the %(kind)s went to order %(order)s.") % {"kind": kind, "order": one.order_number}
    return _("Some of the %(kind)s were used or changed since.") % {"kind": kind}


@store_view(needs=Can.IMPORT_BALANCES, methods=("POST",))
def discard_page(self: BackOfficeAdmin, request: HttpRequest, held: BalanceImport) -> HttpResponse:
    """Throw an import away of which nothing was written."""
    try:
        discard(store=Case(self, request, held).store, import_id=held.pk)
    except Conflict as refused:
        messages.error(request, refused.detail)
        return HttpResponseRedirect(import_address(held))
    messages.success(request, _("The file was thrown away. Nothing of it was written."))
    return HttpResponseRedirect(list_address())
