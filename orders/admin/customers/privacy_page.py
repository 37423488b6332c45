"""The pages *Privacy requests*: what platforms ask about people's data, and handing it out."""

import json
from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.badges import DASH, badge
from loyalty.backoffice.base import BackOfficeAdmin, StoreModelAdmin, StoreView, store_view
from loyalty.backoffice.links import cell_link, customer_address
from loyalty.core.clock import read_clock
from loyalty.core.phrases import enumerated
from loyalty.platforms.models import PrivacyKind, PrivacyRequest
from loyalty.stores.active_store import acting, active_store
from loyalty.stores.actors import actor_names
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from orders.admin.display import moment_by
from orders.personal_data import personal_data
from orders.services.customers.privacy_requests import confirm_erasure, keep_instead

PAGE: Final = "admin:platforms_privacyrequest_change"


@store_view(needs=Can.CHANGE_SETTINGS, methods=("GET",))
def data_page(self: BackOfficeAdmin, request: HttpRequest, asked: PrivacyRequest) -> HttpResponse:
    """The customer's data as a file."""
    if asked.kind != PrivacyKind.DATA or asked.customer is None:
        raise Http404
    document = personal_data(active_store(request), asked.customer, now=read_clock())
    name = f"customer-{asked.customer.pk}.json"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    body = json.dumps(document, ensure_ascii=False, indent=2)
    return HttpResponse(body, content_type="application/json; charset=utf-8", headers=headers)


@store_view(needs=Can.CHANGE_SETTINGS, methods=("POST",))
@transaction.atomic
def done_page(self: BackOfficeAdmin, request: HttpRequest, asked: PrivacyRequest) -> HttpResponse:
    """Say that the customer has been answered."""
    requests = PrivacyRequest.objects.for_store(active_store(request)).filter(pk=asked.pk, done_at__isnull=True)
    requests.update(done_at=read_clock(), done_by=acting(request).ref)
    messages.success(request, _("Marked as answered."))
    return HttpResponseRedirect(reverse(PAGE, args=[asked.pk]))


class SureForm(forms.Form):
    """Asked twice, because it cannot be taken back."""

    sure = forms.BooleanField(label=gettext_lazy("I know who asked, and that this cannot be taken back"))


@store_view(needs=Can.CHANGE_SETTINGS, methods=("POST",))
def erase_page(self: BackOfficeAdmin, request: HttpRequest, asked: PrivacyRequest) -> HttpResponse:
    """Confirm an erasure; a job carries it out."""
    if asked.kind == PrivacyKind.DATA:
        raise Http404
    if not SureForm(request.POST).is_valid():
        messages.error(request, _("Nothing was erased. Tick the box first: erasing cannot be taken back."))
    elif confirm_erasure(store=active_store(request), request_id=asked.pk, actor=acting(request), now=read_clock()):
        messages.success(request, _("It will be erased within a minute. Look here again then."))
    else:
        messages.info(request, _("This request was decided already."))
    return HttpResponseRedirect(reverse(PAGE, args=[asked.pk]))


@store_view(needs=Can.CHANGE_SETTINGS, methods=("POST",))
def keep_page(self: BackOfficeAdmin, request: HttpRequest, asked: PrivacyRequest) -> HttpResponse:
    """Close an erasure without erasing."""
    if asked.kind == PrivacyKind.DATA:
        raise Http404
    if keep_instead(store=active_store(request), request_id=asked.pk, actor=acting(request), now=read_clock()):
        messages.success(request, _("Closed. Nothing was erased."))
    else:
        messages.info(request, _("This request was decided already."))
    return HttpResponseRedirect(reverse(PAGE, args=[asked.pk]))


@admin.register(PrivacyRequest)
class PrivacyRequestAdmin(StoreModelAdmin):
    """Requests about people's data, newest first."""

    view_needs = Can.CHANGE_SETTINGS
    related = ("store", "customer")
    list_display = ("received", "what", "state", "platform_shown", "customer_link")
    list_display_links = ("received",)
    ordering = ("-id",)
    empty_title = gettext_noop("Nobody has asked yet")
    empty_hint = gettext_noop(
        "When a shop platform passes on that a customer wants to see or erase their data, it is listed here. Nothing "
        "is erased and nothing handed out before you say so."
    )
    store_views: ClassVar[tuple[StoreView, ...]] = (
        StoreView("<path:object_id>/data/", "data", data_page),
        StoreView("<path:object_id>/done/", "done", done_page),
        StoreView("<path:object_id>/erase/", "erase", erase_page),
        StoreView("<path:object_id>/keep/", "keep", keep_page),
    )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One request: what was asked, what was done, what is left to do."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked: PrivacyRequest = self.row_or_404(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": asked.get_kind_display(),
            "opts": self.opts,
            "asked": asked,
            "facts": _facts(asked, active_store(request)),
            "waits": _waits(asked),
            "form": SureForm(),
            "back": reverse("admin:platforms_privacyrequest_changelist"),
        }
        return TemplateResponse(request, "orders/admin/customers/privacy_request.html", context)

    @admin.display(description=gettext_lazy("Received"))
    def received(self, asked: PrivacyRequest) -> str:
        return show_moment(asked.received_at, asked.store)

    @admin.display(description=gettext_lazy("Request"))
    def what(self, asked: PrivacyRequest) -> str:
        return asked.get_kind_display()

    @admin.display(description=gettext_lazy("State"))
    def state(self, asked: PrivacyRequest) -> SafeString:
        return _badge(asked)

    @admin.display(description=gettext_lazy("Platform"))
    def platform_shown(self, asked: PrivacyRequest) -> str:
        return asked.get_platform_display()

    @admin.display(description=gettext_lazy("Customer"))
    def customer_link(self, asked: PrivacyRequest) -> SafeString | str:
        return _customer(asked)


def _waits(asked: PrivacyRequest) -> bool:
    return asked.done_at is None and asked.confirmed_at is None


def _badge(asked: PrivacyRequest) -> SafeString:
    done = _("Closed, nothing erased") if asked.facts.get("kept") else _("Done")
    colour, words = ("orange", _("Waits for you")) if _waits(asked) else ("green", done)
    if asked.done_at is None and not _waits(asked):
        colour, words = "blue", _("In progress")
    return badge(words, colour)


def _customer(asked: PrivacyRequest) -> SafeString | str:
    if asked.customer is None:
        return DASH
    return cell_link(customer_address(asked.customer_id), asked.customer)


def _facts(asked: PrivacyRequest, store: Store) -> list[tuple[str, Any]]:
    by = actor_names([asked.done_by])[asked.done_by] if asked.done_by else ""
    facts: list[tuple[str, Any]] = [
        (_("State"), _badge(asked)),
        (_("Platform"), asked.get_platform_display()),
        (_("Received"), show_moment(asked.received_at, store)),
        (
            _("Customer"),
            _("not known here")
            if asked.customer is None and asked.kind != PrivacyKind.ERASE_SHOP
            else _customer(asked),
        ),
        (_("Orders named"), enumerated(asked.facts.get("orders", []))),
        (_("Customers erased"), asked.facts.get("customers", "")),
        (_("Stored deliveries emptied"), asked.facts.get("deliveries", "")),
        (
            _("Done"),
            moment_by(asked.done_at, by, store),
        ),
    ]
    return [(name, value) for name, value in facts if value != ""]
