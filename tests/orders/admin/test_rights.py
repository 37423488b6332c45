"""What each role can do to a balance by the forms of the back-office, proved by the ledger (T2, T7)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Sum
from django.test import Client

from credits.models import CreditMovement
from loyalty.ledger.models import MovementType
from loyalty.stores.models import Customer, Role, Store
from orders.models import Reward
from points.models import PointMovement
from tests import factories
from tests.addresses import reverse
from tests.factories import NOW
from tests.orders.admin.reverts.cases import staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]
Attempt = Callable[[Client, Customer], Any]


def _adjusts(kind: str, amount: str, direction: str = "give") -> Attempt:
    def attempt(client: Client, customer: Customer) -> Any:
        fields = {"direction": direction, "amount": amount, "reason": "x", "once": uuid4().hex}
        return client.post(reverse("admin:stores_customer_adjust", args=[customer.pk, kind]), fields)

    return attempt


def _table(client: Client, customer: Customer) -> Any:
    address, rows = reverse("admin:stores_customer_points"), f"{customer.email},900,x\n" * 5
    page = client.post(address, {"table": f"customer,points,reason\n{rows}", "once": uuid4().hex})
    if page.status_code != 200:
        return page
    shown = {name: page.context[name] for name in ("table", "shown")}
    return client.post(address, shown | {"once": uuid4().hex, "_confirm": "1"})


def _reward(client: Client, customer: Customer) -> Any:
    terms = {"name": "Gold", "points": "1", "type": "credits", "value": "100000.00", "active": "on"}
    client.post(reverse("admin:orders_reward_add"), terms | {"once": uuid4().hex})
    gold = Reward.objects.for_store(customer.store).filter(name="Gold").first()
    fields = {"reward": gold.pk if gold else 0, "once": uuid4().hex}
    return client.post(reverse("admin:stores_customer_redeem", args=[customer.pk]), fields)


FORMS: dict[str, Attempt] = {
    "give credits": _adjusts("credits", "90"),
    "give points": _adjusts("points", "900"),
    "table of points": _table,
    "reward of one's own": _reward,
}
WITHIN_LIMITS = {"give credits", "give points", "table of points"}
MAKES: dict[Role, set[str]] = {
    Role.VIEWER: set(),
    Role.SUPPORT: WITHIN_LIMITS,
    Role.MANAGER: set(FORMS),
    Role.OWNER: set(FORMS),
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("form", FORMS)
def test_t7_a_role_makes_value_by_its_own_forms_alone(role: Role, form: str) -> None:
    store = factories.make_store()
    customer = factories.make_customer(store)
    factories.grant("points", customer, 1)
    before = _given(store)

    FORMS[form](staff(store, role)[0], customer)

    assert (_given(store) > before) == (form in MAKES[role])


def test_t7_no_mixture_of_forms_gives_more_than_a_days_limit() -> None:
    store = factories.make_store()
    client, _ = staff(store, Role.SUPPORT)
    customer = factories.make_customer(store)
    for _ in range(4):
        for attempt in (FORMS["give points"], _table, _adjusts("points", "100"), _adjusts("credits", "30")):
            attempt(client, customer)
    assert factories.balance("points", customer, now=NOW) == 1000
    assert factories.balance("credits", customer, now=NOW) == Decimal(90)


def test_t7_the_table_says_what_is_left_before_anything_is_pressed() -> None:
    store = factories.make_store()
    client, _ = staff(store, Role.SUPPORT)
    _adjusts("points", "600")(client, factories.make_customer(store))
    assert "400 points left today." in client.get(reverse("admin:stores_customer_points")).content.decode()


def _given(store: Store) -> Decimal:
    """The value that gifts and rewards have made so far: credits and points in one sum, which is only compared."""
    sums = (
        model.unscoped.filter(store=store, amount__gt=0, type=MovementType.GRANT).aggregate(sum=Sum("amount"))["sum"]
        for model in (CreditMovement, PointMovement)
    )
    return sum((Decimal(total or 0) for total in sums), start=Decimal(0))
