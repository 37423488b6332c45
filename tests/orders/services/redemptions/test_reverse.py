"""Reversing redemptions: points back in their lots, the code dead, told once (R3, R4, R5, X12)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credits.models import CreditLot, CreditMovement
from loyalty.core.errors import Invalid, NotFound
from loyalty.journal.models import JournalEntry
from loyalty.ledger.planner import UsedLot
from loyalty.notices.models import Notice
from loyalty.platforms.snapshot import OrderSnapshot
from loyalty.store_settings.sections import NotifySettings, StoreSettings, current_settings
from loyalty.stores.actors import Actor
from loyalty.stores.models import Customer, Store
from orders.models import CodeUse, Order, Redemption, ReversalRequest
from orders.services.codes.uses import flagged_uses, note_used_on_platform, settle_code_uses
from orders.services.intake.ingest import ingest
from orders.services.redemptions.plans import part_of, preview_reversal
from orders.services.redemptions.redeem import usable
from orders.services.redemptions.requests import AlreadyReversed, RequestAnswered, refuse_request, request_reversal
from orders.services.redemptions.reverse import CodeUsed, ReversalStale
from orders.services.reverts.choices import CancelChoice, Extension
from orders.services.reverts.dismiss import NothingLeft
from points.models import PointLot, PointMovement
from tests import factories
from tests.factories import ACTOR, BEFORE, NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sound")]


@pytest.fixture
def customer(store: Store) -> Customer:
    """Somebody with 300 points that expire on 31 January and 700 that never do."""
    return factories.make_collector(store)


@pytest.fixture
def redemption(customer: Customer, store: Store) -> Redemption:
    """A code for which 300 points of the first lot and 200 of the second were spent."""
    return factories.make_redemption(customer, factories.make_reward(store))


@pytest.fixture
def for_credits(customer: Customer, store: Store) -> Redemption:
    """10.00 of store credits for the same points."""
    return factories.make_redemption(customer, factories.make_reward(store, type="credits", value=Decimal(10)))


def remaining(customer: Customer) -> list[tuple[str, int]]:
    lots = PointLot.unscoped.filter(customer=customer).order_by("id")
    return [(lot.origin, lot.remaining) for lot in lots]


def order_with(store: Store, *codes: str, number: str = "1", minute: int = 0, **facts: Any) -> Order:
    """An order with these discount codes, as Shopify sends it."""
    values: dict[str, Any] = {
        "external_id": number, "number": f"#{number}", "status": "confirmed", "payment_status": "paid",
        "currency": "USD", "total": Decimal(40), "refunded_total": Decimal(0), "placed_at": NOW,
        "updated_at": NOW + timedelta(minutes=minute), "discount_codes": codes, "customer": None,
    }  # fmt: skip
    said = OrderSnapshot(**(values | facts))
    order = ingest(store=store, platform="shopify", snapshot=said, actor=Actor.platform("shopify"), now=NOW).order
    assert order is not None
    return order


def events(redemption: Redemption) -> list[str]:
    rows = JournalEntry.unscoped.filter(redemption=redemption).order_by("id")
    return [row.event.removeprefix("redemption.") for row in rows]


def test_x12_the_points_are_back_in_their_lots_the_code_is_dead_and_one_mail_waits(redemption: Redemption) -> None:
    customer = redemption.customer
    assert remaining(customer) == [("grant", 0), ("grant", 500)]
    done = factories.reverse(redemption, notify_customer=True)
    assert remaining(customer) == [("grant", 300), ("grant", 700)]
    fresh = Redemption.unscoped.get()
    assert (fresh.state, fresh.points_returned, fresh.forced) == ("reversed", 500, False)
    assert (fresh.reversed_at, fresh.reversed_by, usable(fresh, NOW)) == (NOW, ACTOR.ref, False)
    notice = Notice.unscoped.get()
    assert notice == done.notice
    assert f"The code {redemption.code} can no longer be used." in notice.text
    assert "- Returned to you: 300 points, valid until January 31, 2026" in notice.text
    assert "- Returned to you: 200 points, valid without end" in notice.text
    reverts = PointMovement.unscoped.filter(type="revert")
    assert set(reverts.values_list("redemption", "revert", "lot__origin")) == {(redemption.pk, None, "grant")}
    assert events(redemption) == ["created", "reversed"]


def test_r3_twice_is_once(redemption: Redemption) -> None:
    factories.reverse(redemption, notify_customer=True)
    again = factories.reverse(redemption, notify_customer=True)
    assert (again.plan, again.notice, again.redemption.state) == (None, None, "reversed")
    assert factories.balance("points", redemption.customer, now=NOW) == 1000
    assert Notice.unscoped.count() == 1
    assert events(redemption) == ["created", "reversed"]


@pytest.mark.parametrize(("default", "asked", "told"), [(True, None, 1), (False, None, 0), (True, False, 0)])
def test_r3_the_customer_is_told_unless_setting_or_request_say_no(
    redemption: Redemption, default: bool, asked: bool | None, told: int
) -> None:
    notify = NotifySettings(on_redemption_reversal_default=default)
    factories.make_settings(redemption.store, StoreSettings(notify=notify))
    factories.reverse(redemption, notify_customer=asked)
    assert Notice.unscoped.count() == told


def test_r3_expired_points_stay_lost_unless_extended(redemption: Redemption) -> None:
    late = factories.NOW + timedelta(days=60)
    factories.reverse(redemption, now=late)
    assert Redemption.unscoped.get().points_returned == 200
    assert remaining(redemption.customer) == [("grant", 0), ("grant", 700)]
    assert "Not returned: 300 points, expired on January 31, 2026" in Notice.unscoped.get().text


def test_r3_extended_points_come_back_as_a_new_lot_that_names_the_old(redemption: Redemption) -> None:
    done = factories.reverse(redemption, now=NOW + timedelta(days=60), extend=Extension(days=10))
    new = PointLot.unscoped.get(origin="extension")
    old = PointLot.unscoped.earliest("id")
    assert (new.extended_from_id, new.granted, done.redemption.points_returned) == (old.pk, 300, 500)
    assert list(done.new_lots.values()) == [new.pk]


def test_r3_an_extension_beyond_the_limit_is_refused(redemption: Redemption) -> None:
    with pytest.raises(Invalid) as caught:
        factories.reverse(redemption, extend=Extension(days=366))
    assert caught.value.errors[0].pointer == "/extend/points/days"
    assert Redemption.unscoped.get().state == "claimed"


def test_r3_the_token_applies_what_was_shown_or_nothing(redemption: Redemption) -> None:
    settings = current_settings(redemption.store)
    choice = CancelChoice({"points": True})
    shown = preview_reversal(redemption, choice, store=redemption.store, settings=settings, now=NOW)
    assert (shown.balance_before, shown.balance_after, shown.plan.returns) == (500, 1000, 500)
    with pytest.raises(ReversalStale) as caught:
        factories.reverse(redemption, now=NOW + timedelta(days=60), token=shown.token)
    assert caught.value.preview.plan.returns == 200
    with pytest.raises(ReversalStale):
        factories.reverse(redemption, token="nonsense")
    assert factories.reverse(redemption, token=shown.token).redemption.points_returned == 500


def test_r3_an_extension_that_is_over_by_now_is_refused_with_its_token(redemption: Redemption) -> None:
    late = NOW + timedelta(days=60)
    until = Extension(expires_on=late.date())
    choice, settings = CancelChoice({"points": True}, {"points": until}), current_settings(redemption.store)
    shown = preview_reversal(redemption, choice, store=redemption.store, settings=settings, now=late)
    assert shown.plan.returns == 500
    with pytest.raises(Invalid):
        factories.reverse(redemption, now=late + timedelta(days=2), token=shown.token, extend=until)
    assert Redemption.unscoped.get().state == "claimed"


def test_r3_a_used_code_is_learned_from_its_order_and_refused(redemption: Redemption, store: Store) -> None:
    order = order_with(store, "TENOFF", (redemption.code or "").lower())
    fresh = Redemption.unscoped.get()
    assert (fresh.state, fresh.used_order_id, fresh.used_at) == ("used", order.pk, NOW)
    with pytest.raises(CodeUsed):
        factories.reverse(redemption)
    with pytest.raises(CodeUsed):
        factories.reverse(redemption, reason="Because")
    with pytest.raises(Invalid) as caught:
        factories.reverse(redemption, force=True, reason=" ")
    assert caught.value.errors[0].pointer == "/reason"
    assert factories.balance("points", redemption.customer, now=NOW) == 500
    assert events(redemption) == ["created", "code_used"]


def test_r3_a_used_code_is_reversed_by_force_with_a_reason(redemption: Redemption, store: Store) -> None:
    order_with(store, redemption.code or "")
    done = factories.reverse(redemption, force=True, reason="Goodwill")
    assert (done.redemption.state, done.redemption.forced, done.redemption.points_returned) == ("reversed", True, 500)
    assert done.redemption.reversal_remark is not None
    assert done.redemption.reversal_remark.reason == "Goodwill"
    assert not flagged_uses(store).exists()
    order_with(store, redemption.code or "", minute=1, tags=("vip",))
    assert not flagged_uses(store).exists()


def test_r3_what_the_platform_said_before_a_forced_reversal_is_no_surprise(redemption: Redemption) -> None:
    note_used_on_platform(redemption, actor=ACTOR, now=NOW)
    note_used_on_platform(redemption, actor=ACTOR, now=NOW)
    factories.reverse(redemption, force=True, reason="Goodwill")
    order = order_with(redemption.store, redemption.code or "")
    assert not flagged_uses(redemption.store).exists()
    fresh = Redemption.unscoped.get()
    assert (fresh.state, fresh.used_order_id) == ("reversed", order.pk)
    order_with(redemption.store, redemption.code or "", number="2")
    assert flagged_uses(redemption.store).count() == 1
    assert events(redemption) == ["created", "code_used", "reversed", "order.reversed_code_used"]


def test_r3_an_order_that_arrives_with_a_reversed_code_is_flagged_once_until_settled(redemption: Redemption) -> None:
    store, code = redemption.store, redemption.code or ""
    factories.reverse(redemption)
    order = order_with(store, code)
    order_with(store, code, minute=1, tags=("vip",))
    use = flagged_uses(store).get()
    assert (use.order_id, use.redemption_id, use.outcome) == (order.pk, redemption.pk, "after_return")
    assert Redemption.unscoped.get().state == "reversed"
    told = JournalEntry.unscoped.filter(event="order.reversed_code_used").order_by("id")
    assert [(entry.order_id, entry.redemption_id) for entry in told] == [(None, redemption.pk), (order.pk, None)]
    assert settle_code_uses(store=store, order_id=order.pk, actor=ACTOR, now=NOW) == 1
    assert settle_code_uses(store=store, order_id=order.pk, actor=ACTOR, now=NOW) == 0
    assert not flagged_uses(store).exists()
    with pytest.raises(NotFound):
        settle_code_uses(store=factories.make_store(), order_id=order.pk, actor=ACTOR, now=NOW)


def test_r3_a_code_that_is_added_to_an_order_later_counts(redemption: Redemption, store: Store) -> None:
    order_with(store, "TENOFF")
    assert Redemption.unscoped.get().state == "claimed"
    order_with(store, "TENOFF", redemption.code or "", minute=1)
    assert Redemption.unscoped.get().state == "used"
    assert CodeUse.unscoped.count() == 1


def test_t1_another_stores_order_uses_no_code_of_ours(redemption: Redemption) -> None:
    order_with(factories.make_store(), redemption.code or "")
    assert Redemption.unscoped.get().state == "claimed"


def test_r4_unspent_credits_are_taken_back_whole(for_credits: Redemption) -> None:
    done = factories.reverse(for_credits)
    assert (done.redemption.points_returned, done.redemption.credits_taken) == (500, 10)
    assert factories.balance("credits", for_credits.customer, now=NOW) == 0
    taken = CreditMovement.unscoped.latest("id")
    assert (taken.type, taken.amount, taken.redemption_id) == ("claw_back", -10, for_credits.pk)


def test_r4_of_partly_spent_credits_the_rest_is_taken_and_points_return_in_proportion(for_credits: Redemption) -> None:
    customer = for_credits.customer
    factories.make_order(customer, credits="6.67")
    done = factories.reverse(for_credits)
    assert (done.redemption.credits_taken, done.redemption.points_returned) == (Decimal("3.33"), 166)
    # What was spent last comes back first: all of it into the lot that never expires.
    assert remaining(customer) == [("grant", 0), ("grant", 666)]
    text = Notice.unscoped.get().text
    assert "3.33 of store credits were taken back" in text.replace("$", "").replace(" USD", "")
    assert "- Not returned: 334 points, for the credits that were used" in text


def test_r4_a_proportion_that_reaches_two_lots_gives_back_in_the_opposite_order(for_credits: Redemption) -> None:
    factories.make_order(for_credits.customer, credits="4.00")
    factories.reverse(for_credits)
    assert remaining(for_credits.customer) == [("grant", 100), ("grant", 700)]


def test_r4_spent_credits_leave_nothing_to_exchange_back(for_credits: Redemption) -> None:
    factories.make_order(for_credits.customer, credits="10")
    with pytest.raises(NothingLeft):
        factories.reverse(for_credits)
    assert Redemption.unscoped.get().state == "claimed"


def test_r4_expired_credits_cannot_be_exchanged_back(customer: Customer, store: Store) -> None:
    reward = factories.make_reward(store, type="credits", value=Decimal(10), valid_days=5)
    redemption = factories.make_redemption(customer, reward)
    with pytest.raises(NothingLeft):
        factories.reverse(redemption)


def test_r4_a_cancel_after_the_reversal_returns_the_spent_credits_to_the_same_lot(for_credits: Redemption) -> None:
    customer = for_credits.customer
    order = factories.make_order(customer, credits="6")
    factories.reverse(for_credits)
    assert factories.balance("credits", customer, now=NOW) == 0
    factories.cancel_and_return(order)
    lot = CreditLot.unscoped.get()
    assert (lot.remaining, lot.granted) == (6, 10)
    again = factories.reverse(for_credits)
    assert (again.plan, CreditLot.unscoped.get().remaining) == (None, 6)


def test_r4_credits_that_came_back_extended_are_still_the_rewards(customer: Customer, store: Store) -> None:
    reward = factories.make_reward(store, type="credits", value=Decimal(10), valid_days=5)
    redemption = factories.make_redemption(customer, reward)
    order = factories.make_order(customer, credits="4", now=BEFORE)
    extend = CancelChoice(returns={"credits": True}, extend={"credits": Extension(days=30)})
    factories.cancel_choosing(order, extend)
    done = factories.reverse(redemption)
    assert (done.redemption.credits_taken, done.redemption.points_returned) == (4, 200)
    assert [lot.remaining for lot in CreditLot.unscoped.order_by("id")] == [0, 0]


def test_r5_a_request_is_recorded_once_and_answered_by_the_reversal(redemption: Redemption, store: Store) -> None:
    first = request_reversal(store=store, redemption_id=redemption.pk, reason="Clicked", actor=ACTOR, now=NOW)
    again = request_reversal(store=store, redemption_id=redemption.pk, reason="Again", actor=ACTOR, now=NOW)
    assert first == again
    assert Redemption.unscoped.get().state == "claimed"
    factories.reverse(redemption)
    answered = ReversalRequest.unscoped.get()
    assert (answered.state, answered.answered_by, answered.answered_at) == ("done", ACTOR.ref, NOW)
    with pytest.raises(AlreadyReversed):
        request_reversal(store=store, redemption_id=redemption.pk, reason="Clicked", actor=ACTOR, now=NOW)
    assert events(redemption) == ["created", "reversal_requested", "reversed"]


def test_r5_a_request_is_refused_with_a_reason_and_may_be_made_again(redemption: Redemption, store: Store) -> None:
    with pytest.raises(Invalid):
        request_reversal(store=store, redemption_id=redemption.pk, reason=" ", actor=ACTOR, now=NOW)
    request_reversal(store=store, redemption_id=redemption.pk, reason="Clicked", actor=ACTOR, now=NOW)
    with pytest.raises(Invalid):
        refuse_request(store=store, redemption_id=redemption.pk, reason="", actor=ACTOR, now=NOW)
    refused = refuse_request(store=store, redemption_id=redemption.pk, reason="Too late", actor=ACTOR, now=NOW)
    assert refused.state == "refused"
    assert refused.answer is not None
    assert refused.answer.reason == "Too late"
    with pytest.raises(RequestAnswered):
        refuse_request(store=store, redemption_id=redemption.pk, reason="Too late", actor=ACTOR, now=NOW)
    request_reversal(store=store, redemption_id=redemption.pk, reason="Please", actor=ACTOR, now=NOW)
    assert ReversalRequest.unscoped.count() == 2


def test_t1_a_foreign_redemption_is_unknown(redemption: Redemption) -> None:
    other = factories.make_store()
    redemption.store = other
    with pytest.raises(NotFound):
        factories.reverse(redemption)
    with pytest.raises(NotFound):
        request_reversal(store=other, redemption_id=redemption.pk, reason="x", actor=ACTOR, now=NOW)
    with pytest.raises(NotFound):
        refuse_request(store=other, redemption_id=redemption.pk, reason="x", actor=ACTOR, now=NOW)


@given(amounts=st.lists(st.integers(1, 1000), min_size=1, max_size=6), percent=st.integers(0, 100))
def test_r4_a_part_adds_up_and_leaves_the_first_spent_for_last(amounts: list[int], percent: int) -> None:
    used = [UsedLot(number, None, 1, number, amount, 0, None, "grant") for number, amount in enumerate(amounts)]
    share = sum(amounts) * percent // 100
    parts = part_of(used, share)
    assert sum(part.amount for part in parts) == share
    assert [part.allocation_id for part in parts] == [lot.allocation_id for lot in used[len(used) - len(parts) :]]
    assert all(part.amount == used[part.allocation_id].amount for part in parts[1:])
