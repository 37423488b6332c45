"""Carrying out what one delivery of a platform asks for (O2, O5, E5). Everything here may be repeated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, assert_never

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.platforms.connections.connect import pause_uninstalled, settle_uninstalled
from loyalty.platforms.documents.read import parse_json
from loyalty.platforms.meaning import (
    CreditsTaken,
    DataWanted,
    DeletedOrder,
    EraseCustomer,
    EraseShop,
    Meaning,
    MergedCustomers,
    NamedOrder,
    Nothing,
    PaymentNews,
    Uninstalled,
    WholeOrder,
)
from loyalty.platforms.models import DeliveryState, InboundDelivery, PlatformConnection
from loyalty.platforms.read import meaning_of, read_order
from loyalty.platforms.registry import LABELS
from loyalty.platforms.snapshot import NotAnOrder, OrderGone, OrderSnapshot, without
from loyalty.platforms.webhooks.receive import TEST_WORDS
from loyalty.stores.actors import Actor
from orders.models import Order
from orders.services.customers.privacy_requests import erase_person, erase_shop, note_request
from orders.services.intake.ingest import Arrival, IngestResult, Outcome, ingest_all
from orders.services.intake.platform_merges import merge_there
from orders.services.intake.platform_payments import note_credits_taken, note_payment_news
from orders.services.intake.platform_presence import note_deleted

_WORDS: Final[Mapping[Outcome, str]] = {
    Outcome.CREATED: gettext_noop("Order %(number)s recorded."),
    Outcome.UPDATED: gettext_noop("Order %(number)s updated."),
    Outcome.UNCHANGED: gettext_noop("Order %(number)s: nothing new."),
    Outcome.STALE: gettext_noop("Order %(number)s: an older state than the recorded one, nothing was changed."),
}


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a delivery, and what of it could not be read.

    ``erase``: its body names a person and goes. ``again``: there is more of it to do.
    """

    state: DeliveryState
    words: str
    order: Order | None = None
    external_id: str = ""
    erase: bool = False
    again: bool = False
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """The platform has to be asked first, while no transaction is open: for an order, or whether it still knows us."""

    external_id: str = ""


def meaning(delivery: InboundDelivery) -> Meaning:
    """What a stored delivery asks for. Raises NotAnOrder."""
    document = parse_json(bytes(delivery.body).decode(errors="replace"))
    if not isinstance(document, Mapping):
        raise NotAnOrder(_("This is not a JSON object."))
    return meaning_of(delivery.platform, delivery.topic, document)


@dataclass(frozen=True, slots=True)
class Brought:
    """A delivery that brings a whole order, which can be recorded together with others."""

    delivery: InboundDelivery
    arrival: Arrival


def brought(delivery: InboundDelivery, said: Meaning, tags_meta_key: str) -> Brought | None:
    """The order that a delivery brings; None for one that brings none, or none that can be read."""
    if not isinstance(said, WholeOrder):
        return None
    try:
        snapshot = _read(delivery, said.document, tags_meta_key)
    except (OrderGone, NotAnOrder):
        return None
    return Brought(delivery, Arrival(snapshot, _shown_at(delivery, said)))


def record_all(some: Sequence[Brought], now: datetime) -> list[Result]:
    """Record the orders that deliveries of one platform to one store bring, each order once; all or nothing."""
    first = some[0].delivery
    arrivals = [one.arrival for one in some]
    actor = actor_of(first)
    done = ingest_all(store=first.store, platform=first.platform, arrivals=arrivals, actor=actor, now=now)
    return [_recorded(one, arrival.snapshot) for one, arrival in zip(done, arrivals, strict=True)]


def stands_apart(said: Meaning, *, may_ask: bool) -> bool:
    """Whether it does not matter what else of its platform is carried out before or after it.

    What the platform is asked about is then as it is at that moment; what means nothing changes nothing.
    """
    return isinstance(said, Nothing | NamedOrder) or (
        may_ask and isinstance(said, PaymentNews | CreditsTaken | DeletedOrder)
    )


def carry_out(delivery: InboundDelivery, now: datetime) -> Result | Ask:
    """Do what the delivery asks for, or say what must be asked first. Raises NotAnOrder, NotRecorded."""
    result: Result | Ask
    match meaning(delivery):
        case WholeOrder() as whole:
            result = _record(delivery, whole.document, now, shown_at=_shown_at(delivery, whole))
        case NamedOrder() | PaymentNews() | CreditsTaken() | DeletedOrder() as named:
            result = Ask(named.external_id) if _may_ask(delivery) else _unasked(delivery, named, now)
        case Uninstalled():
            result = _uninstalled(delivery, now)
        case DataWanted() | EraseCustomer() | EraseShop() as request:
            result = _privacy_request(delivery, request, now)
        case MergedCustomers() as merged:
            result = _merged(delivery, merged, now)
        case Nothing(reason):
            result = _left(reason)
        case unknown:
            assert_never(unknown)
    return result


def carry_out_answered(delivery: InboundDelivery, *, still_opens: bool, now: datetime) -> Result:
    """End the connection of a shop that took the app away, once the platform has said whether it did."""
    connected = connection_of(delivery)
    if connected is not None:
        actor = actor_of(delivery)
        settle_uninstalled(connected, at=delivery.received_at, still_opens=still_opens, actor=actor, now=now)
    if still_opens:
        return _left(_("The shop still lets us in with our credentials, so the app is there. Nothing was ended."))
    return Result(DeliveryState.DONE, _("The shop uninstalled the app: its credentials were erased."))


def carry_out_fetched(delivery: InboundDelivery, document: Mapping[str, Any] | None, now: datetime) -> Result:
    """The same once the platform has answered: ``document`` is the order, None when it does not show it."""
    said = meaning(delivery)
    if isinstance(said, DeletedOrder):
        return _deletion_answered(delivery, said, document, now)
    result = _record(delivery, document, now, shown_at=now) if document is not None else None
    if isinstance(said, PaymentNews):
        return _payment_news(delivery, said, now)
    if isinstance(said, CreditsTaken):
        # The order as it is shown lists its payments; one that is not shown to us has at least this one.
        return result or _credits_taken(delivery, said, now)
    label = LABELS[delivery.platform]
    words = _("%(platform)s does not show this order.") % {"platform": label}
    return result or _left(words, external_id=_external_id(said))


def _shown_at(delivery: InboundDelivery, said: WholeOrder) -> datetime | None:
    return delivery.received_at if said.restored else None


def _record(
    delivery: InboundDelivery, document: Mapping[str, Any], now: datetime, *, shown_at: datetime | None
) -> Result:
    try:
        snapshot = _read(delivery, document, tags_meta_key_of(connection_of(delivery)))
    except OrderGone as gone:
        return _note_deleted(delivery, gone.external_id, gone.at, now)
    except NotAnOrder as error:
        if error.for_good:
            return _left(str(error))
        raise
    return record_all([Brought(delivery, Arrival(snapshot, shown_at))], now)[0]


def _recorded(done: IngestResult, snapshot: OrderSnapshot) -> Result:
    if done.order is None:
        return _left(TEST_WORDS, external_id=snapshot.external_id)
    new = done.outcome in (Outcome.CREATED, Outcome.UPDATED)
    state = DeliveryState.DONE if new else DeliveryState.IGNORED
    words = without(_(_WORDS[done.outcome]) % {"number": snapshot.number}, done.left_out)
    return Result(state, words, done.order, snapshot.external_id, left_out=done.left_out)


def _read(delivery: InboundDelivery, document: Mapping[str, Any], tags_meta_key: str) -> OrderSnapshot:
    snapshot = read_order(delivery.platform, document, tags_meta_key=tags_meta_key)
    # A webhook says by its header whether it is a test; the number of the made-up order alone does not.
    return replace(snapshot, is_test_delivery=delivery.is_test)


def _unasked(
    delivery: InboundDelivery, said: NamedOrder | PaymentNews | CreditsTaken | DeletedOrder, now: datetime
) -> Result:
    """What can be done where the platform cannot be asked for the order."""
    match said:
        case NamedOrder():
            return _not_inside(delivery, said)
        case PaymentNews():
            return _payment_news(delivery, said, now)
        case CreditsTaken():
            return _credits_taken(delivery, said, now)
        case DeletedOrder():
            # A number alone came, which any message about anything deleted may have. The order is marked: that moves
            # nothing, and its next message takes the mark away.
            return _deleted(delivery, said, now)


def _not_inside(delivery: InboundDelivery, said: NamedOrder) -> Result:
    label = LABELS[delivery.platform]
    words = _(
        "The webhook does not contain the order, and without credentials %(platform)s cannot be asked for it. The "
        "order’s own update brings the change."
    )
    return _left(words % {"platform": label}, external_id=said.external_id)


def _payment_news(delivery: InboundDelivery, said: PaymentNews, now: datetime) -> Result:
    order, words = note_payment_news(
        store=delivery.store, platform=delivery.platform, news=said, actor=actor_of(delivery), now=now
    )
    # An attempt is told on the timeline even where it changes nothing.
    state = DeliveryState.IGNORED if words and not said.attempt else DeliveryState.DONE
    return Result(
        state,
        words or _("Order %(number)s: payment %(status)s.") % {"number": order.number, "status": said.status},
        order,
        said.external_id,
    )


def _credits_taken(delivery: InboundDelivery, said: CreditsTaken, now: datetime) -> Result:
    order, is_news = note_credits_taken(
        store=delivery.store, platform=delivery.platform, taken=said, actor=actor_of(delivery), now=now
    )
    words = _("Order %(number)s: nothing new.")
    if is_news:
        words = _("Order %(number)s: store credit paid for it there.")
    words %= {"number": order.number}
    return Result(DeliveryState.DONE if is_news else DeliveryState.IGNORED, words, order, said.external_id)


def _deletion_answered(
    delivery: InboundDelivery, said: DeletedOrder, document: Mapping[str, Any] | None, now: datetime
) -> Result:
    try:
        result = _record(delivery, document, now, shown_at=now) if document is not None else None
    except NotAnOrder:
        result = None
    # What is no order any more, in the bin for example, was left alone without one.
    return result if result and result.order else _deleted(delivery, said, now)


def _deleted(delivery: InboundDelivery, said: DeletedOrder, now: datetime) -> Result:
    return _note_deleted(delivery, said.external_id, None, now)


def _note_deleted(delivery: InboundDelivery, external_id: str, said_at: datetime | None, now: datetime) -> Result:
    order = note_deleted(
        store=delivery.store,
        platform=delivery.platform,
        external_id=external_id,
        said_at=said_at,
        heard_at=delivery.received_at,
        actor=actor_of(delivery),
        now=now,
    )
    if order is None:
        return _left(_("The deleted order was not recorded here."), external_id=external_id)
    words = _("Order %(number)s was deleted there. Here it stays, with what it used.") % {"number": order.number}
    return Result(DeliveryState.DONE, words, order, external_id)


def _uninstalled(delivery: InboundDelivery, now: datetime) -> Result | Ask:
    connected, actor = connection_of(delivery), actor_of(delivery)
    if connected is None or not pause_uninstalled(connected, at=delivery.received_at, actor=actor, now=now):
        return _left(_("The connection was ended or made anew since."))
    if connected.has_credentials:
        return Ask()
    return Result(DeliveryState.DONE, _("The shop uninstalled the app: nothing is asked of it any more."))


def _privacy_request(delivery: InboundDelivery, said: DataWanted | EraseCustomer | EraseShop, now: datetime) -> Result:
    actor = actor_of(delivery)
    match said:
        case DataWanted(person):
            finished = note_request(delivery, person, actor=actor, now=now)
        case EraseCustomer(person):
            finished = erase_person(delivery, person, actor=actor, now=now)
        case EraseShop():
            finished = erase_shop(delivery, actor=actor, now=now)
    return Result(DeliveryState.DONE, finished.words, erase=finished.erase, again=finished.again)


def _merged(delivery: InboundDelivery, said: MergedCustomers, now: datetime) -> Result:
    done = merge_there(store=delivery.store, platform=delivery.platform, said=said, actor=actor_of(delivery), now=now)
    return Result(DeliveryState.DONE if done else DeliveryState.IGNORED, done or _("They are one customer already."))


def _left(words: str, *, external_id: str = "") -> Result:
    return Result(DeliveryState.IGNORED, words, external_id=external_id)


def _external_id(said: Meaning) -> str:
    return said.external_id if isinstance(said, NamedOrder | PaymentNews | CreditsTaken) else ""


def connection_of(delivery: InboundDelivery) -> PlatformConnection | None:
    """The connection that a delivery came over, as it is now."""
    connections = PlatformConnection.objects.for_store(delivery.store)
    connected: PlatformConnection | None = connections.filter(platform=delivery.platform).first()
    return connected


def tags_meta_key_of(connected: PlatformConnection | None) -> str:
    """The field that holds an order's tags there; "" where they are a field of their own."""
    return connected.tag_meta_key if connected else ""


def _may_ask(delivery: InboundDelivery) -> bool:
    connected = connection_of(delivery)
    return connected is not None and connected.may_be_called


def actor_of(delivery: InboundDelivery) -> Actor:
    """Who says so."""
    return Actor.platform(delivery.platform)
