"""Two tabs, or one form sent twice, at the same moment: what an order used is taken once (O2, O5)."""

from typing import Any

import pytest
import time_machine
from django.test import Client

from loyalty.checks import find_faults
from loyalty.stores.models import Role, Store
from orders.models import Order
from tests import factories
from tests.addresses import reverse
from tests.factories import NOW
from tests.races.racing import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

_ROUNDS = range(4)


def tabs(store: Store) -> list[Client]:
    """One person in two tabs."""
    user = factories.make_user((store, Role.MANAGER))
    clients = [Client(), Client()]
    for client in clients:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return clients


def sent_together(clients: list[Client], address: str, *bodies: dict[str, Any]) -> list[int]:
    """The statuses, in order of size, of what both tabs send at once."""
    calls = [lambda pair=pair: pair[0].post(address, pair[1]) for pair in zip(clients, bodies, strict=True)]
    return sorted(answer.status_code for answer in together(*calls))  # type: ignore[union-attr]


# The later tab waits for the earlier one and then is told, or comes when there is nothing left to record.
@pytest.mark.parametrize(("tokens", "late"), [(("same", "same"), {302}), (("one", "other"), {409, 422})])
def test_o5_what_an_order_used_is_recorded_once(tokens: tuple[str, str], late: set[int]) -> None:
    store = factories.make_store()
    ana = factories.make_customer(store)
    factories.grant("points", ana, 1000)
    clients = tabs(store)
    with time_machine.travel(NOW, tick=True):
        for number in _ROUNDS:
            order = factories.make_order(ana)
            body = {"points": "10", "reason": "Till", "version": str(order.version), "_confirm": "1"}
            address = reverse("admin:orders_order_record", args=[order.pk])
            bodies = [body | {"once": f"{token}-{number}"} for token in tokens]
            first, second = sent_together(clients, address, *bodies)
            assert (first, second in late) == (302, True)
            assert Order.objects.for_store(store).get(pk=order.pk).points_applied == 10
    assert factories.balance("points", ana, now=NOW) == 1000 - 10 * len(_ROUNDS)
    assert list(find_faults(store)) == []


@pytest.mark.parametrize(("tokens", "refused"), [(("same", "same"), 302), (("one", "other"), 422)])
def test_o2_an_order_is_entered_once(tokens: tuple[str, str], refused: int) -> None:
    store = factories.make_store()
    ana = factories.make_customer(store, email="ana@example.org")
    factories.grant("points", ana, 1000)
    clients = tabs(store)
    body = {"total": "100", "currency": "USD", "status": "confirmed", "payment": "paid", "who": "ana@example.org"}
    body |= {"points": "10", "note": "Till", "_confirm": "1"}
    with time_machine.travel(NOW, tick=True):
        for number in _ROUNDS:
            bodies = [body | {"number": f"T-{number}", "once": f"{token}-{number}"} for token in tokens]
            assert sent_together(clients, reverse("admin:orders_order_add"), *bodies) == [302, refused]
    assert Order.objects.for_store(store).count() == len(_ROUNDS)
    assert factories.balance("points", ana, now=NOW) == 1000 - 10 * len(_ROUNDS)
    assert list(find_faults(store)) == []
