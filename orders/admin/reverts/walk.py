"""A walk through the queue: one order after another, oldest first, each handed to one person (B2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from babel.dates import format_timedelta
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.backoffice.badges import count_to
from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.core.clock import read_clock
from loyalty.core.locales import count_text, locale_of
from loyalty.stores.active_store import acting, active_store
from loyalty.stores.actors import actor_names
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from orders.admin.reverts.why import reasons
from orders.models import Look, Order
from orders.services.reverts.queue import hand_out, look_at, stop_looking, waiting, waiting_since

# What an address carries while somebody walks: what is done there leads on to the next order.
WALKING: Final = "?walk=1"
_SESSION_KEY: Final = "queue_walk"
# The queue is counted this far; past it nobody is interested in the number.
COUNTED_TO: Final = 1000


@dataclass(frozen=True, slots=True)
class Walk:
    """How many orders waited when the walk began, and those that the person skipped."""

    total: int
    passed: Sequence[int]


@dataclass(frozen=True, slots=True)
class WalkBar:
    """What stands over an order's form on a walk."""

    progress: str
    waits: str
    since: str
    reasons: Sequence[str]
    looked_at_by: str
    still_waits: bool


@store_view(needs=Can.CANCEL_ORDERS, methods=("POST",))
def start_page(admin: BackOfficeAdmin, request: HttpRequest, _row: None) -> HttpResponse:
    """``admin:orders_order_queue_start``: begin with the order that waits longest."""
    _keep(request, Walk(count(active_store(request)), ()))
    return go_on(request)


@store_view(needs=Can.CANCEL_ORDERS, methods=("POST",))
def skip_page(admin: BackOfficeAdmin, request: HttpRequest, order: Order) -> HttpResponse:
    """``admin:orders_order_queue_skip``: leave this order for later and go on; it stays in the queue."""
    walk = _walk(request)
    _keep(request, Walk(walk.total, (*(pk for pk in walk.passed if pk != order.pk), order.pk)))
    return go_on(request)


def is_walking(request: HttpRequest) -> bool:
    """Whether the person came to this page on a walk."""
    return "walk" in request.GET


def go_on(request: HttpRequest) -> HttpResponse:
    """On to the next order that nobody else is looking at; at the end back to the queue, with words about the rest."""
    store, walk = active_store(request), _walk(request)
    order = hand_out(store, actor=acting(request), now=read_clock(), passed=walk.passed)
    if order is not None:
        return HttpResponseRedirect(f"{reverse('admin:orders_order_cancel', args=[order.pk])}{WALKING}")
    messages.info(request, _end_words(count(store)))
    return HttpResponseRedirect(reverse("admin:orders_order_queue"))


def walk_bar(request: HttpRequest, order: Order) -> WalkBar:
    """What stands over the form; says to colleagues that the person is looking at the order."""
    store, now = active_store(request), read_clock()
    walk = _walk(request)
    other = look_at(order, actor=acting(request), now=now)
    since = waiting_since(order)
    return WalkBar(
        progress=_progress(walk, count(store, walk.passed)),
        waits=age(since, store, now),
        since=show_moment(since, store),
        reasons=reasons([order], store)[order.pk],
        looked_at_by=looked_at_words(other, actor_names([other.actor]), store) if other else "",
        still_waits=order.needs_revert,
    )


def stop(request: HttpRequest) -> None:
    """The person looks at no order any more."""
    stop_looking(active_store(request), actor=acting(request))


def count(store: Store, passed: Sequence[int] = ()) -> int:
    """How many orders wait, counted to :data:`COUNTED_TO` and one more."""
    return count_to(COUNTED_TO, waiting(store).exclude(pk__in=passed))


def count_words(number: int) -> str:
    """A count for people, such as ``40`` or ``more than 1,000``."""
    if number > COUNTED_TO:
        return _("more than %(count)s") % {"count": count_text(COUNTED_TO)}
    return count_text(number)


def age(since: datetime, store: Store, now: datetime) -> str:
    """How long ago that was, such as ``3 days``."""
    ago, locale = max(now - since, timedelta()), locale_of(store.written_in)
    return format_timedelta(ago, granularity="minute", threshold=1, locale=locale)


def looked_at_words(look: Look, names: dict[str, str], store: Store) -> str:
    """Who is looking at an order, and since when: ``Ana since 10:42``."""
    since = show_moment(look.created_at, store).rsplit(", ", 1)[-1]
    return _("%(name)s since %(time)s") % {"name": names[look.actor], "time": since}


def _walk(request: HttpRequest) -> Walk:
    store = active_store(request)
    kept: Any = request.session.get(_SESSION_KEY)
    if kept and kept["store"] == store.pk:
        return Walk(kept["total"], tuple(kept["passed"]))
    return Walk(count(store), ())


def _keep(request: HttpRequest, walk: Walk) -> None:
    store = active_store(request)
    request.session[_SESSION_KEY] = {"store": store.pk, "total": walk.total, "passed": list(walk.passed[-200:])}


def _progress(walk: Walk, left: int) -> str:
    total = max(walk.total, left)
    if total > COUNTED_TO:
        return _("%(count)s left") % {"count": count_words(left)}
    return _("%(left)s of %(total)s left") % {"left": left, "total": total}


def _end_words(left: int) -> str:
    if not left:
        return _("That was the last one: nothing waits any more.")
    words = ngettext(
        "You have been through the queue. %(count)s order is left: skipped, or being looked at by somebody else.",
        "You have been through the queue. %(count)s orders are left: skipped, or being looked at by somebody else.",
        left,
    )
    return words % {"count": count_words(left)}
