"""A list as a file to take away: what its filters and search show, on whatever page."""

from collections.abc import Sequence
from tempfile import TemporaryFile
from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from loyalty.backoffice.lists.all_rows import WrongFilter, listed
from loyalty.core.clock import read_clock
from loyalty.database.named_stores import in_store_throughout
from loyalty.exporting.files import csv_parts, write_xlsx
from loyalty.exporting.tables import Export
from loyalty.languages.own_names import as_read_now, own_words
from loyalty.stores.active_store import active_store

FORMATS: Final = (("csv", "CSV"), ("xlsx", "Excel"))
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def export_view(
    admin: ModelAdmin, exports: Sequence[Export], request: HttpRequest, key: str, suffix: str
) -> HttpResponseBase:
    """The list as a file, for whoever may see the list. ``?row=`` takes one row of it alone.

    Raises Http404 for an export that the list does not have, and for a row of another store (T1).
    """
    if not admin.has_view_permission(request):
        raise PermissionDenied
    export = next((item for item in exports if item.key == key), None)
    if export is None or suffix not in dict(FORMATS):
        raise Http404
    return _one_row(admin, request, export, suffix) if "row" in request.GET else _list(admin, request, export, suffix)


def _one_row(admin: ModelAdmin, request: HttpRequest, export: Export, suffix: str) -> HttpResponseBase:
    row = admin.get_object(request, request.GET["row"])
    if row is None:
        raise Http404
    return as_file(request, export, suffix, admin.get_queryset(request).filter(pk=row.pk))


def _list(admin: ModelAdmin, request: HttpRequest, export: Export, suffix: str) -> HttpResponseBase:
    try:
        rows = listed(admin, request)
    except WrongFilter:
        messages.error(request, _("Nothing was exported: one of the filters is wrong."))
        return HttpResponseRedirect(f"../?{request.GET.urlencode()}")
    return as_file(request, export, suffix, rows)


def as_file(request: HttpRequest, export: Export, suffix: str, rows: object) -> HttpResponseBase:
    """These rows as a file, CSV or XLSX, sent piece by piece."""
    store, now = active_store(request), read_clock()
    lines = export.lines(rows, store, now=now)  # type: ignore[arg-type]
    headings = export.headings(store)
    name = export.file_name(store, now, suffix)
    if suffix == "xlsx":
        file = TemporaryFile()  # noqa: SIM115 - the answer closes it once it is sent
        write_xlsx(file, own_words(export.title), headings, lines)
        file.seek(0)
        return FileResponse(file, as_attachment=True, filename=name, content_type=_XLSX)
    answer = StreamingHttpResponse(
        in_store_throughout(store.pk, as_read_now(csv_parts(headings, lines))), content_type="text/csv; charset=utf-8"
    )
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
