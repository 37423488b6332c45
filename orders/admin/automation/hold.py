"""Holding and releasing an order, and what the order page says about automatic cancelling."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.backoffice.links import order_address
from loyalty.backoffice.outcome_messages import telling_outcome
from loyalty.core.clock import read_clock
from loyalty.journal.models import JournalEntry
from loyalty.journal.record import Event
from loyalty.store_settings.sections import AutoCancelSettings, StoreSettings, current_settings
from loyalty.stores.active_store import acting, active_store
from loyalty.stores.actors import actor_names
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from orders.models import Order, OrderStatus, PaymentStatus
from orders.services.automation.hold import hold_order, release_order
from orders.services.automation.upcoming import declined_until, due_at

_OPEN: Final = (OrderStatus.PENDING, OrderStatus.CONFIRMED)


@store_view(needs=Can.CANCEL_ORDERS, methods=("POST",))
def hold_page(self: BackOfficeAdmin, request: HttpRequest, order: Order) -> HttpResponse:
    """Keep automatic cancelling away from an order."""
    return _carry_out(
        hold_order, request, order, _("Order %(number)s is held: no job cancels it.") % {"number": order.number}
    )


@store_view(needs=Can.CANCEL_ORDERS, methods=("POST",))
def release_page(self: BackOfficeAdmin, request: HttpRequest, order: Order) -> HttpResponse:
    """Let automatic cancelling have an order again."""
    done = _("Order %(number)s is released: it is cancelled when the order settings say so.") % {"number": order.number}
    return _carry_out(release_order, request, order, done)


def held_by(orders: Sequence[Order], store: Store) -> dict[int, str]:
    """Who holds which of these orders, and since when, as words by the order's id; three queries at most."""
    held = [order for order in orders if order.held_at is not None]
    if not held:
        return {}
    entries = JournalEntry.objects.for_store(store).filter(order__in=held, event=Event.ORDER_HELD).order_by("id")
    actors = {entry.order_id: entry.actor for entry in entries}
    names = actor_names(actors.values())
    return {
        order.pk: _("%(name)s, %(moment)s")
        % {
            "name": names.get(actors.get(order.pk, ""), _("somebody")),
            "moment": show_moment(order.held_at, store),
        }
        for order in held
    }


def hold_card(order: Order, store: Store, now: datetime) -> dict[str, Any] | None:
    """What the order page says about automatic cancelling; None where it cannot happen any more."""
    if order.held_at is not None and order.status != OrderStatus.CANCELLED:
        words = _("No job cancels this order. Held by %(name)s.") % {"name": held_by([order], store)[order.pk]}
        return {"held": True, "words": words}
    if order.status not in _OPEN or order.arrived_late or order.is_test:
        return None
    words = _what_comes(order, store, current_settings(store), now)
    return {"held": False, "words": words} if words else None


def _what_comes(order: Order, store: Store, settings: StoreSettings, now: datetime) -> str:
    auto = settings.auto_cancel
    if order.payment_status == PaymentStatus.PENDING:
        return _what_comes_of_an_open_payment(order, store, auto)
    if order.reinstated_at and (order.payment_changed_at or order.placed_at) <= order.reinstated_at:
        return ""  # Staff brought it back knowing of the payment: only a newer change of it counts.
    if order.payment_status == PaymentStatus.EXPIRED and auto.expired != "off":
        return _("The payment expired: the next run of the job cancels this order.")
    if order.payment_status == PaymentStatus.FAILED and auto.failed != "off":
        since = order.payment_changed_at or order.placed_at
        ends = max(now, since + timedelta(minutes=auto.failed_grace_minutes))
        return _("The payment failed: the job cancels this order on %(moment)s.") % {"moment": show_moment(ends, store)}
    return ""


def _what_comes_of_an_open_payment(order: Order, store: Store, auto: AutoCancelSettings) -> str:
    if order.payment_detail:
        return ""  # Money is there or on its way, or there is nobody to wait for: it does not run out (E10).
    until, due = declined_until(order, auto), due_at(order, auto)
    if until is not None:
        if auto.failed == "off" or order.paid_before:
            return ""
        return _("A card was declined. Unless another payment follows, it is cancelled on %(moment)s.") % {
            "moment": show_moment(until, store)
        }
    if due is None or auto.expired == "off":
        return ""
    return _("Unless it is paid by then, it is cancelled when the payment expires on %(moment)s.") % {
        "moment": show_moment(due, store)
    }


def _carry_out(verb: Callable[..., Order], request: HttpRequest, order: Order, done: str) -> HttpResponse:
    with telling_outcome(request, done):
        verb(store=active_store(request), order_id=order.pk, actor=acting(request), now=read_clock())
    return HttpResponseRedirect(_back(request, order))


def _back(request: HttpRequest, order: Order) -> str:
    # Named places instead of addresses: a form cannot be made to lead elsewhere.
    upcoming = reverse("admin:orders_order_upcoming")
    places = {"upcoming": upcoming, "held": f"{upcoming}?show=held"}
    return places.get(request.POST.get("back", ""), order_address(order.pk))
