"""The cancel / return form over Django's client: M1-M8, T1, T2 and the worked examples X1, X2, X3, X13."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from credits.models import CreditLot, CreditMovement
from loyalty.core.days import end_of_day
from loyalty.notices.models import Notice
from loyalty.store_settings.sections import (
    EarnedPointsSettings,
    EarningSettings,
    ExtendSettings,
    NotifySettings,
    PointsExpirySettings,
    StoreSettings,
)
from loyalty.stores.actors import Trigger
from loyalty.stores.models import Role, Store
from orders.models import Order, OrderStatus, PersonsDecision, Revert
from orders.services.intake.change import change_order
from orders.services.reverts.apply import Details
from orders.services.reverts.cancel import cancel_many
from tests.addresses import reverse
from tests.factories import ACTOR, NOW, balance, grant, make_customer, make_order, make_settings, make_store
from tests.orders.admin.reverts.cases import (
    EXPIRED,
    address,
    credit_lots,
    expired_ref,
    fields_of,
    send,
    staff,
    store_and_staff,
    x1_order,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


def fresh(order: Order) -> Order:
    found: Order = Order.objects.for_store(order.store).get(pk=order.pk)
    return found


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_m3_the_form_says_who_what_and_what_comes_of_each_lot() -> None:
    store, client = store_and_staff()
    order = x1_order(store, points=100)
    page = text_of(client.get(address(order)))
    assert "Order 1001 of Ana Lee used 15.00 USD credits and 100 points." in page
    assert "Cancel order and return 5.00 USD + 100 points" in page
    assert "Keep order" in page
    assert "Reverted (5.00 of 15.00)" in page
    assert page.count(">Expired</span>") == 1
    assert "Will not be returned" in page
    assert 'value="30"' in page


def test_x1_the_valid_lot_returns_and_the_expired_one_does_not() -> None:
    store, client = store_and_staff()
    order = x1_order(store)
    answer = send(client, order, fields_of(client.get(address(order))))
    assert answer.status_code == 302
    assert answer.url == reverse("admin:orders_order_change", args=[order.pk])
    assert credit_lots(order) == [(10, 0), (5, 5)]
    done = fresh(order)
    assert (done.status, done.credit_revert_status, done.credits_reverted) == ("cancelled", "reverted", 5)
    assert done.credits_decision == PersonsDecision.EXPIRED_LEFT
    assert done.cancelled_by == Trigger.ADMIN


def test_x2_extend_by_thirty_days_makes_a_new_lot() -> None:
    store, client = store_and_staff()
    order = x1_order(store)
    ref = expired_ref(client, order)
    chosen = fields_of(client.get(address(order))) | {f"extend_{ref}": "on", f"days_{ref}": "30"}
    shown = send(client, order, chosen, button="_preview")
    assert "Cancel order and return 15.00 USD" in text_of(shown)
    assert credit_lots(order) == [(10, 0), (5, 0)]
    send(client, order, fields_of(shown))
    new = CreditLot.objects.for_store(store).get(extended_from__isnull=False)
    assert (new.granted, new.expires_at) == (10, end_of_day(date(2026, 2, 4), store.tz))
    assert fresh(order).credit_revert_status == "reverted"
    assert credit_lots(order) == [(10, 0), (5, 5), (10, 10)]


def test_x3_nothing_returns_and_m8_completes_it_later() -> None:
    store, client = store_and_staff()
    order = x1_order(store, both_expired=True)
    form = client.get(address(order))
    assert "Cancel order and return nothing" in text_of(form)
    send(client, order, fields_of(form))
    assert (fresh(order).status, fresh(order).credit_revert_status) == ("cancelled", "not_reverted")
    again = client.get(address(order))
    assert "Return credits/points" in text_of(again)
    refs = [name.removeprefix("days_") for name in fields_of(again) if name.startswith("days_")]
    chosen = fields_of(again) | {f"extend_{ref}": "on" for ref in refs}
    shown = send(client, order, chosen, button="_preview")
    assert "Return 15.00 USD" in text_of(shown)
    send(client, order, fields_of(shown))
    assert (fresh(order).credits_reverted, fresh(order).credits_decision) == (15, "")
    assert "There is nothing left to return." in text_of(client.get(address(order)))


def test_x13_only_what_the_order_used_of_a_lapsed_lot_comes_back() -> None:
    store, client = store_and_staff()
    ana = make_customer(store)
    grant("credits", ana, "100.00", until=date(2026, 1, 1))
    order = make_order(ana, credits="60.00")
    ref = expired_ref(client, order)
    chosen = fields_of(client.get(address(order))) | {
        f"extend_{ref}": "on",
        f"until_{ref}": "2026-02-28",
        f"days_{ref}": "",
    }
    send(client, order, fields_of(send(client, order, chosen, button="_preview")))
    assert credit_lots(order) == [(100, 0), (60, 60)]
    new = CreditLot.objects.for_store(store).get(extended_from__isnull=False)
    assert new.expires_at == end_of_day(date(2026, 2, 28), store.tz)


def test_m2_unticked_both_still_cancels_and_is_declined() -> None:
    store, client = store_and_staff()
    order = x1_order(store, points=100)
    fields = fields_of(client.get(address(order)))
    del fields["return_credits"], fields["return_points"]
    shown = send(client, order, fields, button="_preview")
    assert "Cancel order and return nothing" in text_of(shown)
    send(client, order, fields_of(shown))
    done = fresh(order)
    assert (done.status, done.credits_decision, done.points_decision) == ("cancelled", "declined", "declined")
    assert not Revert.objects.for_store(store).exists()


def test_m1_an_order_that_used_nothing_gets_a_plain_confirmation() -> None:
    store, client = store_and_staff()
    order = make_order(make_customer(store, name="Bo"), number="77")
    form = client.get(address(order))
    assert "Order 77 of Bo used no store credits and no member points." in text_of(form)
    assert ">Cancel order</span>" in text_of(form)
    send(client, order, fields_of(form))
    assert fresh(order).status == "cancelled"


def test_m5_reason_note_and_message_are_kept_and_the_store_decides_the_tick() -> None:
    store, client = store_and_staff()
    make_settings(store, StoreSettings(notify=NotifySettings(on_cancel_default=True)))
    order = x1_order(store)
    fields = fields_of(client.get(address(order)))
    assert fields["notify"] == "on"
    send(client, order, fields | {"reason": "fraud", "note": "asked <twice>"})
    revert = Revert.objects.for_store(store).select_related("remark").get()
    assert revert.remark is not None
    assert (revert.remark.reason, revert.remark.note) == ("fraud", "asked <twice>")
    assert fresh(order).cancel_reason == "fraud"
    assert Notice.unscoped.filter(store=store).count() == 1


def test_m6_a_choice_changed_without_preview_comes_back_marked_and_does_nothing() -> None:
    store, client = store_and_staff()
    order = x1_order(store)
    ref = expired_ref(client, order)
    back = send(client, order, fields_of(client.get(address(order))) | {f"extend_{ref}": "on"})
    assert back.status_code == 200
    assert "You changed something" in text_of(back)
    assert "was: Will not be returned" in text_of(back)
    assert "The button said: Cancel order and return 5.00 USD" in text_of(back)
    assert fresh(order).status == "pending"
    assert send(client, order, fields_of(back)).status_code == 302
    assert fresh(order).credits_reverted == 15


def test_m6_facts_that_changed_come_back_marked_and_nothing_happens() -> None:
    store, client = store_and_staff()
    order = x1_order(store)
    fields = fields_of(client.get(address(order)))
    with time_machine.travel(NOW + timedelta(days=90), tick=False):
        client, _ = staff(store)
        back = send(client, order, fields)
    assert back.status_code == 409
    assert "Something changed meanwhile" in text_of(back)
    assert "was: Returns 5.00 USD, valid until" in text_of(back)
    assert fresh(order).status == "pending"


def test_m6_an_order_cancelled_by_somebody_else_meanwhile_comes_back_as_the_return_form() -> None:
    store, client = store_and_staff()
    order = x1_order(store)
    fields = fields_of(client.get(address(order)))
    cancel_many(store=store, order_ids=[order.pk], details=Details(), actor=ACTOR, now=NOW)
    back = send(client, order, fields)
    assert back.status_code == 409
    assert "Return 5.00 USD" in text_of(back)
    assert fresh(order).credits_reverted == 0


def test_m6_other_changes_of_the_order_or_the_balance_do_not_ask_again() -> None:
    store, client = store_and_staff()
    order = x1_order(store)
    fields = fields_of(client.get(address(order)))
    assert order.customer is not None
    grant("credits", order.customer, "3.00", now=NOW)
    change_order(store=store, order_id=order.pk, values={"tags": ["vip"]}, actor=ACTOR, now=NOW)
    assert send(client, order, fields).status_code == 302


def test_m7_sent_twice_is_the_same_as_once() -> None:
    store, client = store_and_staff()
    order = x1_order(store)
    fields = fields_of(client.get(address(order)))
    first, second = send(client, order, fields), send(client, order, fields)
    assert first.url == second.url
    assert CreditMovement.objects.for_store(store).filter(type="revert").count() == 1
    page = text_of(client.get(second.url))
    assert "5.00 USD returned to Ana Lee." in page
    assert "already done" in page


def test_m8_a_refunded_order_opens_as_return_and_keeps_its_status() -> None:
    store, client = store_and_staff()
    order = x1_order(store)
    change_order(store=store, order_id=order.pk, values={"payment_status": "refunded"}, actor=ACTOR, now=NOW)
    form = client.get(address(order))
    assert "Return credits/points" in text_of(form)
    send(client, order, fields_of(form))
    assert (fresh(order).status, fresh(order).credits_reverted) == (OrderStatus.PENDING, 5)
    assert "Cancel order 1001" in text_of(client.get(address(order), {"intent": "cancel"}))


def test_m8_a_payment_that_is_refunded_no_longer_is_not_returned() -> None:
    store, client = store_and_staff()
    order = x1_order(store)
    change_order(store=store, order_id=order.pk, values={"payment_status": "refunded"}, actor=ACTOR, now=NOW)
    fields = fields_of(client.get(address(order)))
    change_order(store=store, order_id=order.pk, values={"payment_status": "paid"}, actor=ACTOR, now=NOW)
    back = send(client, order, fields)
    assert back.status_code == 409
    assert "no longer refunded" in text_of(back)
    assert fresh(order).credits_reverted == 0


@pytest.mark.parametrize(
    ("days", "until", "said"),
    [
        ("0", "", "Extend by 1 to 90 days."),
        ("91", "", "Extend by 1 to 90 days."),
        ("", "", "Give a number of days, or a date."),
        ("soon", "", "Enter a whole number."),
        ("", "2026-01-04", "The new expiry is before today."),
        ("", "2026-04-06", "The latest expiry this store allows is"),
        ("", "31/31", "Enter a valid date."),
    ],
)
def test_m3_a_wrong_extension_is_refused_at_its_field(days: str, until: str, said: str) -> None:
    store, client = store_and_staff()
    make_settings(store, StoreSettings(extend=ExtendSettings(default_days=30, max_days=90)))
    order = x1_order(store)
    ref = expired_ref(client, order)
    wrong = {f"extend_{ref}": "on", f"days_{ref}": days, f"until_{ref}": until, "note": "keep this"}
    back = send(client, order, fields_of(client.get(address(order))) | wrong)
    page = text_of(back)
    assert back.status_code == 422
    assert said in page[page.index(f'id="error-{ref}"') :]
    assert fields_of(back)[f"days_{ref}"] == days
    assert fields_of(back)["note"] == "keep this"
    assert fields_of(back)["token"] == ""
    assert fresh(order).status == "pending"


def test_m3_a_wrong_extension_of_a_kind_that_is_not_returned_does_not_matter() -> None:
    store, client = store_and_staff()
    order = x1_order(store)
    ref = expired_ref(client, order)
    fields = fields_of(client.get(address(order))) | {f"extend_{ref}": "on", f"days_{ref}": "0"}
    del fields["return_credits"]
    assert send(client, order, fields, button="_preview").status_code == 200


def test_m6_a_foreign_or_broken_token_does_nothing() -> None:
    store, client = store_and_staff()
    order, other = x1_order(store), x1_order(store, number="1002")
    fields = fields_of(client.get(address(order)))
    for token in ("", "rubbish", fields_of(client.get(address(other)))["token"]):
        assert send(client, order, fields | {"token": token}).status_code in {200, 409}
    assert send(client, order, fields | {"seen": "rubbish"}).status_code in {200, 409}
    assert fresh(order).status == "pending"


def test_t1_another_stores_order_is_a_404_as_an_unknown_one() -> None:
    _, outsider = store_and_staff(Role.OWNER)
    order = x1_order(make_store())
    for path in (address(order), address(order).replace(str(order.pk), "999999999")):
        assert outsider.get(path).status_code == 404
        assert outsider.post(path, {"_confirm": "1"}).status_code == 404
    assert fresh(order).status == "pending"


def test_t2_who_may_not_cancel_gets_no_form() -> None:
    store, viewer = store_and_staff(Role.VIEWER)
    order = x1_order(store)
    assert viewer.get(address(order)).status_code in {403, 404}
    assert viewer.post(address(order), {"_confirm": "1"}).status_code in {403, 404}
    assert Client().get(address(order)).status_code == 302


def test_a_form_without_its_csrf_token_is_refused() -> None:
    store, _ = store_and_staff()
    order = x1_order(store)
    _, user = staff(store)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    fields = fields_of(strict.get(address(order)))
    assert send(strict, order, fields | {"csrfmiddlewaretoken": ""}).status_code == 403
    assert send(strict, order, fields).status_code == 302


def test_a_script_gets_the_form_alone_and_is_told_where_to_go() -> None:
    store, client = store_and_staff()
    order = x1_order(store)
    part = client.get(address(order), headers={"X-Fragment": "1"})
    assert part.content.decode().lstrip().startswith("<section")
    done = send(client, order, fields_of(part), **{"X-Fragment": "1"})
    assert (done.status_code, done.headers["X-Location"]) == (
        204,
        reverse("admin:orders_order_change", args=[order.pk]),
    )


def _queries(client: Client, store: Store, lots: int) -> int:
    ana = make_customer(store)
    for day in range(lots):
        grant("credits", ana, Decimal(2), until=date(2026, 1, 1 + day))
        grant("points", ana, 10, until=date(2026, 5, 1 + day))
    order = make_order(ana, credits=str(2 * lots), points=10 * lots)
    client.get(address(order))
    with CaptureQueriesContext(connection) as asked:
        client.get(address(order))
    return len(asked)


def test_the_number_of_queries_does_not_grow_with_the_lots() -> None:
    store, client = store_and_staff()
    one, three = _queries(client, store, 1), _queries(client, store, 3)
    assert one == three
    assert one <= 20


@pytest.mark.parametrize(
    ("scheme", "days", "until"),
    [
        (PointsExpirySettings("never"), "30", ""),
        (PointsExpirySettings("days", days=90), "90", ""),
        (PointsExpirySettings("yearly", month=6, day=30), "", "2026-06-30"),
        (PointsExpirySettings("days", days=400), "30", ""),
    ],
)
def test_l7_extend_of_points_offers_the_schemes_next_date_first(
    scheme: PointsExpirySettings, days: str, until: str
) -> None:
    store, client = store_and_staff()
    make_settings(store, StoreSettings(points_expiry=scheme))
    ana = make_customer(store)
    grant("points", ana, 50, until=EXPIRED)
    fields = fields_of(client.get(address(make_order(ana, points=50))))
    offered = {name.partition("_")[0]: value for name, value in fields.items() if name.startswith(("days_", "until_"))}
    assert (offered["days"], offered["until"]) == (days, until)


def test_c1_the_form_says_what_becomes_of_earned_points() -> None:
    store, client = store_and_staff()
    earning = EarningSettings(Decimal("0.1"), "paid")
    make_settings(store, StoreSettings(earning=earning, earned_points=EarnedPointsSettings(claw_back=True)))
    ana = make_customer(store)
    order = make_order(ana, payment_status="paid", total=Decimal("400.00"))
    make_order(ana, points=30)
    page = text_of(client.get(address(order)))
    assert "10 points that this order earned are taken back from the customer." in page
    assert "30 points more are spent already: they count against what is earned next." in page
    send(client, order, fields_of(client.get(address(order))))
    assert (fresh(order).points_taken_back, balance("points", ana, now=NOW)) == (10, 0)


def test_c1_n3_the_form_and_the_page_name_the_tag_that_keeps_earned_points() -> None:
    store, client = store_and_staff()
    earned = EarnedPointsSettings(claw_back=True, skip_tags=("exchange",))
    make_settings(store, StoreSettings(earning=EarningSettings(Decimal("0.1"), "paid"), earned_points=earned))
    ana = make_customer(store)
    order = make_order(ana, payment_status="paid", total=Decimal("400.00"), tags=["Exchange"])
    details = reverse("admin:orders_order_change", args=[order.pk])
    words = "The points that this order earned stay with the customer: the tag “exchange” keeps them."
    assert words in text_of(client.get(address(order)))
    assert "Earned points kept" not in text_of(client.get(details))
    send(client, order, fields_of(client.get(address(order))))
    assert (fresh(order).points_taken_back, balance("points", ana, now=NOW)) == (0, 40)
    assert "<dt>Earned points kept</dt><dd>by the tag “exchange”</dd>" in text_of(client.get(details))
