"""check_ledger finds nothing in sound books, and names each row that was broken (H5)."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from importlib import import_module
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from credits.models import CreditAllocation, CreditLot, CreditMovement
from loyalty.proof.prove import find_faults
from loyalty.proof.stores import same_store_fields
from loyalty.stores.models import Store
from orders.models import Order, Revert
from orders.services.reverts.choices import CancelChoice, Extension
from points.models import PointLot, PointMovement
from tests import factories
from tests.database import as_owner

pytestmark = pytest.mark.django_db


def settle() -> None:
    """Have the database check at once what it was to check at the end; it alters no table before that."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def change(model: Any, row: int, **values: Any) -> None:
    """Change a row behind the back of every trigger, constraint and key, as a broken restore would."""
    settle()
    table = model._meta.db_table
    columns = ", ".join(f'"{name}" = %s' for name in values)
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
        cursor.execute(f'UPDATE "{table}" SET {columns} WHERE id = %s', [*values.values(), row])
        cursor.execute(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')


def drop_constraint(model: Any, name: str) -> None:
    settle()
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "{model._meta.db_table}" DROP CONSTRAINT "{name}"')


def delete(model: Any, row: int) -> None:
    settle()
    table = model._meta.db_table
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
        cursor.execute(f'DELETE FROM "{table}" WHERE id = %s', [row])
        cursor.execute(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')


def check(*arguments: str) -> tuple[int, list[str]]:
    """Exit code and lines of the command."""
    out = StringIO()
    try:
        call_command("check_ledger", *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue().splitlines()
    return 0, out.getvalue().splitlines()


@pytest.fixture
def store() -> Store:
    return factories.make_store("sound")


@pytest.fixture
def order(store: Store) -> Order:
    """X2: one part extended into a new lot, one part back in its own; points back too, and a lapsed lot beside them."""
    customer = factories.make_customer(store)
    factories.grant("credits", customer, "10", until=date(2026, 1, 1))
    factories.grant("credits", customer, "5", until=date(2026, 3, 20))
    factories.grant("points", customer, 130)
    placed = factories.make_order(customer, credits="15", points=100)
    factories.grant("credits", customer, "3", until=date(2026, 1, 2))
    extend = CancelChoice(returns={"credits": True, "points": True}, extend={"credits": Extension(days=30)})
    return factories.cancel_choosing(placed, extend).order


def test_h5_sound_books_agree_in_one_line(order: Order, store: Store) -> None:
    assert check() == (0, ["ledger agrees: 5 lots, 11 movements, 3 allocations, 1 orders, 2 returns, 0 redemptions"])
    assert check("--store", "sound")[0] == 0


def test_h5_an_unknown_store_is_one_line(db: None) -> None:
    with pytest.raises(CommandError, match="There is no store “nowhere”"):
        call_command("check_ledger", "--store", "nowhere")


def test_l5_unposted_expiry_is_no_fault(store: Store) -> None:
    factories.grant("credits", factories.make_customer(store), "3", until=date(2025, 12, 24))
    assert check()[0] == 0


def test_h5_one_store_is_checked_alone(order: Order) -> None:
    factories.make_store("other")
    change(CreditLot, CreditLot.unscoped.earliest("id").pk, remaining=1)
    assert check("--store", "other")[0] == 0
    assert check("--store", "sound")[0] == 1


Break = Callable[[Order], str]


def remaining(order: Order) -> str:
    lot = PointLot.unscoped.get()
    change(PointLot, lot.pk, remaining=129)
    return f"store sound: member points lot {lot.pk}: 129 remain, but its movements add up to 130."


def remaining_within(order: Order) -> str:
    drop_constraint(CreditLot, "creditlot_remaining_within")
    lot = CreditLot.unscoped.earliest("id")
    change(CreditLot, lot.pk, remaining=11)
    return f"store credit lot {lot.pk}: 11.000 remain, which is not between 0 and the 10.000 granted."


def granted(order: Order) -> str:
    lot = CreditLot.unscoped.earliest("id")
    change(CreditLot, lot.pk, granted=12)
    return f"store credit lot {lot.pk}: 12.000 granted as grant, but its first movement is grant of 10.000"


def extension(order: Order) -> str:
    lot = CreditLot.unscoped.get(origin="extension")
    change(CreditLot, lot.pk, origin="grant")
    return f"store credit lot {lot.pk}: 10.000 granted as grant, but its first movement is revert of 10.000"


def balance(order: Order) -> str:
    movement = CreditMovement.unscoped.latest("id")
    change(CreditMovement, movement.pk, balance_after=1)
    return f"store credit movement {movement.pk} of customer {order.customer_id}: the balance after it is 1.000"


def movement_amount(order: Order) -> str:
    movement = PointMovement.unscoped.get(type="revert")
    change(PointMovement, movement.pk, amount=99)
    return f"member points movement {movement.pk} of customer {order.customer_id}"


def movement_gone(order: Order) -> str:
    movement = CreditMovement.unscoped.filter(type="expire").get()
    delete(CreditMovement, movement.pk)
    return f"store credit lot {movement.lot_id}: 0.000 remain, but its movements add up to 3.000."


def allocation_amount(order: Order) -> str:
    allocation = CreditAllocation.unscoped.earliest("id")
    change(CreditAllocation, allocation.pk, amount=11)
    return f"store credit allocation {allocation.pk} of order {order.pk}: 11.000 used, but its movements spent 10.000."


def allocation_returned(order: Order) -> str:
    allocation = CreditAllocation.unscoped.earliest("id")
    change(CreditAllocation, allocation.pk, returned=9)
    return f"store credit allocation {allocation.pk} of order {order.pk}: 9.000 returned, but its movements returned 10"


def movement_sign(order: Order) -> str:
    movement = PointMovement.unscoped.get(type="spend")
    change(PointMovement, movement.pk, type="revert")
    return f"member points movement {movement.pk}: a revert of -100 has the wrong sign or lacks"


def movement_of_another_customer(order: Order) -> str:
    other = factories.make_customer(order.store)
    movement = PointMovement.unscoped.latest("id")
    change(PointMovement, movement.pk, customer_id=other.pk)
    return f"member points movement {movement.pk}: of customer {other.pk} , but its lot {movement.lot_id}"


def movement_currency(order: Order) -> str:
    movement = CreditMovement.unscoped.latest("id")
    change(CreditMovement, movement.pk, currency="EUR")
    return f"store credit movement {movement.pk}: of customer {order.customer_id} EUR, but its lot"


def movement_of_another_allocation(order: Order) -> str:
    first, second = CreditAllocation.unscoped.order_by("id")
    movement = CreditMovement.unscoped.get(type="spend", allocation=first)
    change(CreditMovement, movement.pk, allocation_id=second.pk)
    return f"store credit movement {movement.pk} (spend): lot {first.lot_id}, order {order.pk}, but its allocation"


def order_applied(order: Order) -> str:
    change(Order, order.pk, credits_applied=16)
    return f"order {order.number} (id {order.pk}): 16.000 of store credits used and 15.000 returned"


def order_reverted(order: Order) -> str:
    change(Order, order.pk, points_reverted=99)
    return f"order {order.number} (id {order.pk}): 100 of member points used and 99 returned, but its allocations"


def order_reverted_within(order: Order) -> str:
    drop_constraint(Order, "order_points_returned_within")
    change(Order, order.pk, points_reverted=101)
    return f"order {order.number} (id {order.pk}): 101 of member points returned, which is not between 0 and the 100"


def order_decision(order: Order) -> str:
    change(Order, order.pk, credits_decision="declined")
    return f"order {order.number} (id {order.pk}): the decision on store credits is “declined”, with 0.000 not back."


def order_cancelled(order: Order) -> str:
    drop_constraint(Order, "order_cancelled_means_cancelled_at")
    change(Order, order.pk, cancelled_at=None)
    return f"order {order.number} (id {order.pk}): it is cancelled, which does not fit"


def order_spender(order: Order) -> str:
    change(Order, order.pk, customer_id=factories.make_customer(order.store).pk)
    return f"order {order.number} (id {order.pk}): allocation"


def order_currency(order: Order) -> str:
    change(Order, order.pk, currency="EUR")
    return f"of customer {order.customer_id} USD, not its spender."


def revert_amount(order: Order) -> str:
    revert = Revert.unscoped.get(kind="credits")
    change(Revert, revert.pk, amount=Decimal(14))
    return f"return {revert.pk} of order {order.pk}: 14.000 of store credits, but its movements returned 15.000"


def revert_list(order: Order) -> str:
    revert = Revert.unscoped.get(kind="points")
    change(Revert, revert.pk, lots="{}")
    return (
        f"return {revert.pk} of order {order.pk}: 100.000 of member points, but its movements returned 100 and its list"
    )


def revert_lots(order: Order) -> str:
    revert = Revert.unscoped.get(kind="credits")
    first, second = (lot["lot"] for lot in revert.lots)
    swapped = str(revert.lots).replace("'", '"').replace(f'"lot": "{first}"', f'"lot": "{second}"')
    change(Revert, revert.pk, lots=swapped)
    return f"is not what return {revert.pk} of order {order.pk} lists."


BREAKS: list[Break] = [
    remaining,
    remaining_within,
    granted,
    extension,
    balance,
    movement_amount,
    movement_gone,
    allocation_amount,
    allocation_returned,
    movement_sign,
    movement_of_another_customer,
    movement_currency,
    movement_of_another_allocation,
    order_applied,
    order_reverted,
    order_reverted_within,
    order_decision,
    order_cancelled,
    order_spender,
    order_currency,
    revert_amount,
    revert_list,
    revert_lots,
]


@pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: broken.__name__)
def test_h5_a_broken_row_is_named(broken: Break, order: Order) -> None:
    expected = broken(order)
    code, lines = check()
    assert code == 1
    assert any(expected in line for line in lines), (expected, lines)
    assert all(line.startswith("store sound: ") for line in lines)


def test_h5_orders_of_before_are_told_when_the_first_of_what_they_used_expires(order: Order) -> None:
    told = Order.unscoped.get().first_expiry
    assert told == CreditLot.unscoped.earliest("id").expires_at
    change(Order, order.pk, first_expiry=None)
    assert check()[1][0].endswith(
        f"the first of what it used expires: never, but its lots say: {told:%Y-%m-%d %H:%M:%S}+00."
    )

    with as_owner():
        import_module("orders.migrations.0035_first_expiry_of_before").tell_orders(
            None, SimpleNamespace(connection=connection)
        )

    assert Order.unscoped.get().first_expiry == told
    assert check()[0] == 0


def test_t1_a_row_that_joins_two_stores_is_named(order: Order) -> None:
    stranger = factories.make_customer(factories.make_store("stranger"))
    drop_constraint(Order, "orders_order_customer_id_same_store")
    change(Order, order.pk, customer_id=stranger.pk)
    assert f"store sound: order {order.pk}: its customer {stranger.pk} is not in this store." in list(find_faults(None))


def test_t1_every_reference_between_rows_of_a_store_is_looked_at() -> None:
    assert len(list(same_store_fields())) >= 43
