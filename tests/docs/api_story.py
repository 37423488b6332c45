"""A small shop that lives through everything the REST API can do; what is said becomes the API's examples.

Each function is about one subject and begins where the one before ended. A request with a title is an example, the
others only lead there. When an operation is new, let the shop do it here, then run `docs/record_examples.py`.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from itertools import count
from typing import Any, Final
from unittest import mock
from zoneinfo import ZoneInfo

import time_machine

from loyalty.api.openapi.examples import Examples
from loyalty.customers.identify import CustomerFacts, identify
from loyalty.jobs.periodic import run_job
from loyalty.journal.models import JournalEntry
from loyalty.outbox.models import Message
from loyalty.partners.http import Reply
from loyalty.stores.keys import create_api_key
from loyalty.stores.models import Store
from loyalty.webhooks.endpoints import send_test
from loyalty.webhooks.fan_out import TOPIC
from loyalty.webhooks.payload import payload_of
from tests.docs.conversation import Conversation, fixed_ids
from tests.pictures import picture

_TAIPEI: Final = ZoneInfo("Asia/Taipei")
_TICKING: Final = (
    "loyalty.outbox.deliver",
    "orders.services.automation.cancel_unpaid",
    "orders.services.automation.run_rules",
    "orders.services.balance_imports.run",
)
_FILE: Final = """\
external_id,email,name,kind,amount,currency,granted_on,expires_on,reason,reference
old-1,cleo@example.com,Cleo Sun,credits,12.50,USD,2025-06-01,2026-12-31,Balance of the old system,old-1-c
old-1,cleo@example.com,Cleo Sun,points,240,,2025-06-01,,Balance of the old system,old-1-p
old-2,dan@example.com,Dan Wu,points,many,,2025-06-01,,Balance of the old system,old-2-p
"""


def _now() -> datetime:
    return datetime.now(tz=_TAIPEI)


def tell_story() -> Examples:
    """The examples, as the program answers them now. The database is empty, and the caller's transaction is undone."""
    opened = datetime(2026, 1, 5, 12, tzinfo=_TAIPEI)
    with time_machine.travel(opened, tick=False) as clock, fixed_ids(), _standing_still():
        store = Store.objects.create(
            slug="aurora-tea",
            name="Aurora Tea",
            currency="USD",
            time_zone="Asia/Taipei",
            locale="en",
            created_at=opened,
        )
        key = create_api_key(store=store, name="Checkout", scopes=["*"], now=opened)[1]
        shop = Conversation(key)
        _Story(shop, store, clock).tell()
        return shop.examples


@contextmanager
def _standing_still() -> Iterator[None]:
    """Jobs' clocks, which go on by themselves, stand still as well."""
    with ExitStack() as stack:
        for job in _TICKING:
            stack.enter_context(mock.patch(f"{job}.ticking", lambda now: lambda: now))
        yield


class _Story:
    def __init__(self, shop: Conversation, store: Store, clock: time_machine.Traveller) -> None:
        self.shop = shop
        self.store = store
        self.clock = clock
        self.endpoint = ""
        self.ana = ""
        self.plain = ""
        self.order = ""

    def tell(self) -> None:
        """Everything, in the order in which it happens."""
        self._settings()
        self._endpoint()
        self._customers()
        self._balances()
        self._orders()
        self._cancel()
        self._reverts()
        self._other_orders()
        self._rules()
        self._redemptions()
        self._imports()
        self._deliveries()
        self._refusals()

    def _at(self, day: int, hour: int, minute: int = 0) -> None:
        self.clock.move_to(datetime(2026, 1, day, hour, minute, tzinfo=_TAIPEI))

    def _run(self, job: str) -> None:
        run_job(job, _now())

    def _settings(self) -> None:
        shop = self.shop
        shop.get("/store/", says="The store of this key")
        shop.get("/settings/", says="The settings of a new store")
        patch = {
            "auto_cancel": {"payment_window_hours": 24, "expired": "cancel_and_revert"},
            "spent_revert": {"enabled": True, "statuses": ["cancelled", "refunded"], "skip_tags": ["no-return"]},
            "points_expiry": {"scheme": "days", "days": 365},
        }
        shop.patch("/settings/", patch, says="Cancel unpaid orders after a day", if_match=shop.etag)
        logo = base64.b64encode(picture(size=(30, 10))).decode()
        shop.patch("/settings/logo/", {"picture": logo}, says="A logo at the head of letters")
        shop.get("/settings/logo/", says="The logo of letters, drawn anew")
        shop.get("/settings/versions/", says="Who changed the settings and when")

    def _endpoint(self) -> None:
        shop = self.shop
        body = {
            "url": "https://shop.example.com/loyalty-events",
            "description": "Checkout",
            "events": [
                "order.cancelled",
                "order.credit_reverted",
                "order.points_reverted",
                "order.revert_skipped",
                "order.revert_undone",
                "customer.balance_changed",
                "redemption.reversed",
            ],
        }
        self.endpoint = shop.command("/webhook-endpoints/", body, says="Be told of everything")["id"]
        shop.get("/webhook-endpoints/", says="All endpoints of the store")
        shop.get(f"/webhook-endpoints/{self.endpoint}/", says="One endpoint")
        shop.patch(
            f"/webhook-endpoints/{self.endpoint}/", {"description": "Checkout and CRM"}, says="Another description"
        )

    def _customers(self) -> None:
        shop = self.shop
        self._at(5, 13)
        body = {"external_id": "u-118", "email": "ana@example.com", "name": "Ana Lee", "phone": "+886 2 5550 0118"}
        self.ana = shop.post("/customers/", body, says="A new customer")["id"]
        identify(
            self.store,
            CustomerFacts("88231", "bo@example.com", "Bo Chen", platform="shopify"),
            now=_now(),
        )
        bo = {"external_id": "u-119", "email": "bo@example.com", "name": "Bo Chen"}
        shop.post("/customers/", bo, says="Somebody whom the platform told of already")
        shop.get("/customers/", says="Found by e-mail", email="ana@example.com")
        shop.get(f"/customers/{self.ana}/", says="One customer")
        shop.patch(f"/customers/{self.ana}/", {"locale": "en"}, says="The language of her letters")
        twice = shop.post("/customers/", {"email": "ana.lee@example.net", "name": "Ana Lee"})["id"]
        merge = {"customer": twice, "reason": "The same person with two addresses"}
        shop.command(f"/customers/{self.ana}/merge/", merge, says="Two rows that are one person")

    def _balances(self) -> None:
        shop, ana = self.shop, f"/customers/{self.ana}"
        self._at(5, 14)
        gift = {"amount": "50.00", "expires_on": "2030-12-31", "reason": "Welcome gift"}
        shop.command(f"{ana}/credits/", gift, says="Store credit until a day")
        shop.command(f"{ana}/credits/", {"amount": "10.00", "expires_on": "2026-01-06", "reason": "Flash gift"})
        shop.command(f"{ana}/credits/", {"amount": "-5.00", "reason": "Given by mistake"}, says="Store credit removed")
        shop.command(f"{ana}/points/", {"amount": 1200, "reason": "Welcome points"}, says="Points that expire as set")
        shop.get(f"{ana}/balance/", says="What she can use now")
        shop.get(f"{ana}/credit-lots/", says="Store credit that can be used", state="open")
        shop.get(f"{ana}/point-lots/", says="Points that can be used", state="open")
        shop.get(f"{ana}/credit-movements/", says="Everything that happened to her store credit")
        shop.get(f"{ana}/point-movements/", says="Everything that happened to her points")
        shop.get("/credit-lots/", says="Store credit that expires by February", expires_before="2026-02-01")
        shop.get("/point-lots/", says="Points of one customer", customer=self.ana)

    def _orders(self) -> None:
        shop = self.shop
        self._at(6, 10)
        person = {"external_id": "u-120", "email": "cleo@example.net", "name": "Cleo Sun"}
        plain = {"number": "A-1000", "external_id": "cart-9d1d", "customer": person, "total": "20.00"}
        self.plain = shop.command("/orders/", plain, says="An order of somebody new, which spends nothing")["id"]
        order = {
            "number": "A-1001",
            "external_id": "cart-9d1e",
            "customer": self.ana,
            "total": "84.00",
            "lines": [{"title": "Oolong, 150 g", "sku": "OOL-150", "quantity": 3, "total": "84.00"}],
            "apply_credits": "15.00",
            "apply_points": 400,
        }
        self.order = shop.command("/orders/", order, says="A checkout that spends store credit and points")["id"]
        shop.command("/orders/", order, says="The same order once more")
        shop.get(f"/orders/{self.order}/", says="One order")
        shop.get("/orders/", says="Unpaid orders of one customer", payment_status="pending", customer=self.ana)
        patch = {"payment_status": "paid", "status": "confirmed", "tags": ["gift-wrap"]}
        shop.patch(f"/orders/{self.order}/", patch, says="The payment has arrived", if_match=shop.etag)

    def _cancel(self) -> None:
        shop, order = self.shop, f"/orders/{self.order}"
        self._at(7, 9)
        plain: dict[str, Any] = {"reason": "customer", "revert_credits": True, "revert_points": True}
        shop.post(f"/orders/{self.plain}/cancel/preview/", plain, says="What a cancel would do")
        shop.command(f"/orders/{self.plain}/cancel/", plain, says="Cancel, and return whatever was used")
        back = {"status": "confirmed", "deduct": "none"}
        shop.command(f"/orders/{self.plain}/reinstate/", back, says="It was cancelled by mistake")
        choice: dict[str, Any] = {"reason": "customer", "revert_credits": True, "revert_points": True}
        choice["extend"] = {"credits": {"days": 30}}
        plan = shop.post(f"{order}/cancel/preview/", choice, says="What a cancel would return")
        body = choice | {"note": "Called in the morning", "preview_token": plan["preview_token"]}
        shop.command(f"{order}/cancel/", body, says="Cancel as it was shown", key="cancel-A-1001")
        body = {"status": "confirmed", "deduct": "all"}
        shop.command(f"{order}/reinstate/", body, says="The customer wants it after all")
        shop.patch(f"{order}/", {"payment_status": "refunded", "refunded_total": "84.00"})
        shop.command(f"{order}/return/", {"revert_points": True}, says="A refunded order: its points come back")

    def _reverts(self) -> None:
        shop = self.shop
        self._at(7, 10)
        listed = shop.get("/reverts/", says="What came back for one order", order=self.order)
        revert = f"/reverts/{listed['results'][0]['id']}"
        shop.get(f"{revert}/", says="One return")
        shop.command(f"{revert}/undo/", {"reason": "It was another order"}, says="Taken back from the customer")
        shop.get(f"/orders/{self.order}/timeline/", says="Everything that happened to the order", limit="3")
        shop.get(f"/orders/{self.order}/decisions/", says="Why value came back or did not")
        statement = {"from_": "2026-01-01", "to": "2026-01-31"}
        shop.get(f"/customers/{self.ana}/statement/", says="January so far", **statement)

    def _other_orders(self) -> None:
        shop = self.shop
        self._at(7, 11)
        held = self._place("A-1002", apply_points=50)
        shop.command(f"/orders/{held}/hold/", says="No job cancels it", if_match=shop.etag)
        shop.delete(f"/orders/{held}/hold/", says="Jobs may cancel it again")
        left = self._place("A-1003", apply_credits="4.00")
        shop.command(f"/orders/{left}/cancel/", {"reason": "fraud"})
        reason = {"reason": "Fraud: nothing is given back"}
        shop.command(f"/orders/{left}/dismiss-revert/", reason, says="Out of the queue for good")
        shop.delete(f"/orders/{left}/dismiss-revert/", says="Back into the queue")
        many = {"ids": [self._place("A-1004"), left, "1"]}
        shop.command("/orders/bulk-cancel/", many, says="Three at once: one is cancelled, one was, one is nobody's")

    def _rules(self) -> None:
        shop = self.shop
        self._at(8, 12)
        self._run("orders.evaluate_rules")
        self._run("orders.expire_overdue_payments")
        self._run("orders.auto_cancel")
        tried = {"days": 2, "auto_cancel": {"payment_window_hours": 12}}
        shop.post("/settings/auto-cancel/backtest/", tried, says="Half a day to pay, tried on the last two days")
        rules = {"days": 2, "spent_revert": {"kinds": ["points"]}}
        shop.post("/settings/spent-revert/backtest/", rules, says="Points only, tried on the last two days")

    def _place(self, number: str, **spends: Any) -> str:
        order = {"number": number, "customer": self.ana, "total": "30.00", **spends}
        made: str = self.shop.command("/orders/", order)["id"]
        return made

    def _redemptions(self) -> None:
        shop = self.shop
        self._at(9, 9)
        body = {"name": "5 USD off", "points": 200, "type": "fixed", "value": "5.00", "valid_days": 90}
        reward = shop.command("/rewards/", body, says="A code for points")["id"]
        shop.get("/rewards/", says="All rewards")
        shop.get(f"/rewards/{reward}/", says="One reward")
        shop.patch(f"/rewards/{reward}/", {"valid_days": 60}, says="Codes live shorter from now on")
        redeem = {"customer": self.ana, "reward": reward}
        redeemed = shop.command("/redemptions/", redeem, says="Points become a code")
        redemption = f"/redemptions/{redeemed['id']}"
        shop.get("/redemptions/", says="What one customer has redeemed", customer=self.ana)
        shop.get(f"{redemption}/", says="One redemption")
        shop.get(f"/discount-codes/{redeemed['code']}/", says="May this code be used?")
        asked = {"reason": "Redeemed by mistake"}
        shop.command(f"{redemption}/request-reversal/", asked, says="The customer asks for the points")
        other = shop.command("/redemptions/", redeem)["id"]
        shop.command(f"/redemptions/{other}/reverse/", asked, says="Without looking first")
        plan = shop.post(f"{redemption}/reverse/preview/", {}, says="What a reversal would return")
        body = {"reason": "Redeemed by mistake", "preview_token": plan["preview_token"], "notify_customer": False}
        shop.command(f"{redemption}/reverse/", body, says="The code is dead, the points are back")

    def _imports(self) -> None:
        shop, content = self.shop, _FILE.encode()
        self._at(9, 14)
        file = {"file_name": "old.csv", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        begun = f"/balance-imports/{shop.command('/balance-imports/', file, says='Announce a file')['id']}"
        part = {"number": 1, "content": base64.b64encode(content).decode()}
        shop.command(f"{begun}/parts/", part, says="The whole file in one part")
        shop.command(f"{begun}/rehearsal/", {}, says="Read it as its column names say")
        self._run("orders.import_balances")
        shop.get(f"{begun}/", says="What the rehearsal found")
        shop.get(f"{begun}/bad-rows/", says="Rows that are left out, and why")
        totals = [{"kind": "credits", "amount": "12.50"}, {"kind": "points", "amount": "240"}]
        shop.command(f"{begun}/start/", {"totals": totals}, says="Carry it out: the totals agree")
        self._run("orders.import_balances")
        shop.command(f"{begun}/take-back/", says="Take everything back that it gave")
        self._run("orders.import_balances")
        other = shop.command("/balance-imports/", file | {"file_name": "wrong.csv"})["id"]
        shop.get("/balance-imports/", says="All imports", limit="1")
        shop.delete(f"/balance-imports/{other}/", says="The wrong file")

    def _deliveries(self) -> None:
        shop, endpoint = self.shop, f"/webhook-endpoints/{self.endpoint}"
        self._at(9, 15)
        send_test(store=self.store, endpoint_id=int(self.endpoint), now=_now())
        with (
            mock.patch("loyalty.webhooks.deliver.call", return_value=Reply(200, {}, b"ok")),
            mock.patch("loyalty.webhooks.deliver.monotonic", side_effect=count(0, 0.125).__next__),
        ):
            self._run("loyalty.deliver_outbox")
        sent = shop.get(f"{endpoint}/deliveries/", says="The newest delivery", limit="1")["results"][0]["id"]
        shop.command(f"{endpoint}/deliveries/{sent}/replay/", says="Once more")
        shop.command(f"/deliveries/{sent}/replay/", says="Once more, whosever endpoint")
        self._keep_payloads()
        shop.command(
            f"{endpoint}/rotate-secret/", {"overlap_hours": 48}, says="A new secret, two days beside the old one"
        )
        shop.delete(f"{endpoint}/", says="Be told nothing any more")

    def _keep_payloads(self) -> None:
        entries = JournalEntry.objects.for_store(self.store).select_related("store").in_bulk()
        for message in Message.objects.for_store(self.store).filter(topic=TOPIC).order_by("pk"):
            payload = json.loads(payload_of(message, entries.get(message.body.get("entry"))))
            self.shop.examples.webhooks.setdefault(payload["type"], payload)

    def _refusals(self) -> None:
        shop = self.shop
        shop.refused = True
        ana, order = f"/customers/{self.ana}", f"/orders/{self.order}"
        shop.get("/customers/0/", says="Nobody of this store")
        shop.get("/orders/", says="A filter that does not exist", colour="green")
        shop.post(f"{ana}/credits/", {"amount": "1.00", "reason": "Gift"}, says="A command without its key")
        shop.command(f"{ana}/credits/", {"amount": "many", "reason": ""}, says="Two fields that are wrong")
        shop.command(f"{ana}/points/", {"amount": -99999, "reason": "Correction"}, says="More than she has")
        spends = {"number": "A-1009", "customer": self.ana, "total": "900.00", "apply_credits": "800.00"}
        shop.command("/orders/", spends, says="More store credit than she has")
        shop.patch(f"{order}/", {"status": "cancelled"}, says="A cancel is its own call")
        shop.patch(f"{order}/", {"tags": ["vip"]}, says="It was changed since it was read", if_match='"1"')
        shop.command(f"{order}/cancel/", {"preview_token": "old"}, says="Something has changed since it was shown")
        another = {"number": "A-1010", "customer": None, "total": "1.00"}
        shop.command("/orders/", another, key="cancel-A-1001", says="A key that was used for something else")
        with mock.patch.object(shop, "key", "not-a-key"):
            shop.get("/store/", says="A key that is none")
        limited = create_api_key(store=self.store, name="Reports", scopes=["orders:read"], now=_now())
        with mock.patch.object(shop, "key", limited[1]):
            shop.get("/settings/", says="A key without the scope")
