"""The shop platform and codes: made there after a redemption, asked about before a reversal, deleted after it (R2, R3).

All are messages of the outbox; making and deleting are tried until the platform has confirmed. They must not cross: a
code never appears after its reversal. So creating begins under the redemption's lock and only while it is claimed, and
a deletion waits until no request that creates can be under way any more.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal, cast
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.jobs.retries import OUTBOX
from loyalty.journal.record import Event, record
from loyalty.outbox.models import Message, MessageStatus
from loyalty.outbox.send import Later, send_later
from loyalty.outbox.topics import GiveUp, Postpone
from loyalty.partners.request_limits import wait_for
from loyalty.platforms.client import client_for
from loyalty.platforms.http.protocol import Failed, NewCode, PlatformClient, PlatformError, Refused, Throttled
from loyalty.platforms.models import PlatformConnection
from loyalty.stores.actors import Actor
from loyalty.stores.models import Store
from orders.models import PlatformState, Redemption, RedemptionState
from orders.services.codes.events import happening
from orders.services.codes.uses import note_used_on_platform

ASK: Final = "platform.ask_code"
CREATE: Final = "platform.create_code"
DELETE: Final = "platform.delete_code"
# How long after it was sent a request whose answer never came may still make the code; no client waits that long.
_UNDER_WAY: Final = timedelta(minutes=2)
# A deletion is never given up because the platform is away: after the growing pauses it is tried once a day.
_EVERY_DAY: Final = timedelta(days=1)


class Asked(StrEnum):
    """What the platform said when it was asked whether a code was used."""

    NOT_ASKED = "not_asked"
    UNUSED = "unused"
    USED = "used"
    UNKNOWN = "unknown"
    UNREACHABLE = "unreachable"


def platform_for_codes(store: Store) -> str:
    """The platform that the store's codes are told to: its first connection that can be called; "" without one."""
    connections = PlatformConnection.objects.for_store(store).order_by("pk")
    return next((connection.platform for connection in connections if connection.may_be_called), "")


def tell_of_new_code(redemption: Redemption, *, now: datetime) -> None:
    """Have the code made on the platform after the commit, when there is one."""
    if redemption.platform:
        send_later([_message(redemption, CREATE)], now=now)


def tell_of_reversal(redemption: Redemption, *, now: datetime) -> None:
    """Have the code deleted on the platform after the commit, when there is one; the caller saves the redemption."""
    if redemption.platform:
        redemption.platform_state = PlatformState.PENDING
        send_later([_message(redemption, DELETE)], now=now)


def whether_used(redemption: Redemption, *, now: datetime) -> Asked:
    """What the platform says about the code's use, which a worker asks it while the caller waits for some seconds.

    Callers have no transaction open. A platform that does not answer in time keeps nobody from reversing: an order that
    used the code is flagged when it arrives. Raises Busy while others wait for platforms.
    """
    if not _can_be_used_there(redemption):
        return Asked.NOT_ASKED
    rows = Redemption.objects.for_store(redemption.store).filter(pk=redemption.pk)
    before = rows.values_list("platform_said_at", flat=True).get()
    _have_asked(redemption, now)
    news = rows.exclude(platform_said_at=before) if before else rows.filter(platform_said_at__isnull=False)
    said = wait_for(f"store {redemption.store_id}", news.values_list("platform_said", flat=True).first)
    return Asked(said) if said else Asked.UNREACHABLE


def ask_code(message: Message, now: datetime) -> None:
    """Handle ``platform.ask_code``: ask once whether the code was used, and mark it so when it was."""
    redemption = _of(message)
    if redemption is None or not _can_be_used_there(redemption):
        return
    try:
        used = _client(redemption).code_used(redemption.code or "", reference=redemption.platform_reference)
    except PlatformError:
        said = Asked.UNREACHABLE
    else:
        said = {True: Asked.USED, False: Asked.UNUSED, None: Asked.UNKNOWN}[used]
    if said is Asked.USED:
        note_used_on_platform(redemption, actor=Actor.platform(redemption.platform), now=now)
    rows = Redemption.objects.for_store(redemption.store).filter(pk=redemption.pk)
    rows.update(platform_said=said, platform_said_at=now)


def create_code(message: Message, now: datetime) -> None:
    """Handle ``platform.create_code``: make the code, unless the redemption has been reversed meanwhile."""
    redemption = _begin_creating(message, now)
    if redemption is None:
        return
    try:
        reference = _client(redemption).create_code(_new_code(redemption))
    except PlatformError as error:
        _creating_failed(redemption, error, message, now)
    else:
        _created(redemption, reference, now)


def delete_code(message: Message, now: datetime) -> None:
    """Handle ``platform.delete_code``: delete a code that is dead here; gone already counts as done."""
    redemption = _of(message)
    if redemption is None or redemption.ended_at is None:
        return
    if redemption.creating_until is not None and now < redemption.creating_until:
        raise Postpone(_("A request that makes the code may still be under way."), redemption.creating_until)
    try:
        _client(redemption).delete_code(redemption.code or "", reference=redemption.platform_reference)
    except PlatformError as error:
        _deleting_failed(redemption, error, message, now)
    else:
        _confirm(redemption, Event.CODE_DELETED, now)


def _can_be_used_there(redemption: Redemption) -> bool:
    return redemption.state == RedemptionState.CLAIMED and redemption.platform_state == PlatformState.CONFIRMED


def _have_asked(redemption: Redemption, now: datetime) -> None:
    """Have the platform asked, once while a worker is at it."""
    message = replace(_message(redemption, ASK), key=f"{ASK}:{uuid4().hex}", lane=f"code-{redemption.pk}")
    waiting = Message.objects.for_store(redemption.store).filter(lane=message.lane, status=MessageStatus.QUEUED)
    if not waiting.exists():
        send_later([message], now=now)


def _message(redemption: Redemption, topic: str) -> Later:
    return Later(
        store_id=redemption.store_id,
        topic=topic,
        key=f"{topic}:{redemption.pk}",
        body={"redemption": str(redemption.pk)},
    )


def _of(message: Message, *, lock: bool = False) -> Redemption | None:
    rows = Redemption.objects.for_store(message.store).filter(pk=int(message.body["redemption"]))
    redemption: Redemption | None = (rows.select_for_update(no_key=True) if lock else rows).first()
    return redemption


def _client(redemption: Redemption) -> PlatformClient:
    connections = PlatformConnection.objects.for_store(redemption.store)
    connection: PlatformConnection | None = connections.filter(platform=redemption.platform).first()
    if connection is None:
        raise Refused(_("The store is no longer connected to %(platform)s.") % {"platform": redemption.platform})
    return client_for(connection)


def _new_code(redemption: Redemption) -> NewCode:
    return NewCode(
        code=redemption.code or "",
        kind=cast(Literal["fixed", "percentage"], redemption.type),
        value=redemption.value,
        currency=redemption.currency,
        starts_at=redemption.created_at,
        expires_at=redemption.expires_at,
        title=redemption.reward_name,
    )


@transaction.atomic
def _begin_creating(message: Message, now: datetime) -> Redemption | None:
    redemption = _of(message, lock=True)
    if redemption is None or redemption.state != RedemptionState.CLAIMED:
        return None
    redemption.creating_until = now + _UNDER_WAY
    redemption.save(update_fields=["creating_until"])
    return redemption


@transaction.atomic
def _created(redemption: Redemption, reference: str, now: datetime) -> None:
    # Ended while the platform was at it: the deletion, which waits for this, has the last word on the state.
    locked = _locked(redemption)
    locked.creating_until, locked.platform_reference = None, reference
    if locked.ended_at is None:
        locked.platform_state, locked.updated_at = PlatformState.CONFIRMED, now
        record([happening(locked, Event.CODE_CONFIRMED)], actor=Actor.platform(locked.platform), now=now)
    locked.save_changes()


def _creating_failed(redemption: Redemption, error: PlatformError, message: Message, now: datetime) -> None:
    if isinstance(error, Throttled | Refused | Failed):
        # A clear no: nothing was made, and a deletion need not wait.
        Redemption.objects.for_store(redemption.store).filter(pk=redemption.pk).update(creating_until=None)
    if isinstance(error, Throttled):
        raise Postpone(str(error), error.after) from error
    if isinstance(error, Failed) or OUTBOX.are_over(message.attempts):
        _fail(redemption, error, now, ended=False)
        raise GiveUp(str(error)) from error
    raise Postpone(str(error)) from error


def _deleting_failed(redemption: Redemption, error: PlatformError, message: Message, now: datetime) -> None:
    if isinstance(error, Throttled):
        raise Postpone(str(error), error.after) from error
    if isinstance(error, Failed):
        _fail(redemption, error, now, ended=True)
        raise GiveUp(str(error)) from error
    raise Postpone(str(error), _EVERY_DAY if OUTBOX.are_over(message.attempts) else None) from error


@transaction.atomic
def _confirm(redemption: Redemption, event: Event, now: datetime) -> None:
    locked = _locked(redemption)
    locked.platform_state, locked.updated_at = PlatformState.CONFIRMED, now
    locked.save(update_fields=["platform_state", "updated_at"])
    record([happening(locked, event)], actor=Actor.platform(locked.platform), now=now)


@transaction.atomic
def _fail(redemption: Redemption, error: PlatformError, now: datetime, *, ended: bool) -> None:
    locked = _locked(redemption)
    if (locked.ended_at is not None) is not ended:
        return
    locked.platform_state, locked.updated_at = PlatformState.FAILED, now
    locked.save(update_fields=["platform_state", "updated_at"])
    facts: dict[str, object] = {"reversed": ended, "error": str(error)}
    record([happening(locked, Event.CODE_FAILED, facts)], actor=Actor.platform(locked.platform), now=now)


def _locked(redemption: Redemption) -> Redemption:
    rows = Redemption.objects.for_store(redemption.store).select_for_update(no_key=True)
    locked: Redemption = rows.get(pk=redemption.pk)
    return locked
