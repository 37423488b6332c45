"""The pages *Platform connection*."""

from datetime import datetime
from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from loyalty.backoffice.base import BackOfficeAdmin, StoreModelAdmin, StoreView, store_view
from loyalty.backoffice.forms import first_time
from loyalty.backoffice.pages.platforms.connection_forms import FIELDS, ConnectionForm
from loyalty.backoffice.pages.platforms.connection_state import asking_words, facts_of, is_new, summary_of
from loyalty.core.clock import read_clock
from loyalty.core.errors import Invalid
from loyalty.platforms.connections.check import CHECK, REGISTER, ask_later
from loyalty.platforms.connections.connect import (
    OLD_SECRET_ACCEPTED,
    Credentials,
    connect,
    disconnect,
    new_secret,
    rotate_webhook_secret,
)
from loyalty.platforms.models import PlatformConnection
from loyalty.platforms.registry import LABELS, PLATFORMS
from loyalty.stores.active_store import acting, active_store
from loyalty.stores.roles import Can
from loyalty.web.addresses import common_page

LIST: Final = "admin:platforms_platformconnection_changelist"
PAGE: Final = "admin:platforms_platformconnection_change"
_OLD_SECRET_HOURS: Final = int(OLD_SECRET_ACCEPTED.total_seconds() // 3600)


@store_view(needs=Can.CHANGE_SETTINGS, methods=("POST",))
def check_page(self: BackOfficeAdmin, request: HttpRequest, connected: PlatformConnection) -> HttpResponse:
    """Test the connection: the worker asks, and the page shows what the platform answers."""
    ask_later(store=active_store(request), connection_id=connected.pk, topic=CHECK, now=read_clock())
    return HttpResponseRedirect(reverse(PAGE, args=[connected.pk]))


@store_view(needs=Can.CHANGE_SETTINGS, methods=("POST",))
def webhooks_page(self: BackOfficeAdmin, request: HttpRequest, connected: PlatformConnection) -> HttpResponse:
    """Have the webhooks registered on the platform, or repaired; the page shows how that went."""
    store, address, now = active_store(request), webhook_address(request, connected), read_clock()
    ask_later(store=store, connection_id=connected.pk, topic=REGISTER, address=address, now=now)
    return HttpResponseRedirect(reverse(PAGE, args=[connected.pk]))


@store_view(needs=Can.CHANGE_SETTINGS, methods=("POST",))
def rotate_page(self: BackOfficeAdmin, request: HttpRequest, connected: PlatformConnection) -> HttpResponse:
    """A new webhook secret, shown on the answer to this form and never again."""
    store, now = active_store(request), read_clock()
    if not PLATFORMS[connected.platform].connecting.chooses_secret:
        raise Http404
    with transaction.atomic():
        secret = ""
        if first_time(request.POST.get("once", ""), store=store, now=now):
            connected, secret = rotate_webhook_secret(
                store=store, connection_id=connected.pk, actor=acting(request), now=now
            )
    if not secret:
        messages.info(request, _("A new secret was made already. If you do not have it, make another."))
        return HttpResponseRedirect(reverse(PAGE, args=[connected.pk]))
    return _page(self, request, connected, now, secret=secret)


@store_view(needs=Can.CHANGE_SETTINGS, methods=("POST",))
def disconnect_page(self: BackOfficeAdmin, request: HttpRequest, connected: PlatformConnection) -> HttpResponse:
    """End the connection and erase its credentials."""
    disconnect(store=active_store(request), connection_id=connected.pk, actor=acting(request), now=read_clock())
    messages.success(
        request,
        _("Disconnected from %(platform)s. Its credentials are erased, its orders stay.") % {"platform": connected},
    )
    return HttpResponseRedirect(reverse(LIST))


@admin.register(PlatformConnection)
class PlatformConnectionAdmin(StoreModelAdmin):
    """The store's connections: how they are doing, their credentials, their webhooks."""

    view_needs = Can.CHANGE_SETTINGS
    add_needs = Can.CHANGE_SETTINGS
    change_needs = Can.CHANGE_SETTINGS
    related = ("store",)
    ordering = ("id",)
    store_views: ClassVar[tuple[StoreView, ...]] = (
        StoreView("<path:object_id>/check/", "check", check_page),
        StoreView("<path:object_id>/webhooks/", "webhooks", webhooks_page),
        StoreView("<path:object_id>/rotate/", "rotate", rotate_page),
        StoreView("<path:object_id>/disconnect/", "disconnect", disconnect_page),
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """What is connected, and what else can be."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        now = read_clock()
        rows = {row.platform: row for row in self.get_queryset(request)}
        connected = [summary_of(row, now) for row in rows.values() if not is_new(row)]
        others = [(value, label) for value, label in LABELS.items() if value not in rows or is_new(rows[value])]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Platform connection"),
            "content_title": _("Platform connection"),
            "connected": connected,
            "others": others,
        }
        return TemplateResponse(request, "loyalty/platforms/connections.html", context)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Connect to the platform that the address names, or choose one; what is connected already has its page."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        platform, now = request.GET.get("platform", ""), read_clock()
        if platform not in PLATFORMS:
            return self.changelist_view(request)
        there = self.get_queryset(request).filter(platform=platform, enabled=True).first()
        if there is not None:
            return HttpResponseRedirect(reverse(PAGE, args=[there.pk]))
        form = ConnectionForm(PLATFORMS[platform].connecting, request.POST or None)
        if request.method == "POST" and form.is_valid():
            secret = "" if form.cleaned_data["webhook_secret"] else new_secret()
            saved = _save(request, form, platform, now, made_secret=secret)
            if saved is not None and secret:
                return _page(self, request, saved, now, secret=secret)
            if saved is not None:
                return HttpResponseRedirect(reverse(PAGE, args=[saved.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Connect to %(platform)s") % {"platform": LABELS[platform]},
            "form": form,
            "submit": _("Connect"),
            "back": reverse(LIST),
        }
        return _unstored(TemplateResponse(request, "loyalty/form_page.html", context))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One connection: how it is doing, its webhooks, its credentials, its end."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        connected: PlatformConnection = self.row_or_404(request, object_id)
        now = read_clock()
        connecting = PLATFORMS[connected.platform].connecting
        form = ConnectionForm(connecting, request.POST or None, connected=connected)
        if request.method == "POST" and form.is_valid() and _save(request, form, connected.platform, now):
            return HttpResponseRedirect(reverse(PAGE, args=[connected.pk]))
        return _page(self, request, connected, now, form=form)


def webhook_address(request: HttpRequest, connected: PlatformConnection) -> str:
    """Where the platform has to send its webhooks."""
    path = common_page("hooks", connected.platform, active_store(request).slug)
    return request.build_absolute_uri(path if path.endswith("/") else f"{path}/")


def _save(
    request: HttpRequest, form: ConnectionForm, platform: str, now: datetime, *, made_secret: str = ""
) -> PlatformConnection | None:
    """Save what a valid form says, with the secret that was made for it; None when it is refused, with the reason."""
    given = form.credentials()
    if made_secret:
        given = Credentials(
            given.base_url, given.api_version, given.tag_meta_key, {**given.secrets, "webhook_secret": made_secret}
        )
    try:
        saved, created = connect(
            store=active_store(request), platform=platform, given=given, actor=acting(request), now=now
        )
    except Invalid as error:
        form.show_errors(error, FIELDS)
        return None
    words = (
        _("Connected. Test the connection next, then register the webhooks.")
        if created
        else _("The connection is saved.")
    )
    messages.success(request, words)
    return saved


def _page(
    self: BackOfficeAdmin,
    request: HttpRequest,
    connected: PlatformConnection,
    now: datetime,
    *,
    form: ConnectionForm | None = None,
    secret: str = "",
) -> HttpResponse:
    connecting = PLATFORMS[connected.platform].connecting
    asking = asking_words(connected)
    context = {
        **self.admin_site.each_context(request),
        "title": _("Connection to %(platform)s") % {"platform": connected},
        "opts": self.opts,
        "connected": connected,
        "summary": summary_of(connected, now),
        "asking": asking,
        "refreshes": bool(asking) and request.method == "GET" and "still" not in request.GET,
        "facts": facts_of(connected, now),
        "address": webhook_address(request, connected),
        "form": form or ConnectionForm(connecting, connected=connected),
        "chooses_secret": connecting.chooses_secret,
        "secret": secret,
        "old_secret_hours": _OLD_SECRET_HOURS,
        "back": reverse(LIST),
    }
    return _unstored(TemplateResponse(request, "loyalty/platforms/connection.html", context))


def _unstored(response: TemplateResponse) -> TemplateResponse:
    # Secrets must not stay in a cache on the way.
    response.headers["Cache-Control"] = "no-store"
    return response
