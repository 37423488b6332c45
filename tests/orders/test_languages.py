"""Who reads decides the language: two people of one store, a program, a customer; and every form is said in it."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from loyalty.notices.models import Notice
from loyalty.stores.keys import create_api_key
from loyalty.stores.models import Customer, Role, Store
from orders.models import Order, Revert
from orders.services.reverts.apply import Details
from orders.services.reverts.cancel import cancel_many
from tests import factories
from tests.addresses import reverse
from tests.factories import NOW
from tests.loyalty.api.support import ApiClient
from tests.loyalty.languages.pseudo import LANGUAGE, spoken, untranslated
from tests.orders.admin.reverts.cases import address, expired_ref, fields_of, send, staff, x1_order

pytestmark = pytest.mark.django_db
# Names, numbers of orders, currencies, addresses and days, which are nobody's to translate.
DATA = re.compile(
    r"[\w.+-]+@[\w.]+|Ana Lee|person-\d+|[Ss]tore-\d+|Loyalty Back-Office|Asia/Taipei|English|Deutsch"
    r"|\b(?:USD|esc|Jan|Januar|Feb|März|Stunden)\b|[^\x00-\x7f]{2,}"
)


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(NOW + timedelta(hours=2), tick=False) as traveller:
        yield traveller


def reader(store: Store, language: str, role: Role = Role.MANAGER) -> Client:
    client, user = staff(store, role)
    user.language = language
    user.save(update_fields=["language"])
    return client


def left_in_english(answer: Any) -> list[str]:
    texts = untranslated(answer.content.decode())
    return [text for text in texts if re.search(r"[^\W\d_]{2}", DATA.sub("", text))]


def waiting(store: Store) -> Order:
    order = x1_order(store, points=100, number="2002")
    cancel_many(store=store, order_ids=[order.pk], details=Details(), actor=factories.ACTOR, now=NOW)
    return order


def test_the_forms_of_the_queue_say_everything_in_the_readers_language(store: Store) -> None:
    order, left = x1_order(store, points=100), waiting(store)
    # The form shows the message as its reader will have it.
    Customer.unscoped.update(locale="de")
    with spoken():
        mine = reader(store, LANGUAGE, Role.OWNER)
        wrong = fields_of(mine.get(address(order))) | {f"extend_{expired_ref(mine, order)}": "on"}
        answers = {
            "the cancel form": mine.get(address(order)),
            "its preview": send(mine, order, wrong, button="_preview"),
            "a wrong number of days": send(mine, order, wrong | {f"days_{expired_ref(mine, order)}": "9999"}),
        }
        send(mine, order, fields_of(answers["the cancel form"]))
        answers |= {
            "undoing, and what was done": mine.get(reverse("admin:orders_order_undo", args=[order.pk])),
            "reinstating": mine.get(reverse("admin:orders_order_reinstate", args=[order.pk])),
            "the queue": mine.get(reverse("admin:orders_order_queue")),
            "the walk": mine.get(f"{address(left)}?walk=1"),
            "dismissing": mine.get(reverse("admin:orders_order_dismiss", args=[left.pk])),
            "statement": mine.get(reverse("admin:stores_customer_statement", args=[order.customer_id])),
        }
    assert Revert.unscoped.filter(order=order).exists()
    assert {name: texts for name, answer in answers.items() if (texts := left_in_english(answer))} == {}


def test_two_people_of_one_store_read_it_each_in_his_language(store: Store) -> None:
    waiting(store)
    with spoken():
        theirs, mine = reader(store, LANGUAGE), reader(store, "en")
        for name in ("admin:index", "admin:orders_order_queue", "admin:stores_settingsversion_orders"):
            for _ in range(2):
                said, told = theirs.get(reverse(name)), mine.get(reverse(name))
                assert (said.headers["Content-Language"], told.headers["Content-Language"]) == (LANGUAGE, "en")
                assert left_in_english(said) == []
                assert "⟦" not in told.content.decode()


def test_a_program_reads_sentences_in_the_language_it_asks_for_and_codes_in_none(store: Store) -> None:
    order = waiting(store)
    _, secret = create_api_key(store=store, name="shop", scopes=["*"], now=NOW)
    api = ApiClient(secret)
    with spoken():
        answers = [
            api.get(f"/api/v1/orders/{order.pk}/decisions/", headers={"accept-language": language})
            for language in (LANGUAGE, "en", "fr", LANGUAGE)
        ]
    said, told, other, again = (answer.json()["results"] for answer in answers)
    assert said == again
    assert told == other
    assert all("⟦" in entry["sentence"] for entry in said)
    assert not any("⟦" in entry["sentence"] for entry in told)
    without = [[{**entry, "sentence": ""} for entry in entries] for entries in (said, told)]
    assert without[0] == without[1]
    assert [answer.headers["Content-Language"] for answer in answers] == [LANGUAGE, "en", "en", LANGUAGE]


def test_h3_each_customer_is_written_to_in_his_own_language(store: Store) -> None:
    german, other = (x1_order(store, number=number) for number in ("1001", "1002"))
    german.customer.locale = "de-AT"
    german.customer.save(update_fields=["locale"])
    with spoken():
        mine = reader(store, LANGUAGE)
        for order in (other, german):
            form = mine.get(address(order))
            assert ("Hello Ana Lee," in form.content.decode()) == (order == other)
            send(mine, order, fields_of(form) | {"notify": "on"})
    notices = dict(Notice.unscoped.values_list("order", "text"))
    assert "⟦" in notices[german.pk]
    assert notices[other.pk].startswith("Hello Ana Lee,")
    assert "⟦" not in notices[other.pk]
