"""A customer's wish to have a redemption reversed: recorded by clients or staff, answered by staff (R5)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.errors import Conflict, Invalid, NotFound
from loyalty.journal.record import Event, record
from loyalty.stores.actors import Actor
from loyalty.stores.models import Remark, Store
from orders.models import Redemption, RedemptionState, RequestState, ReversalRequest
from orders.services.codes.events import happening


class AlreadyReversed(Conflict):
    """There is nothing to ask for any more."""

    code = "already-reversed"
    title = gettext_noop("This redemption has already been reversed.")


class RequestAnswered(Conflict):
    """Somebody else was quicker."""

    code = "request-answered"
    title = gettext_noop("This request has already been answered.")


@transaction.atomic
def request_reversal(*, store: Store, redemption_id: int, reason: str, actor: Actor, now: datetime) -> ReversalRequest:
    """Record that the customer asks for a reversal; while one is open, asking again answers that one.

    Raises NotFound for a redemption of another store, Invalid without a reason, AlreadyReversed.
    """
    redemption = _locked(store, redemption_id)
    if not reason.strip():
        raise Invalid.at("/reason", _("Say why the customer asks for it."), code="required")
    if redemption.state == RedemptionState.REVERSED:
        raise AlreadyReversed(_("This redemption has already been reversed."))
    open_one: ReversalRequest | None = _open(redemption)
    if open_one is not None:
        return open_one
    remark = Remark.objects.create(store=store, reason=reason.strip(), note="", created_at=now)
    request: ReversalRequest = ReversalRequest.objects.create(
        store=store, redemption=redemption, remark=remark, actor=actor.ref, created_at=now
    )
    asked = happening(redemption, Event.REVERSAL_REQUESTED, {"request": str(request.pk)}, remark_id=remark.pk)
    record([asked], actor=actor, now=now)
    return request


@transaction.atomic
def refuse_request(*, store: Store, redemption_id: int, reason: str, actor: Actor, now: datetime) -> ReversalRequest:
    """Refuse the open request of a redemption, with a reason. Raises NotFound, Invalid, RequestAnswered."""
    redemption = _locked(store, redemption_id)
    if not reason.strip():
        raise Invalid.at("/reason", _("Say why it is not reversed."), code="required")
    request = _open(redemption)
    if request is None:
        raise RequestAnswered(_("There is no open request: it has been answered, or nobody asked."))
    remark = Remark.objects.create(store=store, reason=reason.strip(), note="", created_at=now)
    _answer(request, RequestState.REFUSED, remark, actor, now)
    refused = happening(redemption, Event.REVERSAL_REFUSED, {"request": str(request.pk)}, remark_id=remark.pk)
    record([refused], actor=actor, now=now)
    return request


def close_requests(redemption: Redemption, *, actor: Actor, now: datetime) -> None:
    """The redemption has just been reversed, so the open request is answered; callers hold its lock."""
    request = _open(redemption)
    if request is not None:
        _answer(request, RequestState.DONE, None, actor, now)


def _locked(store: Store, redemption_id: int) -> Redemption:
    rows = Redemption.objects.for_store(store).select_for_update(no_key=True)
    redemption: Redemption | None = rows.filter(pk=redemption_id).first()
    if redemption is None:
        raise NotFound(_("This store has no redemption with the id %(id)s.") % {"id": redemption_id})
    redemption.store = store
    return redemption


def _open(redemption: Redemption) -> ReversalRequest | None:
    requests = ReversalRequest.objects.for_store(redemption.store).filter(redemption=redemption)
    found: ReversalRequest | None = requests.filter(state=RequestState.OPEN).first()
    return found


def _answer(request: ReversalRequest, state: RequestState, remark: Remark | None, actor: Actor, now: datetime) -> None:
    request.state, request.answer = state, remark
    request.answered_at, request.answered_by = now, actor.ref
    request.save(update_fields=["state", "answer", "answered_at", "answered_by"])
