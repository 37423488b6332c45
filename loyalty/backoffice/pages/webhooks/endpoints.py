"""The page *Webhook endpoints*: made, changed, given a new secret, switched off and on, tested, removed."""

from datetime import timedelta
from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext, gettext_lazy, gettext_noop, ngettext

from loyalty.backoffice.badges import badge
from loyalty.backoffice.base import BackOfficeAdmin, StoreModelAdmin, StoreView, store_view
from loyalty.backoffice.forms import OnceForm, first_time
from loyalty.backoffice.outcome_messages import telling_outcome
from loyalty.backoffice.pages.webhooks.deliveries import delivery_rows
from loyalty.backoffice.pages.webhooks.forms import EndpointForm, RotateForm
from loyalty.core.clock import read_clock
from loyalty.core.errors import Conflict, Invalid
from loyalty.stores.active_store import acting_user, active_store
from loyalty.stores.actors import Actor
from loyalty.stores.dates import show_moment
from loyalty.stores.roles import Can
from loyalty.webhooks.endpoints import (
    EndpointValues,
    change_endpoint,
    create_endpoint,
    remove_endpoint,
    rotate_secret,
    send_test,
)
from loyalty.webhooks.models import DisabledBecause, WebhookDelivery, WebhookEndpoint

LIST: Final = "admin:webhooks_webhookendpoint_changelist"
PAGE: Final = "admin:webhooks_webhookendpoint_change"
_FIELDS: Final = {"/url": "url", "/description": "description", "/overlap_hours": "overlap_hours"}
_SHOWN_ONCE: Final = gettext_noop(
    "Copy it now: it is stored encrypted and never shown again. The receiver verifies signatures "
    "with it, for example with a Standard Webhooks library."
)
_LAST: Final = 10


@store_view(needs=Can.MANAGE_WEBHOOKS, methods=("POST",))
def rotate_page(self: BackOfficeAdmin, request: HttpRequest, endpoint: WebhookEndpoint) -> HttpResponse:
    """Give the endpoint a new secret, shown on the answer alone."""
    form = RotateForm(request.POST)
    if not form.is_valid():
        return _endpoint_page(self, request, endpoint, rotate_form=form)
    secret = _rotate_once(request, endpoint, form)
    if secret is None:
        messages.info(request, gettext("The secret was changed already. If you do not have it, change it again."))
        return HttpResponseRedirect(reverse(PAGE, args=[endpoint.pk]))
    return _secret_page(self, request, endpoint, secret)


@store_view(needs=Can.MANAGE_WEBHOOKS, methods=("POST",))
def switch_page(self: BackOfficeAdmin, request: HttpRequest, endpoint: WebhookEndpoint) -> HttpResponse:
    """Switch the endpoint on or off, as the button said; again changes nothing."""
    wanted = request.POST.get("enabled") == "yes"
    change_endpoint(
        store=active_store(request),
        endpoint_id=endpoint.pk,
        values=EndpointValues(enabled=wanted),
        actor=Actor.user(acting_user(request)),
        now=read_clock(),
    )
    messages.success(
        request, gettext("The endpoint is switched on.") if wanted else gettext("The endpoint is switched off.")
    )
    return HttpResponseRedirect(reverse(PAGE, args=[endpoint.pk]))


@store_view(needs=Can.MANAGE_WEBHOOKS, methods=("POST",))
def test_page(self: BackOfficeAdmin, request: HttpRequest, endpoint: WebhookEndpoint) -> HttpResponse:
    """Send the endpoint a test event."""
    sent = gettext("A test event is on its way. Load this page again in a moment to see the answer.")
    with telling_outcome(request, sent):
        send_test(store=active_store(request), endpoint_id=endpoint.pk, now=read_clock())
    return HttpResponseRedirect(reverse(PAGE, args=[endpoint.pk]))


@store_view(needs=Can.MANAGE_WEBHOOKS, methods=("POST",))
def remove_page(self: BackOfficeAdmin, request: HttpRequest, endpoint: WebhookEndpoint) -> HttpResponse:
    """Remove the endpoint."""
    actor = Actor.user(acting_user(request))
    remove_endpoint(store=active_store(request), endpoint_id=endpoint.pk, actor=actor, now=read_clock())
    messages.success(
        request, gettext("“%(endpoint)s” is removed and is no longer told anything.") % {"endpoint": endpoint}
    )
    return HttpResponseRedirect(reverse(LIST))


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(StoreModelAdmin):
    """The active store's webhook endpoints."""

    view_needs = Can.MANAGE_WEBHOOKS
    add_needs = Can.MANAGE_WEBHOOKS
    related = ("store",)
    list_display = ("name", "address", "told", "state")
    ordering = ("-id",)
    empty_title = gettext_noop("No webhook endpoints yet")
    empty_hint = gettext_noop(
        "An endpoint is told as soon as an order is cancelled or value comes back, so that an ERP, a "
        "shop or a mailing tool can follow. Add its address and choose what it is told."
    )
    store_views: ClassVar[tuple[StoreView, ...]] = (
        StoreView("<path:object_id>/rotate/", "rotate", rotate_page),
        StoreView("<path:object_id>/switch/", "switch", switch_page),
        StoreView("<path:object_id>/test/", "test", test_page),
        StoreView("<path:object_id>/remove/", "remove", remove_page),
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[WebhookEndpoint]":
        rows: QuerySet[WebhookEndpoint] = super().get_queryset(request)
        return rows.filter(deleted_at__isnull=True)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add an endpoint; its secret is shown on the answer alone."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = EndpointForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            made = _create_once(request, form)
            if made is not None:
                return _secret_page(self, request, *made)
            if not form.errors:
                messages.info(
                    request, gettext("This endpoint was added already. If you lack its secret, change it there.")
                )
                return HttpResponseRedirect(reverse(LIST))
        title, hint = gettext("New webhook endpoint"), gettext("Its secret is shown after saving.")
        context = {"form": form, "submit": gettext("Add endpoint"), "hint": hint, "back": reverse(LIST)}
        return _page(self, request, "loyalty/form_page.html", title, context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """An endpoint: how it is doing, what it was last sent, and changing it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        endpoint: WebhookEndpoint = self.row_or_404(request, object_id)
        form = EndpointForm(request.POST if request.method == "POST" else None, initial=_initial(endpoint))
        secret = _changed(request, endpoint, form) if request.method == "POST" and form.is_valid() else None
        if secret is None:
            return _endpoint_page(self, request, endpoint, form=form)
        if secret:
            messages.success(request, gettext("The endpoint is saved. Its new address has a secret of its own."))
            return _secret_page(self, request, endpoint, secret)
        messages.success(request, gettext("The endpoint is saved."))
        return HttpResponseRedirect(reverse(PAGE, args=[endpoint.pk]))

    @admin.display(description=gettext_lazy("Name"))
    def name(self, endpoint: WebhookEndpoint) -> str:
        return str(endpoint)

    @admin.display(description=gettext_lazy("Address"))
    def address(self, endpoint: WebhookEndpoint) -> str:
        return Truncator(endpoint.url).chars(60)

    @admin.display(description=gettext_lazy("Events"))
    def told(self, endpoint: WebhookEndpoint) -> str:
        count = len(endpoint.events)
        return ngettext("%(count)s event", "%(count)s events", count) % {"count": count}

    @admin.display(description=gettext_lazy("State"))
    def state(self, endpoint: WebhookEndpoint) -> SafeString:
        return state_badge(endpoint)


def state_badge(endpoint: WebhookEndpoint) -> SafeString:
    """How an endpoint is doing."""
    if not endpoint.enabled:
        by_hand = endpoint.disabled_because == DisabledBecause.PERSON
        colour, words = ("", gettext("Switched off")) if by_hand else ("red", gettext("Switched off: it failed"))
    elif endpoint.failing_since is not None:
        since = show_moment(endpoint.failing_since, endpoint.store)
        colour, words = "orange", gettext("Failing since %(since)s") % {"since": since}
    else:
        colour, words = "green", gettext("On")
    return badge(words, colour)


def _initial(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {"url": endpoint.url, "description": endpoint.description, "events": endpoint.events}


@transaction.atomic
def _create_once(request: HttpRequest, form: EndpointForm) -> tuple[WebhookEndpoint, str] | None:
    """The endpoint and its secret; None when the form was sent before, or is refused and says so."""
    store, now = active_store(request), read_clock()
    try:
        with transaction.atomic():
            if not first_time(form.cleaned_data["once"], store=store, now=now):
                return None
            actor = Actor.user(acting_user(request))
            return create_endpoint(store=store, values=form.values(), actor=actor, now=now)
    except Invalid as error:
        form.show_errors(error, _FIELDS)
    except Conflict as error:
        form.add_error(None, error.detail)
    return None


def _changed(request: HttpRequest, endpoint: WebhookEndpoint, form: EndpointForm) -> str | None:
    """The secret that a new address got, "" for the same address, None when it was refused: beside the fields."""
    actor = Actor.user(acting_user(request))
    try:
        _, secret = change_endpoint(
            store=active_store(request),
            endpoint_id=endpoint.pk,
            values=form.values(),
            actor=actor,
            now=read_clock(),
        )
    except Invalid as error:
        form.show_errors(error, _FIELDS)
        return None
    return secret


@transaction.atomic
def _rotate_once(request: HttpRequest, endpoint: WebhookEndpoint, form: RotateForm) -> str | None:
    store, now = active_store(request), read_clock()
    if not first_time(form.cleaned_data["once"], store=store, now=now):
        return None
    _, secret = rotate_secret(
        store=store,
        endpoint_id=endpoint.pk,
        overlap=timedelta(hours=form.cleaned_data["overlap_hours"]),
        actor=Actor.user(acting_user(request)),
        now=now,
    )
    return secret


def _endpoint_page(
    model_admin: BackOfficeAdmin,
    request: HttpRequest,
    endpoint: WebhookEndpoint,
    *,
    form: EndpointForm | None = None,
    rotate_form: OnceForm | None = None,
) -> HttpResponse:
    store, now = active_store(request), read_clock()
    deliveries = WebhookDelivery.objects.for_store(store).filter(lane=endpoint.lane).order_by("-id")
    both = endpoint.previous_secret_until is not None and now < endpoint.previous_secret_until
    context = {
        "endpoint": endpoint,
        "badge": state_badge(endpoint),
        "because": endpoint.get_disabled_because_display() if endpoint.disabled_at else "",
        "disabled_at": show_moment(endpoint.disabled_at, store),
        "failing_since": show_moment(endpoint.failing_since, store),
        "both_until": show_moment(endpoint.previous_secret_until, store) if both else "",
        "form": form or EndpointForm(initial=_initial(endpoint)),
        "rotate_form": rotate_form or RotateForm(),
        "rows": delivery_rows(list(deliveries.select_related("store")[:_LAST]), store),
        "original": endpoint,
    }
    return _page(model_admin, request, "loyalty/webhooks/endpoint.html", str(endpoint), context)


def _secret_page(
    model_admin: BackOfficeAdmin, request: HttpRequest, endpoint: WebhookEndpoint, secret: str
) -> HttpResponse:
    context = {
        "secret": secret,
        "secret_title": gettext("The secret of “%(endpoint)s”") % {"endpoint": endpoint},
        "secret_hint": gettext(_SHOWN_ONCE),
        "back": reverse(LIST),
    }
    return _page(model_admin, request, "loyalty/form_page.html", str(endpoint), context)


def _page(
    model_admin: BackOfficeAdmin, request: HttpRequest, template: str, title: str, more: dict[str, Any]
) -> HttpResponse:
    context = {**model_admin.admin_site.each_context(request), "title": title, "opts": model_admin.opts, **more}
    response = TemplateResponse(request, template, context)
    # Secrets must not stay in a cache on the way.
    response.headers["Cache-Control"] = "no-store"
    return response
