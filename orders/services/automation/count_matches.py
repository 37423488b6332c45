"""How many orders match spent-revert rules, saved or not (N1)."""

from collections.abc import Iterator
from typing import Any

from django.db.models import F, Q, QuerySet

from loyalty.core.tags import tag_key
from loyalty.store_settings.sections import SpentRevertSettings
from loyalty.stores.models import Store
from orders.models import Order, OrderStatus, PaymentStatus, PersonsDecision
from orders.search import tagged
from orders.services.automation.upcoming import COUNTED_TO
from orders.services.rules.decide import Triggers, TriggerStatus


def matching(store: Store, rules: SpentRevertSettings) -> int:
    """Of how many of the store's orders ``rules`` would return value if they looked at them now.

    As if the rules were on. What people declined, dismissed or left for later is not counted, and neither are orders
    with a skip tag. Ends at one more than COUNTED_TO; one statement, each arm of which walks an index of its own, and
    two before it for tags, which say how to find them.
    """
    arms: list[QuerySet[Any]] = [arm.order_by().values("pk")[: COUNTED_TO + 1] for arm in _arms(store, rules)]
    if not arms:
        return 0
    found = arms[0].union(*arms[1:]) if len(arms) > 1 else arms[0]
    return found[: COUNTED_TO + 1].count()


def _arms(store: Store, rules: SpentRevertSettings) -> "Iterator[QuerySet[Order]]":
    open_kinds = Q()
    for kind in rules.kinds:
        undecided = Q(**{f"{kind}_reverted__lt": F(f"{kind}_applied"), f"{kind}_decision": PersonsDecision.NONE})
        open_kinds |= undecided
    if not open_kinds:
        return
    skip = [tag_key(tag) for tag in rules.skip_tags]
    orders: QuerySet[Order] = Order.objects.for_store(store).filter(open_kinds, is_test=False)
    orders = orders.exclude(tag_keys__overlap=skip) if skip else orders
    if TriggerStatus.CANCELLED in rules.statuses:
        yield orders.filter(needs_revert=True, status=OrderStatus.CANCELLED)
    if TriggerStatus.REFUNDED in rules.statuses:
        yield orders.filter(needs_revert=True, payment_status=PaymentStatus.REFUNDED)
    if TriggerStatus.PARTIALLY_REFUNDED in rules.statuses:
        yield orders.filter(payment_status=PaymentStatus.PARTIALLY_REFUNDED)
    if rules.tags:
        yield orders.filter(tagged(store, [tag_key(tag) for tag in rules.tags]))


def overlap(rules: Triggers) -> list[str]:
    """The tags that both trigger and exempt, as the triggers write them: they never trigger anything (N3)."""
    skip = {tag_key(tag) for tag in rules.skip_tags}
    return [tag.strip() for tag in rules.tags if tag_key(tag) in skip]
