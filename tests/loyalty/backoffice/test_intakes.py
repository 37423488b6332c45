"""L8: every intake is fed with the most extreme values that it takes; then everything is opened."""

import json
from base64 import b64encode
from contextlib import suppress
from datetime import date, timedelta
from itertools import count, cycle
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client

from loyalty.core.instants import EARLIEST, PLACED_AHEAD, furthest
from loyalty.jobs.periodic import run_job
from loyalty.stores.keys import create_api_key
from loyalty.stores.models import Store
from loyalty.web.addresses import page_of
from orders.models import Order
from tests.deliveries import connect_store, shopify, shopline, shopline_global, woocommerce
from tests.factories import NOW
from tests.loyalty.api.support import ApiClient
from tests.loyalty.backoffice.open_everything import look_at_everything, owner_of
from tests.loyalty.backoffice.test_every_address import Shop
from tests.loyalty.platforms.samples import order as document
from tests.pictures import picture

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
ODD = "=1+1 \u05d0\u202e\U0001f984\u200f\u2167%s{0}<b>&\x01"
# What a field of a platform's document may hold when nobody expected it.
VALUES: tuple[Any, ...] = (
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "1999-12-31T23:59:59Z", -1, 10**11, "999999999999.99",
    "12.3456", "JPY", "XTS", ODD, ODD * 8000, "\x00", "", None, [], {}, [[{"a": None}]], {"a": {"b": 1}}, True, 1e300,
    10**30,
)  # fmt: skip
PLATFORMS = ("shopify", "woocommerce", "shopline", "shopline_global")
numbers = count(1)


def test_l8_whatever_comes_in_is_shown(tmp_path: Path) -> None:
    shop = Shop()
    Store.objects.filter(pk=shop.store.pk).update(locale="zh-TW", time_zone="Pacific/Kiritimati", name=ODD)
    shop.store.refresh_from_db()
    with time_machine.travel(NOW, tick=False):
        _by_rest(shop)
        _by_forms(shop)
        _by_table(shop)
        _by_webhooks(shop)
        _by_files(shop, tmp_path)
        _by_jobs()
        assert Order.objects.for_store(shop.store).count() > 100
        seen, failed = look_at_everything(shop)
    assert (failed, seen > 100) == ({}, True)


def _by_rest(shop: Shop) -> None:
    api = ApiClient(create_api_key(store=shop.store, name=ODD, scopes=["*"], now=NOW)[1])
    api.send("PATCH", "/settings/logo/", {"picture": b64encode(picture()).decode()})
    customer = _made(api.send("POST", "/customers/", _person()))
    for currency, amount in (("USD", "9999999999.99"), ("JPY", "999999999999"), ("KWD", "0.001")):
        for day in (None, NOW.date() + timedelta(days=1), furthest(NOW).date()):
            _made(api.command(f"/customers/{customer}/credits/", _gift(amount, day) | {"currency": currency}))
    for day in (NOW.date() + timedelta(days=1), furthest(NOW).date()):
        _made(api.command(f"/customers/{customer}/points/", _gift(10**11, day)))
    for placed_at in (EARLIEST, NOW + PLACED_AHEAD):
        for currency, total in (("USD", "9999999999.99"), ("JPY", "999999999999"), ("KWD", "999999999.999")):
            new = _order(customer, placed_at.isoformat(), currency, total)
            order = _made(api.command("/orders/", new | {"apply_points": 7}))
            cancel = {"note": ODD * 80, "reason": "other", "revert_points": True, "notify_customer": True}
            assert api.command(f"/orders/{order}/cancel/", cancel).status_code == 200
    settings = {
        "spent_revert": {"tags": [f"{number}{ODD}" for number in range(100)], "skip_tags": [ODD * 9], "enabled": True},
        "extend": {"default_days": 3660, "max_days": 3660},
        "auto_cancel": {"payment_window_hours": 24 * 365, "failed_grace_minutes": 60 * 24 * 30},
        "limits": {"support_adjust_credits": "9999999999.99", "support_adjust_points": 10**11, "undo_hours": 24 * 365},
        "points_expiry": {"scheme": "yearly", "month": 2, "day": 29},
        "earning": {"points_per_unit": "999999.9999"},
    }
    assert api.send("PATCH", "/settings/", settings).status_code == 200
    for terms in (
        {"type": "percentage", "value": "10"},
        {"type": "percentage", "value": "100.00"},
        {"type": "fixed", "value": "999999999999", "currency": "JPY"},
        {"type": "credits", "value": "0.001", "currency": "KWD"},
    ):
        reward = _made(api.command("/rewards/", {"name": ODD * 3, "points": 1, "valid_days": 3650} | terms))
        _made(api.command("/redemptions/", {"customer": customer, "reward": reward}))


def _made(answer: Any) -> str:
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def _person() -> dict[str, Any]:
    number = next(numbers)
    odd = {"name": (ODD * 10)[:200], "phone": ODD[:50], "locale": "xx-nobody-knows"[:20]}
    return odd | {"email": f"{'a' * 60}{number}@{'b' * 60}.example", "external_id": f"{number}{ODD}"}


def _gift(amount: Any, day: date | None) -> dict[str, Any]:
    return {"amount": amount, "reason": ODD * 8, "note": ODD * 80, "expires_on": day and day.isoformat()}


def _order(customer: str, placed_at: str, currency: str, total: str) -> dict[str, Any]:
    return {
        "number": f"{next(numbers)}{ODD}",
        "external_id": f"{next(numbers)}{ODD}",
        "customer": customer,
        "placed_at": placed_at,
        "payment_due_at": furthest(NOW).isoformat(),
        "currency": currency,
        "total": total,
        "tags": [f"{number}{ODD}" for number in range(250)],
        "lines": [{"title": ODD * 10, "sku": ODD, "quantity": 10**11, "total": f"-{total}"}],
        "apply_credits": {"USD": "0.01", "JPY": "1", "KWD": "0.001"}[currency],
    }


def _by_forms(shop: Shop) -> None:
    owner = owner_of(shop)
    adjust = {"direction": "give", "amount": "0.01", "expires_on": furthest(NOW).date().isoformat(), "reason": ODD}
    form = page_of(shop.store, "admin:stores_customer_adjust", shop.customer.pk, "credits")
    for expires_on, status in ((adjust["expires_on"], 302), ("9999-12-31", 200), ("0001-01-01", 200)):
        assert owner.post(form, adjust | {"expires_on": expires_on}).status_code == status
    for expires_on, status in (("9999-12-31", 200), ("0001-01-01", 200), (adjust["expires_on"], 302)):
        key = {"name": ODD, "scopes": ["*"], "expires_on": expires_on}
        answer = owner.post(page_of(shop.store, "admin:stores_apikey_add"), key)
        assert answer.status_code in (200, status), answer.status_code
    person = {"name": ODD, "email": "", "phone": ODD, "locale": "zh-TW"}
    assert owner.post(page_of(shop.store, "admin:stores_customer_change", shop.customer.pk), person).status_code < 400
    cancel = page_of(shop.store, "admin:orders_order_cancel", shop.order.pk)
    for until in ("9999-12-31", "0001-01-01", "\x00", "-+5"):
        assert owner.post(cancel, {"until_c1": until, "extend_c1": "on", "days_c1": until}).status_code < 500
    _by_entering(shop, owner)


def _by_entering(shop: Shop, owner: Client) -> None:
    """An order as staff write it down, every field of it odd once (O2)."""
    enter = page_of(shop.store, "admin:orders_order_add")
    order = {"number": f"odd{ODD}", "total": "9999999999.99", "currency": "USD", "status": "pending"}
    order |= {"payment": "pending", "due": f"{furthest(NOW):%Y-%m-%dT%H:%M}", "placed": "2000-01-02T00:00"}
    order |= {"note": ODD * 4, "tags": ODD, "new_email": "odd@example.org", "new_name": ODD, "_confirm": "1"}
    odd = cycle(("9" * 5000, "-0", "1e400", "NaN", "9999-12-31T23:59"))
    for name in (*order, "who", "customer", "credits", "points", "codes", "once", "shown"):
        for value in ("\x00", next(odd)):
            assert owner.post(enter, order | {"once": uuid4().hex, name: value}).status_code < 500, (name, value)
    assert owner.post(enter, order | {"number": ODD}).status_code in (302, 422)


def _by_table(shop: Shop) -> None:
    owner = owner_of(shop)
    sheet = page_of(shop.store, "admin:stores_customer_points")
    email = shop.customer.email
    for points in ("-+5", "9" * 5000, "99999999999", "1\r2", "1\x00", "1," + "x" * 140_000):
        answer = owner.post(sheet, {"table": f"customer,points,reason,expires_on\n{email},{points},{ODD},2035-12-31\n"})
        assert answer.status_code == 200
        shown = {"table": answer.context["table"], "shown": answer.context["shown"], "_confirm": "1"}
        assert owner.post(sheet, shown).status_code in (200, 302)


def _by_webhooks(shop: Shop) -> None:
    deliver: dict[str, Any] = {"woocommerce": woocommerce, "shopline": shopline, "shopline_global": shopline_global}
    for platform in deliver:
        connect_store(shop.store, platform)
    values = cycle(VALUES)
    for platform in PLATFORMS:
        for key in document(platform):
            odd = document(platform, id=f"{next(numbers)}", **{key: next(values)} if key != "id" else {})
            answer = deliver.get(platform, shopify)(odd).send(shop.store)
            assert answer.status_code in (200, 400), (platform, key)
    run_job("orders.process_deliveries", NOW)


def _by_files(shop: Shop, folder: Path) -> None:
    values = cycle(reversed(VALUES))
    for platform in PLATFORMS:
        orders = [
            document(platform, **({"id": f"f{next(numbers)}"} | {key: next(values)})) for key in document(platform)
        ]
        path = folder / f"{platform}-{shop.store.slug}.json"
        path.write_text(json.dumps(orders))
        with suppress(CommandError):  # some could not be imported
            call_command("import_orders", path, store=shop.store.slug, platform=platform)


def _by_jobs() -> None:
    for name in ("orders.expire_overdue_payments", "orders.auto_cancel", "orders.evaluate_rules", "points.expire_lots"):
        run_job(name, NOW)
