"""Taking from a customer what an order uses: the one way for clients and staff (O5, O7, O8, L3, L4)."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.errors import Conflict, Invalid
from loyalty.core.money import quantise
from loyalty.core.phrases import sentences
from loyalty.core.values import value_json
from loyalty.customers.identify import CustomerFacts, identify
from loyalty.customers.merged import hold_person
from loyalty.journal.record import Event, record
from loyalty.languages.own_names import name_of, own_words
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount, InsufficientBalance
from loyalty.ledger.posting import Cause, lock_customers
from loyalty.platforms.registry import LABELS
from loyalty.store_settings.sections import current_settings
from loyalty.stores.actors import Act, Actor
from loyalty.stores.models import Customer, Remark, Store
from orders.kinds import KINDS, LEDGERS, applied, currency_of, show
from orders.models import Order, OrderStatus, PersonsDecision
from orders.services.codes.uses import use_codes
from orders.services.earned_points.settle import Earner, settle_earned
from orders.services.events import happened_to
from orders.services.intake.change import order_updated
from orders.services.locks import OrderCancelled, lock_order
from orders.services.rules.decide import Facts, facts_of
from orders.services.rules.schedule import WATCHED, watch

# What the order took just now, by kind: credits in its currency, whole points.
Taken = Mapping[Kind, Amount]

_WRITTEN: Final = (
    *(f"{kind}_{what}" for kind in KINDS for what in ("applied", "decision")),
    "total",
    "total_named",
)


class SpendDiffers(Conflict):
    """The order has already spent another amount of this kind."""

    code = "spend-differs"
    title = gettext_noop("The order has already used another amount.")


class CustomerDiffers(Conflict):
    """The order is another customer's than the one whom the spend names (O7)."""

    code = "customer-differs"
    title = gettext_noop("The order is another customer's.")


@dataclass(frozen=True, slots=True)
class Spend:
    """What an order uses: credits in its currency, whole points; and whose they are, by id or facts.

    ``total`` is what the order came to before them, which counts for an order from a platform (O8); None: as recorded.
    A person who records it says why in ``reason``.
    """

    customer: int | CustomerFacts | None = None
    credits: Decimal = Decimal(0)
    points: int = 0
    total: Decimal | None = None
    reason: str = ""

    def amount(self, kind: Kind) -> Amount:
        """How much of one kind."""
        return self.credits if kind == "credits" else self.points


@transaction.atomic
def record_spend(
    *, store: Store, order_id: int, spend: Spend, act: Act, version: int | None = None
) -> tuple[Order, Taken]:
    """Record on an order of ``store`` what it used, all or nothing; answers the order and what was taken just now.

    A kind that the order has used in the same amount is left alone, so that a repeat takes nothing. Raises NotFound,
    VersionConflict when the order is at another ``version``, and whatever :func:`spend_on` raises.
    """
    order = lock_order(store, order_id, version=version)
    return order, spend_on(order, spend, before=facts_of(order), act=act)


def spend_on(
    order: Order, spend: Spend, *, before: Facts | None, act: Act, codes: AbstractSet[str] = frozenset()
) -> Taken:
    """Take from the customer's valid lots what the locked ``order`` uses and has not used yet (O5).

    An order without a customer takes the one that the spend names (O7). ``codes`` were issued here and came with the
    order: their points are its (R7). ``before`` is what the order was, None for one that was recorded just now. Raises
    Invalid for an unknown or ambiguous customer, for amounts below zero or finer than the currency's unit and for more
    credits than the total, InsufficientBalance (all with the field's pointer as the REST contract names it),
    SpendDiffers, CustomerDiffers, OrderCancelled; then the caller's transaction must not be committed.
    """
    settings = current_settings(order.store)
    if (spend.credits or spend.points) and order.customer_id is None and spend.customer is None:
        # Whoever's code the order may come with: nobody said that the rest is his, too.
        raise Invalid.at("/customer", own_words("Credits and points need a customer who holds them."), code="required")
    named = before is not None and _take_customer(order, spend, act.actor, act.now)
    coded = use_codes(order, codes, actor=act.actor, now=act.now)
    taken = _spend(order, spend, act)
    # The client says what the order is, and what was spent on it may belong back at once (N2).
    if (before is None or taken or coded) and watch(order, before, rules=settings.spent_revert, now=act.now):
        order.save(update_fields=WATCHED)
    if before is None or named or coded:
        settle_earned([Earner(order, order.store, settings)], act=act)
    return taken


def customer_named(store: Store, named: int | CustomerFacts | None, now: datetime) -> Customer | None:
    """The customer of ``store`` whom an id or facts mean, made where the facts are news; None for nobody.

    Raises Invalid at ``/customer`` for an unknown id and for an e-mail that several customers have.
    """
    if isinstance(named, int):
        customer: Customer | None = Customer.objects.for_store(store).filter(pk=named).first()
        if customer is None:
            raise Invalid.at("/customer", _("This store has no customer with this id."), code="not-found")
        return hold_person(customer.pk)
    if named is None:
        return None
    customer = identify(store, named, now=now)
    if customer is None and named.email:
        detail = _("Several customers have this e-mail address. Name one of them by its id.")
        raise Invalid.at("/customer", detail, code="not-unique")
    return customer


def remark_on(store: Store, reason: str, now: datetime) -> Remark | None:
    """Keep what a person says where it can be erased; None for nothing."""
    if not reason:
        return None
    remark: Remark = Remark.objects.create(store=store, reason=reason, created_at=now)
    return remark


def used_directly(order: Order, kind: Kind) -> Amount:
    """What the order used of a kind otherwise than by codes (R7)."""
    return applied(order, kind) - (order.points_by_codes if kind == "points" else 0)


def can_be_recorded(order: Order) -> list[Kind]:
    """The kinds of which it can still be said what the order used."""
    if order.status == OrderStatus.CANCELLED:
        return []
    return [kind for kind in KINDS if not used_directly(order, kind)]


def _take_customer(order: Order, spend: Spend, actor: Actor, now: datetime) -> bool:
    """Hold the spend's customer against the order's; an order without one takes him, and then the answer is True."""
    named = customer_named(order.store, spend.customer, now) if spend.credits or spend.points else None
    if named is None or named.pk == order.customer_id:
        return False
    if order.customer_id is not None:
        raise CustomerDiffers(_("This order is another customer's; what it uses can only be taken from its own."))
    order.customer = named
    order.touch(now, "customer")
    record([order_updated(order, {"customer_id": (None, named.pk)})], actor=actor, now=now)
    return True


def _spend(order: Order, spend: Spend, act: Act) -> Taken:
    """Take what is not taken yet."""
    wanted = {kind: spend.amount(kind) for kind in KINDS if spend.amount(kind) and _is_new(order, kind, spend)}
    if not wanted:
        return {}
    total = order.total
    customer = _spender(order, spend, wanted)
    lock_customers([customer.pk])
    remark = remark_on(order.store, spend.reason, act.now)
    for kind, amount in wanted.items():
        _take(order, customer, kind, amount, remark, act)
    order.touch(act.now, *_WRITTEN)
    spent: dict[str, Any] = {kind: value_json(amount, currency_of(order, kind)) for kind, amount in wanted.items()}
    spent |= {"currency": order.currency, "trigger": act.trigger}
    happenings = [happened_to(order, Event.ORDER_SPENT, spent, remark_id=remark.pk if remark else None)]
    if order.total != total:
        happenings.append(order_updated(order, {"total": (total, order.total)}))
    record(happenings, actor=act.actor, now=act.now)
    return wanted


def _is_new(order: Order, kind: Kind, spend: Spend) -> bool:
    spent, amount = used_directly(order, kind), spend.amount(kind)
    if spent and spent != amount:
        used, asked = (show(value, currency_of(order, kind), order.store) for value in (spent, amount))
        raise SpendDiffers(
            _("This order has already used %(used)s of %(kind)s, not %(asked)s.")
            % {"used": used, "kind": name_of(kind), "asked": asked}
        )
    return not spent


def _spender(order: Order, spend: Spend, wanted: Taken) -> Customer:
    if order.status == OrderStatus.CANCELLED:
        raise OrderCancelled(own_words("This order is cancelled; credits and points cannot be applied to it."))
    for kind, amount in wanted.items():
        if amount < 0:
            raise Invalid.at(f"/apply_{kind}", _("An order cannot use less than nothing."))
    if "credits" in wanted:
        _check_credits(order, spend)
    customer: Customer = order.customer
    return customer


def _check_credits(order: Order, spend: Spend) -> None:
    """Hold the credits against the total; on an order from a platform the one named here, which becomes its own (O8).

    What a platform says may be what was left to pay, after credits and codes.
    """
    _in_unit(spend.credits, order.currency, "/apply_credits")
    if order.platform in LABELS and spend.total is not None:
        order.total, order.total_named = _in_unit(spend.total, order.currency, "/total"), True
    if spend.credits > order.total:
        raise Invalid.at("/apply_credits", own_words("More credits than the order's total."), code="above-total")


def _in_unit(amount: Decimal, currency: str, pointer: str) -> Decimal:
    """The amount in the unit of the order's currency, which may be another one than the client thought of."""
    try:
        return quantise(amount, currency)
    except ValueError as error:
        raise Invalid.at(
            pointer, sentences([error, _("The order is in %(currency)s.") % {"currency": currency}])
        ) from error


def _take(order: Order, customer: Customer, kind: Kind, amount: Amount, remark: Remark | None, act: Act) -> None:
    currency = currency_of(order, kind)
    try:
        LEDGERS[kind].spend(
            customer, amount, currency=currency, cause=Cause(order.pk), remark_id=remark.pk if remark else None, act=act
        )
    except InsufficientBalance as error:
        raise InsufficientBalance.at(f"/apply_{kind}", error.detail) from error
    setattr(order, f"{kind}_applied", applied(order, kind) + amount)
    # Nobody has decided about what it uses just now (N4).
    setattr(order, f"{kind}_decision", PersonsDecision.NONE)
