"""What happens at the same moment on several connections: nothing returns twice, nothing goes below zero (M7, L3).

`ROUNDS=1000` makes the long run.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from credits.jobs import expire_lots
from credits.models import CreditLot, CreditMovement
from loyalty.customers.identify import CustomerFacts
from loyalty.jobs.periodic import Counts
from loyalty.ledger.adjust import Adjustment, adjust
from loyalty.ledger.planner import InsufficientBalance
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.models import Customer, Store
from orders.kinds import LEDGERS
from orders.models import Order, OrderStatus, Revert
from orders.services.automation.cancel_unpaid import auto_cancel
from orders.services.intake.change import change_order
from orders.services.intake.place import NewOrder, place_order
from orders.services.reverts.apply import CancelResult, Details
from orders.services.reverts.cancel import PreviewStale, cancel_many
from orders.services.reverts.choices import CancelChoice, Extension
from orders.services.reverts.plans import preview
from tests import factories
from tests.books import find_faults
from tests.factories import BOTH
from tests.races.racing import ROUNDS, in_turn, together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

EXTENDED = CancelChoice(returns={"credits": True}, extend={"credits": Extension(days=30)})


def cancelling(order: Order, choice: CancelChoice = BOTH, token: str | None = None) -> Callable[[], CancelResult]:
    return partial(factories.cancel_choosing, order, choice, token=token)


def bulk(store: Store, *order_ids: int) -> Callable[[], dict[int, CancelResult | None]]:
    return partial(
        cancel_many, store=store, order_ids=order_ids, details=Details(), actor=factories.ACTOR, now=factories.NOW
    )


def placing(owner: Customer, number: str, **values: Any) -> Callable[[], tuple[Order, bool]]:
    facts: dict[str, Any] = {
        "number": number,
        "total": Decimal(1000),
        "currency": "USD",
        "placed_at": factories.NOW,
        "customer": owner.pk,
    }
    new = NewOrder(**(facts | values))
    return partial(place_order, store=owner.store, new=new, act=Act(factories.ACTOR, Trigger.API, factories.NOW))


def expiring() -> Counts:
    return expire_lots(factories.NOW)


def sound(store: Store) -> None:
    assert find_faults(store) == []


@pytest.fixture
def customer(store: Store) -> Customer:
    return factories.make_customer(store)


def credit(customer: Customer, amount: str, until: date | None = None) -> CreditLot:
    lot = factories.grant("credits", customer, amount, until=until)
    assert isinstance(lot, CreditLot)
    return lot


def left(customer: Customer) -> Any:
    return factories.balance("credits", customer, now=factories.NOW)


def test_m7_eight_callers_cancel_one_order_and_it_returns_once(customer: Customer) -> None:
    credit(customer, "100")
    factories.grant("points", customer, 100)
    for _ in ROUNDS:
        order = factories.make_order(customer, credits="40", points=30)
        done = together(*[cancelling(order)] * 8)
        assert sum(isinstance(result, CancelResult) and result.cancelled_now for result in done) == 1
        assert Revert.unscoped.filter(order=order).count() == 2
        assert left(customer) == 100
    sound(customer.store)


def test_m6_four_re_sent_forms_apply_once(customer: Customer) -> None:
    credit(customer, "100")
    for _ in ROUNDS:
        order = factories.make_order(customer, credits="40")
        shown = preview(order, BOTH, store=order.store, settings=StoreSettings(), now=factories.NOW)
        done = together(*[cancelling(order, token=shown.token)] * 4)
        assert sum(isinstance(result, CancelResult) for result in done) == 1
        assert sum(isinstance(result, PreviewStale) for result in done) == 3
        assert left(customer) == 100
    sound(customer.store)


def test_l3_eight_orders_spend_one_balance_and_as_many_succeed_as_it_covers(store: Store) -> None:
    for _ in ROUNDS:
        customer = factories.make_customer(store)
        credit(customer, "7", date(2026, 2, 1))
        credit(customer, "8")
        done = together(*[placing(customer, f"{customer.pk}-{n}", apply_credits=Decimal(4)) for n in range(8)])
        assert sum(isinstance(result, InsufficientBalance) for result in done) == 5
        assert left(customer) == 3
    sound(store)


def test_l3_a_spend_waits_for_a_cancel_and_uses_what_it_returns(customer: Customer) -> None:
    credit(customer, "10")
    order = factories.make_order(customer, credits="10")
    placed = in_turn(cancelling(order), placing(customer, "next", apply_credits=Decimal(10)))
    assert isinstance(placed, tuple)
    assert left(customer) == 0
    sound(customer.store)


def test_l3_cancel_and_spend_of_what_it_returns_at_once(store: Store) -> None:
    for _ in ROUNDS:
        customer = factories.make_customer(store)
        credit(customer, "10")
        order = factories.make_order(customer, credits="10")
        calls: list[Callable[[], Any]] = [
            cancelling(order),
            placing(customer, f"n{customer.pk}", apply_credits=Decimal(6)),
        ]
        _, placed = together(*calls)
        assert left(customer) == (10 if isinstance(placed, InsufficientBalance) else 4)
    sound(store)


def test_l5_cancel_with_extend_and_the_expire_job_at_once(store: Store) -> None:
    for _ in ROUNDS:
        customer = factories.make_customer(store)
        lot = credit(customer, "10", date(2026, 1, 1))
        order = factories.make_order(customer, credits="6")
        calls: list[Callable[[], Any]] = [cancelling(order, EXTENDED), expiring, expiring]
        together(*calls)
        assert left(customer) == 6
        assert CreditMovement.unscoped.filter(lot=lot, type="expire").count() == 1
    sound(store)


def test_l5_the_job_passes_over_a_customer_who_is_being_written(customer: Customer) -> None:
    credit(customer, "10", date(2026, 1, 1))
    order = factories.make_order(customer, credits="6")
    # Two jobs at once post each lot once, because a write posts what is due and the job skips who is locked.
    calls: list[Callable[[], Any]] = [expiring, cancelling(order), expiring]
    together(*calls)
    expiring()
    assert [row.amount for row in CreditMovement.unscoped.filter(type="expire")] == [Decimal(-4)]
    sound(customer.store)


def test_b1_bulk_and_single_cancel_at_once(store: Store) -> None:
    for _ in ROUNDS:
        customer = factories.make_customer(store)
        credit(customer, "10")
        first, second = (factories.make_order(customer, credits="5") for _ in range(2))
        calls: list[Callable[[], Any]] = [bulk(store, second.pk, first.pk), cancelling(first), cancelling(second)]
        answers: list[Any] = together(*calls)
        many, *singles = answers
        # Whoever cancels first, the single form returns: a bulk cancel only leaves for later what it finds.
        assert left(customer) == 10
        assert all(isinstance(result, CancelResult) for result in singles)
        for order, single in zip((first, second), singles, strict=True):
            assert single.cancelled_now != many[order.pk].cancelled_now
    sound(store)


def test_o2_the_same_order_twice_at_once_is_one_order_and_one_spend(store: Store) -> None:
    for number in ROUNDS:
        customer = factories.make_customer(store)
        credit(customer, "10")
        done = together(*[placing(customer, f"same-{number}", apply_credits=Decimal(4))] * 4)
        assert len({result[0].pk for result in done if isinstance(result, tuple)}) == 1
        assert sum(isinstance(result, tuple) and result[1] for result in done) == 1
        assert left(customer) == 6
    sound(store)


def test_o2_the_same_order_of_a_new_customer_twice_at_once(store: Store) -> None:
    for number in ROUNDS:
        facts = CustomerFacts(f"x{number}", f"new{number}@example.org", "New")
        done = together(*[placing(Customer(store=store), f"new-{number}", customer=facts)] * 4)
        assert len({result[0].pk for result in done if isinstance(result, tuple)}) == 1
        assert Customer.objects.for_store(store).filter(external_id=f"x{number}").count() == 1


def test_o2_one_order_by_customer_id_and_by_facts_at_once(store: Store) -> None:
    for number in ROUNDS:
        customer = factories.make_customer(store, external_id=f"x{number}", name="")
        credit(customer, "10")
        facts = CustomerFacts(f"x{number}", "", "Filled in")
        calls = [
            placing(customer, f"mixed-{number}", apply_credits=Decimal(4)),
            placing(customer, f"mixed-{number}", apply_credits=Decimal(4), customer=facts),
        ]
        together(*calls * 2)
        assert left(customer) == 6
    sound(store)


def test_m7_two_bulk_cancels_of_the_same_orders_in_opposite_order_do_not_block_each_other_for_ever(
    store: Store,
) -> None:
    customers = [factories.make_customer(store) for _ in range(4)]
    for customer in customers:
        credit(customer, "1000")
        credit(customer, "1000")
    for _ in ROUNDS:
        orders = [factories.make_order(customer, credits="1") for customer in customers for _ in range(2)]
        ids = [order.pk for order in orders]
        calls: list[Callable[[], Any]] = [bulk(store, *ids), bulk(store, *reversed(ids))]
        calls += [cancelling(orders[0]), cancelling(orders[-1])]
        answers: list[Any] = together(*calls)
        forth, back, *_ = answers
        for order in orders[1:-1]:
            assert forth[order.pk].cancelled_now != back[order.pk].cancelled_now
    sound(store)


def test_l6_returns_removals_and_spends_of_the_same_customers_never_deadlock(store: Store) -> None:
    customers = [factories.make_customer(store) for _ in range(3)]
    # Each round takes one of it for good, and another one of who places an order.
    purse = 2 * len(ROUNDS) + 10
    for customer in customers:
        credit(customer, str(purse))
        factories.grant("points", customer, purse)

    def removing(customer: Customer) -> Callable[[], Any]:
        return partial(
            adjust,
            LEDGERS["credits"],
            store=store,
            customer_id=customer.pk,
            adjustment=Adjustment(Decimal(-1), "Mistake", currency="USD"),
            act=Act(factories.ACTOR, Trigger.ADMIN, factories.NOW),
        )

    for number in ROUNDS:
        orders = [factories.make_order(customer, credits="2", points=3) for customer in customers]
        calls: list[Callable[[], Any]] = [cancelling(order) for order in orders]
        calls += [removing(customer) for customer in reversed(customers)]
        calls += [placing(customers[1], f"dead-{number}", apply_credits=Decimal(1), apply_points=1), expiring]
        together(*calls)
    assert {left(customer) for customer in (customers[0], customers[2])} == {Decimal(purse - len(ROUNDS))}
    sound(store)


def test_e6_a_status_change_and_a_cancel_at_once_are_one_after_the_other(customer: Customer) -> None:
    credit(customer, "10")
    order = factories.make_order(customer, credits="10")
    paid = partial(
        change_order,
        store=order.store,
        order_id=order.pk,
        values={"payment_status": "paid"},
        actor=factories.ACTOR,
        now=factories.NOW,
    )
    changed = in_turn(cancelling(order), paid)
    assert isinstance(changed, Order)
    assert (changed.status, changed.payment_status) == (OrderStatus.CANCELLED, "paid")
    assert changed.version == order.version + 2


def test_e6_a_payment_and_the_automatic_cancel_at_once_are_one_after_the_other(customer: Customer) -> None:
    credit(customer, "100")
    for _ in ROUNDS:
        order = factories.make_order(customer, credits="10", payment_status="failed")
        paid = partial(
            change_order,
            store=order.store,
            order_id=order.pk,
            values={"payment_status": "paid"},
            actor=factories.ACTOR,
            now=factories.NOW,
        )
        calls: list[Callable[[], Any]] = [
            paid,
            partial(auto_cancel, factories.NOW),
            partial(auto_cancel, factories.NOW),
        ]
        together(*calls)
        order.refresh_from_db()
        cancelled = order.status == OrderStatus.CANCELLED
        assert (order.payment_status, order.credits_reverted) == ("paid", 10 if cancelled else 0)
        if not cancelled:
            cancelling(order)()
        assert left(customer) == 100
    sound(customer.store)


def test_e8_workers_and_a_person_at_once_return_each_order_once(store: Store) -> None:
    customers = [factories.make_customer(store) for _ in range(3)]
    for customer in customers:
        credit(customer, "100")
    for _ in ROUNDS:
        orders = [factories.make_order(one, credits="10", payment_status="failed") for one in customers for _ in "ab"]
        calls: list[Callable[[], Any]] = [partial(auto_cancel, factories.NOW)] * 2
        together(*calls, cancelling(orders[0]), cancelling(orders[-1]))
        assert {left(customer) for customer in customers} == {100}
        assert Revert.unscoped.filter(order__in=orders).count() == len(orders)
    sound(store)


def test_m8_two_returns_of_what_is_left_at_once_return_it_once(store: Store) -> None:
    for _ in ROUNDS:
        customer = factories.make_customer(store)
        credit(customer, "10")
        order = factories.make_order(customer, credits="10")
        bulk(store, order.pk)()
        done = together(*[partial(factories.return_choosing, order, BOTH)] * 3)
        assert sum(len(result.reverts) for result in done if isinstance(result, CancelResult)) == 1
        assert left(customer) == 10
    sound(store)
