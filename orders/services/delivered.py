"""Carrying out what one delivery of a platform asks for (O2, O5, E5). Everything here may be repeated."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from loyalty.platforms.connecting import mark_uninstalled
from loyalty.platforms.document import parse_json
from loyalty.platforms.meanings import (
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
    meaning_of,
)
from loyalty.platforms.models import DeliveryState, InboundDelivery, PlatformConnection
from loyalty.platforms.receiving import TEST_WORDS
from loyalty.platforms.registry import LABELS, read_order
from loyalty.platforms.snapshot import NotAnOrder, OrderSnapshot, without
from loyalty.stores.actors import Actor
from orders.models import Order
from orders.services.ingesting import Outcome, ingest
from orders.services.merging_there import merge_there
from orders.services.platform_news import note_deleted, note_payment_news, note_still_there
from orders.services.privacy import Finished, erase_person, erase_shop, note_request

# A document that is no order by these facts is none for good: a draft, something in the bin, a return.
_NO_ORDER: Final = frozenset({"status", "type"})
_WORDS: Final[Mapping[Outcome, str]] = {
    Outcome.CREATED: "Order {} recorded.",
    Outcome.UPDATED: "Order {} updated.",
    Outcome.UNCHANGED: "Order {}: nothing new.",
    Outcome.STALE: "Order {}: an older state than the recorded one, nothing was changed.",
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
    """The platform has to be asked for the order first, while no transaction is open."""

    external_id: str


def meaning(delivery: InboundDelivery) -> Meaning:
    """What a stored delivery asks for. Raises NotAnOrder."""
    document = parse_json(bytes(delivery.body).decode(errors="replace"))
    if not isinstance(document, Mapping):
        raise NotAnOrder("This is not a JSON object.")
    return meaning_of(delivery.platform, delivery.topic, document)


def carry_out(delivery: InboundDelivery, now: datetime) -> "Result | Ask":
    """Do what the delivery asks for, or say what must be asked first. Raises NotAnOrder, NotRecorded."""
    said = meaning(delivery)
    return _ACTIONS[type(said)](delivery, said, now)


def carry_out_fetched(delivery: InboundDelivery, document: Mapping[str, Any] | None, now: datetime) -> Result:
    """The same once the platform has answered: ``document`` is the order, None when it does not show it."""
    said = meaning(delivery)
    result = _record(delivery, document, now) if document is not None else None
    if isinstance(said, PaymentNews):
        return _payment_news(delivery, said, now)
    label = LABELS[delivery.platform]
    return result or _left(f"{label} does not show this order.", external_id=_external_id(said))


def _whole_order(delivery: InboundDelivery, said: WholeOrder, now: datetime) -> Result:
    result = _record(delivery, said.document, now)
    if said.restored and result.order:
        note_still_there(result.order)
    return result


def _record(delivery: InboundDelivery, document: Mapping[str, Any], now: datetime) -> Result:
    try:
        snapshot = _read(delivery, document)
    except NotAnOrder as error:
        if error.field in _NO_ORDER:
            return _left(str(error))
        raise
    done = ingest(
        store=delivery.store, platform=delivery.platform, snapshot=snapshot, actor=actor_of(delivery), now=now
    )
    if done.order is None:
        return _left(TEST_WORDS, external_id=snapshot.external_id)
    new = done.outcome in (Outcome.CREATED, Outcome.UPDATED)
    state = DeliveryState.DONE if new else DeliveryState.IGNORED
    words = _WORDS[done.outcome].format(snapshot.number) + without(done.left_out)
    return Result(state, words, done.order, snapshot.external_id, left_out=done.left_out)


def _read(delivery: InboundDelivery, document: Mapping[str, Any]) -> OrderSnapshot:
    connected = connection_of(delivery)
    key = connected.tag_meta_key if connected else ""
    snapshot = read_order(delivery.platform, document, tags_meta_key=key)
    # A webhook says by its header whether it is a test; the number of the made-up order alone does not.
    return replace(snapshot, is_test_delivery=delivery.is_test)


def _named_order(delivery: InboundDelivery, said: NamedOrder, now: datetime) -> "Result | Ask":
    if _may_ask(delivery):
        return Ask(said.external_id)
    label = LABELS[delivery.platform]
    words = f"The order is not inside, and without credentials {label} cannot be asked for it."
    return _left(f"{words} Its own update brings the change.", external_id=said.external_id)


def _payment(delivery: InboundDelivery, said: PaymentNews, now: datetime) -> "Result | Ask":
    return Ask(said.external_id) if _may_ask(delivery) else _payment_news(delivery, said, now)


def _payment_news(delivery: InboundDelivery, said: PaymentNews, now: datetime) -> Result:
    order, words = note_payment_news(
        store=delivery.store, platform=delivery.platform, news=said, actor=actor_of(delivery), now=now
    )
    state = DeliveryState.IGNORED if words else DeliveryState.DONE
    return Result(state, words or f"Order {order.number}: payment {said.status}.", order, said.external_id)


def _deleted(delivery: InboundDelivery, said: DeletedOrder, now: datetime) -> Result:
    order = note_deleted(
        store=delivery.store,
        platform=delivery.platform,
        external_id=said.external_id,
        at=delivery.received_at,
        actor=actor_of(delivery),
        now=now,
    )
    if order is None:
        return _left("The deleted order was not recorded here.", external_id=said.external_id)
    words = f"Order {order.number} was deleted there. Here it stays, with what it used."
    return Result(DeliveryState.DONE, words, order, said.external_id)


def _uninstalled(delivery: InboundDelivery, said: Uninstalled, now: datetime) -> Result:
    connected = connection_of(delivery)
    if connected is None or not mark_uninstalled(connected, at=delivery.received_at, actor=actor_of(delivery), now=now):
        return _left("The connection was ended or made anew since.")
    return Result(DeliveryState.DONE, "The shop uninstalled the app: its credentials were erased.")


def _data_wanted(delivery: InboundDelivery, said: DataWanted, now: datetime) -> Result:
    return _of(note_request(delivery, said.person, actor=actor_of(delivery), now=now))


def _erase_customer(delivery: InboundDelivery, said: EraseCustomer, now: datetime) -> Result:
    return _of(erase_person(delivery, said.person, actor=actor_of(delivery), now=now))


def _erase_shop(delivery: InboundDelivery, said: EraseShop, now: datetime) -> Result:
    return _of(erase_shop(delivery, actor=actor_of(delivery), now=now))


def _of(finished: Finished) -> Result:
    return Result(DeliveryState.DONE, finished.words, erase=finished.erase, again=finished.again)


def _merged(delivery: InboundDelivery, said: MergedCustomers, now: datetime) -> Result:
    done = merge_there(store=delivery.store, platform=delivery.platform, said=said, actor=actor_of(delivery), now=now)
    return Result(DeliveryState.DONE if done else DeliveryState.IGNORED, done or "They are one customer already.")


def _nothing(delivery: InboundDelivery, said: Nothing, now: datetime) -> Result:
    return _left(said.reason)


_ACTIONS: Final[Mapping[type, Callable[[InboundDelivery, Any, datetime], "Result | Ask"]]] = {
    WholeOrder: _whole_order,
    NamedOrder: _named_order,
    PaymentNews: _payment,
    DeletedOrder: _deleted,
    Uninstalled: _uninstalled,
    DataWanted: _data_wanted,
    EraseCustomer: _erase_customer,
    EraseShop: _erase_shop,
    MergedCustomers: _merged,
    Nothing: _nothing,
}


def _left(words: str, *, external_id: str = "") -> Result:
    return Result(DeliveryState.IGNORED, words, external_id=external_id)


def _external_id(said: Meaning) -> str:
    return said.external_id if isinstance(said, NamedOrder | PaymentNews) else ""


def connection_of(delivery: InboundDelivery) -> PlatformConnection | None:
    """The connection that a delivery came over, as it is now."""
    connections = PlatformConnection.objects.for_store(delivery.store)
    connected: PlatformConnection | None = connections.filter(platform=delivery.platform).first()
    return connected


def _may_ask(delivery: InboundDelivery) -> bool:
    connected = connection_of(delivery)
    return connected is not None and connected.may_be_called


def actor_of(delivery: InboundDelivery) -> Actor:
    """Who says so."""
    return Actor.platform(delivery.platform)
