"""Recording an order and what it spends (O2, O5, L3, L4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.errors import FieldError, Invalid
from loyalty.core.tags import clean_tags, tag_key
from loyalty.customers.identify import CustomerFacts
from loyalty.journal.record import Event, record
from loyalty.stores.actors import Act, Actor, Trigger
from loyalty.stores.models import Remark, Store
from orders.models import Order, OrderStatus, PaymentStatus, Redemption
from orders.services.codes.uses import normalised
from orders.services.events import happened_to
from orders.services.intake.change import note_payment
from orders.services.intake.spend import Spend, Taken, customer_named, remark_on, spend_on
from orders.services.locks import lock_order
from orders.services.rules.decide import facts_of

# What orders that staff entered have as platform.
STAFF: Final = "staff"


class NumberTaken(Invalid):
    """Staff enter an order that is there already."""

    code = "number-taken"
    title = gettext_noop("There is an order with this number.")


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order to be recorded; ``customer`` is an id or facts. Amounts are in ``currency``, points whole.

    ``reason`` is what a person says of it: why it uses something, or else anything.
    """

    number: str
    total: Decimal
    currency: str
    placed_at: datetime
    customer: int | CustomerFacts | None
    external_id: str | None = None
    platform: str = "api"
    status: str = OrderStatus.PENDING
    payment_status: str = PaymentStatus.PENDING
    payment_due_at: datetime | None = None
    tags: Sequence[str] = ()
    lines: Sequence[Mapping[str, Any]] = ()
    apply_credits: Decimal = Decimal(0)
    apply_points: int = 0
    codes: Sequence[str] = ()
    reason: str = ""


@transaction.atomic
def place_order(*, store: Store, new: NewOrder, act: Act) -> tuple[Order, bool]:
    """Record the order and take what it applies from the customer's valid lots, all or nothing.

    Answers the order and whether it is new. The same order again (by platform and external id, or by number where it
    has none) stays as it is, except that a kind it has not spent yet and ``new`` applies is taken now, and that codes
    issued here which it is not known to have come with are its from now on (R7); an order without a customer takes the
    one that this spend names (O7).
    Raises Invalid for a code that was not issued here, a customer of another store, an e-mail that several customers
    have or more credits than the total, InsufficientBalance (all with the field's pointer), SpendDiffers,
    CustomerDiffers, OrderCancelled.
    """
    _one_at_a_time(store, new)
    order, created = _existing(store, new), False
    if order is None:
        order, created = _insert_once(store, new, act)
    _spend(order, new, act, created=created)
    return order, created


@transaction.atomic
def enter_order(*, store: Store, new: NewOrder, actor: Actor, now: datetime) -> tuple[Order, Taken]:
    """Record an order that a person writes down, as :func:`place_order` would; answers it and what was taken (O2).

    One that is there already is not added to: that is what recording what it used is for. Raises NumberTaken at
    ``/number``, and whatever place_order raises.
    """
    _one_at_a_time(store, new)
    if _existing(store, new) is not None:
        raise NumberTaken.at("/number", _("Order %(number)s is here already.") % {"number": new.number})
    order = _insert(store, new, Act(actor, Trigger.ADMIN, now))
    return order, _spend(order, new, Act(actor, Trigger.ADMIN, now), created=True)


def _spend(order: Order, new: NewOrder, act: Act, *, created: bool) -> Taken:
    return spend_on(
        order,
        _spend_of(new),
        before=None if created else facts_of(order),
        codes=_issued_here(order.store, new.codes),
        act=act,
    )


def _spend_of(new: NewOrder) -> Spend:
    return Spend(
        customer=new.customer,
        credits=new.apply_credits,
        points=new.apply_points,
        total=new.total,
        reason=new.reason,
    )


def _one_at_a_time(store: Store, new: NewOrder) -> None:
    # The same order may arrive twice at once and name its customer in two ways. Whoever waited for the other's row with
    # a customer already locked could then hold up the other for ever, so they wait here, with nothing locked.
    key = f"order:{new.platform}:{new.number if new.external_id is None else f'id:{new.external_id}'}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [key, store.pk])


def _existing(store: Store, new: NewOrder) -> Order | None:
    orders = Order.objects.for_store(store).filter(platform=new.platform)
    if new.external_id is None:
        orders = orders.filter(external_id__isnull=True, number=new.number)
    else:
        orders = orders.filter(external_id=new.external_id)
    order_id = orders.values_list("pk", flat=True).first()
    return None if order_id is None else lock_order(store, order_id)


def _insert_once(store: Store, new: NewOrder, act: Act) -> tuple[Order, bool]:
    try:
        with transaction.atomic():
            return _insert(store, new, act), True
    except IntegrityError:
        # Another transaction recorded the same order first; the unique key made this one wait until it was committed.
        order = _existing(store, new)
        if order is None:
            raise
        return order, False


def _insert(store: Store, new: NewOrder, act: Act) -> Order:
    cancelled = new.status == OrderStatus.CANCELLED
    tags = clean_tags(new.tags)
    order = Order(
        store=store,
        number=new.number,
        external_id=new.external_id,
        platform=new.platform,
        customer=customer_named(store, new.customer, act.now),
        status=new.status,
        payment_status=new.payment_status,
        payment_due_at=new.payment_due_at,
        placed_at=new.placed_at,
        currency=new.currency,
        total=new.total,
        tags=tags,
        tag_keys=[tag_key(tag) for tag in tags],
        lines=list(new.lines),
        cancelled_at=act.now if cancelled else None,
        cancelled_by=act.trigger if cancelled else "",
        created_at=act.now,
        updated_at=act.now,
    )
    note_payment(order, changed=True, now=act.now)
    order.save(force_insert=True)
    data = {"status": order.status, "payment_status": order.payment_status, "platform": order.platform}
    remark = _remark(new, store, act.now)
    created = happened_to(order, Event.ORDER_CREATED, data, remark_id=remark.pk if remark else None)
    record([created], actor=act.actor, now=act.now)
    return order


def _remark(new: NewOrder, store: Store, now: datetime) -> Remark | None:
    """What a person says of an order that uses nothing; else it stands with what was taken."""
    return None if new.apply_credits or new.apply_points else remark_on(store, new.reason, now)


def _issued_here(store: Store, codes: Sequence[str]) -> set[str]:
    if not codes:
        return set()
    wanted = normalised(codes)
    known = set(Redemption.objects.for_store(store).filter(code__in=wanted).values_list("code", flat=True))
    errors = [
        FieldError(f"/codes/{index}", "not-found", _("This store has not issued the code “%(code)s”.") % {"code": code})
        for index, code in enumerate(codes)
        if code.strip().upper() not in known
    ]
    if errors:
        raise Invalid(errors=errors)
    return wanted
