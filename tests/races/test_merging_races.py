"""Merges against spends, returns, orders that arrive, and other merges: real connections, real transactions (O7)."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import connection

from loyalty.core.errors import DomainError
from loyalty.customers.identify import CustomerFacts
from loyalty.customers.merged import CustomerMerged, find_person
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.models import Customer, Store
from orders.kinds import LEDGERS
from orders.models import Order
from orders.services.customers.merge import Merge
from orders.services.intake.place import NewOrder, place_order
from tests import factories
from tests.books import find_faults
from tests.factories import ACTOR, NOW
from tests.races.racing import ROUNDS, in_turn, together

pytestmark = pytest.mark.django_db(transaction=True)


def pair(store: Store, points: int = 100) -> tuple[Customer, Customer]:
    """Somebody with points, and who he is kept as."""
    merged, kept = factories.make_customer(store), factories.make_customer(store)
    factories.grant("points", merged, points)
    return merged, kept


def merging(merged: Customer, kept: Customer) -> Callable[[], Merge]:
    return partial(factories.merge, merged, kept)


def placing(store: Store, customer: int | CustomerFacts, number: str, points: int = 0) -> Callable[[], Any]:
    new = NewOrder(
        number=number,
        total=Decimal(100),
        currency=store.currency,
        placed_at=NOW,
        customer=customer,
        apply_points=points,
    )
    return partial(place_order, store=store, new=new, act=Act(ACTOR, Trigger.API, NOW))


def held(*customers: Customer) -> list[int]:
    available = LEDGERS["points"].available([customer.pk for customer in customers], now=NOW)
    return [int(available.get((customer.pk, ""), 0)) for customer in customers]


def sound(store: Store) -> None:
    assert find_faults(store) == []


def test_o7_an_order_that_spends_while_its_customer_is_merged_is_the_kept_ones(store: Store) -> None:
    for number in ROUNDS:
        merged, kept = pair(store)
        done = together(merging(merged, kept), placing(store, merged.pk, f"s{number}", 30))
        placed = done[1]
        # Whoever was found and locked too late is refused whole, and found at the next try.
        assert isinstance(placed, tuple | CustomerMerged)
        assert held(merged, kept) == [0, 70 if isinstance(placed, tuple) else 100]
        assert not Order.objects.for_store(store).filter(customer=merged).exists()
    sound(store)


def test_o7_a_merge_waits_for_an_order_that_names_the_customer(store: Store) -> None:
    merged, kept = pair(store)
    facts = CustomerFacts(None, merged.email, "")
    done = in_turn(placing(store, facts, "first", 30), merging(merged, kept))
    assert isinstance(done, Merge)
    assert held(merged, kept) == [0, 70]
    assert Order.objects.for_store(store).get().customer_id == kept.pk
    sound(store)


@pytest.mark.parametrize("named", ["id", "email"])
def test_o7_an_order_waits_for_the_merge_of_its_customer(store: Store, named: str) -> None:
    merged, kept = pair(store)
    customer: int | CustomerFacts = merged.pk if named == "id" else CustomerFacts(None, merged.email, "")
    placed: Any = in_turn(merging(merged, kept), placing(store, customer, "second", 30))
    assert placed[0].customer_id == kept.pk
    assert held(merged, kept) == [0, 70]
    sound(store)


def test_o7_a_return_while_the_customer_is_merged_reaches_the_kept_one(store: Store) -> None:
    for _ in ROUNDS:
        merged, kept = pair(store)
        order = factories.make_order(merged, points=60)
        done = together(merging(merged, kept), partial(factories.cancel, order))
        assert not any(isinstance(result, DomainError) for result in done)
        assert held(merged, kept) == [0, 100]
    sound(store)


def test_o7_a_gift_while_the_customer_is_merged_is_the_kept_ones_or_refused(store: Store) -> None:
    for _ in ROUNDS:
        merged, kept = pair(store)
        done = together(merging(merged, kept), partial(factories.grant, "points", merged, 5, now=NOW))
        assert held(merged, kept) == [0, 100 if isinstance(done[1], DomainError) else 105]
    sound(store)


def test_o7_a_reversal_while_the_customer_is_merged_reaches_the_kept_one(store: Store) -> None:
    reward = factories.make_reward(store, points=40)
    for _ in ROUNDS:
        merged, kept = pair(store)
        redemption = factories.make_redemption(merged, reward)
        done = together(merging(merged, kept), partial(factories.reverse, redemption))
        assert not any(isinstance(result, DomainError) for result in done)
        assert held(merged, kept) == [0, 100]
    sound(store)


def test_o7_merges_of_the_same_customers_at_once_end_with_one_of_them(store: Store) -> None:
    for _ in ROUNDS:
        first, second = pair(store)
        third = factories.make_customer(store)
        factories.grant("points", second, 10)
        factories.make_order(first, points=20)
        done = together(merging(first, second), merging(second, first), merging(second, third), merging(first, second))
        assert all(isinstance(result, Merge) for result in done), done
        people = Customer.objects.for_store(store).filter(pk__in=(first.pk, second.pk, third.pk))
        assert people.filter(merged_into__isnull=True).count() == 1
        last = find_person(store, first.pk)
        assert last is not None
        assert held(last) == [90]
    sound(store)


def test_o7_merging_into_somebody_who_is_being_merged_ends_with_the_last(store: Store) -> None:
    first, second = pair(store)
    third = factories.make_customer(store)
    factories.grant("points", second, 10)
    done = in_turn(merging(second, third), merging(first, second))
    assert isinstance(done, Merge)
    assert (done.kept, held(first, second, third)) == (third, [0, 0, 110])
    connection.close()
    sound(store)
