"""Codes on a platform: made after redeeming, deleted after reversing; a platform that is away for a day (R2, R3)."""

from collections.abc import Iterator
from contextvars import copy_context
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic
from types import SimpleNamespace

import pytest
import time_machine
from django.http import HttpRequest, HttpResponse

from loyalty.journal.models import JournalEntry
from loyalty.outbox.deliver import deliver_outbox
from loyalty.outbox.models import Message
from loyalty.partners import request_limits
from loyalty.partners.request_limits import SECONDS, RequestsCallNobody
from loyalty.platforms.models import PlatformConnection
from loyalty.stores.actors import Actor
from loyalty.stores.models import Customer, Store
from orders.models import Redemption
from orders.services.codes import on_platform
from orders.services.codes.on_platform import Asked, whether_used
from orders.services.redemptions.redeem import usable
from orders.services.redemptions.reverse import CodeUsed
from tests import factories
from tests.database import as_owner
from tests.examples import with_key
from tests.factories import NOW
from tests.platforms_imitated.connecting import connect
from tests.platforms_imitated.imitation import serving
from tests.platforms_imitated.shopify import ImitatedShopify

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sound")]


@pytest.fixture
def shopify() -> Iterator[ImitatedShopify]:
    with serving(ImitatedShopify()) as shop:
        yield shop


@pytest.fixture
def store(shopify: ImitatedShopify) -> Store:
    store = factories.make_store("sound")
    connect(shopify, store, now=NOW)
    return store


@pytest.fixture
def customer(store: Store) -> Customer:
    return factories.make_collector(store)


@pytest.fixture
def redemption(customer: Customer, store: Store) -> Redemption:
    return factories.make_redemption(customer, factories.make_reward(store, valid_days=30), now=NOW)


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """A worker is at work while the web waits; ``away``: it is not."""
    worker = SimpleNamespace(away=False, looks=0, now=NOW, clock=monotonic())

    def sleep(seconds: float) -> None:
        worker.looks += 1
        worker.clock += seconds
        if not worker.away:
            # In the worker's own process there is no request.
            copy_context().run(run_outside, worker.now)

    monkeypatch.setattr(request_limits, "sleep", sleep)
    monkeypatch.setattr(request_limits, "monotonic", lambda: worker.clock)
    return worker


def run_outside(now: datetime) -> None:
    request_limits._in_request.set(False)
    deliver_outbox(now)


def asked_in_a_request(redemption: Redemption, now: datetime = NOW) -> Asked:
    """As a view asks."""
    answers: list[Asked] = []

    def view(_request: HttpRequest) -> HttpResponse:
        answers.append(whether_used(now_of(redemption), now=now))
        return HttpResponse()

    RequestsCallNobody(view)(HttpRequest())
    return answers[0]


def codes(shopify: ImitatedShopify) -> list[str]:
    """The codes that the shop knows."""
    return [one["code"] for discount in shopify.codes.values() for one in discount["codes"]]


def now_of(redemption: Redemption) -> Redemption:
    fresh: Redemption = Redemption.unscoped.get(pk=redemption.pk)
    return fresh


def events(redemption: Redemption) -> list[str]:
    rows = JournalEntry.unscoped.filter(redemption=redemption).order_by("id")
    return [row.event.removeprefix("redemption.") for row in rows]


def run(now: datetime) -> None:
    """The worker, through everything that is due."""
    deliver_outbox(now)


def test_x12_made_usable_reversed_and_deleted(
    redemption: Redemption, shopify: ImitatedShopify, worker: SimpleNamespace
) -> None:
    assert (redemption.platform, redemption.platform_state, usable(redemption, NOW)) == ("shopify", "pending", False)
    run(NOW)
    active = now_of(redemption)
    assert codes(shopify) == [redemption.code]
    assert (active.platform_state, usable(active, NOW)) == ("confirmed", True)
    assert active.platform_reference
    later = worker.now = NOW + timedelta(hours=1)
    assert asked_in_a_request(active, later) is Asked.UNUSED
    factories.reverse(active, now=later)
    reversed_now = now_of(redemption)
    assert (reversed_now.state, reversed_now.platform_state) == ("reversed", "pending")
    run(later)
    assert codes(shopify) == []
    assert now_of(redemption).platform_state == "confirmed"
    assert events(redemption) == ["created", "code_confirmed", "reversed", "code_deleted"]
    assert factories.balance("points", redemption.customer, now=later) == 1000


def test_r3_gone_already_counts_as_done(redemption: Redemption, shopify: ImitatedShopify) -> None:
    run(NOW)
    shopify.codes.clear()
    factories.reverse(redemption)
    run(NOW)
    assert now_of(redemption).platform_state == "confirmed"


def test_r3_reversed_before_it_was_made_never_appears(redemption: Redemption, shopify: ImitatedShopify) -> None:
    factories.reverse(redemption)
    run(NOW)
    assert codes(shopify) == []
    assert not any("discountCodeBasicCreate" in str(asked.body) for asked in shopify.asked)
    assert (now_of(redemption).state, now_of(redemption).platform_state) == ("reversed", "confirmed")


def test_r3_reversed_while_the_platform_makes_it_is_deleted_afterwards(
    redemption: Redemption, shopify: ImitatedShopify
) -> None:
    # The worker has begun, and was killed before the platform's answer arrived: the code may appear any moment.
    message = Message.unscoped.get(topic=on_platform.CREATE)
    assert on_platform._begin_creating(message, NOW) is not None
    factories.reverse(redemption)
    run(NOW)
    assert now_of(redemption).platform_state == "pending"
    shopify.add_discount("gid://shopify/DiscountCodeNode/1", "Five off", redemption.code or "")
    run(NOW + timedelta(minutes=1))
    assert codes(shopify) == [redemption.code]
    run(NOW + timedelta(minutes=3))
    assert codes(shopify) == []
    assert now_of(redemption).platform_state == "confirmed"


def test_r3_a_platform_that_is_away_for_a_day_keeps_nobody_waiting(
    redemption: Redemption, shopify: ImitatedShopify
) -> None:
    run(NOW)
    shopify.fail_next(503, times=10_000)
    assert asked_in_a_request(redemption) is Asked.UNREACHABLE
    factories.reverse(redemption)
    assert factories.balance("points", redemption.customer, now=NOW) == 1000
    assert not usable(now_of(redemption), NOW)
    hours = 0
    while hours < 24:
        run(NOW + timedelta(hours=hours))
        hours += 1
    assert (now_of(redemption).state, now_of(redemption).platform_state) == ("reversed", "pending")
    assert codes(shopify) == [redemption.code]
    shopify._faults.clear()
    run(NOW + timedelta(hours=48))
    assert codes(shopify) == []
    assert now_of(redemption).platform_state == "confirmed"
    assert factories.balance("points", redemption.customer, now=NOW) == 1000


def test_r2_a_platform_that_is_away_makes_the_code_later(redemption: Redemption, shopify: ImitatedShopify) -> None:
    shopify.fail_next(503, times=10)
    run(NOW)
    assert now_of(redemption).platform_state == "pending"
    shopify._faults.clear()
    run(NOW + timedelta(hours=2))
    assert (now_of(redemption).platform_state, codes(shopify)) == ("confirmed", [redemption.code])


def test_r2_a_platform_that_says_no_leaves_a_code_that_can_be_reversed(
    redemption: Redemption, shopify: ImitatedShopify
) -> None:
    shopify.add_discount("gid://shopify/DiscountCodeNode/7", "The shop's own", redemption.code or "")
    run(NOW)
    refused = now_of(redemption)
    assert (refused.platform_state, usable(refused, NOW)) == ("failed", False)
    assert "code_failed" in events(redemption)
    factories.reverse(redemption)
    assert factories.balance("points", redemption.customer, now=NOW) == 1000


def test_r3_deleting_is_never_given_up_while_the_platform_is_away(
    redemption: Redemption, shopify: ImitatedShopify
) -> None:
    run(NOW)
    factories.reverse(redemption)
    shopify.fail_next(503, times=10_000)
    for day in range(40):
        run(NOW + timedelta(days=day))
    assert Message.unscoped.get(topic=on_platform.DELETE).status == "queued"
    shopify._faults.clear()
    run(NOW + timedelta(days=41))
    assert (codes(shopify), now_of(redemption).platform_state) == ([], "confirmed")


def test_r3_what_the_platform_says_was_used_is_learned_and_refused(
    redemption: Redemption, shopify: ImitatedShopify
) -> None:
    run(NOW)
    (discount,) = shopify.codes.values()
    discount["codes"][0]["uses"] = 1
    assert asked_in_a_request(redemption) is Asked.USED
    assert now_of(redemption).state == "used"
    with pytest.raises(CodeUsed):
        factories.reverse(redemption)
    assert JournalEntry.unscoped.get(event="redemption.code_used").actor == Actor.platform("shopify").ref


def test_r3_a_worker_that_does_not_come_to_asking_keeps_nobody_from_reversing(
    redemption: Redemption, shopify: ImitatedShopify, worker: SimpleNamespace
) -> None:
    run(NOW)
    worker.away, began = True, worker.clock
    assert asked_in_a_request(redemption) is Asked.UNREACHABLE
    assert SECONDS <= worker.clock - began < SECONDS + 1
    assert asked_in_a_request(redemption) is Asked.UNREACHABLE
    # However often somebody wants to know, the platform is asked once.
    assert Message.unscoped.filter(topic=on_platform.ASK).count() == 1
    factories.reverse(redemption)
    shopify.asked.clear()
    run(NOW)
    assert not any("codeDiscountNode(" in str(asked.body) for asked in shopify.asked)
    assert now_of(redemption).platform_said is None


def test_r3_each_question_has_an_answer_of_its_own(
    redemption: Redemption, shopify: ImitatedShopify, worker: SimpleNamespace
) -> None:
    run(NOW)
    assert asked_in_a_request(redemption) is Asked.UNUSED
    (discount,) = shopify.codes.values()
    discount["codes"][0]["uses"] = 1
    worker.now = NOW + timedelta(minutes=1)
    assert asked_in_a_request(redemption, worker.now) is Asked.USED
    assert worker.looks == 2


def test_r3_what_a_worker_learns_decides_what_the_api_answers(
    redemption: Redemption, store: Store, shopify: ImitatedShopify
) -> None:
    run(NOW)
    (discount,) = shopify.codes.values()
    discount["codes"][0]["uses"] = 1
    with time_machine.travel(NOW, tick=False):
        refused = with_key(store).command(f"/redemptions/{redemption.pk}/reverse/", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "code-used")


def test_r3_credits_tell_no_platform(customer: Customer, store: Store) -> None:
    reward = factories.make_reward(store, type="credits", value=Decimal(10))
    redemption = factories.make_redemption(customer, reward, now=NOW)
    assert (redemption.platform, redemption.platform_state) == ("", None)
    factories.reverse(redemption)
    assert not Message.unscoped.filter(topic__startswith="platform.").exists()


def test_r3_a_store_that_is_no_longer_connected_can_reverse(redemption: Redemption, store: Store) -> None:
    run(NOW)
    with as_owner():
        PlatformConnection.objects.for_store(store).delete()
    assert asked_in_a_request(redemption) is Asked.UNREACHABLE
    factories.reverse(redemption)
    run(NOW)
    waiting = Message.unscoped.get(topic=on_platform.DELETE)
    assert (waiting.status, "no longer connected" in waiting.last_error) == ("queued", True)
    assert now_of(redemption).state == "reversed"
