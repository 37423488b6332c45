"""The page *Webhooks sent*: every delivery, what was answered, and sending it again."""

import json
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.badges import DASH
from loyalty.backoffice.base import BackOfficeAdmin, StoreModelAdmin, StoreView, store_view
from loyalty.backoffice.links import cell_link
from loyalty.backoffice.lists.filters import FilterForm, FormFilter
from loyalty.backoffice.pages.outbox.admin import order_link, status_badge
from loyalty.core.clock import read_clock
from loyalty.core.errors import Conflict, NotFound
from loyalty.core.locales import count_text
from loyalty.journal.models import JournalEntry
from loyalty.outbox.models import MessageStatus
from loyalty.stores.active_store import active_store
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from loyalty.webhooks.events import TEST, WebhookEvent
from loyalty.webhooks.fan_out import TOPIC
from loyalty.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from loyalty.webhooks.payload import payload_of
from loyalty.webhooks.replay import replay

LIST: Final = "admin:webhooks_webhookdelivery_changelist"
PAGE: Final = "admin:webhooks_webhookdelivery_change"
_STATES: Final = (
    ("", gettext_lazy("Any")),
    (MessageStatus.QUEUED.value, gettext_lazy("Waiting")),
    (MessageStatus.DONE.value, gettext_lazy("Delivered")),
    (MessageStatus.FAILED.value, gettext_lazy("Given up")),
)


class DeliveryFilterForm(FilterForm):
    """The filters of the list."""

    status = forms.ChoiceField(label=gettext_lazy("State"), choices=_STATES, required=False)
    event = forms.ChoiceField(
        label=gettext_lazy("Event"),
        choices=[("", gettext_lazy("Any")), *((event, event) for event in (*WebhookEvent, TEST))],
        required=False,
    )
    endpoint = forms.ModelChoiceField(
        label=gettext_lazy("Endpoint"),
        queryset=WebhookEndpoint.objects.none(),
        empty_label=gettext_lazy("Any"),
        required=False,
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, **kwargs)
        endpoint: Any = self.fields["endpoint"]
        endpoint.queryset = WebhookEndpoint.objects.for_store(self.store).order_by("-id")

    def narrow(self, rows: "QuerySet[Any]") -> "QuerySet[Any]":
        """The deliveries that fit."""
        if status := self.chosen("status"):
            rows = rows.filter(status=status)
        if event := self.chosen("event"):
            rows = rows.filter(body__type=event)
        if endpoint := self.chosen("endpoint"):
            rows = rows.filter(lane=endpoint.lane)
        return rows


class DeliveryFilter(FormFilter):
    """*Additional filters* of the list."""

    form_class = DeliveryFilterForm


def delivery_rows(deliveries: Sequence[WebhookDelivery], store: Store) -> list[dict[str, Any]]:
    """Deliveries as rows of a table, with their last answer; one query for all of them."""
    answers = last_answers(deliveries, store)
    return [
        {
            "id": delivery.pk,
            "when": show_moment(delivery.created_at, store),
            "event": delivery.body["type"],
            "badge": status_badge(delivery),
            "answer": answers.get(delivery.pk, DASH),
        }
        for delivery in deliveries
    ]


def last_answers(deliveries: Sequence[WebhookDelivery], store: Store) -> dict[int, str]:
    """What came of the last attempt of each delivery, such as ``200`` or why there was no answer."""
    attempts = WebhookAttempt.objects.for_store(store).filter(message__in=[delivery.pk for delivery in deliveries])
    return {attempt.message_id: answer_words(attempt) for attempt in attempts.order_by("id")}


def answer_words(attempt: WebhookAttempt) -> str:
    """What came of an attempt."""
    if attempt.status_code:
        return _("answered %(status)s") % {"status": attempt.status_code}
    return attempt.error or _("no answer")


@store_view(needs=Can.MANAGE_WEBHOOKS, methods=("POST",))
def replay_page(self: BackOfficeAdmin, request: HttpRequest, delivery: WebhookDelivery) -> HttpResponse:
    """Send a delivery again now."""
    try:
        replay(store=active_store(request), delivery_id=delivery.pk, now=read_clock())
    except NotFound:
        messages.error(request, _("Its endpoint has been removed, so it cannot be sent again."))
    except Conflict as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("It is sent again within a minute. Load this page again in a moment."))
    return HttpResponseRedirect(reverse(PAGE, args=[delivery.pk]))


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(StoreModelAdmin):
    """What the active store's endpoints were sent, newest first."""

    view_needs = Can.MANAGE_WEBHOOKS
    related = ("order", "store")
    list_display = ("when", "event", "to", "about", "state", "answer")
    list_display_links = ("when",)
    list_filter = (DeliveryFilter,)
    ordering = ("-id",)
    empty_title = gettext_noop("Nothing has been sent yet")
    empty_hint = gettext_noop(
        "Every event that a webhook endpoint is told of is listed here, with its answer. Add an "
        "endpoint first, then send it a test event from its page."
    )
    store_views: ClassVar[tuple[StoreView, ...]] = (StoreView("<path:object_id>/replay/", "replay", replay_page),)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[WebhookDelivery]":
        rows: QuerySet[WebhookDelivery] = super().get_queryset(request)
        return rows.filter(topic=TOPIC)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, with endpoints and last answers read for the whole page at once."""
        changes = super().get_changelist_instance(request)
        store = active_store(request)
        answers = last_answers(changes.result_list, store)
        endpoints = {row.lane: row for row in WebhookEndpoint.objects.for_store(store)}
        for row in changes.result_list:
            row.answer_words, row.endpoint = answers.get(row.pk, DASH), endpoints[row.lane]
        return changes

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One delivery: what was sent, and every answer."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        delivery: WebhookDelivery = self.row_or_404(request, object_id)
        store = active_store(request)
        endpoint = WebhookEndpoint.objects.for_store(store).filter(pk=delivery.body["endpoint"]).first()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Delivery %(delivery)s") % {"delivery": delivery},
            "opts": self.opts,
            "original": delivery,
            "delivery": delivery,
            "endpoint": endpoint,
            "badge": status_badge(delivery),
            "created": show_moment(delivery.created_at, store),
            "next": show_moment(delivery.next_attempt_at, store),
            "order": order_link(delivery),
            "attempts": _attempt_rows(delivery, store),
            "payload": _payload_text(delivery, store),
        }
        return TemplateResponse(request, "loyalty/webhooks/delivery.html", context)

    @admin.display(description=gettext_lazy("When"))
    def when(self, delivery: WebhookDelivery) -> str:
        return show_moment(delivery.created_at, delivery.store)

    @admin.display(description=gettext_lazy("Event"))
    def event(self, delivery: WebhookDelivery) -> str:
        event: str = delivery.body["type"]
        return event

    @admin.display(description=gettext_lazy("Endpoint"))
    def to(self, delivery: Any) -> SafeString | str:
        endpoint: WebhookEndpoint = delivery.endpoint
        if endpoint.deleted_at is not None:
            return _("%(endpoint)s (removed)") % {"endpoint": endpoint}
        address = reverse("admin:webhooks_webhookendpoint_change", args=[endpoint.pk])
        return cell_link(address, endpoint)

    @admin.display(description=gettext_lazy("Order"))
    def about(self, delivery: WebhookDelivery) -> SafeString | str:
        return order_link(delivery)

    @admin.display(description=gettext_lazy("State"))
    def state(self, delivery: WebhookDelivery) -> SafeString:
        return status_badge(delivery)

    @admin.display(description=gettext_lazy("Last answer"))
    def answer(self, delivery: Any) -> str:
        return str(delivery.answer_words)


def _attempt_rows(delivery: WebhookDelivery, store: Store) -> list[dict[str, Any]]:
    attempts = WebhookAttempt.objects.for_store(store).filter(message=delivery).order_by("-id")
    return [
        {
            "when": show_moment(attempt.created_at, store),
            "what": answer_words(attempt),
            "took": _("%(milliseconds)s ms") % {"milliseconds": count_text(attempt.milliseconds)},
            "answer": attempt.answer,
        }
        for attempt in attempts
    ]


def _payload_text(delivery: WebhookDelivery, store: Store) -> str:
    """The body that is sent, indented for people."""
    key = delivery.body.get("entry")
    entry = JournalEntry.objects.for_store(store).select_related("store").get(pk=key) if key is not None else None
    return json.dumps(json.loads(payload_of(delivery, entry)), indent=2)
