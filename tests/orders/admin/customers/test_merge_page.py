"""Merging from the customer page: chosen, shown, asked twice, done once (O7)."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from loyalty.customers.search import namesakes_of, shared_by
from loyalty.stores.models import Customer, Role, Store
from tests import factories
from tests.addresses import reverse
from tests.books import find_faults
from tests.factories import NOW
from tests.orders.admin.reverts.cases import staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


@pytest.fixture
def kept(store: Store) -> Customer:
    kept = factories.make_customer(store, name="Ana Lee", email="ana@example.com")
    factories.grant("points", kept, 200)
    factories.grant("credits", kept, "5.00")
    return kept


@pytest.fixture
def ana(store: Store) -> Customer:
    ana = factories.make_customer(
        store, name="Ana", email="ANA@example.com ", external_id="crm-1", phone="0912 345 678"
    )
    factories.grant("points", ana, 100)
    factories.make_order(ana, points=40)
    return ana


def page_of(customer: Customer, name: str = "merge") -> str:
    return reverse(f"admin:stores_customer_{name}", args=[customer.pk])


def words(answer: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def shown(client: Client, merged: Customer, kept: Customer) -> dict[str, str]:
    """What the preview's form sends, without the tick."""
    page = client.get(page_of(kept), {"other": merged.pk})
    assert page.status_code == 200
    return {"other": str(merged.pk), "token": page.context["token"], "reason": ""}


def test_o7_the_preview_says_what_moves_and_the_merge_does_it(store: Store, ana: Customer, kept: Customer) -> None:
    client, _ = staff(store, Role.MANAGER)
    assert "Ana (crm-1) may be the same person: same e-mail." in words(client.get(page_of(kept, "change")))
    preview = words(client.get(page_of(kept), {"other": ana.pk}))
    for said in (
        "Member points 60 points 200 points 260 points",
        "Store credits 0.00 USD 5.00 USD 5.00 USD",
        "1 lot, with the expiry and the order of use that it has.",
        "1 order: what returns for it later reaches Ana Lee.",
        "takes them over: external id crm-1 and phone 0912 345 678.",
        "store credits: 1 entry and member points: 3 entries",
        "ends with the entry “Moved when merged” (60 points)",
        "Merge Ana into Ana Lee for good",
    ):
        assert said in preview, said
    sent = shown(client, ana, kept) | {"reason": "She called in"}

    unsure = client.post(page_of(kept), sent)
    assert (unsure.status_code, "Tick the box first" in words(unsure)) == (422, True)
    assert 'value="She called in"' in unsure.content.decode()
    assert not Customer.unscoped.filter(merged_into__isnull=False).exists()

    done = words(client.post(page_of(kept), sent | {"sure": "on"}, follow=True))
    assert "Ana was merged into Ana Lee, who now has 5.00 USD and 260 points." in done
    assert "Merged in Ana , " in done
    assert factories.balance("points", kept, now=NOW) == 260
    assert find_faults(store) == []
    # Again, from another tab, and the other way round: once is enough.
    for here, other in ((kept, ana), (ana, kept)):
        again = client.post(page_of(here), sent | {"other": str(other.pk), "sure": "on"}, follow=True)
        assert "These are one customer already: Ana Lee. Nothing was changed this time." in words(again)
    assert factories.balance("points", kept, now=NOW) == 260


def test_o7_what_changed_meanwhile_is_shown_and_nothing_done(store: Store, ana: Customer, kept: Customer) -> None:
    client, _ = staff(store, Role.MANAGER)
    for change in (
        lambda: factories.grant("points", ana, 1),
        lambda: factories.make_order(ana),
        lambda: Customer.unscoped.filter(pk=ana.pk).update(email="other@example.com"),
    ):
        sent = shown(client, ana, kept) | {"sure": "on"}
        change()
        answer = client.post(page_of(kept), sent)
        assert (answer.status_code, "Something has changed since this was shown." in words(answer)) == (409, True)
    assert client.post(page_of(kept), sent | {"token": ""}).status_code == 422
    assert not Customer.unscoped.filter(merged_into__isnull=False).exists()
    assert client.post(page_of(kept), shown(client, ana, kept) | {"sure": "on"}).status_code == 302


def test_o7_the_page_of_somebody_merged_says_where_he_is_and_acts_there(
    store: Store, ana: Customer, kept: Customer
) -> None:
    client, _ = staff(store, Role.OWNER)
    client.post(page_of(kept), shown(client, ana, kept) | {"sure": "on"})
    page = client.get(page_of(ana, "change"))
    assert "Merged into Ana Lee Everything is there now." in words(page)
    assert "Give or remove" not in words(page)
    assert client.post(page_of(ana, "change"), {"name": "x"}).status_code == 403
    assert "Moved when merged" in words(client.get(page_of(ana, "change"), {"tab": "points"}))
    adjusted = client.post(
        reverse("admin:stores_customer_adjust", args=[ana.pk, "points"]),
        {"direction": "give", "amount": "5", "reason": "x", "once": "1" * 32},
        follow=True,
    )
    assert "5 points given to Ana Lee." in words(adjusted)


def test_o7_whom_one_cannot_merge_with(store: Store, ana: Customer, kept: Customer) -> None:
    client, _ = staff(store, Role.MANAGER)
    stranger = factories.make_customer(factories.make_store(), email="ana@example.com")
    for other in (stranger.pk, "x", "9" * 30, "9" * 5000, "²", ""):
        refused = client.get(page_of(kept), {"other": other})
        assert (refused.status_code, "This store has no such customer." in words(refused)) == (404, True)
        assert client.post(page_of(kept), {"other": other, "sure": "on", "token": "x"}).status_code == 404
    nobody = factories.make_customer(store, name="", email="")
    gone = client.get(page_of(kept), {"other": nobody.pk})
    assert (gone.status_code, "was erased" in words(gone)) == (409, True)
    assert "one customer already" in words(client.get(page_of(kept), {"other": kept.pk}, follow=True))
    assert not Customer.unscoped.filter(merged_into__isnull=False).exists()


def test_o7_the_other_one_is_searched_and_namesakes_are_named(store: Store, ana: Customer, kept: Customer) -> None:
    client, _ = staff(store, Role.MANAGER)
    phone = factories.make_customer(store, name="A. Lee", email="", phone="+886 912-345-678")
    factories.make_customer(store, name="Extension", email="", phone="678")
    factories.make_customer(factories.make_store(), name="Ana Wu", email="ana@example.com")
    assert list(namesakes_of(kept)) == [ana]
    assert list(namesakes_of(ana)) == [kept, phone]
    assert shared_by(ana, phone) == ["same phone"]
    chosen = words(client.get(page_of(ana)))
    assert "Ana Lee May be the same person: same e-mail" in chosen
    assert "A. Lee May be the same person: same phone" in chosen
    found = words(client.get(page_of(kept), {"q": "ana"}))
    assert "See what moves from Ana" in found
    assert "Ana Wu" not in found
    assert "Nobody else is found by “nobody”" in words(client.get(page_of(kept), {"q": "nobody"}))


def test_t2_support_staff_do_not_merge(store: Store, ana: Customer, kept: Customer) -> None:
    support, _ = staff(store, Role.SUPPORT)
    page = words(support.get(page_of(kept, "change")))
    assert "Merge…" not in page
    assert "may be the same person" not in page
    assert support.post(page_of(kept), {"other": ana.pk, "sure": "on"}).status_code == 403
