"""A code is points spent on the order that came with it: X14 and X15 by signed webhooks and through REST (R7)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
import time_machine

from loyalty.core.encryption import Secret
from loyalty.jobs.periodic import run_job
from loyalty.outbox.models import Message
from loyalty.platforms.models import DeliveryState, InboundDelivery
from points.models import PointLot, PointMovement
from tests import factories
from tests.books import find_faults
from tests.deliveries import connect_store, shopify, woocommerce
from tests.examples import Shop, open_shop
from tests.loyalty.platforms.samples import order as document

pytestmark = pytest.mark.django_db

BEGIN: Final = datetime.fromisoformat("2026-01-05T10:00:00+00:00")
RULES: Final = {"enabled": True, "statuses": ["cancelled", "refunded", "partially_refunded"]}
JOBS: Final = ("orders.process_deliveries", "orders.auto_cancel", "orders.evaluate_rules")

Say = Callable[..., None]


@dataclass
class World:
    """A shop, somebody with 500 points in two lots who redeemed them for a code, and the moment that it is."""

    shop: Shop
    customer: str
    redemption: str
    code: str
    platform: str = ""
    minute: int = 0

    def say(self, state: str = "", *, order: int = 2001, refunded: str = "", minute: int | None = None) -> None:
        """The platform says how the order is; ``minute`` is when it was so, by its own clock."""
        self.minute += 1
        at = BEGIN + timedelta(minutes=self.minute if minute is None else minute)
        makes = {"shopify": _shopify, "woocommerce": _woocommerce}[self.platform]
        with self.now():
            assert makes(self, at, state, order, refunded).send(self.shop.store).status_code == 200
            for job in JOBS:
                run_job(job, BEGIN + timedelta(minutes=self.minute))

    def now(self) -> Any:
        """The clock at this moment."""
        return time_machine.travel(BEGIN + timedelta(minutes=self.minute), tick=False)

    def order(self, number: int = 2001) -> dict[str, Any]:
        """The order as REST shows it."""
        (found,) = self.shop.get("/orders/", external_id=str(number)).json()["results"]
        return found  # type: ignore[no-any-return]

    def points(self, number: int = 2001) -> tuple[int, int, str | None]:
        """Used, returned, and the label."""
        order = self.order(number)
        return order["points_applied"], order["points_reverted"], order["points_revert_status"]

    def redeemed(self) -> tuple[str, int, str | None]:
        """The redemption: its state, what is back of it, what the platform has confirmed."""
        found = self.shop.get(f"/redemptions/{self.redemption}/").json()
        return found["state"], found["points_returned"], found["platform_state"]

    def lots(self) -> list[tuple[int, str | None]]:
        """What is in each lot, and its last day."""
        lots = self.shop.get(f"/customers/{self.customer}/point-lots/").json()["results"]
        return sorted((lot["remaining"], lot["expires_on"]) for lot in lots)

    def deletions(self) -> int:
        """How often the code's deletion on the platform was queued."""
        return Message.objects.for_store(self.shop.store).filter(topic="platform.delete_code").count()


def _shopify(world: World, at: datetime, state: str, order: int, refunded: str) -> Any:
    paid = {"refunded": "refunded"}.get(state, "partially_refunded" if refunded else "paid")
    transactions = [{"kind": "refund", "status": "success", "amount": refunded, "currency": "USD"}]
    said = document(
        "shopify",
        id=order, admin_graphql_api_id=f"gid://shopify/Order/{order}", name=f"#{order}",
        total_price="100.00", financial_status=paid, tags="",
        total_price_set={"shop_money": {"amount": "100.00", "currency_code": "USD"}},
        created_at=BEGIN.isoformat(), processed_at=BEGIN.isoformat(), updated_at=at.isoformat(),
        cancelled_at=at.isoformat() if state == "cancelled" else None,
        discount_codes=[{"code": world.code.lower(), "amount": "5.00", "type": "fixed_amount"}],
        customer={"id": 77, "email": "ana@example.org", "first_name": "Ana", "last_name": "Lee"},
        refunds=[{"transactions": transactions}] if refunded else [],
    )  # fmt: skip
    return shopify(said, "orders/cancelled" if state == "cancelled" else "orders/updated")


def _woocommerce(world: World, at: datetime, state: str, order: int, refunded: str) -> Any:
    said = document(
        "woocommerce",
        id=order, number=str(order), status=state or "processing", currency="USD", total="100.00",
        date_created_gmt=f"{BEGIN:%Y-%m-%dT%H:%M:%S}", date_paid_gmt=f"{BEGIN:%Y-%m-%dT%H:%M:%S}",
        date_modified_gmt=f"{at:%Y-%m-%dT%H:%M:%S}", meta_data=[],
        billing={"first_name": "Ana", "last_name": "Lee", "email": "ana@example.org", "phone": ""},
        coupon_lines=[{"id": 9, "code": world.code.lower(), "discount": "5.00"}],
        refunds=[{"id": 1, "total": f"-{refunded}"}] if refunded else [],
    )  # fmt: skip
    return woocommerce(said, "order.updated")


def open_world(platform: str = "", *, valid_days: int | None = None) -> World:
    """As X14 begins; codes are told to a platform that can be called, and nothing is asked of it here."""
    shop = open_shop()
    if platform:
        connect_store(shop.store, platform, base_url="https://shop.example.com", access_token=Secret.of("token"))
    assert shop.send("PATCH", "/settings/", {"spent_revert": RULES}).status_code == 200
    customer = shop.customer("Ana Lee", "ana@example.org")
    shop.give_points(customer, 200, "2026-06-30")
    shop.give_points(customer, 300, "2027-06-30")
    reward = factories.make_reward(shop.store, valid_days=valid_days)
    made = shop.command("/redemptions/", {"customer": customer, "reward": str(reward.pk)}).json()
    return World(shop, customer, made["id"], made["code"], platform)


@pytest.fixture(params=["shopify", "woocommerce"])
def world(request: pytest.FixtureRequest) -> World:
    with time_machine.travel(BEGIN, tick=False):
        return open_world(request.param)


@pytest.fixture(autouse=True)
def sound(db: None) -> Iterator[None]:
    """After each of these tests the books agree, and no delivery is left undone."""
    yield
    assert find_faults(None) == []
    undone = InboundDelivery.unscoped.exclude(state__in=(DeliveryState.DONE, DeliveryState.IGNORED))
    assert list(undone.values_list("topic", "last_error")) == []


def test_r7_x14_a_cancelled_order_gives_the_points_of_its_code_back_once(world: World) -> None:
    world.say()
    assert world.points() == (500, 0, None)
    codes = [{"redemption": world.redemption, "code": world.code, "points": 500}]
    assert world.order()["codes"] == codes
    assert world.redeemed() == ("used", 0, "pending")
    world.say("cancelled")
    assert world.points() == (500, 500, "reverted")
    assert world.lots() == [(200, "2026-06-30"), (300, "2027-06-30")]
    assert (world.redeemed(), world.deletions()) == (("returned", 500, "pending"), 1)
    movements = PointMovement.objects.for_store(world.shop.store).count()
    world.say("cancelled", minute=world.minute)
    world.say("cancelled")
    world.say(minute=1)
    assert (world.points(), world.deletions()) == ((500, 500, "reverted"), 1)
    assert PointMovement.objects.for_store(world.shop.store).count() == movements
    assert PointLot.objects.for_store(world.shop.store).count() == 2


def test_r7_x14_the_cancel_may_arrive_before_the_order(world: World) -> None:
    world.say("cancelled", minute=10)
    assert world.points() == (500, 500, "reverted")
    world.say(minute=5)
    assert (world.points(), world.redeemed()[:2]) == ((500, 500, "reverted"), ("returned", 500))
    assert world.deletions() == 1


def test_r7_x15_refunds_in_part_give_shares_back(world: World) -> None:
    world.say()
    world.say(refunded="40.00")
    assert world.points() == (500, 200, "reverted")
    # What was spent last comes back first (N5).
    assert world.lots() == [(0, "2026-06-30"), (200, "2027-06-30")]
    assert (world.redeemed()[:2], world.deletions()) == (("returned", 200), 1)
    world.say(refunded="40.00", minute=world.minute)
    assert world.points() == (500, 200, "reverted")
    world.say("refunded", refunded="100.00")
    assert world.points() == (500, 500, "reverted")
    assert (world.redeemed()[:2], world.deletions()) == (("returned", 500), 1)


def test_r7_a_second_order_with_the_code_used_nothing_and_is_flagged(world: World) -> None:
    world.say()
    world.say(order=2002)
    assert (world.points(), world.points(2002)) == ((500, 0, None), (0, 0, None))
    assert [code["points"] for code in world.order(2002)["codes"]] == [0]
    found = world.shop.get("/orders/", code=world.code.lower()).json()["results"]
    assert {order["external_id"] for order in found} == {"2001", "2002"}
    world.say("cancelled", order=2002)
    assert (world.points(2002), world.redeemed()[0]) == ((0, 0, None), "used")
    world.say("cancelled")
    assert world.points() == (500, 500, "reverted")


def test_r7_a_code_reversed_before_the_order_came_used_nothing(world: World) -> None:
    with world.now():
        factories.reverse(factories.redemption_of(world.redemption), now=BEGIN)
    world.say()
    world.say("cancelled")
    assert (world.points(), world.redeemed()[:2]) == ((0, 0, None), ("reversed", 500))
    assert world.lots() == [(200, "2026-06-30"), (300, "2027-06-30")]


@pytest.fixture
def rest() -> World:
    """As ``world``, without a platform; the clock stays."""
    with time_machine.travel(BEGIN, tick=False):
        return open_world()


def test_r7_x14_through_rest(rest: World) -> None:
    with rest.now():
        order = rest.shop.order(rest.customer, "2001", external_id="2001", codes=[rest.code])
        assert (order["points_applied"], order["codes"][0]["redemption"]) == (500, rest.redemption)
        again = rest.shop.command(
            "/orders/", {"number": "2001", "external_id": "2001", "customer": rest.customer, "total": "100.00",
                         "codes": [f" {rest.code.lower()} "]}
        )  # fmt: skip
        assert (again.status_code, again.json()) == (200, order)
        preview = rest.shop.preview(order["id"], revert_points=True).json()
        assert [(lot["amount"], lot["outcome"]) for lot in preview["points"]["lots"]] == [
            (200, "returned"), (300, "returned"),
        ]  # fmt: skip
        assert (preview["points"]["balance_before"], preview["points"]["balance_after"]) == (0, 500)
        done = rest.shop.cancel(order["id"], revert_points=True, preview_token=preview["preview_token"]).json()
        assert [(made["kind"], made["amount"], made["trigger"]) for made in done["reverts"]] == [("points", 500, "api")]
        assert (rest.redeemed(), rest.deletions()) == (("returned", 500, None), 0)
        assert rest.lots() == [(200, "2026-06-30"), (300, "2027-06-30")]
        decision = rest.shop.get(f"/orders/{order['id']}/decisions/").json()["results"][0]
        assert decision["sentence"] == "Returned 500 points of 500 points through the REST API."


def test_r7_x15_through_rest(rest: World) -> None:
    with rest.now():
        order = rest.shop.order(rest.customer, "2001", external_id="2001", codes=[rest.code], payment_status="paid")
        for refunded, back in (("40.00", 200), ("40.00", 200), ("100.00", 500)):
            change = {"payment_status": "partially_refunded", "refunded_total": refunded}
            assert rest.shop.send("PATCH", f"/orders/{order['id']}/", change).status_code == 200
            run_job("orders.evaluate_rules", BEGIN)
            assert rest.points() == (500, back, "reverted")


def test_r7_an_order_with_a_code_and_points_of_its_own_uses_both(rest: World) -> None:
    with rest.now():
        rest.shop.give_points(rest.customer, 100)
        body = {"external_id": "2001", "codes": [rest.code], "apply_points": 70}
        order = rest.shop.order(rest.customer, "2001", **body)
        assert order["points_applied"] == 570
        assert rest.shop.order_again(order, rest.customer, **body).status_code == 200
        differs = rest.shop.order_again(order, rest.customer, **(body | {"apply_points": 71}))
        assert (differs.status_code, differs.json()["code"]) == (409, "spend-differs")
        rest.shop.cancel(order["id"], revert_points=True)
        assert (rest.points(), rest.lots()[0]) == ((570, 570, "reverted"), (100, None))


def test_r7_unknown_and_foreign_codes_are_refused_alike(rest: World) -> None:
    with rest.now():
        other = open_shop("coffee")
        for shop, code in ((rest.shop, "NO-SUCH-CODE"), (other, rest.code)):
            body = {"number": "1", "customer": None, "total": "9.00", "codes": [code]}
            refused = shop.command("/orders/", body)
            assert refused.status_code == 422
            assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [("/codes/0", "not-found")]
            assert shop.get("/orders/").json()["results"] == []
        assert other.get("/orders/", code=rest.code).json()["results"] == []


def test_r7_an_order_without_a_customer_takes_the_one_who_redeemed(rest: World) -> None:
    with rest.now():
        order = rest.shop.order(None, "2001", external_id="2001", codes=[rest.code])
        assert (order["customer"]["id"], order["points_applied"]) == (rest.customer, 500)


def test_r7_undone_and_deducted_again(rest: World) -> None:
    with rest.now():
        order = rest.shop.order(rest.customer, "2001", external_id="2001", codes=[rest.code])["id"]
        (made,) = rest.shop.cancel(order, revert_points=True).json()["reverts"]
        undone = rest.shop.command(f"/reverts/{made['id']}/undo/", {})
        assert undone.status_code == 200
        assert (rest.points(), rest.redeemed()[:2]) == ((500, 0, "not_reverted"), ("used", 0))
        assert not rest.shop.get(f"/redemptions/{rest.redemption}/").json()["usable"]
        rest.shop.cancel(order, revert_points=True)
        assert (rest.points()[1], rest.redeemed()[:2]) == (500, ("returned", 500))
        back = rest.shop.reinstate(order, "all").json()
        assert (back["deducted"]["points"], rest.points()) == (500, (500, 0, None))
        # What was deducted again is a spend of the order's own; the redemption's points were returned.
        assert rest.redeemed()[:2] == ("returned", 500)
        rest.shop.cancel(order, revert_points=True)
        assert (rest.points()[1], rest.redeemed()[:2]) == (500, ("returned", 500))
        assert [remaining for remaining, _ in rest.lots()] == [200, 300]


@pytest.mark.parametrize("again", ["the same", "in other letters"])
def test_r7_a_code_told_twice_in_one_order_is_used_once(rest: World, again: str) -> None:
    with rest.now():
        codes = [rest.code, rest.code if again == "the same" else f"\t{rest.code.lower()} "]
        order = rest.shop.order(rest.customer, "2001", codes=codes)
        assert (order["points_applied"], len(order["codes"])) == (500, 1)


def test_r7_a_second_order_through_rest_used_nothing(rest: World) -> None:
    with rest.now():
        rest.shop.order(rest.customer, "2001", codes=[rest.code])
        second = rest.shop.order(rest.customer, "2002", codes=[rest.code])
        assert (second["points_applied"], [code["points"] for code in second["codes"]]) == (0, [0])
        rest.shop.cancel(second["id"], revert_points=True)
        assert rest.redeemed()[:2] == ("used", 0)


def test_r7_what_a_guest_applies_beside_a_code_is_not_taken_from_whose_code_it_is(rest: World) -> None:
    with rest.now():
        rest.shop.give_credits(rest.customer, "20.00")
        body = {"number": "2001", "customer": None, "total": "100.00", "codes": [rest.code], "apply_credits": "5.00"}
        refused = rest.shop.command("/orders/", body)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/customer")
        assert rest.shop.get("/orders/").json()["results"] == []
        assert rest.redeemed()[0] == "claimed"


def test_r7_a_code_of_another_customer_returns_to_that_one(rest: World) -> None:
    with rest.now():
        ben = rest.shop.customer("Ben", "ben@example.org")
        order = rest.shop.order(ben, "2001", codes=[rest.code])
        assert (order["customer"]["id"], order["points_applied"]) == (ben, 500)
        (made,) = rest.shop.cancel(order["id"], revert_points=True).json()["reverts"]
        found = rest.shop.get("/reverts/", customer=rest.customer).json()["results"]
        assert [revert["id"] for revert in found] == [made["id"]]
        assert rest.lots() == [(200, "2026-06-30"), (300, "2027-06-30")]


def test_r7_an_order_that_arrives_cancelled_gives_its_code_back(rest: World) -> None:
    with rest.now():
        order = rest.shop.order(rest.customer, "2001", external_id="2001", codes=[rest.code], status="cancelled")
        run_job("orders.evaluate_rules", BEGIN)
        assert order["points_applied"] == 500
        assert (rest.points(), rest.redeemed()[:2]) == ((500, 500, "reverted"), ("returned", 500))


def test_r7_a_code_that_ran_out_was_used_all_the_same_when_an_order_came_with_it() -> None:
    with time_machine.travel(BEGIN, tick=False):
        world = open_world(valid_days=1)
    with time_machine.travel(BEGIN + timedelta(days=3), tick=False):
        assert not world.shop.get(f"/redemptions/{world.redemption}/").json()["usable"]
        order = world.shop.order(world.customer, "2001", external_id="2001", codes=[world.code])
        assert order["points_applied"] == 500
        world.shop.cancel(order["id"], revert_points=True)
        assert (world.redeemed()[:2], world.lots()[1]) == (("returned", 500), (300, "2027-06-30"))
