"""The path at the head of a page: the list, then what of it is looked at."""

import re

import pytest
from django.test import Client

from loyalty.stores.models import Role
from loyalty.web.addresses import page_of
from tests import factories

pytestmark = pytest.mark.django_db


def _path(client: Client, address: str, language: str) -> list[str]:
    page = client.get(address, headers={"accept-language": language}).text
    head = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.DOTALL)
    assert head
    parts = re.findall(r"<(?:a|span)[^>]*class=\"align-middle[^>]*truncate[^>]*>\s*(.*?)\s*</", head[1], re.DOTALL)
    return [" ".join(part.split()) for part in parts]


@pytest.mark.parametrize(("language", "orders"), [("en", "Orders"), ("zh-Hant", "訂單"), ("de", "Bestellungen")])
def test_the_path_names_the_list_once_and_what_is_looked_at(client: Client, language: str, orders: str) -> None:
    store = factories.make_store()
    order = factories.make_order(factories.make_customer(store))
    client.force_login(factories.make_user((store, Role.OWNER)), backend="django.contrib.auth.backends.ModelBackend")
    assert _path(client, page_of(store, "admin:orders_order_changelist"), language) == [orders]
    number = _path(client, page_of(store, "admin:orders_order_change", order.pk), language)
    assert (len(number), number[0], order.number in number[1]) == (2, orders, True)
