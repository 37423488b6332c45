"""The page that gives and removes points by a table (R6)."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from loyalty.notices.models import Notice
from loyalty.stores.models import Customer, Role, Store
from tests import factories
from tests.addresses import reverse
from tests.factories import NOW
from tests.orders.admin.reverts.cases import staff, store_and_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]
TABLE = "customer,points,reason\nA-1,100,Birthday\nnobody,5,x\n"


@pytest.fixture
def shop() -> tuple[Store, Client, Customer]:
    store, client = store_and_staff(Role.MANAGER)
    return store, client, factories.make_customer(store, external_id="A-1")


def address() -> str:
    return reverse("admin:stores_customer_points")


def confirmed(client: Client, page: Any) -> Any:
    context = page.context
    fields = {"table": context["table"], "shown": context["shown"], "once": context["form"]["once"].value()}
    return client.post(address(), fields | {"_confirm": "1"}, follow=True)


def test_r6_the_first_sending_only_shows(shop: tuple[Store, Client, Customer]) -> None:
    _, client, ana = shop
    page = client.post(address(), {"table": TABLE, "once": "t"})
    words = page.content.decode()
    assert "1 row will be carried out. 1 row will not" in words
    assert "No customer has this e-mail or id." in words
    assert factories.balance("points", ana, now=NOW) == 0


def test_r6_the_second_carries_it_out_once(shop: tuple[Store, Client, Customer]) -> None:
    _, client, ana = shop
    page = client.post(address(), {"table": TABLE, "once": "t"})
    done = confirmed(client, page)
    assert "100 points given, in 1 row. 1 of 2 rows had an error and was left out." in done.content.decode()
    again = confirmed(client, page)
    assert "Nothing was changed this time" in again.content.decode()
    assert factories.balance("points", ana, now=NOW) == 100


def test_r6_a_file_counts_as_the_table(shop: tuple[Store, Client, Customer]) -> None:
    _, client, _ = shop
    sent = {"file": SimpleUploadedFile("points.csv", ("\ufeff" + TABLE).encode()), "once": "t"}
    assert "1 row will be carried out" in client.post(address(), sent).content.decode()
    wrong = {"file": SimpleUploadedFile("points.xlsx", b"PK\xff\xfe\x80"), "once": "u"}
    assert "Save it as CSV" in client.post(address(), wrong).content.decode()
    assert "Write a table, or choose a file." in client.post(address(), {"once": "v"}).content.decode()


def test_r6_chosen_customers_are_rows_of_the_table(shop: tuple[Store, Client, Customer]) -> None:
    store, client, ana = shop
    other = factories.make_customer(store, email="bo@example.org", external_id=None)
    chosen = {"action": "give_points", "_selected_action": [ana.pk, other.pk]}
    page = client.post(reverse("admin:stores_customer_changelist"), chosen).content.decode()
    assert "A-1,,,," in page
    assert "bo@example.org,,,," in page


def test_t2_a_viewer_gives_nothing(shop: tuple[Store, Client, Customer]) -> None:
    store, _, ana = shop
    viewer, _ = staff(store, Role.VIEWER)
    assert viewer.post(address(), {"table": TABLE, "_confirm": "1"}).status_code == 403
    assert "points by a table" not in viewer.get(reverse("admin:stores_customer_changelist")).content.decode()
    assert factories.balance("points", ana, now=NOW) == 0


def test_r6_h3_each_customer_is_told_of_all_of_his_rows_in_one_message(shop: tuple[Store, Client, Customer]) -> None:
    store, client, ana = shop
    ben = factories.make_customer(store, external_id="B-2", name="Ben")
    table = "customer,points,reason\nA-1,100,x\nB-2,7,x\nA-1,-30,x\nnobody,5,x\n"
    page = client.post(address(), {"table": table, "once": "t", "notify": "on"})
    assert "Each customer gets one e-mail about it." in page.content.decode()
    assert not Notice.unscoped.exists()
    context = page.context
    sent = {"table": context["table"], "shown": context["shown"], "once": "t", "notify": "on", "_confirm": "1"}
    for _ in range(2):
        client.post(address(), sent)
    told = {notice.customer_id: notice.text for notice in Notice.objects.for_store(store)}
    assert told.keys() == {ana.pk, ben.pk}
    assert Notice.unscoped.count() == 2
    assert (
        "- Given to you: 100 points, valid without end\n- Removed: 30 points\n\nYou now have 70 points." in told[ana.pk]
    )
    assert "You now have 7 points." in told[ben.pk]
