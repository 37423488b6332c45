"""Which store one works in, and switching (T2, T4)."""

import pytest
from django.test import Client

from loyalty.stores.models import Membership, Role, User
from tests import factories
from tests.addresses import reverse

pytestmark = pytest.mark.django_db


def _sign_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_t2_one_switches_between_ones_own_stores() -> None:
    first, second = factories.make_store(name="Anvil"), factories.make_store(name="Bellows")
    client = _sign_in(factories.make_user((first, Role.OWNER), (second, Role.VIEWER)))
    assert client.get(reverse("admin:index")).context["active_store"] == first
    assert client.post(reverse("admin:switch_store"), {"store": second.pk}).status_code == 302
    page = client.get(reverse("admin:index"))
    assert page.context["active_store"] == second
    assert "Bellows" in page.content.decode()


def test_t1_another_store_is_unknown_to_the_switcher() -> None:
    mine, other = factories.make_store(), factories.make_store()
    client = _sign_in(factories.make_user((mine, Role.OWNER)))
    for wanted in (other.pk, 999_999_999, "x", ""):
        assert client.post(reverse("admin:switch_store"), {"store": wanted}).status_code == 404
    assert client.get(reverse("admin:switch_store")).status_code == 405
    assert client.get(reverse("admin:index")).context["active_store"] == mine


def test_t2_a_removed_membership_is_gone_with_the_next_click() -> None:
    store = factories.make_store()
    user = factories.make_user((store, Role.OWNER))
    client = _sign_in(user)
    assert client.get(reverse("admin:orders_order_changelist")).status_code == 200
    Membership.objects.filter(user=user).delete()
    page = client.get(reverse("admin:orders_order_changelist"))
    assert page.status_code == 403
    assert "You do not work in any store yet" in page.content.decode()


def test_t2_an_operator_sees_every_store_and_which_one_it_is() -> None:
    factories.make_store(name="Anvil")
    second = factories.make_store(name="Bellows")
    client = _sign_in(factories.make_user(is_superuser=True))
    client.post(reverse("admin:switch_store"), {"store": second.pk})
    assert "Bellows" in client.get(reverse("admin:orders_order_changelist")).content.decode()


def test_t2_what_a_role_may_not_do_is_absent_from_the_menu() -> None:
    store = factories.make_store()
    viewer = _sign_in(factories.make_user((store, Role.VIEWER))).get(reverse("admin:index")).content.decode()
    owner = _sign_in(factories.make_user((store, Role.OWNER))).get(reverse("admin:index")).content.decode()
    for name in ("stores_apikey_changelist", "stores_membership_changelist"):
        assert reverse(f"admin:{name}") not in viewer
        assert reverse(f"admin:{name}") in owner
    assert reverse("admin:stores_store_changelist") not in owner


def test_t4_currency_and_time_zone_are_fixed_once_there_are_lots() -> None:
    store = factories.make_store()
    client = _sign_in(factories.make_user(is_superuser=True))
    address = reverse("admin:stores_store_change", args=[store.pk])
    sent = {"name": "New", "slug": store.slug, "currency": "EUR", "time_zone": "Europe/Berlin", "locale": "de"}
    assert client.post(address, sent).status_code == 302
    store.refresh_from_db()
    assert (store.currency, store.time_zone) == ("EUR", "Europe/Berlin")
    factories.grant("points", factories.make_customer(store), 5)
    assert client.post(address, sent | {"currency": "USD", "time_zone": "UTC", "name": "Newer"}).status_code == 302
    store.refresh_from_db()
    assert (store.name, store.currency, store.time_zone) == ("Newer", "EUR", "Europe/Berlin")


def test_t2_a_store_keeps_an_owner() -> None:
    store = factories.make_store()
    owner = factories.make_user((store, Role.OWNER))
    member = Membership.objects.get(user=owner)
    client = _sign_in(owner)
    client.post(reverse("admin:stores_membership_remove", args=[member.pk]))
    client.post(reverse("admin:stores_membership_change", args=[member.pk]), {"role": "viewer"})
    member.refresh_from_db()
    assert member.role == Role.OWNER


def test_t3_a_key_is_shown_once_and_made_once() -> None:
    store = factories.make_store()
    client = _sign_in(factories.make_user((store, Role.OWNER)))
    sent = {"name": "Shop", "scopes": ["orders:read"], "once": "a" * 32}
    first = client.post(reverse("admin:stores_apikey_add"), sent)
    assert first.context["secret"].startswith("lbo_")
    assert client.post(reverse("admin:stores_apikey_add"), sent).status_code == 302
    page = client.get(reverse("admin:stores_apikey_changelist")).content.decode()
    assert first.context["secret"] not in page
    assert page.count(">Shop<") == 1
