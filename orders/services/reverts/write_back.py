"""Telling the shop platform what was done here: a tag on an order whose value came back, and cancels (O6).

Written to the outbox with the return or cancel itself, carried out after the commit and tried until it is confirmed.
Where a store has switched nothing on, nothing is written and nothing asked.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.core.encryption import Unreadable
from loyalty.journal.models import JournalEntry
from loyalty.journal.record import Event, record
from loyalty.ledger.ledger import Kind
from loyalty.outbox.models import Message
from loyalty.outbox.send import JOB, Later, send_later
from loyalty.outbox.topics import GiveUp, Postpone
from loyalty.platforms.client import client_for
from loyalty.platforms.http.protocol import Failed, PlatformClient, PlatformError, Throttled
from loyalty.platforms.models import PlatformConnection
from loyalty.platforms.registry import LABELS, PLATFORMS
from loyalty.store_settings.sections import WriteBackSettings
from loyalty.stores.actors import Actor, Trigger
from orders.kinds import KINDS
from orders.models import Order, OrderStatus
from orders.services.events import happened_to

# Under this name it keeps the tags that we put on the order there.
OUR_TAGS: Final = "our_tags"
TAG: Final = "platform.tag_order"
CANCEL: Final = "platform.cancel_order"
TOPICS: Final = (TAG, CANCEL)
_WHAT: Final[Mapping[str, str]] = {TAG: "tag", CANCEL: "cancel"}

Answer = TypeVar("Answer")

# An order, whether value came back, whether it was cancelled by this, and what its store wants told.
Done = tuple[Order, bool, bool, WriteBackSettings]


@dataclass(frozen=True, slots=True)
class _Task:
    """A message with all that carrying it out needs."""

    message: Message
    order: Order
    client: PlatformClient


def write_back(done: Iterable[Done], *, reason: str, now: datetime) -> None:
    """Queue what the platforms are to be told, in the transaction of what was done; one statement, or none.

    ``reason`` is that of the cancel. Orders that came from no platform are left out.
    """
    send_later((message for item in done for message in _messages(*item, reason)), now=now)


def _messages(
    order: Order, came_back: bool, cancelled: bool, wanted: WriteBackSettings, reason: str
) -> Iterator[Later]:
    if not (wanted.tag or wanted.cancel_orders) or order.platform not in LABELS or not order.external_id:
        return
    if wanted.tag and came_back:
        yield _later(order, TAG, f"{order.pk}:{wanted.tag}", {"tag": wanted.tag})
    if wanted.cancel_orders and cancelled:
        # The version: an order that is brought back and cancelled again is cancelled there again.
        body = {"reason": reason, "give_back": _to_give_back(order, wanted)}
        yield _later(order, CANCEL, f"{order.pk}:{order.version}", body)


def _later(order: Order, topic: str, key: str, body: dict[str, Any]) -> Later:
    lane = f"platform:{order.platform}"
    return Later(order.store_id, topic, f"{topic}:{key}", body=body, order_id=order.pk, lane=lane)


def given_back_there(order: Order, wanted: WriteBackSettings) -> list[Kind]:
    """The kinds of which the platform is asked to return what the order used of its own (O6)."""
    return _not_recorded_here(order, _to_give_back(order, wanted))


def _to_give_back(order: Order, wanted: WriteBackSettings) -> list[Kind]:
    switched: Mapping[Kind, bool] = {"credits": wanted.return_credits_there, "points": wanted.return_points_there}
    platform = PLATFORMS.get(order.platform)
    return [kind for kind in KINDS if switched[kind] and platform and platform.returns_its_own]


def _not_recorded_here(order: Order, kinds: Sequence[Kind]) -> list[Kind]:
    """Without what staff have recorded here as used there: that is the same value, and comes back once, from here."""
    if not kinds:
        return []
    entries = JournalEntry.objects.for_store(order.store).filter(order=order, event=Event.ORDER_SPENT)
    recorded = entries.filter(data__trigger=Trigger.ADMIN.value).values_list("data", flat=True)
    return [kind for kind in kinds if not any(kind in data for data in recorded)]


def tag_there(message: Message, now: datetime) -> None:
    """Put the tag on the platform's order. Raises Postpone, GiveUp."""
    tag: str = message.body["tag"]
    task = _task(message, now)
    if not (task.order.credits_reverted or task.order.points_reverted):
        raise _given_up(task.order, message, _("What had come back was taken back again."), now)
    # Known as ours before it can come back as a message of the platform, which then tells us nothing new.
    _remember_tag(task.order, tag)
    _ask(task, now, lambda client, external_id: client.add_tag(external_id, tag))
    _confirm(task, Event.TAGGED_THERE, {"tag": tag}, now)


def cancel_there(message: Message, now: datetime) -> None:
    """Cancel the platform's order; it gives back what the store wants it to, and no more. Raises Postpone, GiveUp."""
    task = _task(message, now)
    if task.order.status != OrderStatus.CANCELLED:
        raise _given_up(task.order, message, _("It was brought back here meanwhile."), now)
    reason: str = message.body["reason"]
    kinds = _not_recorded_here(task.order, message.body.get("give_back", []))

    def cancel(client: PlatformClient, external_id: str) -> bool:
        return client.cancel_order(external_id, reason=reason, give_back=kinds)

    if not _ask(task, now, cancel):
        raise Postpone(_("%(platform)s is still cancelling the order.") % {"platform": LABELS[task.order.platform]})
    _close_there(task.order)
    _confirm(task, Event.CANCELLED_THERE, {"give_back": kinds} if kinds else {}, now)


def _task(message: Message, now: datetime) -> _Task:
    """The order and the client of its platform. Raises GiveUp when there is nobody to tell."""
    order: Order = Order.objects.for_store(message.store).select_related("store").get(pk=message.order_id)
    connections = PlatformConnection.objects.for_store(message.store)
    connection = connections.filter(platform=order.platform).first()
    if connection is None:
        words = _("This store is not connected to %(platform)s.") % {"platform": LABELS[order.platform]}
        raise _given_up(order, message, words, now)
    try:
        return _Task(message, order, client_for(connection))
    except (PlatformError, Unreadable) as error:
        raise _given_up(order, message, str(error), now) from error


def _ask(task: _Task, now: datetime, ask: Callable[[PlatformClient, str], Answer]) -> Answer:
    """What the platform answers. Raises Postpone for what may pass, GiveUp for what will not."""
    try:
        return ask(task.client, task.order.external_id or "")
    except Throttled as error:
        raise Postpone(str(error), after=error.after) from error
    except Failed as error:
        raise _given_up(task.order, task.message, str(error), now) from error
    except PlatformError as error:
        raise Postpone(str(error)) from error


def _given_up(order: Order, message: Message, reason: str, now: datetime) -> GiveUp:
    """The error that ends a message; the order's timeline says why."""
    data = {"platform": order.platform, "what": _WHAT[message.topic], "reason": reason}
    _record(order, Event.NOT_WRITTEN_BACK, data, now)
    return GiveUp(reason)


def _confirm(task: _Task, event: Event, data: dict[str, Any], now: datetime) -> None:
    """Note that the platform did it; once, though an answer may come twice."""
    entries = JournalEntry.objects.for_store(task.order.store).filter(order=task.order, event=event)
    if not entries.filter(created_at__gte=task.message.created_at).exists():
        _record(task.order, event, {"platform": task.order.platform} | data, now)


def _record(order: Order, event: Event, data: dict[str, Any], now: datetime) -> None:
    with transaction.atomic():
        record([happened_to(order, event, data)], actor=Actor.job(JOB), now=now)


@transaction.atomic
def _remember_tag(order: Order, tag: str) -> None:
    locked = _locked(order)
    ours = locked.platform_data.get(OUR_TAGS, [])
    if tag not in ours:
        locked.platform_data = locked.platform_data | {OUR_TAGS: [*ours, tag]}
        locked.save(update_fields=["platform_data"])


@transaction.atomic
def _close_there(order: Order) -> None:
    """Know at once that the order is closed there; the platform's own message follows and is no news."""
    locked = _locked(order)
    locked.platform_data = locked.platform_data | {"is_open": False}
    locked.save(update_fields=["platform_data"])


def _locked(order: Order) -> Order:
    orders = Order.objects.for_store(order.store).order_by()
    locked: Order = orders.select_for_update(of=("self",), no_key=True).get(pk=order.pk)
    return locked
