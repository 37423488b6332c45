"""Two tabs, or one form sent twice, at the same moment: what an order used is taken once (O2, O5)."""

from typing import Any

import pytest
import time_machine
from django.test import Client

from loyalty.stores.models import Role, Store
from orders.models import Order
from tests import factories
from tests.addresses import reverse
from tests.books import find_faults
from tests.factories import NOW
from tests.races.racing import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

# One form that is sent twice, and two tabs with a form of their own.
_ONE_FORM, _TWO_TABS = ("same", "same"), ("one", "other")
_ROUNDS = list(enumerate((_ONE_FORM, _TWO_TABS, _ONE_FORM, _TWO_TABS)))


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


def test_o5_what_an_order_used_is_recorded_once() -> None:
    store = factories.make_store()
    ana = factories.make_customer(store)
    factories.grant("points", ana, 1000)
    clients = tabs(store)
    with time_machine.travel(NOW, tick=True):
        for number, tokens in _ROUNDS:
            order = factories.make_order(ana)
            body = {"points": "10", "reason": "Till", "version": str(order.version), "_confirm": "1"}
            address = reverse("admin:orders_order_record", args=[order.pk])
            bodies = [body | {"once": f"{token}-{number}"} for token in tokens]
            first, second = sent_together(clients, address, *bodies)
            # The later tab waits for the earlier one and then is told, or comes when there is nothing left to record.
            assert (first, second in ({302} if tokens == _ONE_FORM else {409, 422})) == (302, True)
            assert Order.objects.for_store(store).get(pk=order.pk).points_applied == 10
    assert factories.balance("points", ana, now=NOW) == 1000 - 10 * len(_ROUNDS)
    assert find_faults(store) == []


def test_o2_an_order_is_entered_once() -> None:
    store = factories.make_store()
    ana = factories.make_customer(store, email="ana@example.org")
    factories.grant("points", ana, 1000)
    clients = tabs(store)
    body = {"total": "100", "currency": "USD", "status": "confirmed", "payment": "paid", "who": "ana@example.org"}
    body |= {"points": "10", "note": "Till", "_confirm": "1"}
    with time_machine.travel(NOW, tick=True):
        for number, tokens in _ROUNDS:
            bodies = [body | {"number": f"T-{number}", "once": f"{token}-{number}"} for token in tokens]
            statuses = sent_together(clients, reverse("admin:orders_order_add"), *bodies)
            assert statuses == [302, 302 if tokens == _ONE_FORM else 422]
    assert Order.objects.for_store(store).count() == len(_ROUNDS)
    assert factories.balance("points", ana, now=NOW) == 1000 - 10 * len(_ROUNDS)
    assert find_faults(store) == []
