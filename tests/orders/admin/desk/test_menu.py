"""The numbers in the menu: what waits for somebody in the store, read at once."""

from typing import Any

import pytest
from django.test import RequestFactory
from pytest_django import DjangoAssertNumQueries

from loyalty.database.named_stores import in_store
from loyalty.stores.models import Role
from orders.admin.desk.menu import needs_revert_badge, paid_late_badge, privacy_badge, requests_badge
from orders.services.redemptions.requests import request_reversal
from tests.factories import (
    ACTOR,
    NOW,
    grant,
    make_collector,
    make_customer,
    make_order,
    make_redemption,
    make_reward,
    make_store,
    make_user,
)

pytestmark = pytest.mark.django_db


def test_the_menu_counts_what_waits_in_the_store_with_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    store, other = make_store(), make_store()
    for place, number in ((store, "1"), (store, "2"), (other, "3")):
        ana = make_customer(place)
        grant("credits", ana, "5.00")
        make_order(ana, credits="5.00", payment_status="refunded", number=number)
    redemption = make_redemption(make_collector(store), make_reward(store))
    request_reversal(store=store, redemption_id=redemption.pk, reason="Not wanted", actor=ACTOR, now=NOW)
    request: Any = RequestFactory().get("/")
    request.user, request.store, request.role = make_user((store, Role.MANAGER)), store, Role.MANAGER
    badges = (needs_revert_badge, paid_late_badge, requests_badge, privacy_badge)
    with in_store(store.pk), django_assert_num_queries(1):
        assert [badge(request) for badge in badges] == ["2", "", "1", ""]
