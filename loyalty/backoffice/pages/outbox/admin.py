"""The page *Outgoing messages*: what is to be done outside, what failed, and trying it again by hand."""

from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
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
from loyalty.core.errors import Conflict
from loyalty.languages.retell import retell
from loyalty.outbox.models import Message, MessageStatus
from loyalty.outbox.retry import retry
from loyalty.outbox.topics import OWN_PAGES, words_of
from loyalty.stores.active_store import active_store, may
from loyalty.stores.dates import show_moment
from loyalty.stores.roles import Can

PAGE: Final = "admin:outbox_message_changelist"
_COLOURS: Final = {
    MessageStatus.QUEUED: "blue",
    MessageStatus.DONE: "green",
    MessageStatus.FAILED: "red",
}


def status_badge(message: Message) -> SafeString:
    """How far a message has come."""
    status = MessageStatus(message.status)
    trouble = status is MessageStatus.QUEUED and message.last_error
    label = _("Tried again later") if trouble else status.label
    return badge(label, "orange" if trouble else _COLOURS[status])


def outcome_lines(message: Message) -> SafeString:
    """The last error, and when the next attempt is."""
    next_turn = show_moment(message.next_attempt_at, message.store)
    turn = _("Next attempt %(moment)s") % {"moment": next_turn} if next_turn and message.last_error else ""
    if not message.last_error and not turn:
        return format_html("{}", DASH)
    return format_html(
        '<span class="cell-lines"><span class="error-words">{}</span><small>{}</small></span>',
        retell(message.last_error)[:200],
        turn,
    )


def order_link(message: Message) -> SafeString | str:
    """The order that a message is about."""
    if message.order is None:
        return DASH
    return cell_link(order_address(message.order_id), message.order)


class StatusFilterForm(FilterForm):
    """The filters of the list."""

    status = forms.ChoiceField(
        label=gettext_lazy("State"), choices=[("", gettext_lazy("Any")), *MessageStatus.choices], required=False
    )

    def narrow(self, rows: "QuerySet[Any]") -> "QuerySet[Any]":
        """The messages in the chosen state."""
        status = self.chosen("status")
        return rows.filter(status=status) if status else rows


class StatusFilter(FormFilter):
    """*Additional filters* of the list."""

    form_class = StatusFilterForm


@store_view(needs=Can.CANCEL_ORDERS, methods=("POST",))
def retry_page(self: BackOfficeAdmin, request: HttpRequest, message: Message) -> HttpResponse:
    """Try a message again now."""
    try:
        retry(store=active_store(request), message_id=message.pk, now=read_clock())
    except Conflict as error:
        messages.info(request, error.detail)
    else:
        messages.success(request, _("It is tried again within a minute. Look here again then."))
    return HttpResponseRedirect(reverse(PAGE))


@admin.register(Message)
class MessageAdmin(StoreModelAdmin):
    """What is to be done outside, newest first; topics with a page of their own are left out."""

    related = ("order", "store")
    list_display = ("when", "what", "about", "state", "tries", "outcome", "again")
    list_display_links = None
    list_filter = (StatusFilter,)
    ordering = ("-id",)
    empty_title = gettext_noop("Nothing had to be done outside")
    empty_hint = gettext_noop(
        "What this program does on the shop platform, such as tagging an order or deleting a "
        "discount code, is listed here with its state."
    )
    store_views: ClassVar[tuple[StoreView, ...]] = (StoreView("<path:object_id>/retry/", "retry", retry_page),)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Message]":
        rows: QuerySet[Message] = super().get_queryset(request)
        return rows.exclude(topic__in=OWN_PAGES)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Trying again only for those who may."""
        return self.list_display if may(request, Can.CANCEL_ORDERS) else self.list_display[:-1]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A message has no page of its own: its order's, or the list."""
        message: Message = self.row_or_404(request, object_id)
        if message.order_id:
            return HttpResponseRedirect(order_address(message.order_id))
        return HttpResponseRedirect(reverse(PAGE))

    @admin.display(description=gettext_lazy("Since"))
    def when(self, message: Message) -> str:
        return show_moment(message.created_at, message.store)

    @admin.display(description=gettext_lazy("What"))
    def what(self, message: Message) -> str:
        return words_of(message.topic)

    @admin.display(description=gettext_lazy("Order"))
    def about(self, message: Message) -> SafeString | str:
        return order_link(message)

    @admin.display(description=gettext_lazy("State"))
    def state(self, message: Message) -> SafeString:
        return status_badge(message)

    @admin.display(description=gettext_lazy("Attempts"))
    def tries(self, message: Message) -> int:
        return message.attempts

    @admin.display(description=gettext_lazy("Last error"))
    def outcome(self, message: Message) -> SafeString:
        return outcome_lines(message)

    @admin.display(description=gettext_lazy("Try again"))
    def again(self, message: Message) -> SafeString | str:
        """A button, for what is not done."""
        if message.status == MessageStatus.DONE:
            return ""
        address = reverse("admin:outbox_message_retry", args=[message.pk])
        return format_html('<button class="plain-button" formaction="{}">{}</button>', address, _("Try again now"))
