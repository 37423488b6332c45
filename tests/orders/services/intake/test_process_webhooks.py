"""Working through platforms' deliveries: each once, in any order, and nothing is lost (O2, O5, E5)."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

import pytest
import time_machine

from loyalty.core.encryption import Secret
from loyalty.jobs.periodic import run_job
from loyalty.jobs.retries import DELIVERIES
from loyalty.journal.models import JournalEntry
from loyalty.platforms.http.protocol import Unreachable
from loyalty.platforms.models import DeliveryState, InboundDelivery, PlatformConnection
from loyalty.store_settings.sections import AutoCancelSettings, StoreSettings
from loyalty.stores.models import Store
from orders.models import Order
from orders.services.intake import handle_webhook, process_webhooks, webhook_outcomes
from orders.services.intake.ingest import Outcome
from orders.services.intake.process_webhooks import process_deliveries
from tests.deliveries import Delivery, connect_store, shopify, shopline, shopline_global, woocommerce
from tests.factories import NOW, make_customer, make_settings, make_store
from tests.loyalty.platforms.samples import order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]

MAKERS: dict[str, Callable[..., Delivery]] = {
    "shopify": shopify,
    "woocommerce": woocommerce,
    "shopline": shopline,
    "shopline_global": shopline_global,
}
# How an order's cancelled state looks on each platform, a day after the documents' own.
LATER = "2026-01-07T09:00:00+00:00"
CANCELLED: dict[str, dict[str, Any]] = {
    "shopify": {"cancelled_at": LATER, "cancel_reason": "customer", "updated_at": LATER},
    "woocommerce": {"status": "cancelled", "date_modified_gmt": "2026-01-07T09:00:00"},
    "shopline": {"status": "cancelled", "updated_at": LATER},
    "shopline_global": {"status": "canceled", "cancelled_at": LATER, "updated_at": LATER},
}


@pytest.fixture(params=MAKERS)
def platform(request: pytest.FixtureRequest, store: Store) -> str:
    connect_store(store, request.param)
    return str(request.param)


def send(store: Store, *deliveries: Delivery) -> None:
    for delivery in deliveries:
        assert delivery.send(store).status_code == 200


def kept(store: Store) -> list[InboundDelivery]:
    return list(InboundDelivery.objects.for_store(store).order_by("pk"))


def only_order(store: Store) -> Order:
    found: Order = Order.objects.for_store(store).get()
    return found


def counts(**some: int) -> dict[str, int]:
    return {"done": 0, "ignored": 0, "postponed": 0, "failed": 0} | some


def test_o2_an_order_that_arrives_first_as_updated_is_created(platform: str, store: Store) -> None:
    send(store, MAKERS[platform](order(platform)))
    assert process_deliveries(NOW) == counts(done=1)
    made = only_order(store)
    assert (made.platform, made.external_id) == (platform, str(order(platform)["id"]))
    (delivery,) = kept(store)
    assert (delivery.state, delivery.order_id, delivery.external_id) == ("done", made.pk, made.external_id)
    assert delivery.outcome == f"Order {made.number} recorded."
    assert (delivery.processed_at, delivery.next_attempt_at, delivery.attempts) == (NOW, None, 1)
    assert process_deliveries(NOW) == counts()
    assert PlatformConnection.objects.for_store(store).get().last_delivery_at == NOW


@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "reversed"])
def test_o2_whatever_the_order_of_arrival_the_newest_state_stands(platform: str, store: Store, backwards: bool) -> None:
    make = MAKERS[platform]
    states = [make(order(platform)), make(order(platform, **CANCELLED[platform]))]
    send(store, *(reversed(states) if backwards else states))
    process_deliveries(NOW)
    assert only_order(store).status == "cancelled"
    newest = only_order(store).version
    send(store, *states, make(order(platform, note="said again")))
    process_deliveries(NOW)
    assert (only_order(store).status, only_order(store).version) == ("cancelled", newest)
    assert kept(store)[-1].outcome.endswith("an older state than the recorded one, nothing was changed.")


def test_o2_the_same_action_through_three_topics_is_one_change(store: Store) -> None:
    connect_store(store)
    cancelled = order("shopify", **CANCELLED["shopify"])
    topics = ("orders/updated", "orders/cancelled", "orders/paid")
    send(store, *(shopify(cancelled, topic) for topic in topics))
    assert process_deliveries(NOW) == counts(done=1, ignored=2)
    assert only_order(store).version == 1


def test_a_shop_named_in_another_stores_delivery_stays_its_own(store: Store) -> None:
    other = make_store()
    connect_store(store)
    connect_store(other)
    send(store, shopify(order("shopify")))
    send(other, shopify(order("shopify", tags="theirs")))
    process_deliveries(NOW)
    assert only_order(store).tags == ["vip", "Exchange-Order"]
    assert only_order(other).tags == ["theirs"]
    assert only_order(store).external_id == only_order(other).external_id


def test_woocommerces_tags_come_from_the_chosen_field(store: Store) -> None:
    connect_store(store, "woocommerce", tag_meta_key="_order_tags")
    send(store, woocommerce(order("woocommerce")))
    process_deliveries(NOW)
    assert only_order(store).tags == ["vip", "Exchange-Order"]


@pytest.mark.parametrize(
    ("platform", "sent"),
    [
        ("woocommerce", woocommerce(order("woocommerce", status="checkout-draft"))),
        ("woocommerce", woocommerce({"id": 1, "code": "10off"}, "coupon.deleted")),
        ("woocommerce", woocommerce({"action": "woocommerce_x", "arg": 1}, "action.woocommerce_x")),
        ("shopline", shopline(order("shopline", status="temp"))),
        ("shopline", shopline({"_id": "1", "customer_id": "2"}, "user_credit/create")),
        ("shopify", shopify({"id": 1}, "products/update")),
        ("shopify", shopify({"order_id": 1, "kind": "sale", "status": "success"}, "order_transactions/create")),
        ("shopify", shopify({"id": 1})),
        ("shopify", shopify({"order_edit": {"order_id": 5941690892493}}, "orders/edited")),
        ("shopify", shopify({"id": 1, "order_id": 5941690892493, "transactions": []}, "refunds/create")),
        ("shopline_global", shopline_global({"id": "1", "order_id": "2"}, "refunds/create")),
    ],
    ids=lambda value: value.headers.get("X-Shopify-Topic", "") if isinstance(value, Delivery) else value,
)
def test_what_is_no_order_is_left_alone_and_says_why(store: Store, platform: str, sent: Delivery) -> None:
    connect_store(store, platform)
    send(store, sent)
    assert process_deliveries(NOW) == counts(ignored=1)
    assert kept(store)[0].outcome
    assert not Order.objects.for_store(store).exists()


class TestFailing:
    def broken(self) -> Delivery:
        """News of a payment whose order has not arrived."""
        return shopify({"order_id": 7, "kind": "sale", "status": "failure"}, "order_transactions/create")

    def test_o10_what_cannot_be_read_is_set_aside_at_once_with_its_reason(self, store: Store) -> None:
        connect_store(store)
        send(store, shopify(order("shopify", id=None, admin_graphql_api_id=None)), shopify(order("shopify")))
        assert process_deliveries(NOW) == counts(done=1, failed=1)
        unread, _ = kept(store)
        assert (unread.state, unread.next_attempt_at, unread.attempts) == (DeliveryState.FAILED, None, 1)
        assert unread.last_error == "The field “id” is missing."

    def test_o10_what_could_not_be_read_in_full_says_so(self, store: Store) -> None:
        connect_store(store)
        send(store, shopify(order("shopify", tags=True, line_items=[1, 2])))
        assert process_deliveries(NOW) == counts(done=1)
        (delivery,) = kept(store)
        assert delivery.left_out == ["tags", "line_items.0", "line_items.1"]
        assert delivery.outcome == "Order #1001 recorded. Read, without: tags, line_items.0, line_items.1."

    @pytest.mark.parametrize("poison", ["\\u0000", "\\ud800", "a\\u0000b\\udfff"])
    def test_o10_what_the_database_cannot_store_stops_no_other_delivery(self, store: Store, poison: str) -> None:
        connect_store(store)
        whole = json.dumps(order("shopify"))
        for key, value in order("shopify").items():
            if key not in ("id", "admin_graphql_api_id") and isinstance(value, str):
                send(store, shopify(whole.replace(f'"{key}": {json.dumps(value)}', f'"{key}": "{poison}"').encode()))
        send(store, shopify(order("shopify", id=2, admin_graphql_api_id="")))
        process_deliveries(NOW)
        assert {delivery.state for delivery in kept(store)} <= {"done", "ignored"}
        assert Order.objects.for_store(store).count() == 2

    def test_what_cannot_be_written_down_has_failed_and_stops_no_other(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect_store(store)
        monkeypatch.setattr(webhook_outcomes, "storable", lambda text: text)
        monkeypatch.setitem(handle_webhook._WORDS, Outcome.CREATED, "Order {} \x00")
        send(store, shopify(order("shopify")), shopify({"id": 1}, "products/update"))
        assert process_deliveries(NOW) == counts(postponed=1, ignored=1)
        assert "DataError" in kept(store)[0].last_error

    def test_a_credential_that_cannot_be_read_stops_no_other(self, store: Store) -> None:
        connect_store(store, access_token=Secret("not a token"), base_url="https://x.myshopify.com")
        send(store, shopify({"id": 1, "order_id": 7}, "refunds/create"), shopify(order("shopify")))
        assert process_deliveries(NOW) == counts(postponed=1, done=1)
        assert kept(store)[0].state == DeliveryState.RETRYING

    def test_a_failing_delivery_is_tried_with_growing_pauses_and_then_left_to_staff(self, store: Store) -> None:
        connect_store(store)
        send(store, self.broken())
        now = NOW
        for attempt, pause in enumerate(DELIVERIES.steps, start=1):
            assert process_deliveries(now) == counts(postponed=1)
            (delivery,) = kept(store)
            assert (delivery.state, delivery.attempts) == (DeliveryState.RETRYING, attempt)
            assert delivery.next_attempt_at == now + pause
            assert "has not arrived yet" in delivery.last_error
            assert process_deliveries(now + pause - timedelta(microseconds=1)) == counts()
            now += pause
        assert process_deliveries(now) == counts(failed=1)
        (delivery,) = kept(store)
        assert (delivery.state, delivery.next_attempt_at) == (DeliveryState.FAILED, None)
        assert process_deliveries(now + timedelta(days=9)) == counts()

    def test_one_failing_delivery_stops_no_other(self, store: Store) -> None:
        connect_store(store)
        send(store, self.broken(), shopify(order("shopify", id=2, admin_graphql_api_id="")))
        assert process_deliveries(NOW) == counts(done=1, postponed=1)

    def test_something_unexpected_names_no_person(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        connect_store(store)

        def fails(*_args: Any, **_options: Any) -> None:
            raise RuntimeError("ada@example.com")

        monkeypatch.setattr(handle_webhook, "ingest_all", fails)
        send(store, shopify(order("shopify")))
        assert process_deliveries(NOW) == counts(postponed=1)
        (delivery,) = kept(store)
        assert delivery.last_error == "Something unexpected happened (RuntimeError); the log says what."
        monkeypatch.undo()
        assert process_deliveries(NOW + DELIVERIES.steps[0]) == counts(done=1)
        assert kept(store)[0].last_error == ""


class TestDeleted:
    DELETED = (
        ("shopify", lambda: shopify({"id": 5941690892493}, "orders/delete")),
        ("woocommerce", lambda: woocommerce({"id": 727}, "order.deleted")),
        ("shopline", lambda: shopline({"_id": "608faafe3985d70013d89319"}, "order/remove")),
        ("shopline_global", lambda: shopline_global({"id": "21057401932826316666967110"}, "orders/delete")),
    )

    @pytest.mark.parametrize(("platform", "deleted"), DELETED, ids=lambda value: str(value)[:12])
    def test_an_order_deleted_there_stays_here(
        self, store: Store, platform: str, deleted: Callable[[], Delivery]
    ) -> None:
        connect_store(store, platform)
        send(store, MAKERS[platform](order(platform)), deleted())
        assert process_deliveries(NOW) == counts(done=2)
        gone = only_order(store)
        assert gone.platform_deleted_at == NOW
        assert gone.status != "cancelled"
        assert not gone.platform_data["is_open"]

    TOKEN: ClassVar[dict[str, Any]] = {"access_token": Secret.of("token"), "base_url": "https://x.example.com"}

    @pytest.mark.parametrize("answer", [None, {"status": "trash"}], ids=["gone", "in the bin"])
    def test_o9_where_the_platform_can_be_asked_it_is_asked_first(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any] | None
    ) -> None:
        connect_store(store, "woocommerce", **self.TOKEN)
        shown = None if answer is None else order("woocommerce", **answer)
        monkeypatch.setattr(process_webhooks, "_fetch", lambda _connected, _id: shown)
        send(store, woocommerce(order("woocommerce")), woocommerce({"id": 727}, "order.deleted"))
        assert process_deliveries(NOW) == counts(done=2)
        assert only_order(store).platform_deleted_at is not None

    def test_o9_an_order_that_the_platform_still_shows_is_not_deleted(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect_store(store, "woocommerce", **self.TOKEN)
        monkeypatch.setattr(process_webhooks, "_fetch", lambda _connected, _id: order("woocommerce"))
        send(store, woocommerce(order("woocommerce")), woocommerce({"id": 727}, "order.deleted"))
        process_deliveries(NOW)
        assert only_order(store).platform_deleted_at is None
        assert kept(store)[-1].state == DeliveryState.IGNORED

    def test_an_order_that_was_never_here_is_not_missed(self, store: Store) -> None:
        connect_store(store)
        send(store, shopify({"id": 1}, "orders/delete"))
        assert process_deliveries(NOW) == counts(ignored=1)

    def test_an_order_taken_out_of_the_bin_is_there_again(self, store: Store) -> None:
        connect_store(store, "woocommerce")
        back = order("woocommerce", date_modified_gmt="2026-01-07T09:00:00")
        send(store, woocommerce(order("woocommerce")), woocommerce({"id": 727}, "order.deleted"))
        process_deliveries(NOW)
        with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
            send(store, woocommerce(back, "order.restored"))
            process_deliveries(NOW + timedelta(minutes=1))
        assert only_order(store).platform_deleted_at is None


class TestPayments:
    @pytest.fixture
    def connected(self, store: Store) -> PlatformConnection:
        return connect_store(store)

    def failed(self, **changes: Any) -> Delivery:
        document = {"id": 1, "order_id": 5941690892493, "kind": "sale", "status": "failure", "gateway": "x"}
        return shopify(document | changes, "order_transactions/create")

    def payment_after(self, store: Store, first: dict[str, Any], then: Delivery) -> str:
        send(store, shopify(order("shopify", **first)), then)
        process_deliveries(NOW)
        return only_order(store).payment_status

    def tried(self, store: Store) -> int:
        return JournalEntry.objects.for_store(store).filter(event="order.payment_attempt_failed").count()

    @pytest.mark.parametrize("status", ["error", "failure"])
    @pytest.mark.parametrize("kind", ["sale", "authorization", "capture"])
    def test_e10_a_declined_card_is_an_attempt_and_counts_after_half_an_hour(
        self, store: Store, connected: PlatformConnection, status: str, kind: str
    ) -> None:
        sent = self.failed(status=status, kind=kind)
        assert self.payment_after(store, {"financial_status": "pending"}, sent) == "pending"
        assert self.tried(store) == 1
        half_an_hour = timedelta(minutes=30)
        run_job("orders.expire_overdue_payments", NOW + half_an_hour - timedelta(seconds=1))
        assert only_order(store).payment_status == "pending"
        counted = run_job("orders.expire_overdue_payments", NOW + half_an_hour)
        assert counted == {"expired": 0, "declined": 1, "failed": 0}
        found = only_order(store)
        assert (found.payment_status, found.payment_changed_at) == ("failed", NOW)

    def test_x16_a_payment_that_follows_a_declined_card_wins(self, store: Store, connected: PlatformConnection) -> None:
        self.payment_after(store, {"financial_status": "pending"}, self.failed())
        send(store, shopify(order("shopify", financial_status="paid", updated_at="2026-01-08T09:00:00Z")))
        process_deliveries(NOW)
        run_job("orders.expire_overdue_payments", NOW + timedelta(days=2))
        run_job("orders.auto_cancel", NOW + timedelta(days=2))
        found = only_order(store)
        assert (found.payment_status, found.status, found.attempt_failed_at) == ("paid", "confirmed", None)
        assert self.tried(store) == 1

    @pytest.mark.parametrize("later", ["paid", "unpaid"])
    def test_e10_a_payment_that_failed_inside_a_whole_order_is_an_attempt(self, store: Store, later: str) -> None:
        connect_store(store, "shopline_global")
        tries = [{"pay_seq": "10020", "pay_status": "paid_failed"}]
        declined = {"financial_status": "unpaid", "payment_details": tries}
        send(store, shopline_global(order("shopline_global", **declined), "orders/create"))
        send(store, shopline_global(order("shopline_global", **declined, note="looked at", updated_at=LATER)))
        process_deliveries(NOW)
        assert (only_order(store).payment_status, self.tried(store)) == ("pending", 1)
        tries.append({"pay_seq": "10021", "pay_status": later})
        then = {"financial_status": later, "payment_details": tries, "updated_at": "2026-01-08T09:00:00Z"}
        send(store, shopline_global(order("shopline_global", **then)))
        process_deliveries(NOW)
        run_job("orders.expire_overdue_payments", NOW + timedelta(minutes=30))
        run_job("orders.auto_cancel", NOW + timedelta(minutes=30))
        found = only_order(store)
        expected = ("paid", "confirmed") if later == "paid" else ("failed", "cancelled")
        assert (found.payment_status, found.status) == expected

    def test_e10_a_longer_grace_of_the_store_counts_for_attempts_too(
        self, store: Store, connected: PlatformConnection
    ) -> None:
        make_settings(store, StoreSettings(auto_cancel=AutoCancelSettings(failed_grace_minutes=120)))
        self.payment_after(store, {"financial_status": "pending"}, self.failed())
        run_job("orders.expire_overdue_payments", NOW + timedelta(minutes=119))
        assert only_order(store).payment_status == "pending"
        run_job("orders.expire_overdue_payments", NOW + timedelta(minutes=120))
        assert run_job("orders.auto_cancel", NOW + timedelta(minutes=120)) == {"cancelled": 1, "failed": 0}

    def test_e10_each_attempt_is_told_once_and_the_first_one_starts_the_wait(
        self, store: Store, connected: PlatformConnection
    ) -> None:
        self.payment_after(store, {"financial_status": "pending"}, self.failed())
        later = NOW + timedelta(minutes=20)
        with time_machine.travel(later, tick=False):
            send(store, self.failed(), self.failed(id=2))
            process_deliveries(later)
        assert (self.tried(store), only_order(store).attempt_failed_at) == (2, NOW)

    @pytest.mark.parametrize("changes", [{"kind": "refund"}, {"kind": "void"}, {"status": "pending"}])
    def test_e5_other_transactions_do_not(
        self, store: Store, connected: PlatformConnection, changes: dict[str, Any]
    ) -> None:
        assert self.payment_after(store, {"financial_status": "pending"}, self.failed(**changes)) == "pending"

    @pytest.mark.parametrize("word", ["paid", "authorized", "partially_paid", "partially_refunded"])
    def test_e5_a_failed_attempt_changes_nothing_where_money_is_there_or_promised(
        self, store: Store, connected: PlatformConnection, word: str
    ) -> None:
        assert self.payment_after(store, {"financial_status": word}, self.failed()) != "failed"

    def test_e5_the_platform_repeating_pending_does_not_undo_it(
        self, store: Store, connected: PlatformConnection
    ) -> None:
        self.payment_after(store, {"financial_status": "pending"}, self.failed())
        send(store, shopify(order("shopify", financial_status="pending", updated_at=LATER, note="looked at")))
        process_deliveries(NOW)
        assert only_order(store).attempt_failed_at == NOW
        run_job("orders.expire_overdue_payments", NOW + timedelta(hours=1))
        assert only_order(store).payment_status == "failed"
        send(store, shopify(order("shopify", financial_status="paid", updated_at="2026-01-08T09:00:00Z")))
        process_deliveries(NOW)
        assert only_order(store).payment_status == "paid"

    def test_e5_the_news_may_come_before_the_order(self, store: Store, connected: PlatformConnection) -> None:
        send(store, self.failed())
        assert process_deliveries(NOW) == counts(postponed=1)
        send(store, shopify(order("shopify", financial_status="pending")))
        assert process_deliveries(NOW + DELIVERIES.steps[0]) == counts(done=2)
        assert only_order(store).attempt_failed_at == NOW + DELIVERIES.steps[0]

    @pytest.mark.parametrize(
        ("word", "expected"),
        [("failed", "failed"), ("expired", "expired"), ("completed", "paid"), ("pending", "pending")],
    )
    def test_e5_shoplines_payment_messages(self, store: Store, word: str, expected: str) -> None:
        connect_store(store, "shopline")
        payment = {"_id": "p1", "order_id": "608faafe3985d70013d89319", "status": word, "updated_at": LATER}
        pending = order("shopline", order_payment={"status": "pending"}, status="pending")
        send(store, shopline(pending), shopline(payment, "order_payment/update"))
        process_deliveries(NOW)
        assert only_order(store).payment_status == expected

    def test_o2_an_old_payment_message_changes_nothing(self, store: Store) -> None:
        connect_store(store, "shopline")
        payment = {
            "order_id": "608faafe3985d70013d89319", "status": "expired", "updated_at": "2026-01-06T08:00:00Z",
        }  # fmt: skip
        pending = order("shopline", order_payment={"status": "pending"}, status="pending")
        send(store, shopline(pending), shopline(payment, "order_payment/update"))
        process_deliveries(NOW)
        assert only_order(store).payment_status == "pending"

    def test_e5_a_payment_message_with_the_whole_order_inside(self, store: Store) -> None:
        connect_store(store, "shopline")
        send(store, shopline(order("shopline", order_payment={"status": "expired"}), "order_payment/update"))
        process_deliveries(NOW)
        assert only_order(store).payment_status == "expired"


class TestUninstalling:
    SAID = (
        ("shopify", lambda: shopify({"id": 1, "myshopify_domain": "x.myshopify.com"}, "app/uninstalled")),
        ("shopline", lambda: shopline({"_id": "607fd9c2ff790b001cd23353"}, "application/uninstall")),
        (
            "shopline_global",
            lambda: shopline_global({"appkey": "a", "operate": "UNINSTALL"}, "apps/installed_uninstalled"),
        ),
    )
    TOKEN: ClassVar[dict[str, Any]] = {"access_token": Secret.of("token"), "base_url": "https://x.example.com"}

    @pytest.fixture(params=SAID, ids=lambda said: said[0])
    def said(self, request: pytest.FixtureRequest) -> tuple[str, Delivery]:
        platform, make = request.param
        return platform, make()

    def answer(self, monkeypatch: pytest.MonkeyPatch, answer: bool | Exception) -> None:
        def still_opens(_connection: PlatformConnection) -> bool:
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(process_webhooks, "still_opens", still_opens)

    def test_without_credentials_the_use_ends_and_the_webhooks_are_still_heard(
        self, store: Store, said: tuple[str, Delivery]
    ) -> None:
        platform, sent = said
        connected = connect_store(store, platform)
        send(store, sent)
        assert process_deliveries(NOW) == counts(done=1)
        connected.refresh_from_db()
        assert (connected.uninstalled_at, connected.enabled, connected.may_be_called) == (NOW, True, False)
        send(store, MAKERS[platform](order(platform)))
        assert process_deliveries(NOW) == counts(done=1)

    def test_the_credentials_go_once_the_platform_refuses_them(
        self, store: Store, said: tuple[str, Delivery], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        platform, sent = said
        connected = connect_store(store, platform, **self.TOKEN)
        self.answer(monkeypatch, answer=False)
        send(store, sent)
        assert process_deliveries(NOW) == counts(done=1)
        connected.refresh_from_db()
        assert (connected.uninstalled_at, bool(connected.access_token)) == (NOW, False)

    def test_while_the_platform_still_lets_us_in_nothing_ends(
        self, store: Store, said: tuple[str, Delivery], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        platform, sent = said
        connected = connect_store(store, platform, **self.TOKEN)
        self.answer(monkeypatch, answer=True)
        send(store, sent)
        assert process_deliveries(NOW) == counts(ignored=1)
        connected.refresh_from_db()
        assert (connected.uninstalled_at, connected.may_be_called, connected.last_error) == (None, True, "")

    def test_while_nobody_answers_it_is_not_used_and_nothing_is_erased(
        self, store: Store, said: tuple[str, Delivery], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        platform, sent = said
        connected = connect_store(store, platform, **self.TOKEN)
        self.answer(monkeypatch, Unreachable("No answer."))
        send(store, sent)
        assert process_deliveries(NOW) == counts(postponed=1)
        connected.refresh_from_db()
        assert (connected.may_be_called, bool(connected.access_token)) == (False, True)
        self.answer(monkeypatch, answer=False)
        assert process_deliveries(NOW + DELIVERIES.steps[0]) == counts(done=1)
        connected.refresh_from_db()
        assert not connected.access_token

    def test_a_late_message_does_not_end_a_new_connection(self, store: Store, said: tuple[str, Delivery]) -> None:
        platform, sent = said
        connected = connect_store(store, platform, updated_at=NOW + timedelta(hours=1), **self.TOKEN)
        send(store, sent)
        assert process_deliveries(NOW) == counts(ignored=1)
        connected.refresh_from_db()
        assert connected.uninstalled_at is None

    def test_being_installed_changes_nothing(self, store: Store) -> None:
        connected = connect_store(store, "shopline_global")
        send(store, shopline_global({"appkey": "a", "operate": "INSTALL"}, "apps/installed_uninstalled"))
        assert process_deliveries(NOW) == counts(ignored=1)
        connected.refresh_from_db()
        assert connected.uninstalled_at is None


@pytest.mark.parametrize(
    ("platform", "sent"),
    [
        (
            "shopline_global",
            shopline_global(
                {"pay_seq": "10020", "pay_status": "paid_failed", "pay_amount": 12.5}, "order_transactions/create"
            ),
        ),
        ("shopline_global", shopline_global({"id": "5"}, "refunds/create")),
        ("shopline", shopline({"_id": "5", "status": "completed"}, "order_payment/update")),
        ("shopline", shopline({"_id": "5"}, "order_delivery/update")),
        ("shopify", shopify({"id": 5, "kind": "sale", "status": "failure"}, "order_transactions/create")),
    ],
)
def test_what_names_no_order_is_set_aside_with_a_sentence(store: Store, platform: str, sent: Delivery) -> None:
    connect_store(store, platform)
    send(store, sent)
    assert process_deliveries(NOW) == counts(ignored=1)
    assert (
        kept(store)[0].outcome == "It does not say which order it is about; the order's own update brings the change."
    )


def test_o5_what_was_used_on_the_platform_is_not_given_back_from_here(store: Store) -> None:
    connect_store(store, "shopline")
    make_customer(store, external_id="5e0738e792f5c90009548b54")
    send(store, shopline(order("shopline")), shopline(order("shopline", **CANCELLED["shopline"]), "order/cancel"))
    process_deliveries(NOW)
    made = only_order(store)
    assert (made.credits_applied, made.points_applied) == (Decimal(0), 0)
    assert made.platform_data["points_used_there"] == 200
    assert made.credit_revert_status is None


class TestStoreCreditThere:
    """A webhook's order names the ways it was paid; how much by each comes with the payments (O5)."""

    def taken(self, number: int, said: object, **changes: Any) -> Delivery:
        payment = {"id": number, "order_id": 5941690892493, "kind": "sale", "status": "success", "currency": "USD"}
        body: dict[str, Any] = payment | {"gateway": "shopify_store_credit", "amount": said} | changes
        return shopify(body, "order_transactions/create")

    @pytest.mark.parametrize("turn", [1, -1])
    def test_o5_payments_add_up_once_in_whatever_order_they_come(self, store: Store, turn: int) -> None:
        connect_store(store)
        named = {"payment_gateway_names": ["shopify_store_credit", "bogus"]}
        sent = [
            self.taken(1, "20.00"),
            shopify(order("shopify", **named)),
            self.taken(2, "5.50"),
            self.taken(1, "20.0"),
        ]
        send(store, *sent[::turn])
        for pause in (timedelta(0), DELIVERIES.steps[0]):
            process_deliveries(NOW + pause)
        found = only_order(store)
        assert (found.platform_data["credits_used_there"], found.credits_applied) == ("25.50", 0)
        send(store, shopify(order("shopify", **named, tags="new", updated_at=LATER)))
        process_deliveries(NOW + DELIVERIES.steps[0])
        assert only_order(store).platform_data["credits_used_there"] == "25.50"

    @pytest.mark.parametrize(
        "changes",
        [{"kind": "refund"}, {"status": "failure"}, {"gateway": "gift_card"}, {"amount": "-1"}, {"amount": {}}],
    )
    def test_o5_other_payments_are_none_of_it(self, store: Store, changes: dict[str, Any]) -> None:
        connect_store(store)
        send(store, shopify(order("shopify")), self.taken(1, "20.00", **changes))
        process_deliveries(NOW)
        assert only_order(store).platform_data["credits_used_there"] == "0.00"

    def test_o5_another_currency_than_the_shops_says_that_there_was_some(self, store: Store) -> None:
        connect_store(store)
        send(store, shopify(order("shopify")), self.taken(1, "20.00", currency="EUR"))
        process_deliveries(NOW)
        kept_there = only_order(store).platform_data
        assert (kept_there["credits_used_there"], kept_there["some_credits_used_there"]) == ("0.00", True)


def test_a_split_order_and_its_parts_are_recorded_as_such(store: Store) -> None:
    connect_store(store, "shopline")
    parent, child = "608faafe3985d70013d89319", "608faafe3985d70013d89320"
    send(
        store,
        shopline(order("shopline", child_order_ids=[child]), "order/split_order"),
        shopline(order("shopline", id=child, order_number="2", parent_order_id=parent), "order/create"),
    )
    assert process_deliveries(NOW) == counts(done=2)
    split, part = Order.objects.for_store(store).order_by("pk")
    assert split.platform_data["child_external_ids"] == [child]
    assert part.platform_data["parent_external_id"] == parent
    assert (split.credits_applied, part.credits_applied) == (Decimal(0), Decimal(0))
