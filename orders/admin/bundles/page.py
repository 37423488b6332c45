"""*Take everything with you*: a file with everything in the store is asked for, written, and fetched for a time."""

from typing import Any, ClassVar, Final, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from loyalty.backoffice.base import BackOfficeAdmin, StoreModelAdmin, StoreView, store_view
from loyalty.core.clock import read_clock
from loyalty.core.days import local_day
from loyalty.core.errors import NotFound
from loyalty.database.named_stores import in_store_throughout
from loyalty.stores.active_store import acting, active_store
from loyalty.stores.actors import actor_names
from loyalty.stores.dates import show_moment
from loyalty.stores.roles import Can
from orders.models import BundleState, StoreBundle
from orders.services.bundles.ask import ask_for_bundle, fetch_bundle
from orders.services.bundles.keep import parts_of

PAGE: Final = "admin:orders_storebundle_changelist"


@store_view(needs=Can.TAKE_STORE, methods=("POST",))
def ask_page(self: BackOfficeAdmin, request: HttpRequest, _row: None) -> HttpResponse:
    """Have the file written."""
    ask_for_bundle(store=active_store(request), actor=acting(request), now=read_clock())
    return HttpResponseRedirect(reverse(PAGE))


@store_view(needs=Can.TAKE_STORE, methods=("GET",))
def file_page(self: BackOfficeAdmin, request: HttpRequest, row: StoreBundle) -> HttpResponse:
    """The file, piece by piece; who took it is on record."""
    store, now = active_store(request), read_clock()
    try:
        bundle = fetch_bundle(store=store, bundle_id=row.pk, actor=acting(request), now=now)
    except NotFound as gone:
        messages.error(request, gone.detail)
        return HttpResponseRedirect(reverse(PAGE))
    name = f"{store.slug}-{local_day(bundle.created_at, store.tz).isoformat()}.zip"
    parts = in_store_throughout(store.pk, parts_of(bundle))
    answer = StreamingHttpResponse(parts, content_type="application/zip")
    answer.headers["Content-Length"] = str(bundle.size)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    # A file is sent in parts, which a page's type does not allow for.
    return cast(HttpResponse, answer)


@admin.register(StoreBundle)
class StoreBundleAdmin(StoreModelAdmin):
    """One page: what is in the file, how far it is, and the way to fetch it."""

    view_needs = Can.TAKE_STORE
    related = ("store",)
    store_views: ClassVar[tuple[StoreView, ...]] = (
        StoreView("ask/", "ask", ask_page),
        StoreView("<path:object_id>/file/", "file", file_page),
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        bundle = self.get_queryset(request).order_by("-pk").first()
        context = self.admin_site.each_context(request) | {"title": _("Take everything with you")} | _facts(bundle)
        return TemplateResponse(request, "orders/admin/bundles/page.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """There is one page for all of it."""
        self.row_or_404(request, object_id)
        return HttpResponseRedirect(reverse(PAGE))


def _facts(bundle: StoreBundle | None) -> dict[str, Any]:
    if bundle is None:
        return {"bundle": None}
    store = bundle.store
    ready = bundle.state == BundleState.READY and bundle.ends_at is not None and bundle.ends_at > read_clock()
    return {
        "bundle": bundle,
        "writing": bundle.state == BundleState.WRITING,
        "failed": bundle.state == BundleState.FAILED,
        "ready": ready,
        "who": actor_names([bundle.actor])[bundle.actor],
        "when": show_moment(bundle.created_at, store),
        "until": show_moment(bundle.ends_at, store) if bundle.ends_at else "",
    }
