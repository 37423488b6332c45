"""A store that has names of its own for credits and points reads those on each of its pages, and never ours."""

import re
from typing import Any, Final, cast

import pytest

from loyalty.backoffice.lists.export import FORMATS
from loyalty.store_settings.sections import StoreSettings
from loyalty.store_settings.words import LanguageWords, WordsSettings
from loyalty.web.addresses import page_of
from orders.admin.customers.admin import CustomerAdmin
from orders.admin.customers.tabs import TABS as CUSTOMER_TABS
from orders.admin.orders.admin import OrderAdmin
from orders.admin.orders.tabs import TABS as ORDER_TABS
from orders.admin.redemptions.admin import RedemptionAdmin
from orders.admin.reverts.admin import RevertAdmin
from tests import factories
from tests.loyalty.backoffice.open_everything import owner_of
from tests.loyalty.backoffice.test_every_address import FILES, GET_PAGES, Shop
from tests.loyalty.languages.pseudo import texts_of

pytestmark = pytest.mark.django_db

# A name that is text and nothing else, whatever it looks like.
OWN: Final = LanguageWords(credits="wallet %(x)s <b>", points="coins {order.__class__}", point="coin {0} %s")
OURS: Final = re.compile(r"\b(?:credits?|points?)\b", re.IGNORECASE)
# The two statuses are terms of the product; scopes, tags and columns are typed by programs as they stand; what
# SHOPLINE keeps are its own; a point is also what stands before decimals.
TERMS: Final = re.compile(
    r"Credit Revert Status|Points Revert Status|credits:write|points:write|credits-reverted|Points and Rewards"
    r"|customer,points,|customer, points, reason|Have SHOPLINE return its own (?:credits|points)"
    r"|of the credits that SHOPLINE keeps|the member points that SHOPLINE keeps|Point: 1,234\.50"
)
# Where the names are given, ours are what stands there without them; and a file that was brought says what it says.
PAGES_OF_OURS: Final = re.compile(r"settingsversion_words_\w+$")
IN_FILES: Final = {"points", "“credits” nor “points”"}


def _addresses(shop: Shop) -> dict[str, str]:
    found = {name: shop.address(name) for name in set(GET_PAGES) - FILES if not PAGES_OF_OURS.search(name)}
    customer, order = found["stores_customer_change"], found["orders_order_change"]
    found |= {f"customer, {tab}": f"{customer}?tab={tab}" for tab in CUSTOMER_TABS}
    return found | {f"order, {tab}": f"{order}?tab={tab}" for tab in ORDER_TABS}


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    factories.make_settings(shop.store, StoreSettings(words=WordsSettings(en=OWN)))
    # One more whose order is still to be decided about, and one that used nothing.
    factories.grant("points", shop.customer, 20)
    factories.make_order(shop.customer, credits="5.00", points=20)
    return shop


def test_h3_every_page_of_a_store_says_its_own_names_and_they_are_text(shop: Shop) -> None:
    client, pages, found = owner_of(shop), dict[str, str](), dict[str, set[str]]()
    for name, address in _addresses(shop).items():
        answer = client.get(address, follow=True)
        assert answer.status_code == 200, name
        pages[name] = answer.text
        texts = {" ".join(text.split()) for text in texts_of(answer.text)}
        said = {text for text in texts - IN_FILES if OURS.search(TERMS.sub("", text))}
        # A version that gives the names says which setting it was.
        if said and name != "stores_settingsversion_change":
            found[name] = said
    assert found == {}
    told = {name for name, page in pages.items() if "allet %(x)s &lt;b&gt;" in page}
    assert {"index", "orders_order_changelist", "orders_order_cancel", "stores_settingsversion_spent_revert"} <= told
    assert not {name for name, page in pages.items() if re.search(r"allet %\(x\)s <b>|allet %%|oins \{\{", page)}


@pytest.mark.parametrize("admin", [OrderAdmin, CustomerAdmin, RevertAdmin, RedemptionAdmin])
def test_h3_files_of_a_store_say_its_own_names(shop: Shop, admin: type[OrderAdmin]) -> None:
    client = owner_of(shop)
    for export in admin.exports:
        for suffix, _name in FORMATS:
            model = "stores_customer" if admin is CustomerAdmin else f"orders_{admin.__name__[:-5].lower()}"
            answer = client.get(page_of(shop.store, f"admin:{model}_export", export.key, suffix))
            content = b"".join(cast(Any, answer).streaming_content)
            assert answer.status_code == 200
            if suffix == "csv":
                heading = content.decode("utf-8-sig").splitlines()[0]
                assert not OURS.search(TERMS.sub("", heading)), export.key
