"""What orders earned is taken back from their customer's lots, for any number of orders at once (C1)."""

from datetime import timedelta

import pytest

from loyalty.ledger.earned import Award, TakeBack, award, take_back
from loyalty.stores.actors import Act, Trigger
from points.ledger import POINTS
from points.models import PointLot
from tests import factories
from tests.factories import ACTOR, BEFORE, NOW

pytestmark = pytest.mark.django_db


def test_c1_an_order_takes_from_the_next_lot_where_another_has_emptied_one() -> None:
    customer = factories.make_customer(factories.make_store("sound"))
    earning, spent = factories.make_order(customer), factories.make_order(customer)
    store_id, in_bulk = customer.store_id, Act(ACTOR, Trigger.BULK, NOW)
    days = {earning.pk: (10, 60), spent.pk: (5, 30)}
    awards = [
        Award(store_id, customer.pk, order, points, NOW + timedelta(days=lasts))
        for order, (points, lasts) in days.items()
    ]
    award(POINTS, awards, act=Act(ACTOR, Trigger.API, BEFORE))
    factories.make_order(customer, points=5)
    other = factories.grant("points", customer, 7)

    takes = [TakeBack(store_id, customer.pk, order, points, may_owe=False) for order, (points, _) in days.items()]
    taken = take_back(POINTS, takes, act=in_bulk)

    assert taken == {earning.pk: 10, spent.pk: 5}
    assert list(PointLot.unscoped.filter(remaining__gt=0).values_list("pk", "remaining")) == [(other.pk, 2)]
