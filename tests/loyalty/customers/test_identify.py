"""Who is this: platform ids, the store's own ids and e-mails (O7)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.customers.identify import CustomerFacts, identify, platform_ids
from loyalty.customers.search import find_customers
from loyalty.stores.compared import fold_email
from loyalty.stores.models import Customer, PlatformId, Store
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

ANA = CustomerFacts("26", "ana@example.com", "Ana", platform="shopify")


def who(store: Store, facts: CustomerFacts) -> Customer:
    customer = identify(store, facts, now=NOW)
    assert customer is not None
    return customer


def ids(customer: Customer) -> dict[str, str]:
    return platform_ids([customer.pk]).get(customer.pk, {})


def test_o7_the_same_number_of_two_platforms_and_of_the_store_is_three_people(store: Store) -> None:
    there = who(store, ANA)
    elsewhere = who(store, CustomerFacts("26", "ben@example.com", "Ben", platform="woocommerce"))
    own = who(store, CustomerFacts("26", "cleo@example.com", "Cleo"))

    assert len({there.pk, elsewhere.pk, own.pk}) == 3
    assert (there.external_id, elsewhere.external_id, own.external_id) == (None, None, "26")
    assert (ids(there), ids(elsewhere), ids(own)) == ({"shopify": "26"}, {"woocommerce": "26"}, {})
    assert who(store, replace(ANA, email="")) == there
    assert who(factories.make_store(), ANA) not in (there, elsewhere, own)


def test_o7_an_unknown_id_with_one_customers_email_is_that_customer(store: Store) -> None:
    known = factories.make_customer(store, external_id="crm-77", email="Ana@Example.com", name="")
    assert who(store, replace(ANA, email=" ana@EXAMPLE.com ")) == known
    assert who(store, replace(ANA, platform="woocommerce", external_id="5")) == known
    known.refresh_from_db()
    assert (known.external_id, known.email, known.name) == ("crm-77", "Ana@Example.com", "Ana")
    assert ids(known) == {"shopify": "26", "woocommerce": "5"}


def test_o7_a_customer_of_a_platform_takes_the_stores_own_id_but_only_one(store: Store) -> None:
    there = who(store, ANA)
    assert who(store, CustomerFacts("crm-1", ANA.email, "")) == there
    another = who(store, CustomerFacts("crm-2", ANA.email, ""))
    there.refresh_from_db()
    assert (there.external_id, another.external_id, another == there) == ("crm-1", "crm-2", False)


def test_o7_an_account_made_anew_is_the_same_customer_by_both_ids(store: Store) -> None:
    before = who(store, ANA)
    after = who(store, replace(ANA, external_id="99"))
    assert after == before
    assert ids(after) == {"shopify": "99"}
    # A late message of the account that is gone finds him, and does not make the old id the current one again.
    assert who(store, ANA) == before
    assert ids(before) == {"shopify": "99"}


def test_o7_an_email_of_several_customers_is_no_guess(store: Store) -> None:
    known = {factories.make_customer(store, email=email).pk for email in ("ana@example.com", "ANA@example.com")}
    assert identify(store, CustomerFacts(None, "ana@example.com", "Ana"), now=NOW) is None
    new = who(store, ANA)
    assert new.pk not in known
    assert ids(new) == {"shopify": "26"}


def test_o7_a_guest_is_whoever_has_the_email(store: Store) -> None:
    guest = who(store, replace(ANA, external_id=None))
    assert ids(guest) == {}
    assert who(store, replace(ANA, external_id=None, email="ANA@example.com")) == guest
    assert who(store, ANA) == guest
    assert ids(guest) == {"shopify": "26"}
    assert identify(store, CustomerFacts(None, " ", "Nobody", platform="shopify"), now=NOW) is None


def test_o7_what_is_known_is_never_overwritten(store: Store) -> None:
    ana = who(store, replace(ANA, email=""))
    assert who(store, replace(ANA, name="Eve", phone="1")) == ana
    ana.refresh_from_db()
    assert (ana.email, ana.name, ana.phone) == ("ana@example.com", "Ana", "1")


def test_o7_search_knows_the_ids_of_platforms(store: Store) -> None:
    ana = who(store, ANA)
    who(store, replace(ANA, external_id="99"))
    foreign = factories.make_store()
    assert list(find_customers(store, "26")) == list(find_customers(store, "99")) == [ana]
    assert list(find_customers(foreign, "26")) == []


@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=20).map(str.strip))
def test_o7_the_database_folds_an_email_as_we_do(text: str) -> None:
    store = factories.make_store()
    customer = factories.make_customer(store, email=text)
    found = Customer.objects.for_store(store).filter(folded_email=fold_email(text.upper().lower()))
    expected = fold_email(text.upper().lower()) == fold_email(text)
    assert found.filter(pk=customer.pk).exists() == expected
    assert Customer.objects.for_store(store).filter(folded_email=fold_email(text)).get() == customer


def test_o7_a_customer_has_one_current_id_on_a_platform(store: Store) -> None:
    ana = who(store, ANA)
    who(store, replace(ANA, external_id="99"))
    rows = PlatformId.objects.for_store(store).filter(customer=ana).order_by("pk")
    assert [(row.external_id, row.replaced_at) for row in rows] == [("26", NOW), ("99", None)]
    assert NOW - rows[0].created_at < timedelta(seconds=1)
