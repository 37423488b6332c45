"""Bringing a file: whole with a form, or in parts by a script, which goes on where it broke off."""

from http import HTTPStatus
from typing import Any, BinaryIO, Final, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.confirm import Case
from loyalty.core.errors import Conflict, Invalid
from loyalty.stores.roles import Can
from orders.admin.balance_imports.addresses import layout_address, list_address, part_address
from orders.models import BalanceImport
from orders.services.balance_imports.layouts.fields import FIELDS
from orders.services.balance_imports.upload import MOST_BYTES, MOST_OF_PART, add_part, begin, upload

_NO_PART = -1
_MOST_DIGITS: Final = 15


class UploadForm(forms.Form):
    """A file as a whole. A script sends its name and size first, and then its parts."""

    file = forms.FileField(
        label=gettext_lazy("CSV or Excel file"),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx", "data-file": ""}),
        help_text=gettext_lazy("Up to 300 MB and a million rows. Nothing is written to anybody's balance yet."),
    )


@store_view(needs=Can.IMPORT_BALANCES)
def bring_page(self: BackOfficeAdmin, request: HttpRequest, _row: None) -> HttpResponse:
    """The form for a new file. A script that says a name and a size is answered with where to send the parts."""
    case = Case(self, request, None)
    if request.method == "POST" and "size" in request.POST:
        return _begin(case)
    form = UploadForm(request.POST or None, request.FILES or None, label_suffix="")
    if request.method == "POST" and form.is_valid():
        sent: UploadedFile[Any] = form.cleaned_data["file"]
        file = cast("BinaryIO", sent.file)
        try:
            held = upload(
                store=case.store,
                file=file,
                file_name=sent.name or "",
                size=sent.size or 0,
                actor=case.actor,
                now=case.now,
            )
            return HttpResponseRedirect(layout_address(held))
        except Invalid as refused:
            form.add_error("file", refused.detail)
    context = {
        "title": _("Import a file"),
        "form": form,
        "back": list_address(),
        "part_size": MOST_OF_PART,
        "most": MOST_BYTES,
        "fields": [field.label for field in FIELDS.values()],
    }
    return case.show("orders/admin/balance_imports/bring.html", context)


def _begin(case: Case[None]) -> HttpResponse:
    size = case.request.POST["size"]
    try:
        held = begin(
            store=case.store,
            file_name=case.request.POST.get("name", ""),
            size=_number(size, 0),
            actor=case.actor,
            now=case.now,
        )
    except Invalid as refused:
        return JsonResponse({"error": refused.detail}, status=HTTPStatus.BAD_REQUEST)
    where = {"next": 1, "received": 0, "parts": part_address(held), "then": layout_address(held)}
    return JsonResponse(where)


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else otherwise


@store_view(needs=Can.IMPORT_BALANCES, methods=("POST",))
def part_page(self: BackOfficeAdmin, request: HttpRequest, held: BalanceImport) -> HttpResponse:
    """Take one part of a file, from a script. Answers how far the file is, or what is wrong."""
    case = Case(self, request, held)
    sent = request.FILES.get("part")
    number = request.POST.get("number", "")
    try:
        held = add_part(
            store=case.store,
            import_id=held.pk,
            number=_number(number, _NO_PART),
            content=sent.read(MOST_OF_PART + 1) if sent else b"",
            now=case.now,
        )
    except (Invalid, Conflict) as refused:
        return JsonResponse({"error": refused.detail}, status=HTTPStatus.BAD_REQUEST)
    return JsonResponse({"received": held.received, "failed": held.failure})
