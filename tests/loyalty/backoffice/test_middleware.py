"""Which store one works in: the one in the address (T2, T4, T5)."""

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import NoReverseMatch, URLResolver, get_resolver, get_script_prefix, get_urlconf
from django.urls import reverse as django_reverse

from loyalty.accounts.open_store import NewStore, create_store
from loyalty.core.errors import Invalid
from loyalty.stores.active_store import SESSION_KEY
from loyalty.stores.models import Membership, Role, SettingsVersion, Store, User
from loyalty.stores.slugs import RESERVED
from loyalty.web.addresses import STORE_URLS, common_page, page_of
from tests import factories
from tests.addresses import reverse

pytestmark = pytest.mark.django_db


def _sign_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_t5_the_address_alone_says_in_which_store_one_is() -> None:
    first, second = factories.make_store(name="Anvil"), factories.make_store(name="Bellows")
    client = _sign_in(factories.make_user((first, Role.OWNER), (second, Role.VIEWER)))
    for store, role in ((second, Role.VIEWER), (first, Role.OWNER), (second, Role.VIEWER)):
        page = client.get(page_of(store, "admin:index"))
        assert (page.context["active_store"], page.context["my_role"]) == (store, role)
    assert client.post(page_of(second, "admin:stores_settingsversion_limits")).status_code == 403


def test_t5_the_other_stores_are_links() -> None:
    first, second = factories.make_store(name="Anvil"), factories.make_store(name="Bellows")
    client = _sign_in(factories.make_user((first, Role.OWNER), (second, Role.VIEWER)))
    for here, there in ((first, second), (second, first)):
        page = client.get(page_of(here, "admin:orders_order_changelist")).content.decode()
        assert f'<li><a href="{page_of(there, "admin:index")}">{there.name}</a></li>' in page
        assert f'<a href="{page_of(here, "admin:index")}">{here.name}</a>' not in page


def test_t5_addresses_without_a_store_lead_to_the_one_last_worked_in() -> None:
    first, second = factories.make_store(name="Anvil"), factories.make_store(name="Bellows")
    client = _sign_in(factories.make_user((first, Role.OWNER), (second, Role.VIEWER)))
    query = "?tags=a%20b&q=%C3%A9"
    for store in (first, second, first):
        if client.session.get(SESSION_KEY):
            client.get(page_of(store, "admin:stores_customer_changelist"))
        assert client.get("/admin/").headers["Location"] == page_of(store, "admin:index")
        old = client.get(f"/admin/orders/order/{query}").headers["Location"]
        assert old == page_of(store, "admin:orders_order_changelist") + query
        client.get(page_of(second, "admin:index"))
    for unknown in ("orders/nothing/", "blue-lantern/orders/order/"):
        assert client.get(f"/admin/{unknown}").status_code == 404


def test_t5_what_is_sent_to_an_address_without_a_store_acts_on_nothing() -> None:
    store = factories.make_store(name="Anvil")
    client = _sign_in(factories.make_user((store, Role.OWNER)))
    answer = client.post("/admin/stores/settingsversion/limits/", {"card": "adjusting", "version": "0"})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    page = answer.content.decode()
    assert "Nothing was changed" in page
    assert page_of(store, "admin:stores_settingsversion_limits") in page
    assert not SettingsVersion.objects.for_store(store).exists()


def test_t5_another_store_is_unknown_as_one_that_there_is_not() -> None:
    mine, other = factories.make_store(), factories.make_store()
    client = _sign_in(factories.make_user((mine, Role.OWNER)))
    for page in ("", "orders/order/", "orders/order", "no/such/page/"):
        foreign = client.get(f"/admin/{other.slug}/{page}")
        nobodys = client.get(f"/admin/no-such-store/{page}")
        assert (foreign.status_code, foreign.content) == (nobodys.status_code, nobodys.content)
        assert foreign.status_code == 404
    assert client.get("/admin/").headers["Location"] == page_of(mine, "admin:index")


def test_t5_nobody_learns_which_stores_there_are_before_signing_in() -> None:
    store = factories.make_store()
    for slug in (store.slug, "no-such-store"):
        for page in ("", "orders/order/?q=1"):
            answer = Client().get(f"/admin/{slug}/{page}")
            sent_to = f"/admin/login/?{urlencode({'next': f'/admin/{slug}/{page}'}, safe='/')}"
            assert (answer.status_code, answer.headers["Location"]) == (302, sent_to)


def test_t5_slashes_that_are_missing_are_added() -> None:
    store = factories.make_store()
    client = _sign_in(factories.make_user((store, Role.OWNER)))
    for page in (f"/admin/{store.slug}", f"/admin/{store.slug}/orders/order", "/admin/orders/order"):
        answer = client.get(f"{page}?q=1", follow=True)
        assert (answer.status_code, answer.redirect_chain[-1][0][-5:]) == (200, "/?q=1")


def test_t2_a_removed_membership_is_gone_with_the_next_click() -> None:
    store = factories.make_store()
    user = factories.make_user((store, Role.OWNER))
    client = _sign_in(user)
    address = page_of(store, "admin:orders_order_changelist")
    assert client.get(address).status_code == 200
    Membership.objects.filter(user=user).delete()
    assert client.get(address).status_code == 404
    page = client.get("/admin/")
    assert page.status_code == 403
    assert "You do not work in any store yet" in page.content.decode()


def test_t2_an_operator_sees_every_store_and_which_one_it_is() -> None:
    factories.make_store(name="Anvil")
    second = factories.make_store(name="Bellows")
    client = _sign_in(factories.make_user(is_superuser=True))
    stores = client.get(common_page("admin:stores_store_changelist"))
    assert f'href="{page_of(second, "admin:index")}">Work in this store' in stores.content.decode()
    assert stores.context["active_store"] is None
    assert "Bellows" in client.get(page_of(second, "admin:orders_order_changelist")).content.decode()
    assert client.get("/admin/").headers["Location"] == page_of(second, "admin:index")


def test_t5_a_thread_forgets_the_store_of_the_request_before() -> None:
    store = factories.make_store()
    client = _sign_in(factories.make_user((store, Role.OWNER)))
    client.raise_request_exception = False
    for page in ("orders/order/", "no/such/page/"):
        client.get(f"/admin/{store.slug}/{page}")
        assert (get_script_prefix(), get_urlconf()) == ("/", None)
    with pytest.raises(NoReverseMatch):
        django_reverse("admin:orders_order_changelist")


@pytest.mark.parametrize("slug", sorted(RESERVED | {"Orders", "LOGIN"}))
def test_t5_no_store_is_called_like_a_page(slug: str) -> None:
    with pytest.raises(Invalid) as refused:
        create_store(NewStore(slug, "Shop", "USD", "Asia/Taipei"), now=factories.NOW)
    assert [error.pointer for error in refused.value.errors] == ["/slug"]
    operator = _sign_in(factories.make_user(is_superuser=True))
    sent = {"name": "Shop", "slug": slug, "currency": "USD", "time_zone": "UTC", "locale": "en"}
    page = operator.post(common_page("admin:stores_store_add"), sent)
    assert "is needed for the back-office&#x27;s own pages" in page.content.decode()
    assert not Store.objects.exists()


def test_t5_every_first_word_of_the_back_offices_addresses_is_reserved() -> None:
    """A new one has to be reserved, and a migration has to see to a store that is called so."""
    routes = [route.removeprefix("admin/") for route in _routes(get_resolver()) if route.startswith("admin/")]
    routes += _routes(get_resolver(STORE_URLS))
    words = {match[0] for route in routes if (match := re.match(r"[\w-]+", route))}
    assert {"login", "orders", "stores", "autocomplete"} <= words <= RESERVED


def _routes(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for item in resolver.url_patterns:
        route = prefix + str(item.pattern).removeprefix("^")
        if isinstance(item, URLResolver):
            yield from _routes(item, route)
        else:
            yield route


def test_t2_what_a_role_may_not_do_is_absent_from_the_menu() -> None:
    store = factories.make_store()
    viewer = _sign_in(factories.make_user((store, Role.VIEWER))).get(reverse("admin:index")).content.decode()
    owner = _sign_in(factories.make_user((store, Role.OWNER))).get(reverse("admin:index")).content.decode()
    for name in ("stores_apikey_changelist", "stores_membership_changelist"):
        assert reverse(f"admin:{name}") not in viewer
        assert reverse(f"admin:{name}") in owner
    assert common_page("admin:stores_store_changelist") not in owner


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
