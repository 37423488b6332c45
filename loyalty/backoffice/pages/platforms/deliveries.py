"""The pages *Webhook deliveries*: what platforms sent, what came of it, and working through it again."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.badges import DASH, badge
from loyalty.backoffice.base import BackOfficeAdmin, StoreModelAdmin, StoreView, store_view
from loyalty.backoffice.links import cell_link, order_address
from loyalty.backoffice.lists.filters import FilterForm, FormFilter
from loyalty.core.clock import read_clock
from loyalty.languages.retell import retell
from loyalty.platforms.models import FAILING_STATES, DeliveryState, InboundDelivery, Platform
from loyalty.platforms.snapshot import named
from loyalty.platforms.webhooks.replay import may_be_replayed, replay
from loyalty.stores.active_store import active_store, may
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store
from loyalty.stores.roles import Can

PAGE: Final = "admin:platforms_inbounddelivery_change"
_ANY: Final = ("", gettext_lazy("Any"))
FAILING: Final = "failing"
_IN_PART: Final = "in_part"
_COLOURS: Final[Mapping[str, str]] = {
    DeliveryState.WAITING: "blue",
    DeliveryState.RETRYING: "orange",
    DeliveryState.DONE: "green",
    DeliveryState.IGNORED: "note",
    DeliveryState.FAILED: "red",
}
_LONGEST_BODY: Final = 200_000


class DeliveryFilterForm(FilterForm):
    """The filters of the list."""

    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        choices=[
            _ANY,
            (FAILING, gettext_lazy("Failing")),
            (_IN_PART, gettext_lazy("Not read in full")),
            *DeliveryState.choices,
        ],
        required=False,
    )
    platform = forms.ChoiceField(label=gettext_lazy("Platform"), choices=[_ANY, *Platform.choices], required=False)
    topic = forms.CharField(label=gettext_lazy("Topic"), max_length=100, required=False)

    def narrow(self, rows: "QuerySet[Any]") -> "QuerySet[Any]":
        """The deliveries that fit."""
        state = self.chosen("state")
        if state == _IN_PART:
            rows = rows.exclude(left_out=[])
        elif state:
            rows = rows.filter(state__in=FAILING_STATES if state == FAILING else [state])
        if platform := self.chosen("platform"):
            rows = rows.filter(platform=platform)
        if topic := self.chosen("topic"):
            rows = rows.filter(topic=topic)
        return rows


class DeliveryFilter(FormFilter):
    """The form above in the list."""

    title = gettext_noop("Filters")
    form_class = DeliveryFilterForm


@store_view(needs=Can.CHANGE_SETTINGS, methods=("POST",))
def replay_page(self: BackOfficeAdmin, request: HttpRequest, delivery: InboundDelivery) -> HttpResponse:
    """Work through a delivery again."""
    if replay(store=active_store(request), delivery_id=delivery.pk, now=read_clock()):
        messages.success(request, _("It is worked through again within a minute. Look here again then."))
    else:
        messages.info(request, _("There is nothing to work on: it is a test, or what it said was erased."))
    return HttpResponseRedirect(reverse(PAGE, args=[delivery.pk]))


@admin.register(InboundDelivery)
class InboundDeliveryAdmin(StoreModelAdmin):
    """What the store's platforms sent, newest first. What is inside names people, so managers alone see that."""

    related = ("store", "order")
    list_display = ("received", "platform_shown", "topic_shown", "state_shown", "what_came", "order_link", "again")
    list_display_links = ("received",)
    list_filter = (DeliveryFilter,)
    search_fields = ("external_id__exact",)
    search_help_text = gettext_lazy("The platform's id of the order")
    ordering = ("-id",)
    empty_title = gettext_noop("No webhooks have arrived yet")
    empty_hint = gettext_noop("Connect the shop under Platform connection, and register its webhooks there.")
    store_views: ClassVar[tuple[StoreView, ...]] = (StoreView("<path:object_id>/replay/", "replay", replay_page),)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[InboundDelivery]":
        rows: QuerySet[InboundDelivery] = super().get_queryset(request)
        return rows.defer("body")

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Whoever may not try again sees no buttons for it."""
        return self.list_display if may(request, Can.CHANGE_SETTINGS) else self.list_display[:-1]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One delivery: what came of it, and for managers what was inside."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        delivery: InboundDelivery = self.row_or_404(request, object_id)
        may_see = may(request, Can.CHANGE_SETTINGS)
        context = {
            **self.admin_site.each_context(request),
            "title": _("%(topic)s from %(platform)s")
            % {"topic": delivery.topic or _("Webhook"), "platform": delivery.get_platform_display()},
            "opts": self.opts,
            "delivery": delivery,
            "facts": _facts(delivery, active_store(request)),
            "may_see": may_see,
            "headers": sorted(delivery.headers.items()) if may_see else [],
            "body": _body(delivery) if may_see else "",
            "may_replay": may_see and may_be_replayed(delivery),
            "back": reverse("admin:platforms_inbounddelivery_changelist"),
        }
        response = TemplateResponse(request, "loyalty/platforms/delivery.html", context)
        response.headers["Cache-Control"] = "no-store"
        return response

    @admin.display(description=gettext_lazy("Received"))
    def received(self, delivery: InboundDelivery) -> str:
        return show_moment(delivery.received_at, delivery.store)

    @admin.display(description=gettext_lazy("Platform"))
    def platform_shown(self, delivery: InboundDelivery) -> str:
        return delivery.get_platform_display()

    @admin.display(description=gettext_lazy("Topic"))
    def topic_shown(self, delivery: InboundDelivery) -> str:
        return delivery.topic or DASH

    @admin.display(description=gettext_lazy("State"))
    def state_shown(self, delivery: InboundDelivery) -> SafeString:
        return _badge(delivery)

    @admin.display(description=gettext_lazy("What came of it"))
    def what_came(self, delivery: InboundDelivery) -> SafeString:
        return format_html('<span class="delivery-words">{}</span>', _words(delivery))

    @admin.display(description=gettext_lazy("Try again"))
    def again(self, delivery: InboundDelivery) -> SafeString | str:
        """A button, for what could not be worked through."""
        if delivery.state not in FAILING_STATES or not may_be_replayed(delivery):
            return ""
        address = reverse("admin:platforms_inbounddelivery_replay", args=[delivery.pk])
        return format_html('<button class="plain-button" formaction="{}">{}</button>', address, _("Try again"))

    @admin.display(description=gettext_lazy("Order"))
    def order_link(self, delivery: InboundDelivery) -> SafeString | str:
        return _order(delivery)


def _badge(delivery: InboundDelivery) -> SafeString:
    words = _("Test") if delivery.is_test else delivery.get_state_display()
    return badge(words, _COLOURS[delivery.state])


def _words(delivery: InboundDelivery) -> str:
    # Kept as it was said; a sentence without anything of its own in it can be said in the reader's language.
    return retell(delivery.last_error or delivery.outcome) or DASH


def _order(delivery: InboundDelivery) -> SafeString | str:
    if delivery.order is None:
        return delivery.external_id or DASH
    return cell_link(order_address(delivery.order_id), delivery.order)


def _facts(delivery: InboundDelivery, store: Store) -> list[tuple[str, Any]]:
    facts: list[tuple[str, Any]] = [
        (_("State"), _badge(delivery)),
        (_("What came of it"), retell(delivery.outcome) or DASH),
        (
            _("Could not be read"),
            _("%(named)s: left out, the rest counts") % {"named": named(delivery.left_out)}
            if delivery.left_out
            else "",
        ),
        (_("Error"), retell(delivery.last_error)),
        (_("Order"), _order(delivery)),
        (_("Received"), show_moment(delivery.received_at, store)),
        (_("Worked through"), show_moment(delivery.processed_at, store)),
        (_("Attempts"), delivery.attempts),
        (_("Next attempt"), show_moment(delivery.next_attempt_at, store)),
        (_("Erased"), show_moment(delivery.redacted_at, store)),
    ]
    return [(name, value) for name, value in facts if value not in ("", None)]


def _body(delivery: InboundDelivery) -> str:
    """The body for reading, in lines where it is JSON."""
    text = bytes(delivery.body).decode(errors="replace")
    try:
        shown = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        shown = text
    return shown[:_LONGEST_BODY]
