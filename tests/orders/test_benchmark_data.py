"""The benchmark's data is like shops' data, and its books agree."""

import pytest

from benchmarks.data import generate
from loyalty.database.named_stores import every_store
from orders.models import Completeness, Order, OrderStatus, PaymentStatus, Redemption, RevertStatus
from tests.books import find_faults
from tests.database import as_owner

pytestmark = pytest.mark.django_db


def test_h5_it_has_everything_that_shops_have_and_its_books_agree() -> None:
    with every_store():
        with as_owner():
            generate(800, stores=3, varied=True)
        largest = Order.unscoped.filter(store=1)
        assert {row.status for row in largest} == set(OrderStatus.values)
        assert {row.payment_status for row in largest} == set(PaymentStatus.values)
        assert {row.credit_revert_status for row in largest} == {*RevertStatus.values, None}
        assert {row.completeness for row in largest} == {*Completeness.values, None}
        assert {len(row.tags) for row in largest} >= {0, 1, 2}
        assert Redemption.unscoped.filter(used_order__in=largest).exists()
        assert find_faults(None) == []
