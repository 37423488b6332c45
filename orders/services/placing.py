"""Recording an order and what it spends (O2, O5, L3, L4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction

from loyalty.errors import Conflict, FieldError, Invalid
from loyalty.journal.record import Event, Happening, record
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount, InsufficientBalance
from loyalty.ledger.posting import Cause, lock_customers
from loyalty.money import quantise
from loyalty.platforms.registry import LABELS
from loyalty.stores.actors import Actor, Trigger
from loyalty.stores.identifying import CustomerFacts, identify
from loyalty.stores.merged import hold_person
from loyalty.stores.models import Customer, Store
from loyalty.stores.preferences import current_settings
from loyalty.tags import clean_tags, tag_key
from orders.kinds import KINDS, LEDGERS, NAMES, applied, currency_of, plain, show
from orders.models import Order, OrderStatus, PaymentStatus
from orders.redemption_models import Redemption
from orders.services.applying import lock_order
from orders.services.changing import note_payment, order_updated
from orders.services.code_uses import normalised, use_codes
from orders.services.earning import Earner, settle_earned
from orders.services.rules import facts_of
from orders.services.watching import WATCHED, watch


class SpendDiffers(Conflict):
    """The order has already spent another amount of this kind."""

    code = "spend-differs"
    title = "The order has already used another amount."


class CustomerDiffers(Conflict):
    """The order is another customer's than the one whom the spend names (O7)."""

    code = "customer-differs"
    title = "The order is another customer's."


class OrderCancelled(Conflict):
    """A cancelled order takes nothing from the customer."""

    code = "order-cancelled"
    title = "The order is cancelled."


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order to be recorded; ``customer`` is an id or facts. Amounts are in ``currency``, points whole."""

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


@transaction.atomic
def place_order(*, store: Store, new: NewOrder, actor: Actor, trigger: Trigger, now: datetime) -> tuple[Order, bool]:
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
        order, created = _insert_once(store, new, actor, trigger, now)
    settings = current_settings(store)
    before = None if created else facts_of(order)
    named = not created and _take_customer(order, new, actor, now)
    coded = use_codes(order, _issued_here(store, new.codes), actor=actor, now=now)
    spent = _spend(order, new, actor, trigger, now) or coded
    # The client says what the order is, and what was spent on it may belong back at once (N2).
    if (created or spent) and watch(order, before, rules=settings.spent_revert, now=now):
        order.save(update_fields=WATCHED)
    if created or named or coded:
        settle_earned([Earner(order, store, settings)], actor=actor, trigger=trigger, now=now)
    return order, created


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


def _insert_once(store: Store, new: NewOrder, actor: Actor, trigger: Trigger, now: datetime) -> tuple[Order, bool]:
    try:
        with transaction.atomic():
            return _insert(store, new, actor, trigger, now), True
    except IntegrityError:
        # Another transaction recorded the same order first; the unique key made this one wait until it was committed.
        order = _existing(store, new)
        if order is None:
            raise
        return order, False


def _insert(store: Store, new: NewOrder, actor: Actor, trigger: Trigger, now: datetime) -> Order:
    cancelled = new.status == OrderStatus.CANCELLED
    tags = clean_tags(new.tags)
    order = Order(
        store=store,
        number=new.number,
        external_id=new.external_id,
        platform=new.platform,
        customer=_customer(store, new, now),
        status=new.status,
        payment_status=new.payment_status,
        payment_due_at=new.payment_due_at,
        placed_at=new.placed_at,
        currency=new.currency,
        total=new.total,
        tags=tags,
        tag_keys=[tag_key(tag) for tag in tags],
        lines=list(new.lines),
        cancelled_at=now if cancelled else None,
        cancelled_by=trigger if cancelled else "",
        created_at=now,
        updated_at=now,
    )
    note_payment(order, changed=True, now=now)
    order.save(force_insert=True)
    data = {"status": order.status, "payment_status": order.payment_status, "platform": order.platform}
    record([_happening(order, Event.ORDER_CREATED, data)], actor=actor, now=now)
    return order


def _customer(store: Store, new: NewOrder, now: datetime) -> Customer | None:
    if isinstance(new.customer, int):
        customer: Customer | None = Customer.objects.for_store(store).filter(pk=new.customer).first()
        if customer is None:
            raise Invalid.at("/customer", "This store has no customer with this id.", code="not-found")
        return hold_person(customer.pk)
    if new.customer is None:
        return None
    customer = identify(store, new.customer, now=now)
    if customer is None and new.customer.email:
        detail = "Several customers have this e-mail address. Name one of them by its id."
        raise Invalid.at("/customer", detail, code="not-unique")
    return customer


def _take_customer(order: Order, new: NewOrder, actor: Actor, now: datetime) -> bool:
    """Hold the spend's customer against the order's; an order without one takes him, and then the answer is True."""
    named = _customer(order.store, new, now) if new.apply_credits or new.apply_points else None
    if named is None or named.pk == order.customer_id:
        return False
    if order.customer_id is not None:
        raise CustomerDiffers("This order is another customer's; what it uses can only be taken from its own.")
    order.customer = named
    order.version += 1
    order.updated_at = now
    order.save(update_fields=["customer", "version", "updated_at"])
    record([order_updated(order, {"customer_id": (None, named.pk)})], actor=actor, now=now)
    return True


def _spend(order: Order, new: NewOrder, actor: Actor, trigger: Trigger, now: datetime) -> bool:
    """Take what is not taken yet; answers whether anything was."""
    asked: dict[Kind, Amount] = {"credits": new.apply_credits, "points": new.apply_points}
    wanted = {kind: asked[kind] for kind in KINDS if asked[kind] and _is_new(order, kind, asked[kind])}
    if not wanted:
        return False
    total = order.total
    customer = _spender(order, new, wanted)
    lock_customers([customer.pk])
    for kind, amount in wanted.items():
        _take(order, customer, kind, amount, actor, trigger, now)
    order.version += 1
    order.updated_at = now
    order.save(update_fields=["credits_applied", "points_applied", "total", "total_named", "version", "updated_at"])
    order.refresh_from_db()
    spent = {kind: plain(amount, currency_of(order, kind)) for kind, amount in wanted.items()}
    happenings = [_happening(order, Event.ORDER_SPENT, spent | {"currency": order.currency})]
    if order.total != total:
        happenings.append(order_updated(order, {"total": (total, order.total)}))
    record(happenings, actor=actor, now=now)
    return True


def _issued_here(store: Store, codes: Sequence[str]) -> set[str]:
    if not codes:
        return set()
    wanted = normalised(codes)
    known = set(Redemption.objects.for_store(store).filter(code__in=wanted).values_list("code", flat=True))
    errors = [
        FieldError(f"/codes/{index}", "not-found", "This store has issued no such code.")
        for index, code in enumerate(codes)
        if code.strip().upper() not in known
    ]
    if errors:
        raise Invalid(errors=errors)
    return wanted


def _is_new(order: Order, kind: Kind, amount: Amount) -> bool:
    spent = applied(order, kind) - (order.points_by_codes if kind == "points" else 0)
    if spent and spent != amount:
        used, asked = (show(value, currency_of(order, kind), order.store) for value in (spent, amount))
        raise SpendDiffers(f"This order has already used {used} of {NAMES[kind]}, not {asked}.")
    return not spent


def _spender(order: Order, new: NewOrder, wanted: Mapping[Kind, Amount]) -> Customer:
    if order.status == OrderStatus.CANCELLED:
        raise OrderCancelled("This order is cancelled; credits and points cannot be applied to it.")
    if order.customer is None:
        raise Invalid.at("/customer", "Credits and points need a customer who holds them.", code="required")
    for kind, amount in wanted.items():
        if amount < 0:
            raise Invalid.at(f"/apply_{kind}", "An order cannot use less than nothing.")
    if "credits" in wanted:
        _check_credits(order, new)
    customer: Customer = order.customer
    return customer


def _check_credits(order: Order, new: NewOrder) -> None:
    """Hold the credits against the total; on an order from a platform the one named here, which becomes its own (O8).

    What a platform says may be what was left to pay, after credits and codes.
    """
    _in_unit(new.apply_credits, order.currency, "/apply_credits")
    if order.platform in LABELS:
        order.total, order.total_named = _in_unit(new.total, order.currency, "/total"), True
    if new.apply_credits > order.total:
        raise Invalid.at("/apply_credits", "More credits than the order's total.", code="above-total")


def _in_unit(amount: Decimal, currency: str, pointer: str) -> Decimal:
    """The amount in the unit of the order's currency, which may be another one than the client thought of."""
    try:
        return quantise(amount, currency)
    except ValueError as error:
        raise Invalid.at(pointer, f"{error} The order is in {currency}.") from error


def _take(
    order: Order, customer: Customer, kind: Kind, amount: Amount, actor: Actor, trigger: Trigger, now: datetime
) -> None:
    currency = currency_of(order, kind)
    try:
        LEDGERS[kind].spend(
            customer, amount, currency=currency, cause=Cause(order.pk), actor=actor, trigger=trigger, now=now
        )
    except InsufficientBalance as error:
        detail = f"The customer does not have {show(amount, currency, order.store)}: {error.detail}"
        raise InsufficientBalance.at(f"/apply_{kind}", detail) from error
    setattr(order, f"{kind}_applied", applied(order, kind) + amount)


def _happening(order: Order, event: Event, data: dict[str, Any]) -> Happening:
    return Happening(store_id=order.store_id, event=event, order_id=order.pk, customer_id=order.customer_id, data=data)
