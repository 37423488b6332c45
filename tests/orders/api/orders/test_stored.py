"""L8: what is stored and does not fit is answered as it stands, alone and in its list."""

from django.db import connection

from tests.examples import Shop


def test_l8_an_order_whose_currency_changed_is_answered(shop: Shop) -> None:
    order = shop.order(None, "1001")["id"]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orders_order SET currency = 'JPY', refunded_total = 20.18 WHERE id = %s", [order])
    alone = shop.get(f"/orders/{order}/").json()
    assert (alone["currency"], alone["total"], alone["refunded_total"]) == ("JPY", "100", "20.180")
    assert shop.get("/orders/").json()["results"] == [alone]


def test_l8_a_customer_of_an_unknown_locale_is_answered_and_changed(shop: Shop) -> None:
    customer = shop.customer("Ana", "ana@example.org")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE stores_customer SET locale = 'xx-nobody' WHERE id = %s", [customer])
    alone = shop.get(f"/customers/{customer}/").json()
    assert alone["locale"] == "xx-nobody"
    assert shop.get("/customers/").json()["results"] == [alone]
    assert shop.send("PATCH", f"/customers/{customer}/", {"name": "Ana Lee"}).json()["name"] == "Ana Lee"
